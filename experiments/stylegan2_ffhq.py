"""StyleGAN2 on FFHQ at 1024 px, 70,000 pictures in a folder: configuration F.

  python launch.py --config=stylegan2_ffhq --config.data.path=DIR

Karras et al. 2020 (arXiv:1912.04958) and its code: skip connections in G,
residual blocks in D, twice StyleGAN's maps at fine resolutions, demodulated
weights; the non-saturating loss, R1 of weight 10 in every 16th D update, path
lengths of weight 2 in every 4th G update (the paper: 8th) of half a batch; Adam
.002 (0, .99), batches of 32 on one to eight GPUs, 25 M images.

Published (table 1, F): FID 2.84 ± .03 of 50,000 fakes, truncation off.
clean-fid measures its weights again: 2.85 in the old way, 3.08 in its own;
mmgeneration trains it again to 2.8185.
Here: the penalties share the step of the loss, where the source gives them
steps of their own and lowers rates and betas; blocks are computed again in the
backward pass. If memory is short: --config.networks.dtype=bfloat16, though the
source is in float32, or several devices, which share a batch.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('stylegan2')
  config.data.name = 'folder'
  config.data.resolution = 1024
  config.networks.remat = True

  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config

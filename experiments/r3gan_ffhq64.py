"""R3GAN on FFHQ at 64 px, 70,000 pictures in a folder.

  python launch.py --config=r3gan_ffhq64 --config.data.path=DIR

Huang et al. 2024 (arXiv:2501.05441), configuration E, and preset FFHQ-64 of
their code (brownvc/R3GAN): residual blocks of grouped convolutions, no norms,
relativistic loss with R1 and R2, batch 256 on eight GPUs. Over the first 20 M
images, along half a cosine: rates 2e-4 to 5e-5, weight of R1 and R2 2 to .2,
beta2 .9 to .99, probability of augmentations 0 to .3, half-life of the average
0 to 500,000 images. G's updates compare with reals of their own (train.g_reals
new), which do not count as shown, as in the source; runs from before that
setting compare with those that D was just updated on.

Published: FID 1.95 of 50,000 fakes against all 70,000 pictures.
How long it was trained is not given.
Here: 150 M images; bfloat16 at every resolution, where the source has it at the
four finest. On fewer GPUs, --config.train.accumulate takes the batch in parts.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('r3gan_64')
  config.data.name = 'folder'
  config.data.resolution = 64

  config.train.sample_every_images = 100_000
  config.train.measure_every_images = 1_000_000
  config.train.checkpoint_every_images = 1_000_000
  return config

"""ProGAN on CelebA-HQ at 1024 px, 30,000 pictures in a folder.

  python launch.py --config=progan_celebahq --config.data.path=DIR
  python launch.py --config=progan_celebahq:v2 --config.data.path=DIR

Karras et al. 2018 (arXiv:1710.10196): growing from 4 px, WGAN-GP, Adam .001 (0,
.99), standard deviation of the whole batch at 4 px only. 'v1' is the paper
(appendix A.1): resolutions are stable for 800,000 images and fade in over as
many, batches of 16, 14 at 256, 6 at 512 and 3 at 1024 px. 'v2' is its code's
setting for eight GPUs: 600,000 images each, batches of 512 down to 32,
minibatch standard deviation of groups of 4, rates up to three times as high.

Published: FID 7.30 of 50,000 fakes, 'v1'; 7.79 where StyleGAN (table 1)
measures it again.
Here: rates do not rise over the first 40,000 images, as those of 'v1' did. Its
average keeps .999 a step, ours has one half-life: in 'v1' 11,085 images, those
of the first batch of 16 (there 2,078 at batch 3), in 'v2' that of the last
batch. D of 'v1' has its means after bias and rectifier (d_mean last, table 2),
of 'v2' before them, as its code. At 1024 px blocks are computed again in the
backward pass; bfloat16 is not the paper's (of 'v2' there is a float16 form).
"""
from msg_gan_jax.config import template

ROWS = {
    'v1': {
        'networks.d_mean': 'last',
        'train.grow_stable_images': 800_000, 'train.grow_fade_images': 800_000,
        'train.total_images': 19_000_000},
    'v2': {
        'networks.stddev_group': 4, 'train.batch': 512,
        'train.grow_batches': '8:256,16:128,32:64,64:32',
        'train.grow_rates': '128:1.5,256:2,512:3',
        'train.ema_half_life_images': 32 * 692.8}}


def get_config(row='v1'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('progan')
  config.update_from_flattened_dict({
      'data.name': 'folder', 'data.resolution': 1024, 'networks.remat': True,
      **ROWS[row]})
  return config

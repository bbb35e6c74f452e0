"""Which scales MSG-ProGAN's D sees: the paper's ablation, FFHQ at 1024 px.

  python launch.py --config=msg_progan_connections:middle \\
    --config.data.path=DIR
  python launch.py --config=msg_progan_connections:middle \\
    --config.data.name=avatars --config.data.resolution=64

Karnewar & Wang 2020 (arXiv:1903.06048), table 4: 'none', 'coarse' (4 and 8 px),
'middle' (16 and 32), 'fine' (from 64 px on), 'all'; the finest is always seen.
Otherwise experiments/msg_progan_ffhq.py: RMSprop .003, WGAN-GP, φ_simple.

Published FIDs are in ROWS; ProGAN, growing, has 9.49. Each is the lowest of a
run; the numbers of reals and fakes are not given.
Here: batch, length and average are those of the authors' code for MSG-StyleGAN;
blocks are computed again in the backward pass. --config.train.accumulate=4
takes the batch in parts if memory is short.
"""
from msg_gan_jax.config import template

ROWS = {'none': 14.20, 'coarse': 10.84, 'middle': 9.17, 'fine': 9.74,
        'all': 8.36}


def get_config(row='all'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('msg_progan')
  config.data.name = 'folder'
  config.data.resolution = 1024
  config.networks.scales = row
  config.networks.remat = True

  config.train.batch = 16
  config.train.total_images = 25_000_000
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config

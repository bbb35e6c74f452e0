"""How D joins an image to its path: the paper's ablation, FFHQ at 1024 px.

  python launch.py --config=msg_progan_phi:lin_cat --config.data.path=DIR
  python launch.py --config=msg_progan_phi:stylegan_simple \\
    --config.data.path=DIR

Karnewar & Wang 2020 (arXiv:1903.06048), table 5. φ_simple joins the image
itself, φ_lin_cat a 1x1 convolution of it, φ_cat_lin is one of both. Rows of
MSG-ProGAN have RMSprop .003 and WGAN-GP; those of MSG-StyleGAN Adam .003, as
its code has it, and R1 (the paper: RMSprop, experiments/msg_stylegan_ffhq.py).

Published FIDs are in ROWS. Each is the lowest of a run; the numbers of reals
and fakes are not given. None stands where the value could not be verified.
Here: batch, length and average are those of that code; blocks are computed
again in the backward pass. --config.train.accumulate=4 takes the batch in parts
if memory is short.
"""
from msg_gan_jax.config import template

ROWS = {'simple': 8.36, 'lin_cat': None, 'cat_lin': None,
        'stylegan_simple': None, 'stylegan_lin_cat': None,
        'stylegan_cat_lin': 5.80}


def get_config(row='simple'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  style = row.startswith('stylegan_')
  config = template('msg_stylegan' if style else 'msg_progan')
  config.data.name = 'folder'
  config.data.resolution = 1024
  config.networks.phi = row.removeprefix('stylegan_')
  config.networks.remat = True

  config.train.batch = 16
  config.train.total_images = 25_000_000
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config

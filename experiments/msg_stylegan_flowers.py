"""MSG-StyleGAN on Oxford Flowers at 256 px.

  python launch.py --config=msg_stylegan_flowers
  python launch.py --config=msg_stylegan_flowers:paper

All 8,189 pictures, as TensorFlow Datasets prepares them; if it has not yet, the
first start says how. From a folder: --config.data.name=folder
--config.data.dataset= --config.data.split=train --config.data.path=DIR

Karnewar & Wang 2020 (arXiv:1903.06048) and their akanimax/msg-stylegan-tf: the
non-saturating loss, R1 averaged over the scales, φ_cat_lin, minibatch standard
deviation of groups of 4 in every block of D, no mixing of styles. 'code' has
its Adam .003 (0, .99); 'paper' RMSprop .003.

Published (table 1): FID 19.60, after 1.6 M images on two GPUs; the lowest of a
run; the numbers of reals and fakes are not given (the code measures 50,000).
StyleGAN has 64.70 there, after 7.2 M.
Here: square centres of the pictures.
"""
from msg_gan_jax.config import template

ROWS = {'code': 'adam', 'paper': 'rmsprop'}


def get_config(row='code'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('msg_stylegan')
  config.data.name = 'tfds'
  config.data.dataset = 'oxford_flowers102'
  config.data.split = 'train+validation+test'
  config.data.resolution = 256

  config.optimizer.name = ROWS[row]
  # On two GPUs; 16 on four, 32 on eight, 4 on one.
  config.train.batch = 32
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config

"""MSG-StyleGAN on Indian Celebs at 256 px, about 3,000 pictures in a folder.

  python launch.py --config=msg_stylegan_indian_celebs --config.data.path=DIR
  python launch.py --config=msg_stylegan_indian_celebs:paper \\
    --config.data.path=DIR

Karnewar & Wang 2020 (arXiv:1903.06048) and their akanimax/msg-stylegan-tf: the
non-saturating loss, R1 averaged over the scales, φ_cat_lin, minibatch standard
deviation of groups of 4 in every block of D, no mixing of styles. 'code' has
its Adam .003 (0, .99); 'paper' RMSprop .003.

Published (README of the code): FID 28.44, on four GPUs; the lowest of a run;
the numbers of reals and fakes are not given (the code measures 50,000).
Here: square centres of the pictures. With so few pictures, try
--config.objective.augment=ada --config.objective.augment_strength=0
--config.objective.augment_target=.6
"""
from msg_gan_jax.config import template

ROWS = {'code': 'adam', 'paper': 'rmsprop'}


def get_config(row='code'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('msg_stylegan')
  config.data.name = 'folder'
  config.data.resolution = 256

  config.optimizer.name = ROWS[row]
  # On four GPUs; 32 on two, 32 on eight, 4 on one.
  config.train.batch = 16
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config

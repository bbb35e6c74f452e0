"""MSG-StyleGAN on LSUN Churches at 256 px.

  python launch.py --config=msg_stylegan_churches --config.data.path=LMDB
  python launch.py --config=msg_stylegan_churches:paper --config.data.path=LMDB

LMDB is church_outdoor_train_lmdb as https://github.com/fyu/lsun fetches it.

Karnewar & Wang 2020 (arXiv:1903.06048) and their akanimax/msg-stylegan-tf: the
non-saturating loss, R1 averaged over the scales, φ_cat_lin, minibatch standard
deviation of groups of 4 in every block of D, no mixing of styles. 'code' has
its Adam .003 (0, .99); 'paper' RMSprop .003.

Published (table 1): FID 5.20, after 24 M images on eight GPUs; the lowest of a
run; the numbers of reals and fakes are not given (the code measures 50,000).
StyleGAN has 6.58 there, after 25 M. Pictures: 126,000 by the paper, about
150,000 by the README.
Here: square centres of the pictures; half of them mirrored, which the code does
for faces, and does not for its other LSUN sets: --config.data.mirror=False
"""
from msg_gan_jax.config import template

ROWS = {'code': 'adam', 'paper': 'rmsprop'}


def get_config(row='code'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('msg_stylegan')
  config.data.name = 'lmdb'
  config.data.resolution = 256

  config.optimizer.name = ROWS[row]
  # On eight GPUs, or two; 16 on four, 4 on one.
  config.train.batch = 32
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config

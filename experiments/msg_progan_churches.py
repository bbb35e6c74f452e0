"""MSG-ProGAN on LSUN Churches at 256 px.

  python launch.py --config=msg_progan_churches --config.data.path=LMDB
  python launch.py --config=msg_progan_churches:code --config.data.path=LMDB

LMDB is church_outdoor_train_lmdb as https://github.com/fyu/lsun fetches it.

Karnewar & Wang 2020 (arXiv:1903.06048): WGAN-GP averaged over the scales,
φ_simple, minibatch standard deviation in every block of D. 'paper' has its
RMSprop .003; 'code' Adam .003 (0, .99), of akanimax/msg-stylegan-tf, the
authors' code for MSG-StyleGAN.

Published: none; the paper trains StyleGAN and MSG-StyleGAN alone on these
pictures (experiments/msg_stylegan_churches.py).
Here: square centres of the pictures; batch, length and average are the code's.
"""
from msg_gan_jax.config import template

ROWS = {'paper': 'rmsprop', 'code': 'adam'}


def get_config(row='paper'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('msg_progan')
  config.data.name = 'lmdb'
  config.data.resolution = 256

  config.optimizer.name = ROWS[row]
  config.train.batch = 16
  config.train.total_images = 25_000_000
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config

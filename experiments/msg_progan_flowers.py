"""MSG-ProGAN on Oxford Flowers at 256 px.

  python launch.py --config=msg_progan_flowers
  python launch.py --config=msg_progan_flowers:code

All 8,189 pictures, as TensorFlow Datasets prepares them; if it has not yet, the
first start says how. From a folder: --config.data.name=folder
--config.data.dataset= --config.data.split=train --config.data.path=DIR

Karnewar & Wang 2020 (arXiv:1903.06048): WGAN-GP averaged over the scales,
φ_simple, minibatch standard deviation in every block of D. 'paper' has its
RMSprop .003; 'code' Adam .003 (0, .99), of akanimax/msg-stylegan-tf, the
authors' code for MSG-StyleGAN. For MSG-ProGAN there is the first author's
BMSG-GAN, which differs in φ and loss.

Published (table 1): FID 28.27, after 1.7 M images; the lowest of a run; the
numbers of reals and fakes are not given. ProGAN has 60.40 there, after 10 M.
Here: square centres of the pictures; batch, length and average are the code's.
"""
from msg_gan_jax.config import template

ROWS = {'paper': 'rmsprop', 'code': 'adam'}


def get_config(row='paper'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('msg_progan')
  config.data.name = 'tfds'
  config.data.dataset = 'oxford_flowers102'
  config.data.split = 'train+validation+test'
  config.data.resolution = 256

  config.optimizer.name = ROWS[row]
  config.train.batch = 16
  config.train.total_images = 25_000_000
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config

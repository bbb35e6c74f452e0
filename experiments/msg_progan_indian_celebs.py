"""MSG-ProGAN on Indian Celebs at 256 px, about 3,000 pictures in a folder.

  python launch.py --config=msg_progan_indian_celebs --config.data.path=DIR
  python launch.py --config=msg_progan_indian_celebs:code --config.data.path=DIR

Karnewar & Wang 2020 (arXiv:1903.06048): WGAN-GP averaged over the scales,
φ_simple, minibatch standard deviation in every block of D. 'paper' has its
RMSprop .003; 'code' Adam .003 (0, .99), of akanimax/msg-stylegan-tf, the
authors' code for MSG-StyleGAN. For MSG-ProGAN there is the first author's
BMSG-GAN, which differs in φ and loss.

Published: table 1 has an FID; its value could not be verified, and is not
quoted.
Here: square centres of the pictures; batch, length and average are the code's.
With so few pictures, try --config.objective.augment=diffaugment.
"""
from msg_gan_jax.config import template

ROWS = {'paper': 'rmsprop', 'code': 'adam'}


def get_config(row='paper'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('msg_progan')
  config.data.name = 'folder'
  config.data.resolution = 256

  config.optimizer.name = ROWS[row]
  config.train.batch = 16
  config.train.total_images = 25_000_000
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config

"""MSG-ProGAN on FFHQ at 1024 px, 70,000 pictures in a folder.

  python launch.py --config=msg_progan_ffhq --config.data.path=DIR
  python launch.py --config=msg_progan_ffhq:code --config.data.path=DIR

Karnewar & Wang 2020 (arXiv:1903.06048): WGAN-GP averaged over the scales,
φ_simple, minibatch standard deviation in every block of D. 'paper' has its
RMSprop .003; 'code' Adam .003 (0, .99), of akanimax/msg-stylegan-tf, the
authors' code for MSG-StyleGAN. For MSG-ProGAN there is the first author's
BMSG-GAN, which differs in φ and loss.

Published (table 2): FID 8.36, after 6 M images; the lowest of a run; the
numbers of reals and fakes are not given. ProGAN has 9.49 there, after 12 M.
Here: batch, length and average are the code's; blocks are computed again in the
backward pass. If memory is short, --config.train.accumulate=4 takes the batch
in parts; --config.networks.dtype=bfloat16 departs from the source, which is in
float32.
"""
from msg_gan_jax.config import template

ROWS = {'paper': 'rmsprop', 'code': 'adam'}


def get_config(row='paper'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('msg_progan')
  config.data.name = 'folder'
  config.data.resolution = 1024
  config.networks.remat = True

  config.optimizer.name = ROWS[row]
  config.train.batch = 16
  config.train.total_images = 25_000_000
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config

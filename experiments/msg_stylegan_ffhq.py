"""MSG-StyleGAN on FFHQ at 1024 px, 70,000 pictures in a folder.

  python launch.py --config=msg_stylegan_ffhq --config.data.path=DIR
  python launch.py --config=msg_stylegan_ffhq:paper --config.data.path=DIR

Karnewar & Wang 2020 (arXiv:1903.06048) and their akanimax/msg-stylegan-tf: the
non-saturating loss, R1 averaged over the scales, φ_cat_lin, minibatch standard
deviation of groups of 4 in every block of D, no mixing of styles. 'code' has
its Adam .003 (0, .99); 'paper' RMSprop .003.

Published (table 2): FID 5.80, after 9.6 M images on four GPUs; the lowest of a
run; the numbers of reals and fakes are not given (the code measures 50,000).
clean-fid measures its weights again: 6.09 ± .04 in the old way, 6.58 ± .06 in
its own. StyleGAN has 4.40 (its table 1, 50,000 fakes).
Here: blocks are computed again in the backward pass. If memory is short,
--config.train.accumulate=4 takes the batch in parts;
--config.networks.dtype=bfloat16 departs from the source, which is in float32.
"""
from msg_gan_jax.config import template

ROWS = {'code': 'adam', 'paper': 'rmsprop'}


def get_config(row='code'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('msg_stylegan')
  config.data.name = 'folder'
  config.data.resolution = 1024
  config.networks.remat = True

  config.optimizer.name = ROWS[row]
  # On four GPUs; 32 on two, 32 on eight, 4 on one.
  config.train.batch = 16
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config

"""LAPGAN on CIFAR-10: 8 px by a GAN, 16 and 32 px by residuals on it.

  python launch.py --config=lapgan_cifar10

Fetches CIFAR-10's archive, once. The three levels are trained one after another
on a third of the images each; until its turn comes, a level adds noise.

Published (Denton et al. 2015, arXiv:1506.05751): people took about
40 % of its pictures for real, and about 10 % of a plain GAN's. No inception
score, FID or length of training is given there. Its code holds back 5,000 of
the training pictures, standardizes each pixel over the set and draws other
coarse pictures for fakes than for reals; here all are trained on, in -1 .. 1,
and fakes are drawn on the coarse pictures of the reals.
"""
from msg_gan_jax.config import template


def get_config():
  # Dense layers at 8 px, 1200 wide in G and 600 in D; 64 maps above. SGD with
  # momentum .5, 64 reals, 64 fakes for D, 128 for G, z uniform.
  config = template('lapgan')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.data.held_out = 2048

  # A hundred epochs a level.
  config.train.level_images = 5_000_000
  config.train.total_images = 15_000_000
  config.train.log_every_images = 10_000
  config.train.sample_every_images = 250_000
  config.train.measure_every_images = 1_000_000
  config.train.checkpoint_every_images = 500_000
  return config

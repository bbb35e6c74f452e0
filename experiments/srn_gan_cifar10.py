"""SRN-GAN: stable rank normalization in D, on CIFAR-10.

  python launch.py --config=srn_gan_cifar10

Sanyal et al. 2020 (arXiv:1906.04659), c = .7. Leaderboards quote from it an
inception score of 8.53 and FID 19.83; the number of samples is not given there.

The authors' layer is public, their training is not: networks, rates and length
are those of --config=sngan_resnet_cifar10, which it is to be compared with. The
layer as published fails on a matrix with one row, D's score; here the rank that
is asked for is never under 1.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('srn_gan')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.networks.stable_rank = .7

  # 50,000 G updates, of 5 D updates of 64 pictures each.
  config.train.total_images = 50_000 * 5 * 64
  config.train.log_every_images = 10_000
  config.train.sample_every_images = 100_000
  config.train.measure_every_images = 500_000
  config.train.checkpoint_every_images = 250_000
  return config

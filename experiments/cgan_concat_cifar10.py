"""A conditional GAN that reads labels beside its inputs, on CIFAR-10.

  python launch.py --config=cgan_concat_cifar10

Mirza & Osindero 2014 (arXiv:1411.1784): the one-hot label is part of z, and a
map a class stands beside the colours that D sees. Theirs are dense networks on
MNIST, scored by Parzen windows; here it is the DCGAN of dcgan_cifar10, which it
compares with.

The 6.58 (inception score) that tables have for "DCGAN, label-conditioned" is of
another network (Gulrajani et al. 2017, table 3).
"""
from msg_gan_jax.config import template


def get_config():
  config = template('cgan_concat')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.networks.classes = 10

  # 100 epochs, as in dcgan_cifar10.
  config.train.total_images = 100 * 50_000
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 200_000
  return config

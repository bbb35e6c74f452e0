"""SNDCGAN of the GAN Landscape with MSG-GAN's connections, on CIFAR-10.

  python launch.py --config=msg_sndcgan_cifar10
  python launch.py --config=msg_sndcgan_cifar10:none

G shows 4, 8, 16 and 32 px, and D joins each to its path. The second command,
and any other group of scales, is the same run without them, to compare. This
project's: nothing is published. Without connections, and without an average of
G, it is FID 25.27 (10,000 samples against 10,000 test pictures, the lowest of a
run's checkpoints; Kurach et al. 2019): --config=landscape_sndcgan.
"""
from msg_gan_jax.config import template


def get_config(scales='all'):
  config = template('msg_sndcgan')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.networks.scales = scales

  # 200,000 D steps of 64 pictures, as without the connections.
  config.train.total_images = 200_000 * 64
  config.train.log_every_images = 10_000
  config.train.sample_every_images = 100_000
  config.train.measure_every_images = 500_000
  config.train.checkpoint_every_images = 250_000
  return config

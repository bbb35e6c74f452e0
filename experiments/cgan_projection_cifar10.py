"""A projection discriminator on CIFAR-10, as sngan_projection trains it.

  python launch.py --config=cgan_projection_cifar10

Miyato & Koyama 2018 (arXiv:1802.05637): an embedding of the label times D's
features, conditional batch norm in G, spectral norm in D. Published, as later
tables quote it, without the number of samples: inception score 8.62, FID 17.5.
A longer run of mmgeneration, 500,000 iterations: 9.69, and 8.12 with 50,000
samples.

The code's settings for CIFAR-10 are followed: 50,000 G updates of 128 fakes,
rates that fall to 0.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('cgan_projection')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.networks.classes = 10

  # 50,000 G updates, of 5 D updates of 64 pictures each.
  config.train.total_images = 50_000 * 5 * 64
  config.train.log_every_images = 10_000
  config.train.sample_every_images = 100_000
  config.train.measure_every_images = 500_000
  config.train.checkpoint_every_images = 250_000
  return config

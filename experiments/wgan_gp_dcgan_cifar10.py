"""WGAN-GP with a DCGAN on CIFAR-10: gan_cifar.py of the authors' code.

  python launch.py --config=wgan_gp_dcgan_cifar10

Gulrajani et al. 2017 (arXiv:1704.00028): λ 10, 5 D updates in one of G, Adam
1e-4. No score of this script is published. With the standard CNN of Miyato et
al. 2018, table 2: inception score 6.68, FID 40.2 (10,000 reals, 5,000 fakes).

The paper's algorithm has Adam's betas 0 and .9, this script .5 and .9. The
paper wants layer norm in D, this D has no norm at all:
  --config.networks.d_norm=layer
"""
from msg_gan_jax.config import template


def get_config():
  config = template('wgan_gp_dcgan')
  config.data.name = 'cifar10'
  config.data.resolution = 32

  # 200,000 G updates, of 5 D updates of 64 pictures each.
  config.train.total_images = 200_000 * 5 * 64
  config.train.log_every_images = 20_000
  config.train.sample_every_images = 250_000
  config.train.measure_every_images = 1_000_000
  config.train.checkpoint_every_images = 500_000
  return config

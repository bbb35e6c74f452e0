"""SNGAN with residual networks on CIFAR-10, as sngan_projection trains it.

  python launch.py --config=sngan_resnet_cifar10
  python launch.py --config=sngan_resnet_cifar10:non_saturating

Miyato et al. 2018 (arXiv:1802.05957), table 2, with the hinge: inception score
8.22 ± .05 of 10 times 5,000 samples, FID 21.7 ± .21 of 5,000 against 10,000
reals. No number is published for the other loss with this network.

The paper has 100,000 G updates; the code's settings 50,000, rates that fall to
0 and G updates of 128 fakes. G comes first there, D here.
"""
from msg_gan_jax.config import template


def get_config(loss='hinge'):
  config = template('sngan_resnet')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.objective.loss = loss

  # 50,000 G updates, of 5 D updates of 64 pictures each.
  config.train.total_images = 50_000 * 5 * 64
  config.train.log_every_images = 10_000
  config.train.sample_every_images = 100_000
  config.train.measure_every_images = 500_000
  config.train.checkpoint_every_images = 250_000
  return config

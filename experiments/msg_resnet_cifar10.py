"""SNGAN's residual networks with MSG-GAN's connections, on CIFAR-10.

  python launch.py --config=msg_resnet_cifar10
  python launch.py --config=msg_resnet_cifar10:none

G shows 8, 16 and 32 px, the sizes that D's blocks pass through too; D joins
them at 16 and 8 px. The second command is the same run without connections, to
compare. This project's: nothing is published. Rates and length are mimicry's;
its SNGAN, whose G interpolates, has FID 16.77 (50,000 samples, 50,000 training
pictures): --config=mimicry_cifar10.
"""
from msg_gan_jax.config import template


def get_config(scales='all'):
  config = template('msg_resnet')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.networks.scales = scales

  # 100,000 G updates, of 5 D updates of 64 pictures each.
  config.train.total_images = 100_000 * 5 * 64
  config.train.log_every_images = 20_000
  config.train.sample_every_images = 250_000
  config.train.measure_every_images = 1_000_000
  config.train.checkpoint_every_images = 500_000
  return config

"""WGAN-GP with residual networks on CIFAR-10: gan_cifar_resnet.py.

  python launch.py --config=wgan_gp_resnet_cifar10
  python launch.py --config=wgan_gp_resnet_cifar10:unconditional

Gulrajani et al. 2017 (arXiv:1704.00028), table 3, inception score of 50,000
samples: 8.42 ± .10 with labels (conditional batch norm in G, an auxiliary
classifier in D), 7.86 ± .07 without. A table of Karras et al. 2018 has 8.67
± .14 for the former.

The paper's algorithm has rate 1e-4 and betas 0 and .9; this network 2e-4 that
falls to 0, and G updates of 128 fakes. Its D has no norm, where the paper says
layer norm: --config.networks.d_norm=layer.
"""
from msg_gan_jax.config import template


def get_config(kind='conditional'):
  config = template('wgan_gp_resnet')
  config.data.name = 'cifar10'
  config.data.resolution = 32

  if kind == 'unconditional':
    config.networks.classes = 0
    config.networks.g_condition = 'none'
    config.networks.d_condition = 'none'
    config.objective.classify_fakes = True  # the default: there is none
    config.objective.g_classes_weight = 1.
  elif kind != 'conditional':
    raise ValueError(f"wanted 'conditional' or 'unconditional', not {kind!r}")

  # 100,000 G updates, of 5 D updates of 64 pictures each.
  config.train.total_images = 100_000 * 5 * 64
  config.train.log_every_images = 20_000
  config.train.sample_every_images = 250_000
  config.train.measure_every_images = 1_000_000
  config.train.checkpoint_every_images = 500_000
  return config

"""DRAGAN on CIFAR-10, with the networks and the penalty of compare_gan.

  python launch.py --config=dragan_cifar10

Kodali et al. 2017 (arXiv:1705.07215): a slope of 1 around the reals, λ 10; here
with SNDCGAN. Published, neither with these settings: FID 69.8 ± 2.0 with
InfoGAN's networks, best of a wide search, 10,000 samples against 10,000 test
pictures (Lucic et al. 2018); 29.13 on CelebA-HQ with ResNet19 and layer norm
(--config=landscape_resnet19:celebahq_ln_dragan).

Of compare_gan: points that leave the range of pictures are clipped, and 1e-4
stands in the root of the slope. --config.objective.penalty=dragan has neither.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('dragan')
  config.data.name = 'cifar10'
  config.data.resolution = 32

  # 200,000 D steps of 64 pictures, as the GAN Landscape trains on CIFAR-10.
  config.train.total_images = 200_000 * 64
  config.train.log_every_images = 10_000
  config.train.sample_every_images = 100_000
  config.train.measure_every_images = 500_000
  config.train.checkpoint_every_images = 250_000
  return config

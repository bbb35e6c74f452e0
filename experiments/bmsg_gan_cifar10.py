"""BMSG-GAN on CIFAR-10, 32 px, with the settings of akanimax/BMSG-GAN.

  python launch.py --config=bmsg_gan_cifar10

Fetches CIFAR-10's archive, once. Depth 4 (4 to 32 px) and latent 512 there are
resolution 32 and latent 512 here: 20,719,628 parameters in G, 17,184,001 in D.
Its README shows CIFAR-10 pictures; with how many images and which batch they
were made is not known (its issue 29).
"""
from msg_gan_jax.config import template


def get_config():
  # φ_lin_cat, one stddev layer over the whole batch, relativistic average
  # hinge without a penalty, Adam .003, one z for the D and the G update, EMA
  # of .999 a step, batch 20.
  config = template('bmsg_gan')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.data.mirror = True

  config.networks.latent = 512
  config.networks.fmap_max = 512
  config.optimizer.g_rate = .003
  config.optimizer.d_rate = .003

  # As long as the paper's runs on CIFAR-10, to compare.
  config.train.total_images = 12_000_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 200_000
  return config

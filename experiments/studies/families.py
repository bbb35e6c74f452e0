"""Every family of networks on drawn pictures, each with its paper's settings.

A row is a preset: its networks, loss, penalty, norms, optimizer and number of D
updates. What they share is batches of 8, 32 feature maps at most (128 in four
rows), and an average with a half-life of 1,000 pictures. Each is shown as many
pictures as take one to eight minutes on one core: they are not compared with
each other, but asked whether they learn.

Pictures are drawn heads at 32 px; networks of one size have theirs, and those
of the vanilla GAN and of InfoGAN are polygons at 28 px. Nothing is published
for pictures like these.
"""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import Study, presets

WIDER = {'networks.fmap_max': 128}
POLYGONS = {'data.name': 'polygons', 'data.resolution': 28, 'data.channels': 1}
# The ten classes that these networks are told.
STYLES = {'data.label': 'hair_style'}
# A network of one size.
AT_64 = {'data.resolution': 64}


def get_config():
  config = template()
  config.data.name = 'avatars'
  config.data.resolution = 32
  return config


def lasting(images, *changes):
  """Settings of a row that is shown so many pictures, and measured twice."""
  settings = {'train.total_images': images}
  for name in ('measure', 'sample', 'checkpoint'):
    settings[f'train.{name}_every_images'] = images // 2
  for change in changes:
    settings |= change
  return settings


def get_study():
  return Study(
      axes={'family': presets({
          'msg_progan': lasting(32_000),
          'bmsg_gan': lasting(48_000),
          'progan_cifar10': lasting(48_000, {
              'train.grow_stable_images': 6_000,
              'train.grow_fade_images': 6_000}),
          'msg_stylegan': lasting(24_000),
          'stylegan2': lasting(24_000),
          'stylegan2_ada_cifar10': lasting(24_000),
          'r3gan_cifar10': lasting(8_000),
          'vanilla': lasting(240_000, POLYGONS),
          'infogan': lasting(64_000, POLYGONS, WIDER),
          'lapgan': lasting(18_000, WIDER, {'train.level_images': 6_000}),
          'dcgan_32': lasting(120_000),
          'dcgan': lasting(24_000, AT_64),
          'lsgan': lasting(24_000, WIDER),
          'dragan': lasting(14_000, WIDER),
          # The first 25 updates of G have 100 of D each, and the budget none.
          'wgan': lasting(36_000, AT_64, {'train.n_dis_more': 0}),
          'wgan_gp_dcgan': lasting(72_000),
          'wgan_gp_resnet': lasting(48_000, STYLES),
          'sngan_cnn': lasting(64_000),
          'sngan_resnet': lasting(60_000),
          'srn_gan': lasting(60_000),
          'cgan_projection': lasting(60_000, STYLES),
          'acgan': lasting(96_000, STYLES),
          'landscape_sndcgan': lasting(72_000),
          'landscape_resnet_cifar': lasting(36_000),
          'landscape_resnet19': lasting(10_000, AT_64),
          'mimicry_sngan32': lasting(60_000),
          'msg_sndcgan': lasting(60_000),
          'msg_resnet': lasting(60_000)},
          all_of_them={
              'networks.fmap_max': 32, 'train.batch': 8,
              'train.ema_half_life_images': 1_000.})},
      value='last')

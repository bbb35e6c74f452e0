"""Every family of networks on drawn pictures, each with its paper's settings.

A row is a preset: its networks, loss, penalty, norms, optimizer and number of D
updates. What they share is the budget, 16,000 pictures in batches of 8, and 32
feature maps at most, so that each takes minutes on two cores. Where weights
begin with .02 whatever the width is, 32 are too few, and the row has 128.

Pictures are drawn heads at 32 px; networks of one size have theirs, and those
of the vanilla GAN and of InfoGAN are polygons at 28 px. Nothing is published
for pictures like these.
"""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import Study, presets

IMAGES = 16_000
WIDER = {'networks.fmap_max': 128}
POLYGONS = {'data.name': 'polygons', 'data.resolution': 28, 'data.channels': 1}
# The ten classes that these networks are told.
STYLES = {'data.label': 'hair_style'}
# A network of one size, for half as many pictures.
AT_64 = {'data.resolution': 64, 'train.total_images': IMAGES // 2}


def get_config():
  config = template()
  config.data.name = 'avatars'
  config.data.resolution = 32
  return config


def get_study():
  return Study(
      axes={'family': presets({
          'msg_progan': {},
          'bmsg_gan': {},
          'progan_cifar10': {
              'train.grow_stable_images': 2_000,
              'train.grow_fade_images': 2_000},
          'msg_stylegan': {},
          'stylegan2': {},
          'stylegan2_ada_cifar10': {},
          'r3gan_cifar10': {},
          'vanilla': POLYGONS,
          'infogan': {**POLYGONS, **WIDER},
          'lapgan': {**WIDER, 'train.level_images': IMAGES // 3},
          'dcgan_32': {},
          'dcgan': AT_64,
          'lsgan': WIDER,
          'dragan': WIDER,
          # The first 25 updates of G have 100 of D each, and the budget none.
          'wgan': {**AT_64, 'train.n_dis_more': 0},
          'wgan_gp_dcgan': {},
          'wgan_gp_resnet': STYLES,
          'sngan_cnn': {},
          'sngan_resnet': {},
          'srn_gan': {},
          'cgan_projection': STYLES,
          'acgan': STYLES,
          'landscape_sndcgan': {},
          'landscape_resnet_cifar': {},
          'landscape_resnet19': AT_64,
          'mimicry_sngan32': {},
          'msg_sndcgan': {},
          'msg_resnet': {}},
          all_of_them={
              'networks.fmap_max': 32, 'train.batch': 8,
              'train.total_images': IMAGES,
              'train.ema_half_life_images': 1_000.,
              'train.measure_every_images': IMAGES // 2,
              'train.sample_every_images': IMAGES // 2,
              'train.checkpoint_every_images': IMAGES // 2})},
      value='last')

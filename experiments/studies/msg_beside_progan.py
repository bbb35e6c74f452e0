"""MSG-ProGAN, ProGAN and the plain network beside each other, 16 px.

The comparison of Karnewar & Wang 2020 (arXiv:1903.06048), at a small size: as
experiments/msg_vs_growing_16px.py, which says what is equal and what is not.
"""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import Study, rows


def get_config():
  config = template('msg_progan')
  config.data.name = 'avatars'
  config.data.resolution = 16
  config.data.count = 10_000
  config.networks.latent = 32
  config.networks.fmap_max = 32
  config.networks.fmap_base = 64
  config.train.batch = 16
  config.train.total_images = 100_000
  config.train.ema_half_life_images = 2_000
  config.train.sample_every_images = 10_000
  config.train.measure_every_images = 10_000
  config.train.checkpoint_every_images = 50_000
  return config


def get_study():
  return Study(
      axes={'method': rows(
          msg={'networks.scales': 'all'},
          progan={
              'networks.name': 'progan', 'networks.scales': 'none',
              'networks.stddev': 'last', 'train.grow_from': 4,
              'train.grow_stable_images': 15_000,
              'train.grow_fade_images': 15_000},
          plain={'networks.scales': 'none'})},
      seeds=(0, 1, 2), value='last')

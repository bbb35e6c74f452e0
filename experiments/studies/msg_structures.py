"""Connections and φ of MSG-ProGAN: the paper's tables 4 and 5, at 16 px.

Karnewar & Wang 2020 (arXiv:1903.06048) take FFHQ at 1024 px; here are drawn
heads at 16 px, with the scales of 4, 8 and 16 px connected or not, and five
ways in which D joins an image to its path.
"""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import Study, rows


def get_config():
  config = template('msg_progan')
  config.data.name = 'avatars'
  config.data.resolution = 16
  config.networks.latent = 32
  config.networks.fmap_max = 32
  config.networks.fmap_base = 64
  config.train.batch = 16
  config.train.total_images = 100_000
  config.train.ema_half_life_images = 2_000
  config.train.measure_every_images = 20_000
  config.train.checkpoint_every_images = 50_000
  return config


def get_study():
  return Study(
      axes={'structure': rows(
          all={'networks.scales': 'all'},
          none={'networks.scales': 'none'},
          coarse={'networks.scales': '4,16'},
          middle={'networks.scales': '8,16'},
          lin_cat={'networks.phi': 'lin_cat'},
          cat_lin={'networks.phi': 'cat_lin'},
          adain={'networks.phi': 'adain'},
          dense={'networks.phi': 'dense'})},
      seeds=(0, 1, 2), value='last')

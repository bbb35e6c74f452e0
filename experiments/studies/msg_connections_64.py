"""MSG-ProGAN with all scales and with the finest alone connected, at 64 px.

The paper's claim (Karnewar & Wang 2020, arXiv:1903.06048) where it should show:
drawn heads at 64 px, at the paper's rate of .003 and at a high one of .01.
"""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import RATES, Study, choices


def get_config():
  config = template('msg_progan')
  config.data.name = 'avatars'
  config.data.resolution = 64
  config.networks.latent = 32
  config.networks.fmap_max = 32
  config.networks.fmap_base = 256
  config.train.batch = 16
  config.train.total_images = 60_000
  config.train.ema_half_life_images = 2_000
  config.train.measure_every_images = 10_000
  config.train.checkpoint_every_images = 10_000
  return config


def get_study():
  return Study(
      axes={'scales': choices('all', 'none', of='networks.scales'),
            'rate': choices(.003, .01, of=RATES)},
      seeds=(0, 1), value='last')

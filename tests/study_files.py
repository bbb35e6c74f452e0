"""A study's file whose runs are over in a moment, for tests."""

FILE = '''
from msg_gan_jax import template
from msg_gan_jax.study.space import RATES, Study, choices


def get_config(seeds='1'):
  config = template()
  config.data.name = 'avatars'
  config.data.resolution = 16
  config.data.count = 64
  config.data.held_out = 32
  config.networks.latent = 8
  config.networks.fmap_max = 8
  config.networks.fmap_base = 64
  config.train.batch = 8
  config.train.total_images = 16
  config.train.ema_half_life_images = 4.
  config.train.log_every_images = 8
  config.train.measure_every_images = 16
  config.train.sample_every_images = 16
  config.train.checkpoint_every_images = 16
  config.evaluate.metrics = ''
  config.evaluate.best = ''
  return config


def get_study(seeds='1'):
  return Study(
      axes={'rate': choices(1e-4, 1e-3, of=RATES),
            'beta1': choices(0., .5, of='optimizer.beta1')},
      seeds=range(int(seeds)))
'''

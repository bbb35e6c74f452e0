"""WGAN-GP, SNGAN and MSG-GAN with equal budgets and settings, drawn heads.

One network (SNDCGAN at half its width, 32 px), one optimizer, two rates each,
the same pictures in the same order, the same number of images: what differs is
the loss, what keeps D smooth, and which scales it sees.
"""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import RATES, Study, choices, rows


def get_config():
  config = template('landscape_sndcgan')
  config.data.name = 'avatars'
  config.data.resolution = 32
  config.networks.d_weight_norm = 'none'
  config.networks.fmap_max = 64
  config.train.batch = 32
  config.train.ema_half_life_images = 5_000.
  config.train.total_images = 200_000
  config.train.measure_every_images = 20_000
  config.train.checkpoint_every_images = 50_000
  return config


def get_study():
  return Study(
      axes={
          'method': rows(
              wgan_gp={'objective.loss': 'wasserstein',
                       'objective.penalty': 'gradient_penalty',
                       'objective.penalty_weight': 10.},
              sngan={'objective.loss': 'hinge',
                     'networks.d_weight_norm': 'spectral'},
              msg_gan={'objective.loss': 'hinge',
                       'networks.d_weight_norm': 'spectral',
                       'networks.scales': 'all'}),
          'rate': choices(1e-4, 2e-4, of=RATES)},
      seeds=(0, 1, 2))

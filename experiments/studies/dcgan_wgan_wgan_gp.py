"""DCGAN, WGAN with clipping and WGAN-GP on CIFAR-10, measured as they train.

One network of 4x4 kernels for 32 px (D: 64, 128, 256 maps), three games: the
non-saturating one with Adam, Arjovsky et al. 2017's with RMSprop and weights of
D within .01, Gulrajani et al. 2017's with a gradient penalty. Those two update
D five times for G once, so curves are drawn over images, D steps, G steps and
seconds: which method is faster depends on what is counted.

WGAN-GP has no batch norm in D: its penalty asks for the slope at one picture.
"""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import Study, rows


def get_config():
  config = template('dcgan_32')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.train.batch = 64
  config.train.total_images = 100 * 50_000
  config.train.measure_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config


def get_study():
  return Study(
      axes={'method': rows(
          dcgan={'objective.loss': 'non_saturating'},
          wgan={
              'objective.loss': 'wasserstein', 'objective.constraint': 'clip',
              'objective.clip': .01, 'optimizer.name': 'rmsprop',
              'optimizer.beta2': .99, 'optimizer.g_rate': 5e-5,
              'optimizer.d_rate': 5e-5, 'train.n_dis': 5},
          wgan_gp={
              'objective.loss': 'wasserstein',
              'objective.penalty': 'gradient_penalty',
              'objective.penalty_weight': 10., 'networks.d_norm': 'none',
              'optimizer.g_rate': 1e-4, 'optimizer.d_rate': 1e-4,
              'optimizer.beta2': .9, 'train.n_dis': 5})},
      seeds=(0, 1, 2), metric='fid', value='last')

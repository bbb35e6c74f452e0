"""The GAN Landscape's 24 settings of table 1, for one loss, norm and penalty.

Kurach et al. 2019 (arXiv:1807.04720): rate x λ x (beta1, beta2, n_dis). Without
a penalty λ does nothing, and 12 of the 24 are different. The value of a run is
the lowest FID of its checkpoints, as there.

The base is SNDCGAN with spectral norm and a gradient penalty on CIFAR-10; other
losses, norms, penalties, networks: --config.objective.loss and so on.
"""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import RATES, Choices, Study, choices

TIMES = ((.5, .9, 5), (.5, .999, 1), (.5, .999, 5), (.9, .999, 5))


def get_config():
  config = template('landscape_sndcgan')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.objective.penalty = 'gradient_penalty_compare_gan'
  config.objective.penalty_weight = 10.

  # 200,000 steps, which are D's there, of 64 pictures; measured ten times.
  config.train.total_images = 200_000 * 64
  config.train.measure_every_images = 20_000 * 64
  config.train.checkpoint_every_images = 20_000 * 64
  config.evaluate.protocol = 'landscape'
  return config


def get_study():
  return Study(
      axes={
          'rate': choices(1e-4, 2e-4, 1e-3, of=RATES),
          'λ': choices(1., 10., of='objective.penalty_weight'),
          'betas, n_dis': Choices({
              f'{beta1}, {beta2}, {n_dis}': {
                  'optimizer.beta1': beta1, 'optimizer.beta2': beta2,
                  'train.n_dis': n_dis} for beta1, beta2, n_dis in TIMES})},
      metric='fid')

"""The GAN Landscape's 240 settings of table 2, chosen by a bandit.

Kurach et al. 2019 (arXiv:1807.04720): a Gaussian process with upper confidence
bounds (Srinivas et al. 2010) chooses 12 rounds of 10 settings, once for n_dis =
1 and once for 5. λ of an L2 penalty lies in [1e-4, 10] there, which is the
argument 'l2'.

The base is that of landscape_fixed, on CIFAR-10.
"""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import RATES, Study, choices, log_uniform, uniform

PENALTIES = ('gradient_penalty', 'l2')


def get_config(penalty='gradient_penalty'):
  if penalty not in PENALTIES:
    raise ValueError(
        f'no penalty {penalty!r}; wanted one of {", ".join(PENALTIES)}')
  config = template('landscape_sndcgan')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  if penalty == 'l2':
    config.objective.d_weight_penalty = 'l2_mean'
    config.objective.d_weight_penalty_weight = 1.
  else:
    config.objective.penalty = 'gradient_penalty_compare_gan'
    config.objective.penalty_weight = 10.

  config.train.total_images = 200_000 * 64
  config.train.measure_every_images = 20_000 * 64
  config.train.checkpoint_every_images = 20_000 * 64
  config.evaluate.protocol = 'landscape'
  return config


def get_study(penalty='gradient_penalty'):
  if penalty == 'l2':
    weight = log_uniform(1e-4, 10, of='objective.d_weight_penalty_weight')
  else:
    weight = log_uniform(.1, 100, of='objective.penalty_weight')
  return Study(
      axes={
          'n_dis': choices(1, 5, of='train.n_dis'),
          'rate': log_uniform(1e-5, 1e-2, of=RATES),
          'λ': weight,
          'beta1': uniform(0, .9999, of='optimizer.beta1'),
          'beta2': uniform(0, .9999, of='optimizer.beta2')},
      metric='fid', sampler='bandit', points=120, at_once=10,
      apart=('n_dis',))

"""*Are GANs Created Equal?*: the wide and the narrow ranges, at random.

Lucic et al. 2018 (arXiv:1711.10337), ranges of params.py of their compare_gan:
wide are a rate of 1e-5 to 1e-2, beta1 of 0 to 1, n_dis of 1 to 5, batch norm in
D or none, clipping of 1e-3 to 1, λ of .1 to 100; narrow is the rate alone, 1e-4
to 1e-3, with beta1 = .5 and n_dis = 1. Their 100 settings a method are a
recollection. BEGAN and the VAE are not here. Batch 64, 20 epochs.

The network is InfoGAN's, for 28 px; pictures are polygons, theirs were MNIST,
Fashion-MNIST, CIFAR-10 and CelebA: --config.data.name=... Penalties of the
slope take no batch norm in D here: such points are dropped from the wide range,
and in the narrow one WGAN-GP and DRAGAN have none.
"""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import (
  RATES,
  Choices,
  Study,
  choices,
  integers,
  log_uniform,
  rows,
  uniform,
)

METHODS = rows(
    mm_gan={'objective.loss': 'minimax'},
    ns_gan={'objective.loss': 'non_saturating'},
    lsgan={'objective.loss': 'least_squares'},
    wgan={'objective.loss': 'wasserstein', 'objective.constraint': 'clip'},
    wgan_gp={'objective.loss': 'wasserstein',
             'objective.penalty': 'gradient_penalty_compare_gan'},
    dragan={'objective.loss': 'non_saturating',
            'objective.penalty': 'dragan_compare_gan'})
RANGES = ('wide', 'narrow')


def get_config(ranges='wide'):
  if ranges not in RANGES:
    raise ValueError(f'no range {ranges!r}; wanted one of {", ".join(RANGES)}')
  config = template('infogan')
  config.data.name = 'polygons'
  config.data.resolution = 28
  config.data.channels = 1
  config.objective.penalty_weight = 10.
  config.train.batch = 64
  config.train.total_images = 20 * 60_000
  config.train.measure_every_images = 5 * 60_000
  config.train.checkpoint_every_images = 5 * 60_000
  if ranges == 'narrow':
    config.optimizer.beta1 = .5
    config.train.n_dis = 1
  return config


def get_study(ranges='wide'):
  if ranges == 'narrow':
    methods = {name: {**row, **(
        {'networks.d_norm': 'none'} if 'objective.penalty' in row else {})}
               for name, row in METHODS.rows.items()}
    axes = {'method': Choices(methods),
            'rate': log_uniform(1e-4, 1e-3, of=RATES)}
  else:
    axes = {
        'method': METHODS,
        'rate': log_uniform(1e-5, 1e-2, of=RATES),
        'beta1': uniform(0, .9999, of='optimizer.beta1'),
        'n_dis': integers(1, 5, of='train.n_dis'),
        'norm': choices('batch', 'none', of='networks.d_norm'),
        'clip': log_uniform(1e-3, 1, of='objective.clip'),
        'λ': log_uniform(.1, 100, of='objective.penalty_weight')}
  return Study(axes, metric='fid', sampler='random', points=100,
               apart=('method',))

"""ResNet19 in the GAN Landscape, 128 px: its best models, a row each.

  python launch.py --config=landscape_resnet19 --config.data.path=DIR
  python launch.py --config=landscape_resnet19:lsun_ln_gp --config.data.path=DB

Kurach et al. 2019 (arXiv:1807.04720), as BestModelResnet19 of compare_gan's
branch v2 has them. FID is the lowest of a run's checkpoints, of as many samples
as there are test pictures: 3,000 of CelebA-HQ, 10,000 of LSUN, which is cropped
there. The settings of celebahq_ln are there twice, with FID 30.02 and 32.05.
"""
from msg_gan_jax.config import template

NS, LS, LN, SN = ('non_saturating', 'least_squares_sigmoid', 'layer',
                  'spectral_compare_gan')
GP, DRAGAN = 'gradient_penalty_compare_gan', 'dragan_compare_gan'
NO = 'none'
ROWS = {  # D: norm, weight norm, penalty, λ; loss, rate, betas, n_dis, FID
    'celebahq': (NO, NO, NO, 1, NS, 3.38e-5, .3753, .9982, 1, 34.29),
    'celebahq_2': (NO, NO, NO, 1, NS, 1e-4, .5, .999, 1, 35.85),
    'celebahq_ln': (LN, NO, NO, 1, NS, 1e-4, .5, .999, 1, 30.02),
    'celebahq_sn_gp': (NO, SN, GP, 1, NS, 2e-4, .5, .999, 1, 29.04),
    'celebahq_ln_dragan': (LN, NO, DRAGAN, 1, NS, 1e-4, .5, .9, 5, 29.13),
    'lsun_ls': (NO, NO, NO, 1, LS, 3.22e-5, .585, .9904, 1, 102.74),
    'lsun': (NO, NO, NO, 1, NS, 1.93e-5, .1947, .8819, 1, 112.92),
    'lsun_sn_ls': (NO, SN, NO, 1, LS, 2e-4, .5, .999, 1, 41.60),
    'lsun_sn': (NO, SN, NO, 1, NS, 2.851e-4, .1019, .998, 1, 42.51),
    'lsun_ln_gp': (LN, NO, GP, .1451, NS, 1.281e-4, .7108, .9792, 1, 40.36)}
FIELDS = ('networks.d_norm', 'networks.d_weight_norm', 'objective.penalty',
          'objective.penalty_weight', 'objective.loss', 'optimizer.g_rate',
          'optimizer.beta1', 'optimizer.beta2', 'train.n_dis')


def get_config(row='celebahq_sn_gp'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('landscape_resnet19')
  config.update_from_flattened_dict(dict(zip(FIELDS, ROWS[row], strict=False)))
  config.optimizer.d_rate = config.optimizer.g_rate
  lsun = row.startswith('lsun')
  config.data.name, config.data.resolution = 'lmdb' if lsun else 'folder', 128
  config.data.held_out = 10_000 if lsun else 3_000
  config.train.total_images = 200_000 * 64  # D steps of 64 pictures
  return config

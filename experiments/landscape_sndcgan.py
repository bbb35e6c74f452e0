"""SNDCGAN in the GAN Landscape: the settings of its best models, a row each.

  python launch.py --config=landscape_sndcgan
  python launch.py --config=landscape_sndcgan:lsun_sn --config.data.path=LMDB

Kurach et al. 2019 (arXiv:1807.04720), as BestModelSNDCGan of compare_gan's
branch v2 has them; loss NS, n_dis 1. FID is the lowest of a run's checkpoints,
of 10,000 samples and test pictures (CelebA-HQ 3,000). LSUN is cropped there.
"""
from msg_gan_jax.config import template

SN, GP = 'spectral_compare_gan', 'gradient_penalty_compare_gan'
ROWS = {  # norm and penalty of D, λ, rate, beta1, beta2, published FID
    'cifar10': ('none', 'none', 1, 1e-4, .5, .999, 28.66),
    'cifar10_2': ('none', 'none', 1, 2e-4, .5, .999, 33.23),
    'cifar10_sn': (SN, 'none', 1, 2e-4, .5, .999, 25.27),
    'cifar10_sn_2': (SN, 'none', 1, 1e-4, .5, .999, 26.16),
    'cifar10_sn_gp': (SN, GP, 10, 2e-4, .5, .999, 26.00),
    'celebahq': ('none', 'none', 1, 4.12e-4, .246, .341, 61.15),
    'celebahq_2': ('none', 'none', 1, 2.54e-4, .222, .599, 62.96),
    'celebahq_sn': (SN, 'none', 1, 2e-4, .5, .9, 28.21),
    'celebahq_sn_2': (SN, 'none', 1, 1.54e-4, .246, .734, 29.92),
    'celebahq_sn_gp': (SN, GP, 1, 2e-4, .5, .999, 24.67),
    'celebahq_sn_gp_2': (SN, GP, 1, 2e-4, .5, .9, 25.22),
    'lsun': ('none', 'none', 1, 2e-4, .5, .999, 163.51),
    'lsun_2': ('none', 'none', 1, 6.2e-5, .608, .620, 167.15),
    'lsun_sn': (SN, 'none', 1, 2.64e-4, .011, .966, 53.59),
    'lsun_sn_2': (SN, 'none', 1, 1.92e-3, .097, .938, 56.71)}
DATA = {'cifar10': ('cifar10', 32, 2_048, 200), 'celebahq': (
    'folder', 128, 3_000, 100), 'lsun': ('lmdb', 128, 10_000, 100)}


def get_config(row='cifar10_sn'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  norm, penalty, weight, rate, beta1, beta2, _ = ROWS[row]
  data, side, held_out, thousands = DATA[row.partition('_')[0]]
  config = template('landscape_sndcgan')
  config.update_from_flattened_dict({
      'data.name': data, 'data.resolution': side, 'data.held_out': held_out,
      'networks.d_weight_norm': norm, 'objective.penalty': penalty,
      'objective.penalty_weight': weight, 'optimizer.g_rate': rate,
      'optimizer.d_rate': rate, 'optimizer.beta1': beta1,
      'optimizer.beta2': beta2, 'train.total_images': thousands * 64_000})
  return config

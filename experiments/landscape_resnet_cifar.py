"""ResNet-CIFAR in the GAN Landscape: its best models on CIFAR-10, a row each.

  python launch.py --config=landscape_resnet_cifar
  python launch.py --config=landscape_resnet_cifar:sn

Kurach et al. 2019 (arXiv:1807.04720), as BestModelResnetCifar of compare_gan's
branch v2 has them: loss NS, Adam (.5, .999), 5 D updates in one of G. The FID
is the lowest of a run's checkpoints, 10,000 samples against 10,000 test
pictures; the settings of `sn` are there twice, with FID 22.91 and 23.22.

The blocks are compare_gan's: zeros between pixels on the way up, 3x3
convolutions in all shortcuts, a mean over pixels; SNGAN's paper has others.
"""
from msg_gan_jax.config import template

SN, GP = 'spectral_compare_gan', 'gradient_penalty_compare_gan'
ROWS = {  # norm and penalty of D, λ, rate, published FID
    'none': ('none', 'none', 1, 2e-4, 28.12),
    'none_2': ('none', 'none', 1, 1e-4, 30.08),
    'sn': (SN, 'none', 1, 2e-4, 22.91),
    'sn_gp': (SN, GP, 1, 2e-4, 22.73)}


def get_config(row='sn_gp'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  norm, penalty, weight, rate, _ = ROWS[row]
  config = template('landscape_resnet_cifar')
  config.update_from_flattened_dict({
      'data.name': 'cifar10', 'data.resolution': 32,
      'networks.d_weight_norm': norm, 'objective.penalty': penalty,
      'objective.penalty_weight': weight, 'optimizer.g_rate': rate,
      'optimizer.d_rate': rate,
      # 200,000 steps, which are D's there, of 64 pictures.
      'train.total_images': 200_000 * 64})
  return config

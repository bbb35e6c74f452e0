"""StyleGAN2-ADA on a folder of your own pictures, a few thousand or more.

  python launch.py --config=stylegan2_ada_folder:256 --config.data.path=DIR

The argument is the resolution, and with it come 'auto' settings of Karras et
al. 2020 (arXiv:2006.06676), of their PyTorch code on one GPU: batch, rate,
weight of R1, average and widths, as `auto` has them; styles mixed in nine of
ten batches, R1 in every 16th and path lengths in every 4th step, augmentations
bgc towards a mean sign of D(real) of .6. They call it a first guess, and advise
to try other weights of R1: --config.objective.penalty_weight.

Published: none for 'auto'.
Here: penalties share the step of the loss, where the source lowers rates and
betas, counts R1's steps in the mean sign, lets 1 % of the gradient through the
mean length, and moves the mean of w with path lengths too; with classes, labels
of fakes are the reals', there drawn anew; bfloat16 in all of G and D, there
float16 in the four finest resolutions; remat from 512 px on. Runs from before
networks.conv_clamp and objective.augment_most: no clamp, p <= 1. Pictures as
good mirrored: --config.data.mirror
"""
from msg_gan_jax.config import template

ROWS = '32', '64', '128', '256', '512', '1024'


def auto(size):
  batch = min(4096 // size, 32)
  rate = .0025 if size < 1024 else .002
  return {
      'train.batch': batch, 'train.ema_half_life_images': batch / 32 * 10_000,
      'objective.penalty_weight': .0002 * size**2 / batch,
      'networks.fmap_base': 8192 if size < 512 else 16384,
      'networks.remat': size >= 512, 'data.resolution': size,
      'optimizer.g_rate': rate, 'optimizer.d_rate': rate}


def get_config(row='256'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('stylegan2_ada')
  config.update_from_flattened_dict({
      'data.name': 'folder', 'data.mirror': False,
      'networks.dtype': 'bfloat16', **auto(int(row))})
  return config

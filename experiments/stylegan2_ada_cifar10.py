"""StyleGAN2-ADA on CIFAR-10, 32 px, with its tuned settings.

  python launch.py --config=stylegan2_ada_cifar10
  python launch.py --config=stylegan2_ada_cifar10:conditional

Fetches CIFAR-10's archive, once.

Karras et al. 2020 (arXiv:2006.06676), 'cifar' of its PyTorch code: a D without
shortcuts, no mixing of styles, no path lengths, a mapping of two layers,
minibatch standard deviation of groups of 32, R1 of weight .01 in every 16th D
update; Adam .0025 (0, .99), batch 64 on two GPUs, 100 M images; augmentations
bgc towards a mean sign of D(real) of .6; an average of half-life 500,000 images
that warms up.

Published: FIDs in ROWS, of 50,000 fakes against all 50,000 training pictures;
conditional inception score 10.14. Without ADA the conditional FID is 6.96.
Here: the penalty shares the step of the loss, where the source gives it steps
of its own, lowers rate and betas of D, and counts these steps too in the mean
sign; fakes have the labels of their batch's reals, there drawn anew from the
set; all in float32, there float16 from 8 px on (networks.dtype=bfloat16).
Runs from before networks.conv_clamp and objective.augment_most have no clamp
and p <= 1; the source clamps at 256 and has no bound of p.
"""
from msg_gan_jax.config import template

ROWS = {'unconditional': 2.92, 'conditional': 2.42}


def get_config(row='unconditional'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('stylegan2_ada_cifar10')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  if row == 'conditional':
    config.networks.classes = 10
    config.networks.g_condition = 'mapping'
    config.networks.d_condition = 'mapped_projection'

  config.train.sample_every_images = 100_000
  config.train.measure_every_images = 500_000
  config.train.checkpoint_every_images = 500_000
  return config

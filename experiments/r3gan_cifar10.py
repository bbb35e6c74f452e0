"""R3GAN on CIFAR-10 with its classes, 32 px.

  python launch.py --config=r3gan_cifar10

Fetches CIFAR-10's archive, once.

Huang et al. 2024 (arXiv:2501.05441), configuration E, and preset CIFAR10 of
their code (brownvc/R3GAN): residual blocks of grouped convolutions, no norms,
relativistic loss with R1 and R2, batch 512 on eight GPUs, 250 M images. Over
the first 20 M, along half a cosine: rates 2e-4 to 5e-5, weight of R1 and R2 .05
to .005, beta2 .9 to .99, probability of augmentations 0 to .55, half-life of
the average 0 to 5 M images. G's updates compare with reals of their own
(train.g_reals new), which do not count as shown, as in the source; runs from
before that setting compare with those that D was just updated on.

Published: FID 1.96 of 50,000 fakes against all 50,000 training pictures; on
eight L40 it took four days.
Here: bfloat16 at every resolution, where the source has it at the three finest.
On fewer GPUs, --config.train.accumulate takes the batch in parts.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('r3gan_cifar10')
  config.data.name = 'cifar10'
  config.data.resolution = 32

  config.train.sample_every_images = 100_000
  config.train.measure_every_images = 1_000_000
  config.train.checkpoint_every_images = 1_000_000
  return config

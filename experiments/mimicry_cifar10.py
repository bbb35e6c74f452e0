"""SNGAN and cGAN-PD of mimicry on CIFAR-10.

  python launch.py --config=mimicry_cifar10
  python launch.py --config=mimicry_cifar10:cgan_pd
  python launch.py --config=mimicry_cifar10 --config.networks.d_shortcut=input

kwotsin/mimicry: published by its README, 50,000 samples against the 50,000
training pictures, three seeds of the sampling: SNGAN inception score 7.97, FID
16.77 ± .04; cGAN-PD 8.25 and 10.84. By the protocols of the papers (SNGAN:
5,000 samples against 10,000 reals) their FIDs are 23.90 and 17.84.

These numbers are of the program as it runs: its ReLU works in place, so that
the shortcuts of D's blocks 2 to 4 see relu(x). With d_shortcut=input they see
x, as in SNGAN's paper and own code, whose number (FID 21.7) is that of
sngan_resnet_cifar10, and as runs from before the setting had it.
Here: biases begin at 0, there uniform within 1 / √inputs; scales of conditional
batch norm at 1, there N(1, .02). Unlike SNGAN's own code G interpolates, an
update of G has 64 fakes, and reals are not dequantized.
"""
from msg_gan_jax.config import template

KINDS = {'sngan': 'mimicry_sngan32', 'cgan_pd': 'mimicry_cgan_pd32'}


def get_config(kind='sngan'):
  if kind not in KINDS:
    raise ValueError(f'no {kind!r}; wanted one of {", ".join(KINDS)}')
  config = template(KINDS[kind])
  config.data.name = 'cifar10'
  config.data.resolution = 32

  # 100,000 G updates, of 5 D updates of 64 pictures each.
  config.train.total_images = 100_000 * 5 * 64
  config.train.log_every_images = 20_000
  config.train.sample_every_images = 250_000
  config.train.measure_every_images = 1_000_000
  config.train.checkpoint_every_images = 500_000
  return config

"""LSGAN on CIFAR-10, in the form of PyTorch-StudioGAN.

  python launch.py --config=lsgan_cifar10

Mao et al. 2017 (arXiv:1611.04076), eq. 9, on raw logits; layers, Adam 2e-4
(.5, .999) and 2 D updates of configs/CIFAR10/LSGAN.yaml, ReLUs in D
(networks.d_slope 0) and epsilon 1e-4 in batch norms. Published with it:
inception score 6.55, FID 40.22 against 50,000 training pictures. Runs from
before these settings existed have leaky ReLUs of slope .1 and 1e-5.

Its weights begin orthogonal, ours normal with deviation .02. The paper has
other networks. compare_gan squares probabilities:
  --config.objective.loss=least_squares_sigmoid
"""
from msg_gan_jax.config import template


def get_config():
  config = template('lsgan')
  config.data.name = 'cifar10'
  config.data.resolution = 32

  # 200,000 G updates, of 2 D updates of 64 pictures each.
  config.train.total_images = 200_000 * 2 * 64
  config.train.log_every_images = 20_000
  config.train.sample_every_images = 250_000
  config.train.measure_every_images = 1_000_000
  config.train.checkpoint_every_images = 500_000
  return config

"""A small DCGAN for 32 px, with 4x4 kernels, on CIFAR-10.

  python launch.py --config=dcgan_cifar10

G has 512, 256 and 128 maps, D has 64, 128 and 256: one level less than the
PyTorch DCGANs for 64 px, and their kernels and biases. Adam 2e-4 (.5, .999) and
batch 128 are those of Radford et al. 2016 (arXiv:1511.06434).

No published score is of this network. Near to it, against 50,000 training
pictures: PyTorch-StudioGAN's DCGAN has an inception score of 6.11, FID 48.29.
That one is template('dcgan_studiogan').
"""
from msg_gan_jax.config import template


def get_config():
  config = template('dcgan_32')
  config.data.name = 'cifar10'
  config.data.resolution = 32

  # 100 epochs, as Lucic et al. 2018 train on CIFAR-10.
  config.train.total_images = 100 * 50_000
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 200_000
  return config

"""AC-GAN on CIFAR-10: D also says which class it sees.

  python launch.py --config=acgan_cifar10

Odena et al. 2017 (arXiv:1610.09585), layers of its appendix: label in z, D of 6
convolutions with dropout. Published: inception score 8.25 ± .07. A re-run in
PyTorch-StudioGAN, with networks of its own: 7.19, FID 33.39 against 50,000
training pictures.

D classifies reals and fakes, all terms with weight 1, as in the paper; the code
of WGAN-GP takes reals alone, and weight .1 for G (wgan_gp_resnet_cifar10).
"""
from msg_gan_jax.config import template


def get_config():
  config = template('acgan')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.networks.classes = 10

  # 100 epochs, as in dcgan_cifar10: 50,000 steps of 100 pictures.
  config.train.total_images = 100 * 50_000
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 200_000
  return config

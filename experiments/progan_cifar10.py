"""ProGAN on CIFAR-10, 32 px, as its inception score of 8.80 was reached.

  python launch.py --config=progan_cifar10

Fetches CIFAR-10's archive, once. A small form for a CPU:
  --config.networks.latent=32 --config.networks.fmap_max=32
  --config.networks.fmap_base=256 --config.train.total_images=400000
  --config.train.grow_stable_images=40000 --config.train.grow_fade_images=40000

Karras et al. 2018 (arXiv:1710.10196), as the branch original-theano-version of
its code has it: 128 maps at every resolution, batches of 16, 400,000 images to
fade in and 400,000 stable, WGAN-GP with slopes of 750, both players updated
from one batch at once, nothing mirrored; D's means after bias and rectifier
(networks.d_mean last; runs from before the setting: first, as the branch in
TensorFlow, which says that it does not reproduce CIFAR-10).

Published: inception score 8.80 ± .05 of the best of ten runs, 8.56 ± .06 of all
ten; 50,000 samples in ten splits. No FID. Two independent tries reached 6.6 and
6.1.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('progan_cifar10')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  # All 50,000 are trained on; these of the test set are measured against.
  config.data.held_out = 2048

  config.train.sample_every_images = 100_000
  config.train.measure_every_images = 200_000
  config.train.checkpoint_every_images = 200_000
  return config

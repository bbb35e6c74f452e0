"""SNGAN with the standard CNN on CIFAR-10.

  python launch.py --config=sngan_cnn_cifar10
  python launch.py --config=sngan_cnn_cifar10:hinge

Miyato et al. 2018 (arXiv:1802.05957), table 2: inception score 7.42 ± .08, FID
29.3 with the non-saturating loss; 7.58 and 25.5 with the hinge. The score is of
10 times 5,000 samples, the FID of 5,000 against 10,000 reals.

The layers are the paper's table 3: strided convolutions do not widen. In
pfnet's chainer-gan-lib, and in the GAN Landscape, they do:
--config=landscape_sndcgan. Adam 2e-4 (.5, .999) and one D update are setting C
of the paper's six.
"""
from msg_gan_jax.config import template


def get_config(loss='non_saturating'):
  config = template('sngan_cnn')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.objective.loss = loss

  # 100,000 G updates, of one D update of 64 pictures each.
  config.train.total_images = 100_000 * 64
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.measure_every_images = 250_000
  config.train.checkpoint_every_images = 200_000
  return config

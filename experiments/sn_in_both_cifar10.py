"""Spectral norm in D and in G, on CIFAR-10.

  python launch.py --config=sn_in_both_cifar10

SNGAN normalizes D's weights. Zhang et al. 2019 (arXiv:1805.08318), sec. 4,
normalize the generator's too, in a network with self-attention. Here it is
SNGAN's residual network with nothing else changed, so that the two compare:
--config=sngan_resnet_cifar10.

No score is published for this: without the norm in G it is 8.22 ± .05
(inception score, 10 times 5,000 samples), FID 21.7 ± .21 (5,000 samples against
10,000 reals; Miyato et al. 2018, table 2).
"""
from msg_gan_jax.config import template


def get_config():
  config = template('sngan_resnet')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  config.networks.g_weight_norm = 'spectral'

  # 50,000 G updates, of 5 D updates of 64 pictures each.
  config.train.total_images = 50_000 * 5 * 64
  config.train.log_every_images = 10_000
  config.train.sample_every_images = 100_000
  config.train.measure_every_images = 500_000
  config.train.checkpoint_every_images = 250_000
  return config

"""InfoGAN's networks on triangles of 28 px: Are GANs Created Equal?

  python launch.py --config=infogan_polygons
  python launch.py --config=infogan_polygons --config.data.name=tfds \\
    --config.data.dataset=mnist

Lucic et al. 2018 (arXiv:1711.10337): one network for all GANs. Published for
this loss, the best of a wide search, mean and deviation, 10,000 samples against
10,000 test pictures: FID 6.8 ± .5 on MNIST, 26.5 ± 1.6 on Fashion-MNIST. Its
triangles are not public; ours follow their description.

In the paper settings are drawn at random: rates of 1e-5 to 1e-2, beta1 of 0 to
1, n_dis of 1 to 5, batch norm in D or not. Here they are Adam 2e-4 (.5, .999),
n_dis 1, batch norm in D.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('infogan')
  config.data.name = 'polygons'
  config.data.dataset = 'triangles'
  config.data.resolution = 28
  config.data.channels = 1

  # 20 epochs of MNIST's 60,000.
  config.train.total_images = 20 * 60_000
  config.train.sample_every_images = 60_000
  config.train.checkpoint_every_images = 120_000
  return config

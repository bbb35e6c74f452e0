"""The first GAN, of dense layers, on triangles of 28 px.

  python launch.py --config=vanilla_polygons
  python launch.py --config=vanilla_polygons --config.data.name=tfds \\
    --config.data.dataset=mnist

Goodfellow et al. 2014 (arXiv:1406.2661), sizes and rates of mnist.yaml of its
code: 1200 ReLUs twice in G, 240 maxout units of 5 pieces twice in D, dropout.
Its score is a likelihood by Parzen windows, on MNIST: there is nothing to
compare with.

Differences: z there is uniform within ±√3, here within ±1; momentum rises to .7
over 250 epochs there, here it stays .5, and the rates do not fall; the biases
of G's image begin at the data's there. D's rate is half, as D's loss is there.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('vanilla')
  config.data.name = 'polygons'
  config.data.dataset = 'triangles'
  config.data.resolution = 28
  config.data.channels = 1

  # Its code has no end; 250 epochs of 50,000, over which its momentum rises.
  config.train.total_images = 250 * 50_000
  config.train.log_every_images = 10_000
  config.train.sample_every_images = 250_000
  config.train.measure_every_images = 1_000_000
  config.train.checkpoint_every_images = 500_000
  return config

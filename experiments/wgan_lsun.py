"""WGAN with clipped weights on LSUN's bedrooms, 64 px.

  python launch.py --config=wgan_lsun --config.data.path=bedroom_train_lmdb

Arjovsky et al. 2017 (arXiv:1701.07875), main.py of its code: RMSprop 5e-5, 5 D
updates in one of G, 100 in the first 25 and in every 500th. No score is
published; Miyato et al. 2018 measure clipping with another network, on
CIFAR-10: inception score 6.41, FID 42.6 (10,000 reals, 5,000 fakes).

The code clips before each update of D, the paper, and we, after it. Batch norm
stays in D, as there, its gains within .01 too; its flag --noBN is of G alone:
  --config.networks.g_norm=none --config.networks.statistics=moving
"""
from msg_gan_jax.config import template


def get_config():
  config = template('wgan')
  config.data.name = 'lmdb'
  config.data.resolution = 64

  # 25 epochs of about 3,000,000 pictures, all of them shown to D.
  config.train.total_images = 25 * 3_000_000
  config.train.log_every_images = 20_000
  config.train.sample_every_images = 250_000
  config.train.measure_every_images = 1_000_000
  config.train.checkpoint_every_images = 500_000
  return config

"""DCGAN as published, 64 px, on a folder of pictures.

  python launch.py --config=dcgan_folder --config.data.path=DIR
  python launch.py --config=dcgan_folder --config.data.name=lmdb \\
    --config.data.path=bedroom_train_lmdb

Radford et al. 2016 (arXiv:1511.06434) and Newmu/dcgan_code, faces: 5x5 kernels,
1024 to 128 maps, no bias anywhere, L2 of 1e-5 on both players. No score of its
samples is published; the 82.8 % on CIFAR-10 are of another DCGAN, on ImageNet.

Differences: each batch there serves G or D, and G goes first; here a batch
serves D, and a G update follows.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('dcgan')
  config.data.name = 'folder'
  config.data.resolution = 64

  # 25 epochs of 350,000 faces, of which D is shown every second batch.
  config.train.total_images = 25 * 350_000 // 2
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 200_000
  return config

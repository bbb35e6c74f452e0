"""MSG-ProGAN on CelebA-HQ at 256 px, with the settings of the paper.

  python launch.py --config=msg_progan_celebahq --config.data.path=DIR

DIR holds the 30,000 pictures as files of any size from 256 px. The paper's own
CelebA-HQ is at 1024 px: no published number belongs to this run. It needs a
GPU; --dry_run says how much memory a step takes.
"""
from msg_gan_jax.config import template


def get_config():
  # RMSprop .003, WGAN-GP averaged over the scales, with drift, φ_simple,
  # stddev in every block of D.
  config = template('msg_progan')
  config.data.name = 'folder'
  config.data.resolution = 256
  # 5.9 GB decoded: once, into the cache, and streamed from there.
  config.data.cache_gb = 8.

  config.networks.latent = 512
  config.networks.fmap_max = 512
  config.networks.fmap_base = 8192

  # Of the authors' code, msg-stylegan-tf: 25 M images; its batch is 32 on two
  # or eight GPUs, 16 on four, 4 on one.
  config.train.batch = 16
  config.train.total_images = 25_000_000
  config.train.log_every_images = 5_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 250_000
  return config

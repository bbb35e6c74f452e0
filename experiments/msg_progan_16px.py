"""The paper's MSG-ProGAN at a small size: drawn heads at 16 px, 100,000 images.

  python launch.py --config=msg_progan_16px --config.optimizer.g_rate=.01 \\
    --config.optimizer.d_rate=.01

Everything is the paper's but the size: WGAN-GP at every step, RMSprop, φ
simple, all scales connected; two to three minutes on one core. What other
rates, losses, scales and φ make of it is in docs/studies/stability.md.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('msg_progan')
  config.data.name = 'avatars'
  config.data.resolution = 16

  # 32 feature maps at 4 px, 16 at 8 px, 8 at 16 px.
  config.networks.latent = 32
  config.networks.fmap_max = 32
  config.networks.fmap_base = 64

  config.train.batch = 16
  config.train.total_images = 100_000
  config.train.ema_half_life_images = 2_000
  config.train.sample_every_images = 20_000
  config.train.measure_every_images = 100_000
  config.train.checkpoint_every_images = 100_000
  return config

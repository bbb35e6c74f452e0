"""MSG-GAN on drawn heads, 32 px: trained in minutes on two cores.

  python launch.py

The networks of the paper at a small width. Its WGAN-GP with RMSprop needs
longer runs; a logistic loss with R1 at every 16th step, Adam and small batches
draw heads after 3,000 steps.

It is measured four times. The three times before its end make it an eighth
longer: config.train.measure_every_images=24000 does without them.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('msg_progan')
  config.data.name = 'avatars'
  config.data.resolution = 32

  # 64 feature maps at 4 and 8 px, 32 at 16 px, 16 at 32 px.
  config.networks.latent = 64
  config.networks.fmap_max = 64
  config.networks.fmap_base = 256

  config.objective.loss = 'non_saturating'
  config.objective.drift = 0.
  config.objective.penalty = 'r1'
  config.objective.penalty_weight = 1.
  config.objective.penalty_every_d_steps = 16
  config.optimizer.name = 'adam'

  config.train.batch = 8
  config.train.total_images = 24_000
  config.train.ema_half_life_images = 2_000
  config.train.log_every_images = 1_000
  config.train.sample_every_images = 6_000
  config.train.measure_every_images = 6_000
  config.train.checkpoint_every_images = 12_000
  return config

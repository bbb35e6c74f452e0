"""MSG-GAN on drawn heads, 32 px: four minutes on a laptop's two cores.

  python launch.py
"""
from msg_gan_jax.config import template


def get_config():
  config = template('msg_progan')
  config.data.name = 'avatars'
  config.data.resolution = 32
  config.data.mirror = False

  # A sixteenth of the paper's width.
  config.networks.latent = 64
  config.networks.fmap_max = 64
  config.networks.fmap_base = 512
  config.networks.stddev = 'last'

  # In a short run the paper's WGAN-GP is slower than a logistic loss with R1
  # every 16th step, and RMSprop .003 than Adam.
  config.objective.loss = 'non_saturating'
  config.objective.drift = 0.
  config.objective.penalty = 'r1'
  config.objective.penalty_weight = 1.
  config.objective.penalty_every_d_steps = 16
  config.optimizer.name = 'adam'

  config.train.batch = 32
  config.train.total_images = 60_000
  config.train.ema_half_life_images = 2_000
  config.train.sample_every_images = 10_000
  config.train.checkpoint_every_images = 20_000
  return config

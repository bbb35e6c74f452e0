"""MSG-GAN on triangles, 28 px: pictures whose every factor is known.

  python launch.py --config=polygons
  python launch.py --config=polygons --config.data.dataset=convex

After Lucic et al. 2018, sec. 5. Levels of 7, 14 and 28 px; the rest is as in
quickstart.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('msg_progan')
  config.data.name = 'polygons'
  config.data.dataset = 'triangles'
  config.data.resolution = 28
  config.data.channels = 1

  # 64 feature maps at 7 px, 36 at 14 px, 18 at 28 px.
  config.networks.latent = 64
  config.networks.fmap_max = 64
  config.networks.fmap_base = 256

  config.objective.loss = 'non_saturating'
  config.objective.drift = 0.
  config.objective.penalty = 'r1'
  config.objective.penalty_weight = 1.
  config.objective.penalty_every_d_steps = 16
  config.optimizer.name = 'adam'

  config.train.batch = 16
  config.train.total_images = 80_000
  config.train.ema_half_life_images = 2_000
  config.train.log_every_images = 1_000
  config.train.sample_every_images = 10_000
  config.train.checkpoint_every_images = 20_000
  return config

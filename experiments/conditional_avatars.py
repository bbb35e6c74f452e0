"""Class-conditional MSG-GAN on drawn heads, 16 px: a hair style on demand.

  python launch.py --config=conditional_avatars
  python launch.py --config=conditional_avatars:classifier
  python launch.py --config=conditional_avatars:concat

G is told the class beside z; D scores it by a projection, learns to name it, or
sees it as maps beside the colours. How many heads have the style that was asked
for is in docs/studies/conditional.md. One style, in all its variety:

  python launch.py --mode=sample --workdir=runs/conditional_avatars --labels=9
"""
from msg_gan_jax.config import template


def get_config(d_condition='projection'):
  config = template('msg_progan')
  config.data.name = 'avatars'
  config.data.label = 'hair_style'
  config.data.resolution = 16
  config.data.mirror = False  # a side parting has a side

  # 64 feature maps at 4 and 8 px, 32 at 16 px.
  config.networks.latent = 64
  config.networks.fmap_max = 64
  config.networks.fmap_base = 256
  config.networks.classes = 10
  config.networks.g_condition = 'concat'
  config.networks.d_condition = d_condition

  # As in quickstart.
  config.objective.loss = 'non_saturating'
  config.objective.drift = 0.
  config.objective.penalty = 'r1'
  config.objective.penalty_weight = 1.
  config.objective.penalty_every_d_steps = 16
  config.optimizer.name = 'adam'

  config.train.batch = 16
  config.train.total_images = 100_000
  config.train.ema_half_life_images = 2_000
  config.train.sample_every_images = 20_000
  config.train.checkpoint_every_images = 50_000
  return config

"""MSG-GAN on a folder of your own pictures, 64 px.

  python launch.py --config=own_pictures --config.data.path=DIR

DIR holds picture files, flat or one folder a class. Pictures that are not
square are cropped to their centre; --config.data.resize=pad keeps them whole.
Look at the set before training, with --dry_run or --mode=inspect.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('msg_progan')
  config.data.name = 'folder'
  config.data.resolution = 64
  config.data.on_bad = 'skip'

  # A quarter of the paper's width, for two cores or a small GPU. On a larger
  # one: networks.latent = networks.fmap_max = 512, networks.fmap_base = 8192.
  config.networks.latent = 128
  config.networks.fmap_max = 128
  config.networks.fmap_base = 2048

  # As in quickstart.py: a logistic loss with a lazy R1, and Adam, learn faster
  # in a short run than the paper's WGAN-GP and RMSprop.
  config.objective.loss = 'non_saturating'
  config.objective.drift = 0.
  config.objective.penalty = 'r1'
  config.objective.penalty_weight = 1.
  config.objective.penalty_every_d_steps = 16

  # D learns few pictures by heart: up to 50,000 are augmented before it sees
  # them. The first start decides, and says so.
  config.objective.augment = 'auto'
  config.optimizer.name = 'adam'

  config.train.batch = 32
  config.train.total_images = 1_000_000
  config.train.ema_half_life_images = 10_000
  config.train.sample_every_images = 10_000
  config.train.checkpoint_every_images = 50_000
  return config

"""Learning rates of MSG-ProGAN with and without connections, 16 px.

The paper (Karnewar & Wang 2020, arXiv:1903.06048) says that MSG-GAN trains
stably and shows rates of .001 to .01 (its table 3). Here are two more, and
beside it the same GAN whose finest level alone is connected; with WGAN-GP, and
with the loss of the paper's MSG-StyleGAN, R1 with weight 1 at every 16th step.
Drawn heads at 16 px, 100,000 images, as experiments/msg_progan_16px.py;
docs/studies/stability.md has what came of it.
"""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import RATES, Study, choices, rows


def get_config():
  config = template('msg_progan')
  config.data.name = 'avatars'
  config.data.resolution = 16
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


def get_study():
  return Study(
      axes={
          'loss': rows(
              wgan_gp={'objective.loss': 'wasserstein'},
              r1={'objective.loss': 'non_saturating', 'objective.drift': 0.,
                  'objective.penalty': 'r1', 'objective.penalty_weight': 1.,
                  'objective.penalty_every_d_steps': 16}),
          'scales': choices('all', 'none', of='networks.scales'),
          'rate': choices(.001, .003, .005, .01, .03, .1, of=RATES)},
      seeds=(0, 1), value='last')

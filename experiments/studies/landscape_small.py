"""The GAN Landscape in an hour on two cores: losses, norms, rates, 16 px.

Drawn heads; a narrow SNDCGAN, whose weights begin by He's law: at .02 such a D
is deaf without spectral norm. Is the non-saturating loss with spectral norm a
good default, and does a penalty help at a larger budget (Kurach et al. 2019,
arXiv:1807.04720)?
"""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import RATES, Study, choices, rows


def get_config():
  config = template('landscape_sndcgan')
  config.data.name = 'avatars'
  config.data.label = 'hair_style'
  config.data.resolution = 16
  config.networks.d_weight_norm = 'none'
  config.networks.latent = 64
  config.networks.fmap_max = 32
  config.networks.deviation = 'he'
  config.train.batch = 32
  config.train.ema_half_life_images = 2_000.
  config.train.total_images = 30_000
  config.train.measure_every_images = 15_000
  config.train.sample_every_images = 15_000
  config.train.checkpoint_every_images = 15_000
  config.evaluate.metrics = 'fid,is'
  config.evaluate.features = 'classifier'
  return config


def get_study():
  return Study(
      axes={
          'loss': rows(
              ns={'objective.loss': 'non_saturating'},
              hinge={'objective.loss': 'hinge'},
              wgan={'objective.loss': 'wasserstein'},
              ns_gp={'objective.loss': 'non_saturating',
                     'objective.penalty': 'gradient_penalty_compare_gan',
                     'objective.penalty_weight': 1.},
              wgan_gp={'objective.loss': 'wasserstein',
                       'objective.penalty': 'gradient_penalty_compare_gan',
                       'objective.penalty_weight': 10.}),
          'norm': rows(
              none={'networks.d_norm': 'none'},
              sn={'networks.d_weight_norm': 'spectral_compare_gan'},
              ln={'networks.d_norm': 'layer'}),
          'rate': choices(2e-4, 1e-3, of=RATES)},
      seeds=(0, 1, 2), metric='fid')

"""MSG-ProGAN, ProGAN and neither, on drawn heads at 16 px, 100,000 images.

  python launch.py --config=msg_vs_growing_16px:msg --config.seed=1
  python launch.py --config=msg_vs_growing_16px:progan --config.seed=1
  python launch.py --config=msg_vs_growing_16px:plain --config.seed=1

The comparison of Karnewar & Wang 2020 (arXiv:1903.06048), at a small size:
'msg' shows D all scales, 'progan' grows from 4 px (Karras et al. 2018,
arXiv:1710.10196), 'plain' is the network of 'msg' with one scale, 16 px, from
the start. A resolution is stable for 15,000 images and fades in over 15,000, so
that 16 px is stable in the last 40,000. Nothing is published for pictures like
these.

All else is equal: widths, batch, WGAN-GP at every step with drift, and RMSprop
.003, MSG-GAN's. ProGAN's own Adam .001 is
--config.optimizer.name=adam --config.optimizer.g_rate=.001
--config.optimizer.d_rate=.001
Distances are measured, and fixed samples compared, every 10,000 images.
"""
from msg_gan_jax.config import template

ROWS = {
    'msg': {},
    'progan': {
        'networks.name': 'progan', 'networks.scales': 'none',
        'networks.stddev': 'last', 'train.grow_from': 4,
        'train.grow_stable_images': 15_000, 'train.grow_fade_images': 15_000},
    'plain': {'networks.scales': 'none'}}


def get_config(row='msg'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('msg_progan')
  config.update_from_flattened_dict({
      'data.resolution': 16, 'data.count': 10_000, 'networks.latent': 32,
      'networks.fmap_max': 32, 'networks.fmap_base': 64, 'train.batch': 16,
      'train.total_images': 100_000, 'train.ema_half_life_images': 2_000.,
      'train.sample_every_images': 10_000, 'train.measure_every_images': 10_000,
      'train.checkpoint_every_images': 100_000, **ROWS[row]})
  return config

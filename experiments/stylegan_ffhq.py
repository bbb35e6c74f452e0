"""StyleGAN on FFHQ at 1024 px, 70,000 pictures in a folder: configuration F.

  python launch.py --config=stylegan_ffhq --config.data.path=DIR
  python launch.py --config=stylegan_ffhq:fixed --config.data.path=DIR

Karras et al. 2019 (arXiv:1812.04948) and its code on eight GPUs: the
non-saturating loss, R1 of weight 10, Adam .001 (0, .99), up to three times that
from 128 px on, styles mixed in nine of ten batches. 'growing' begins at 8 px,
stable for 600,000 images and fading in over as many, batches of 256 down to 32.
'fixed' has all resolutions from the start, the rate and the batch of the last;
the paper has no such row.

Published (table 1, F): FID 4.40 of 50,000 fakes, truncation off, 'growing'.
clean-fid measures its weights again: 4.44 in the old way, 4.82 in its own.
Here: at 1024 px blocks are computed again in the backward pass. If memory is
short, --config.train.accumulate=8 takes batches in parts;
--config.networks.dtype=bfloat16 departs from the source, which is in float32.
"""
from msg_gan_jax.config import template

ROWS = {
    'growing': {},
    'fixed': {
        'train.grow_from': 0, 'train.grow_batches': '', 'train.grow_rates': '',
        'train.batch': 32, 'optimizer.g_rate': .003,
        'optimizer.d_rate': .003}}


def get_config(row='growing'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('stylegan')
  config.update_from_flattened_dict({
      'data.name': 'folder', 'data.resolution': 1024, 'networks.remat': True,
      'train.log_every_images': 5_000, 'train.sample_every_images': 50_000,
      'train.checkpoint_every_images': 250_000, **ROWS[row]})
  return config

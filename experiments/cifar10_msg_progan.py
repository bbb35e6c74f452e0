"""MSG-ProGAN on CIFAR-10, 32 px, with the settings of the paper.

  python launch.py --config=cifar10_msg_progan
  python launch.py --config=cifar10_msg_progan:.01

Fetches CIFAR-10's archive, once; --config.data.path=FILE reads a local one. A
small form for a CPU:
  --config.networks.latent=64 --config.networks.fmap_max=64
  --config.networks.fmap_base=512 --config.train.total_images=200000

Published (Karnewar & Wang 2020, table 3): inception scores at four rates, in
ROWS, each after 12 M images; the reals score 11.34. Neither the split, the
number of samples nor the batch is given there, and no FID. An independent run
(a quarter of the channels, batch 16) diverged at these rates, learned at .0001
and .00005, and reached 5.58, on a scale where its reals scored 9.45. A run that
diverges says so and keeps its last checkpoint.
"""
from msg_gan_jax.config import template

ROWS = {'.003': 8.63, '.001': 8.24, '.005': 8.33, '.01': 7.92}


def get_config(row='.003'):
  if row not in ROWS:
    raise ValueError(f'no row {row!r}; wanted one of {", ".join(ROWS)}')
  config = template('msg_progan')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  # All 50,000 are trained on; these of the test set are measured against.
  config.data.held_out = 2048

  config.networks.latent = 512
  config.networks.fmap_max = 512

  config.optimizer.name = 'rmsprop'
  config.optimizer.g_rate = config.optimizer.d_rate = float(row)

  config.train.total_images = 12_000_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 200_000
  return config

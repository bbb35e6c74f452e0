"""MSG-ProGAN on CIFAR-10, 32 px, with the settings of the paper.

  python launch.py --config=cifar10_msg_progan

Fetches CIFAR-10's archive, once; --config.data.path=FILE reads a local one.
On a CPU, a small form:
  --config.networks.latent=64 --config.networks.fmap_max=64
  --config.networks.fmap_base=512 --config.train.total_images=200000

Published (Karnewar & Wang 2020, table 3): inception score 8.63 at rate .003
after 12 M images, where the reals score 11.34; 8.24 at .001, 8.33 at .005, 7.92
at .01. Neither the split, the number of samples nor the batch is given there,
and no FID. An independent run (a quarter of the channels, batch 16) diverged at
these rates, learned at .0001 and .00005, and reached 5.58, on a scale where its
reals scored 9.45. A run that diverges says so and keeps its last checkpoint.
"""
from msg_gan_jax.config import template


def get_config():
  config = template('msg_progan')
  config.data.name = 'cifar10'
  config.data.resolution = 32
  # All 50,000 are trained on; so many of the test set are measured against.
  config.data.held_out = 2048

  config.networks.latent = 512
  config.networks.fmap_max = 512

  config.objective.loss = 'wasserstein'
  config.objective.penalty = 'gradient_penalty'
  config.optimizer.name = 'rmsprop'
  config.optimizer.g_rate = .003
  config.optimizer.d_rate = .003

  config.train.total_images = 12_000_000
  config.train.sample_every_images = 50_000
  config.train.checkpoint_every_images = 200_000
  return config

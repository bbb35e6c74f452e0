"""What commands that draw read of a run: its GAN, and latents."""
import dataclasses

from msg_gan_jax.analysis.generator import samples
from msg_gan_jax.analysis.trained import Latents, Trained
from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.config import Config, errors
from msg_gan_jax.runs.load import LoadedRun, load

# Arguments of the library -> the flags that they come from.
NAMES = {'trained': 'workdir', 'latents': 'count', 'w': 'w_file', 'z': 'z_file'}


def load_run() -> LoadedRun:
  """The run of --workdir at the checkpoint that --checkpoints names."""
  with errors.naming(
      which=shared.CHECKPOINTS.name, trust_code=shared.TRUST_CODE.name):
    return load(shared.existing_run(), shared.CHECKPOINTS.value,
                trust_code=shared.TRUST_CODE.value)


def load_trained() -> tuple[Trained, Config]:
  """The GAN of --workdir, taken apart, and its settings."""
  config, gan, state, _ = load_run()
  with errors.naming(gan='workdir'):
    return Trained(config, gan, state, shared.WEIGHTS.value), config


def latents(count: int, psi: float = 1.) -> tuple[Trained, Latents]:
  """A GAN, and what is drawn with it: from a file, or `count` latents drawn.

  Raises:
    ValueError: flags that do not fit the run, or each other.
  """
  trained, config = load_trained()
  cutoff, networks = shared.CUTOFF.value, config.networks
  samples.check_truncation(trained.gan, config, psi, cutoff)
  if not shared.W_FILE.value:
    drawn = Latents(z=samples.latents(
        trained.gan, networks.latent, count, shared.SEED.value,
        shared.Z_FILE.value))
  elif trained.layers:
    drawn = Latents(
        w=samples.read_rows('w_file', shared.W_FILE.value, networks.w))
  else:
    raise ValueError('--w_file: this run has no mapping network, and so no w; '
                     'wanted latents, such as --z_file=FILE.')
  labels = samples.repeat_labels(shared.labels(), len(drawn), networks.classes)
  return trained, dataclasses.replace(
      drawn, labels=labels, psi=psi, cutoff=cutoff)

"""What commands that draw read of a run: its GAN, and latents."""
import dataclasses

from msg_gan_jax.analysis.generator import samples
from msg_gan_jax.analysis.trained import Latents, Trained
from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.config import Config, errors
from msg_gan_jax.files import console
from msg_gan_jax.runs import classes
from msg_gan_jax.runs.load import LoadedRun, load


def names() -> dict[str, str]:
  """Arguments of the library -> the flags that they come from."""
  return {'trained': 'workdir', 'w': 'w_file', 'z': 'z_file',
          'latents': shared.origin_of_latents() or 'count'}


def labels(count: int) -> tuple[int, ...]:
  """The classes of --labels, whose names are those of the run.

  Args:
    count: how many classes its GAN has.

  Raises:
    ValueError: a name that none of them has.
  """
  known = classes.read(shared.existing_run())
  for number, word in classes.mistakable(shared.LABELS.value, known):
    name = f' ({known[number]!r})' if 0 <= number < len(known) else ''
    console.say_aside(
        f'note: {number} is a number{name}; the class that is named so is '
        f'--labels={classes.NAME}{word}')
  return classes.numbers(shared.LABELS.value, known, count)


def load_run(which: str = '') -> LoadedRun:
  """The run of --workdir at a checkpoint.

  Args:
    which: in place of what --checkpoints names.
  """
  with errors.naming(
      which=shared.CHECKPOINTS.name, trust_code=shared.TRUST_CODE.name):
    return load(shared.existing_run(), which or shared.CHECKPOINTS.value,
                trust_code=shared.TRUST_CODE.value)


def load_trained() -> tuple[Trained, Config]:
  """The GAN of --workdir, taken apart, and its settings."""
  config, gan, state, _ = load_run()
  with errors.naming(gan='workdir'):
    return Trained(config, gan, state, shared.WEIGHTS.value), config


def latents(count: int, psi: float = 1.) -> tuple[Trained, Latents]:
  """A GAN, and what is drawn with it: from a file, picked, or `count` drawn.

  Raises:
    ValueError: flags that do not fit the run, or each other.
  """
  trained, config = load_trained()
  cutoff, networks = shared.CUTOFF.value, config.networks
  samples.check_truncation(trained.gan, config, psi, cutoff)
  if not shared.W_FILE.value:
    drawn = Latents(z=samples.latents(
        trained.gan, networks.latent, count, shared.SEED.value,
        shared.Z_FILE.value, shared.picks()))
  elif trained.layers:
    drawn = Latents(
        w=samples.read_rows('w_file', shared.W_FILE.value, networks.w))
  else:
    raise ValueError('--w_file: this run has no mapping network, and so no w; '
                     'wanted latents, such as --z_file=FILE.')
  return trained, dataclasses.replace(
      drawn, psi=psi, cutoff=cutoff, labels=samples.labels_for(
          labels(networks.classes), len(drawn), networks.classes,
          shared.picks()))

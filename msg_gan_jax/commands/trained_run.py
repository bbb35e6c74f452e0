"""What commands that draw read of a run: its GAN, and latents."""
from collections.abc import Sequence
import dataclasses

import numpy as np

from msg_gan_jax.analysis.generator import samples
from msg_gan_jax.analysis.generator.picks import Pick
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


def latents(count: int, psi: float = 1.,
            by_class: bool = False) -> tuple[Trained, Latents]:
  """A GAN, and what is drawn with it: from a file, picked, or `count` drawn.

  Args:
    count: how many are drawn, where no flag names all.
    psi: how far styles keep from their mean.
    by_class: whether the one latent is given again for each of --labels, or
      for all classes.

  Raises:
    ValueError: flags that do not fit the run, or each other.
  """
  trained, config = load_trained()
  networks = config.networks
  samples.check_truncation(trained.gan, config, psi, shared.CUTOFF.value)
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
  asked = labels(networks.classes)
  if by_class and drawn.w is None:
    if len(drawn) > 1:
      raise ValueError(
          f'--{shared.origin_of_latents()}: {len(drawn)} latents; wanted one, '
          'for what has each class of it.')
    asked = asked or tuple(range(networks.classes))
    drawn = Latents(z=np.repeat(drawn.values, max(1, len(asked)), 0))
  return trained, _labelled(
      drawn, psi, asked, networks.classes, () if by_class else shared.picks())


def picked(picks: Sequence[Pick], psi: float) -> tuple[Trained, Latents]:
  """A GAN, and latents by seed and index, each with its class.

  Args:
    picks: of the latents.
    psi: how far styles keep from their mean.

  Raises:
    ValueError: flags that do not fit the run.
  """
  trained, config = load_trained()
  samples.check_truncation(trained.gan, config, psi, shared.CUTOFF.value)
  classes = config.networks.classes
  z = samples.latents(
      trained.gan, config.networks.latent, len(picks), 0, picks=picks)
  return trained, _labelled(
      Latents(z=z), psi, labels(classes), classes, picks)


def _labelled(drawn, psi, asked, classes, picks):
  """Latents with their classes, and as --cutoff and psi truncate them."""
  return dataclasses.replace(
      drawn, psi=psi, cutoff=shared.CUTOFF.value, labels=samples.labels_for(
          asked, len(drawn), classes, picks))

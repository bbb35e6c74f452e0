"""A trained run, read from its folder: settings, GAN, State."""
from collections.abc import Callable, Iterator, Sequence
import os
from typing import Any, NamedTuple

import jax
from jax.sharding import Sharding

from msg_gan_jax.arrays.mesh import data_mesh, replicated
from msg_gan_jax.config import Config
from msg_gan_jax.files import console
from msg_gan_jax.gan.build import Gan, build, build_to_draw
from msg_gan_jax.gan.state import State
from msg_gan_jax.runs import best, experiment_file
from msg_gan_jax.runs.checkpoints import Checkpoints, DamagedError
from msg_gan_jax.runs.config_file import load_config

WHICH = ('newest', 'best', 'all')


class LoadedRun(NamedTuple):
  """What a checkpoint and its config.json give.

  Attributes:
    config, gan, state: of the run.
    images: real images shown before the checkpoint.
  """
  config: Config
  gan: Gan
  state: State
  images: int


def load(workdir: str | os.PathLike, which: str | int = 'newest',
         say: Callable[[str], Any] = console.say_aside,
         trust_code: bool = False) -> LoadedRun:
  """A run as it is in one of its checkpoints: settings, GAN and State.

  Args:
    workdir: its folder.
    which: 'newest', 'best', or images shown, such as 100000. Where the newest
      is damaged, it is the one before, with a warning.
    say: gets what is to be known: that an older checkpoint is read, settings
      that the run did not have, and that its own experiment.py is run.
    trust_code: whether that file may be run although others may have written
      it. Without, a row of it is looked for only if pictures need it, and
      `gan.step` may miss a loss.

  Raises:
    ValueError: no run, no intact checkpoint, or no such checkpoint.
  """
  _check(which, WHICH[:-1])
  config = load_config(workdir, say)
  make = build if trust_code else build_to_draw
  gan = experiment_file.with_rows(
      workdir, lambda: make(config), trust_code, say)
  (images, state), = states(gan, workdir, which, say)
  return LoadedRun(config, gan, state, images)


def states(
    gan: Gan, workdir: str | os.PathLike, which: str | int = 'newest',
    say: Callable[[str], Any] = console.say_aside,
) -> Iterator[tuple[int, State]]:
  """Yields (images shown, State) of checkpoints of a run, oldest first.

  Args:
    gan: of the run.
    workdir: its folder.
    which: see `load`; or 'all', without those that are damaged.
    say: gets a warning where one is damaged.

  Raises:
    ValueError: there is none, or none is intact, or it is not of this GAN.
  """
  place = f'workdir {workdir}'
  like = {'state': state_like(gan, replicated(data_mesh()))}
  found, damaged = 0, list[str]()
  places: Sequence[tuple[str, int | None]] = [
      (_folder(workdir, best.LATEST), None)] if which == 'newest' else (
          checkpoints_of(workdir, which))
  for folder, images in places:
    checkpoints = Checkpoints(folder, read_only=True)
    try:
      restored = checkpoints.restore(
          like, partial=True, place=place, images=images)
    except DamagedError as error:
      if images is None:
        raise
      damaged.append(str(error))
      continue
    if restored is None:
      raise ValueError(f'{place}: there is no checkpoint yet.')
    if checkpoints.passed_over:
      say(f'warning: {workdir}: {"; ".join(checkpoints.passed_over)}. The one '
          f'of {restored[0]:,} images is read in its place')
    found += 1
    yield restored[0], restored[1]['state']
  if damaged and not found:
    raise DamagedError('\n'.join(damaged) + (
        ' Or take which=newest, the newest that is intact.'
        if which != 'all' and Checkpoints(
            _folder(workdir, best.LATEST), read_only=True).steps() else ''))
  for text in damaged:
    say(f'warning: {text}')


def state_like(gan: Gan, sharding: Sharding) -> Any:
  """State as shapes, types and `sharding`: what a checkpoint is read into."""
  return jax.tree.map(
      lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding),
      jax.eval_shape(gan.init, jax.random.key(0)))


def checkpoints_of(
    workdir: str | os.PathLike, which: str | int) -> list[tuple[str, int]]:
  """[(folder, images shown)] of checkpoints, oldest first.

  Args:
    workdir: the run's folder.
    which: one of WHICH, or images shown, such as 100000.

  Raises:
    ValueError: there is none of that kind.
  """
  _check(which, WHICH)
  latest, of_best = (
      _folder(workdir, folder) for folder in (best.LATEST, best.FOLDER))
  steps = {folder: Checkpoints(folder, read_only=True).steps()
           for folder in (latest, of_best)}
  if which == 'all':
    # A checkpoint that lies in both folders is taken from the latest ones.
    places = sorted({step: (folder, step) for folder in (of_best, latest)
                     for step in steps[folder]}.values(), key=lambda x: x[1])
  elif which == 'newest':
    places = [(latest, steps[latest][-1])] if steps[latest] else []
  elif which == 'best':
    places = [(of_best, steps[of_best][-1])] if steps[of_best] else []
  else:
    places = [(folder, int(which)) for folder in (latest, of_best)
              if int(which) in steps[folder]][:1]
  if not places:
    raise ValueError(
        f'which: {which}, but {workdir} has none; there are '
        f'{steps[latest] or "none"} of the latest, and '
        f'{steps[of_best] or "none"} kept as the best (config.evaluate.best).')
  return places


def _folder(workdir, name):
  return os.path.join(os.path.expanduser(workdir), name)


def _check(which, names):
  """Refuses what is neither one of the names nor a number of images."""
  if which not in names and not str(which).isdecimal():
    raise ValueError(f'which: there is no {which!r}; wanted '
                     f'{", ".join(names)} or images shown.')

"""A trained run, read from its folder: settings, GAN, State."""
from collections.abc import Callable
import os
from typing import Any, NamedTuple

import jax
from jax.sharding import Sharding

from msg_gan_jax.arrays.mesh import data_mesh, replicated
from msg_gan_jax.config import Config
from msg_gan_jax.gan.build import Gan, build
from msg_gan_jax.gan.state import State
from msg_gan_jax.runs import best
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.runs.config_file import load_config

WHICH = ('newest', 'best', 'all')
LATEST = 'checkpoints'  # The folder of the latest ones in that of a run.


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
         say: Callable[[str], Any] | None = None) -> LoadedRun:
  """The newest intact checkpoint of a run, or the one that `which` names.

  Args:
    workdir: its folder.
    which: 'newest', 'best', or images shown, such as 100000.
    say: see `config_file.load_config`.

  Raises:
    ValueError: no run, no intact checkpoint, or no such checkpoint.
  """
  _check(which, WHICH[:-1])
  config = load_config(workdir, say)
  gan = build(config)
  folder, images = os.path.join(os.path.expanduser(workdir), LATEST), None
  if which != 'newest':
    folder, images = checkpoints_of(workdir, which)[-1]
  images, state = load_state(gan, folder, images, f'workdir {workdir}')
  return LoadedRun(config, gan, state, images)


def load_state(gan: Gan, folder: str | os.PathLike, images: int | None = None,
               place: str = 'workdir',
               sharding: Sharding | None = None) -> tuple[int, State]:
  """(images shown, State) of a checkpoint.

  Args:
    gan: of the run.
    folder: that of the checkpoints.
    images: which of them; None is the newest intact one.
    place: what errors begin with.
    sharding: of the arrays; None is the same on every device.

  Raises:
    ValueError: there is none, or it is not of this GAN.
  """
  like = state_like(gan, sharding or replicated(data_mesh()))
  restored = Checkpoints(folder, read_only=True).restore(
      {'state': like}, partial=True, place=place, images=images)
  if restored is None:
    raise ValueError(f'{place}: there is no checkpoint yet.')
  images, tree = restored
  return images, tree['state']


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
  latest, of_best = (os.path.join(os.path.expanduser(workdir), folder)
                     for folder in (LATEST, best.FOLDER))
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


def _check(which, names):
  """Refuses what is neither one of the names nor a number of images."""
  if which not in names and not str(which).isdecimal():
    raise ValueError(f'which: there is no {which!r}; wanted '
                     f'{", ".join(names)} or images shown.')

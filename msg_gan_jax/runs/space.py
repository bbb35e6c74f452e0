"""Whether a disk has room for what a run will save."""
import math
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.config.schema import Config
from msg_gan_jax.files import disk
from msg_gan_jax.runs import processes


def bytes_of(tree: Any) -> int:
  """Bytes of all arrays of a tree, or of their shapes."""
  return sum(math.prod(x.shape) * np.dtype(x.dtype).itemsize
             for x in jax.tree.leaves(tree)
             if not jnp.issubdtype(x.dtype, jax.dtypes.extended))


def to_come(config: Config, images: int, there: int) -> int:
  """How many checkpoints a run may add to those that there are.

  Args:
    config: of the run.
    images: real images shown so far.
    there: how many of the latest there are. One more than stays lies on the
      disk while it is written.
  """
  train = config.train
  left = max(0, train.total_images - images)
  saves = math.ceil(left / train.checkpoint_every_images)
  latest = min(saves, max(1, train.keep_checkpoints + 1 - there))
  older = left // max(train.keep_every_images, train.checkpoint_every_images
                      ) if train.keep_every_images else 0
  return latest + min(older, saves) + (
      2 if left and config.evaluate.best else 0)


def check_run(folder: pathlib.Path, config: Config, images: int, there: int,
              size: int) -> str:
  """Compares what a run will save with what is free.

  Args:
    folder: of the run.
    config, images, there: see `to_come`.
    size: bytes of a checkpoint.

  Returns:
    A warning where not all has room, or ''.

  Raises:
    OSError: not even one has.
  """
  count, free = to_come(config, images, there), disk.room(folder)
  if not count:
    return ''
  facts = (f'a checkpoint takes up to {disk.size(size)}, and '
           f'{disk.size(free)} are free on that disk')
  if not processes.all_agree(free >= size):
    raise OSError(
        f'workdir {folder}: {facts}. Make room there, or choose another '
        'workdir=FOLDER; config.train.check_disk=False begins all the same.')
  return '' if free >= count * size else (
      f'{folder}: {facts}; up to {count} are to come. Make room there, or the '
      'run stops where it is full, and goes on once there is room')


def check_save(path: pathlib.Path, images: int, steps: list[int],
               size: int) -> None:
  """Refuses to begin a checkpoint that cannot fit.

  Args:
    path: the folder of the checkpoints.
    images: its name.
    steps: the others there, oldest first; the last tells how large they are.
    size: bytes of its arrays, where it is the first.

  Raises:
    OSError: there is less room.
  """
  wanted = disk.held(path / str(steps[-1])) if steps else size
  free = disk.room(path)
  if not processes.all_agree(free >= wanted):
    raise OSError(
        f'{path}: the checkpoint of {images} images was not begun; older ones '
        f'are intact: {steps or "there are none"}. It takes about '
        f'{disk.size(wanted)}, and {disk.size(free)} are free on that disk. '
        'Make room there, and give the same command again.')

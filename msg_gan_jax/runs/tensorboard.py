"""A run's numbers and pictures as TensorBoard files.

TensorBoard has a section for each beginning of a name: `losses/d_loss`.
"""
from collections.abc import Callable
import fnmatch
import os
from typing import Any

import numpy as np

from msg_gan_jax.files import optional
from msg_gan_jax.runs import records

# Sections, and patterns of the names that they hold. gan.objective and training
# write these names; a test finds the section of every name in records of runs.
SECTIONS = (
    ('progress', ('epoch', 'steps', 'alpha', 'augment_strength')),
    ('losses', ('[dg]_*', 'drift', 'penalty', 'path_length', 'path_mean')),
    ('health', ('stability_*', 'consistency_*', 'share_*', 'diversity')),
    ('dynamics', ('spectral_*', 'stable_rank_*', 'slope_*', 'angle_*',
                  'update_*', 'eigenvalue_*', 'residual_*', 'condition_*',
                  'overfitting_*')),
)
OTHERS = 'observed'  # Of observers of one's own.


def tag(name: str, is_score: Callable[[str], bool]) -> str:
  """The name of a number in TensorBoard: 'scores/fid_ada' of 'fid_ada'.

  Args:
    name: that in a record; one with a slash has a section already.
    is_score: whether a name that no section has is that of a score.
  """
  if '/' in name:
    return name
  section = next(
      (title for title, patterns in SECTIONS
       if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)),
      'scores' if is_score(name) else OTHERS)
  return f'{section}/{name}'


class TensorBoard(records.Writer):
  """Numbers and pictures as TensorBoard files in a folder.

  Args:
    folder: where they go.
    is_score: see `tag`.

  Raises:
    ValueError: tensorboardX is not installed.
  """

  def __init__(self, folder: str | os.PathLike,
               is_score: Callable[[str], bool]):
    self._new = optional.require(  # It is slow to import.
        'tensorboardX', 'config.train.tensorboard: True').SummaryWriter
    self._folder, self._opened = os.fspath(folder), 0
    self._is_score = is_score
    self._writer: Any = None

  def write(self, images: int, values: records.Values,
            clock: records.Scalars | None = None) -> None:
    writer = self._open()
    for name, value in records.numbers(values).items():
      writer.add_scalar(tag(name, self._is_score), value, int(images))
    for name, value in records.numbers(clock or {}).items():
      writer.add_scalar(f'clock/{name}', value, int(images))

  def picture(self, tag: str, images: int, array: np.ndarray) -> None:
    self._open().add_image(tag, np.asarray(array), images, dataformats='HWC')

  def truncate(self, images: int) -> None:
    """TensorBoard then hides what was written after `images`."""
    self.close()
    self._open(purge_step=images + 1)

  def close(self) -> None:
    if self._writer:
      self._writer.close()
    self._writer = None

  def _open(self, **settings):
    # One alone in a start: W&B reads the folder once for each that is opened.
    if not self._writer:
      # Files are named by the second: a second one would overwrite the first.
      self._opened += 1
      self._writer = self._new(
          self._folder, filename_suffix=f'.{os.getpid()}.{self._opened}',
          **settings)
    return self._writer

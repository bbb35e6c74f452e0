"""Where a run's numbers go: metrics.jsonl and TensorBoard."""
from collections.abc import Mapping
import json
import math
import os
from typing import Any, Protocol, SupportsFloat

import numpy as np

from msg_gan_jax.files import optional
from msg_gan_jax.files.atomic import replacing

# JSON has no such numbers, and a reader of another language would refuse the
# bare words that Python writes for them: they are strings, which `read` undoes.
_NOT_FINITE = {
    'NaN': math.nan, 'Infinity': math.inf, '-Infinity': -math.inf}


Scalars = Mapping[str, SupportsFloat]
# The same, and by some names several numbers, each with a name of its own.
Values = Mapping[str, 'SupportsFloat | Values']


class Writer(Protocol):
  """Takes the records of a run, and pictures if it has a place for them."""

  def write(self, images: int, values: Values,
            clock: Scalars | None = None) -> None:
    """Appends a record.

    Args:
      images: real images shown so far.
      values: {name: scalar}; Python, numpy or jax. In place of a scalar there
        may be a dict of some, as of spreads: TensorBoard leaves it out.
      clock: the same of what depends on the clock, such as seconds; None has
        none.

    Raises:
      ValueError: a value that is not a scalar, or has a name that is taken.
    """

  def picture(self, tag: str, images: int, array: np.ndarray) -> None:
    """Appends a picture, uint8 [H, W, C] with 1, 3 or 4 channels."""
    return

  def truncate(self, images: int) -> None:
    """Drops what is of more than `images`, on resume from that checkpoint."""

  def close(self) -> None:
    """Ends writing."""


class Metrics(Writer):
  """One JSON object a line, appended to metrics.jsonl in the run's folder.

  A record is {'images': int, <name>: number, .., 'clock': {<name>: number}}.
  Some names have {<name>: number} in place of a number, as the spread has. What
  depends on the clock stands under that one key, so that all else is the same
  in a repeated run. Numbers that are not finite are "NaN", "Infinity" and
  "-Infinity". A process that is killed leaves at most one partial last line.
  """

  def __init__(self, workdir: str | os.PathLike):
    self.path = os.path.join(workdir, 'metrics.jsonl')
    self._open()
    # Or else the next record would be glued to what a kill has left.
    with open(self.path, 'rb') as file:
      whole = file.read()
    if whole and not whole.endswith(b'\n'):
      os.ftruncate(self._file, whole.rfind(b'\n') + 1)

  def write(self, images: int, values: Values,
            clock: Scalars | None = None) -> None:
    record: dict[str, Any] = {'images': int(images)}
    for name, value in values.items():
      if name in ('images', 'clock'):
        raise ValueError(f'metrics: no value may be named {name!r}.')
      record[name] = _plain(name, value)
    if clock is not None:
      record['clock'] = _plain('clock', clock)
    line = json.dumps(record, allow_nan=False).encode() + b'\n'
    if os.write(self._file, line) != len(line):
      raise OSError(f'{self.path}: the disk took only a part of a record.')

  def truncate(self, images: int) -> None:
    earlier = [
        line for line, record in _lines(self.path)
        if record['images'] <= images]
    os.close(self._file)  # Windows replaces no file that is open.
    try:
      with replacing(self.path) as temporary:
        with open(temporary, 'wb') as file:
          file.writelines(earlier)
    finally:
      self._open()

  def close(self) -> None:
    os.close(self._file)

  def _open(self):
    self._file = os.open(
        self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)


def read(path: str | os.PathLike) -> list[dict[str, Any]]:
  """The records of a metrics.jsonl, without a partial last line.

  Args:
    path: that of the file; a run may be writing it.

  Returns:
    Dicts such as {'images': 64, 'd_loss': .5, 'clock': {'seconds': 3.}}.

  Raises:
    ValueError: a broken line that is not the last; it names path and line.
  """
  return [_restored(record) for _, record in _lines(path)]


class TensorBoard(Writer):
  """The same numbers, and pictures, as TensorBoard files in a folder.

  Raises:
    ValueError: tensorboardX is not installed.
  """

  def __init__(self, folder: str | os.PathLike):
    self._new = optional.require(  # It is slow to import.
        'tensorboardX', 'config.train.tensorboard: True').SummaryWriter
    self._folder, self._opened = os.fspath(folder), 0
    self._open()

  def write(self, images: int, values: Values,
            clock: Scalars | None = None) -> None:
    for name, value in values.items():
      if not isinstance(value, Mapping):
        self._writer.add_scalar(name, _float(name, value), int(images))
    for name, value in (clock or {}).items():
      self._writer.add_scalar(f'clock/{name}', _float(name, value), images)

  def picture(self, tag: str, images: int, array: np.ndarray) -> None:
    self._writer.add_image(tag, np.asarray(array), images, dataformats='HWC')

  def truncate(self, images: int) -> None:
    """TensorBoard then hides what was written after `images`."""
    self._writer.close()
    self._open(purge_step=images + 1)

  def close(self) -> None:
    self._writer.close()

  def _open(self, **settings):
    # Files are named by the second: a second one would overwrite the first.
    self._opened += 1
    self._writer = self._new(
        self._folder, filename_suffix=f'.{os.getpid()}.{self._opened}',
        **settings)


class Many(Writer):
  """Several writers, or none, as one."""

  def __init__(self, *writers: Writer):
    self._writers = writers

  def write(self, images: int, values: Values,
            clock: Scalars | None = None) -> None:
    for writer in self._writers:
      writer.write(images, values, clock)

  def picture(self, tag: str, images: int, array: np.ndarray) -> None:
    for writer in self._writers:
      writer.picture(tag, images, array)

  def truncate(self, images: int) -> None:
    for writer in self._writers:
      writer.truncate(images)

  def close(self) -> None:
    for writer in self._writers:
      writer.close()


def _float(name, value):
  if np.ndim(value):
    raise ValueError(
        f'metrics: wanted a number for {name!r}, found an array '
        f'{list(np.shape(value))}.')
  return float(value)


def _plain(name, value):
  if isinstance(value, Mapping):
    return {k: _plain(k, v) for k, v in value.items()}
  if isinstance(value, int):  # A count.
    return value
  value = _float(name, value)
  if math.isfinite(value):
    return value
  return next(
      k for k, v in _NOT_FINITE.items() if v == value or math.isnan(value))


def _restored(value):
  if isinstance(value, dict):
    return {k: _restored(v) for k, v in value.items()}
  return _NOT_FINITE.get(value, value) if isinstance(value, str) else value


def _lines(path):
  # (bytes, dict) of every whole line; a line is whole when its end is there.
  with open(path, 'rb') as file:
    lines = file.read().splitlines(keepends=True)
  records = []
  for number, line in enumerate(lines, 1):
    if not line.endswith(b'\n'):
      break
    try:
      record = json.loads(line)
    except ValueError:
      record = None
    if not isinstance(record, dict) or 'images' not in record:
      raise ValueError(
          f'{path}, line {number}: not a record of metrics: {line[:60]!r}.')
    records.append((line, record))
  return records

"""Where a run's numbers go: metrics.jsonl, and writers of one's own."""
from collections.abc import Callable, Mapping
import contextlib
import errno
import json
import math
import os
from typing import Any, Protocol, SupportsFloat

import numpy as np

from msg_gan_jax.files import console, plain
from msg_gan_jax.files.atomic import flush_to_disk, replacing

# JSON has no such numbers, and a reader of another language would refuse the
# bare words that Python writes for them: they are strings, which `read` undoes.
_NOT_FINITE = {
    'NaN': math.nan, 'Infinity': math.inf, '-Infinity': -math.inf}


Scalars = Mapping[str, SupportsFloat]
# The same, and by some names several numbers, each with a name of its own.
Values = Mapping[str, 'SupportsFloat | Values']


class Writer(Protocol):
  """Takes the records of a run, and pictures if it has a place for them.

  A subclass of it needs `write` alone; train(config, workdir, writers=[...])
  gives it what metrics.jsonl and TensorBoard get. Only the process that writes
  files calls it, once a record lies in metrics.jsonl and a checkpoint that is
  due is being saved. An error of it ends the run, which is saved at once.
  """

  def write(self, images: int, values: Values,
            clock: Scalars | None = None) -> None:
    """Appends a record.

    Args:
      images: real images shown so far.
      values: {name: scalar}; Python, numpy or jax. In place of a scalar there
        may be a dict of some, as of spreads; `numbers` leaves them out.
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
    """Ends writing; called once, after an error too."""


class Metrics(Writer):
  """One JSON object a line, appended to metrics.jsonl in the run's folder.

  A record is {'images': int, <name>: number, .., 'clock': {<name>: number}}.
  Some names have {<name>: number} in place of a number, as the spread has. What
  depends on the clock stands under that one key, so that all else is the same
  in a repeated run. Numbers that are not finite are "NaN", "Infinity" and
  "-Infinity". A process that is killed leaves at most one partial last line,
  which is cut off as the file is opened. Whole lines that are not records, of a
  damaged file, move to metrics.jsonl.damaged.

  Attributes:
    images: those of the records in the file.
    moved: how many lines were not records.

  Raises:
    ValueError: see `path_in`.
  """

  def __init__(self, workdir: str | os.PathLike):
    self.path = path_in(workdir)
    self.images: list[int] = []
    self.moved = 0
    self._open()
    self._keep(lambda record: True)

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
      raise OSError(
          f'{self.path}: the disk took only a part of a record.') from OSError(
              errno.ENOSPC, os.strerror(errno.ENOSPC))
    self.images.append(record['images'])

  def truncate(self, images: int) -> None:
    self._keep(lambda record: record['images'] <= images)

  def _keep(self, wanted):
    """Leaves the records for which `wanted` is true, and whole lines only."""
    lines = _lines(self.path)
    kept = [(line, record) for line, record in lines
            if record is not None and wanted(record)]
    self.images = [record['images'] for _, record in kept]
    if sum(len(line) for line, _ in kept) == os.path.getsize(self.path):
      return
    broken = [line for line, record in lines if record is None]
    if broken:
      with open(plain.open_own(
          f'{self.path}.damaged', os.O_WRONLY | os.O_APPEND | os.O_CREAT),
                'ab') as file:
        file.writelines(broken)
        flush_to_disk(file)
      self.moved += len(broken)
    os.close(self._file)  # Windows replaces no file that is open.
    try:
      with replacing(self.path) as temporary:
        with open(temporary, 'wb') as file:
          file.writelines(line for line, _ in kept)
    finally:
      self._open()

  def close(self) -> None:
    os.close(self._file)

  def _open(self):
    self._file = plain.open_own(
        self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def path_in(workdir: str | os.PathLike) -> str:
  """The path of metrics.jsonl in a run's folder.

  Raises:
    ValueError: something that is no file has its name.
  """
  path = os.path.join(workdir, 'metrics.jsonl')
  if os.path.exists(path) and not os.path.isfile(path):
    raise ValueError(
        f'{path}: not a file; wanted the records of the run, or nothing. '
        'Move it away, and start the same command again.')
  return path


def images_in(path: str | os.PathLike) -> list[int]:
  """Images of the records in any file of lines; [] where it has none."""
  return [record['images'] for _, record in _lines(path) if record is not None]


def furthest(workdir: str | os.PathLike) -> int:
  """Images at the newest record of a run; 0 of a folder that has none."""
  path = os.path.join(workdir, 'metrics.jsonl')
  return max(images_in(path), default=0) if os.path.isfile(path) else 0


def read(path: str | os.PathLike,
         say: Callable[[str], Any] = console.say_aside) -> list[dict[str, Any]]:
  """The records of a metrics.jsonl, without a partial last line.

  Args:
    path: that of the file; a run may be writing it.
    say: prints a line for people: a warning of each line that is not a record.

  Returns:
    Dicts such as {'images': 64, 'd_loss': .5, 'clock': {'seconds': 3.}}.
  """
  records = []
  for number, (line, record) in enumerate(_lines(path), 1):
    if record is None:
      say(f'warning: {path}, line {number}: not a record of metrics, and '
          f'passed over: {line[:60]!r}')
    else:
      records.append(_restored(record))
  return records


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
    """Closes all of them, also where one raises an error."""
    with contextlib.ExitStack() as stack:
      for writer in reversed(self._writers):
        stack.callback(writer.close)


def numbers(values: Values) -> dict[str, float]:
  """{name: number} of a record, without what has several by one name.

  Raises:
    ValueError: an array in place of a number.
  """
  return {name: _float(name, value) for name, value in values.items()
          if not isinstance(value, Mapping)}


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
  # (bytes, dict) of every whole line, or None in place of a dict where it is
  # not a record; a line is whole when its end is there.
  with open(path, 'rb') as file:
    lines = [line for line in file if line.endswith(b'\n')]
  return [(line, _record(line)) for line in lines]


def _record(line):
  try:
    record = json.loads(line)
    # Other files of a run have lines with images too, beside what is no number.
    is_one = (isinstance(record, dict) and _is_count(record.get('images'))
              and all(isinstance(_restored(x), int | float | dict)
                      for x in record.values()))
  except (ValueError, RecursionError):  # The second: brackets without end.
    return None
  return record if is_one else None


def _is_count(value):
  # For Python, true of JSON is an int.
  return isinstance(value, int) and not isinstance(value, bool) and value >= 0

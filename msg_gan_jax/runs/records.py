"""Where a run's numbers go: metrics.jsonl, and writers of one's own."""
from collections.abc import Callable, Iterator, Mapping
import contextlib
import json
import math
import os
import shutil
from typing import Any, Protocol, SupportsFloat

import numpy as np

from msg_gan_jax.files import console, disk, plain
from msg_gan_jax.files.atomic import flush_to_disk, replacing
from msg_gan_jax.runs import record_lines
from msg_gan_jax.runs.written_so_far import WrittenSoFar

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

  Args:
    workdir: the run's folder.
    noted: what `note` returned when a checkpoint was saved; {} of none. Lines
      that it proves to be as they were are not parsed: a file of a million of
      them does not slow a start.

  Attributes:
    moved: how many lines were not records.
    proven: whether the lines up to the checkpoint are as they were then; None
      where its note cannot tell.

  Raises:
    ValueError: see `path_in`.
  """

  def __init__(self, workdir: str | os.PathLike,
               noted: Mapping[str, Any] | None = None):
    self.path = path_in(workdir)
    self.moved = 0
    self.proven: bool | None = None
    self._sure = self._so_far = WrittenSoFar()
    self._open()
    if noted and 'clock' in noted:
      begun = WrittenSoFar.proven(self.path, noted['records'], noted['clock'])
      self.proven = begun is not None
      self._sure = begun or self._sure
    self._keep()

  @property
  def images(self) -> list[int]:
    """Those of the records in the file."""
    return [*self._so_far.gaps]

  def note(self) -> dict[str, Any]:
    """{'records', 'clock'}: which records there are, as plain JSON.

    Whether their bytes are still those of now can be told by what stands under
    'clock', since in them are seconds.
    """
    return {'records': [[*run] for run in self._so_far.gaps.runs],
            'clock': self._so_far.proof()}

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
    with disk.naming(self.path):
      rest = line
      while rest:  # What is left of one that a full disk took in part fails.
        rest = rest[os.write(self._file, rest):]
    self._so_far.add(line, record['images'])

  def truncate(self, images: int) -> None:
    if self._so_far.gaps.most > images:
      self._keep(images)

  def _keep(self, most=math.inf):
    """Leaves records of at most so many images, and whole lines only."""
    if self._sure.gaps.most > most:
      self._sure = WrittenSoFar()
    self._so_far = self._sure.copy()
    dropped: list[list[int]] = []  # From which byte to which.
    broken = []
    place = self._sure.bytes
    for line, record in record_lines.lines(self.path, place):
      begin, place = place, place + len(line)
      if record is not None and record['images'] <= most:
        self._so_far.add(line, record['images'])
        continue
      if record is None:
        broken.append(line)
      if dropped and dropped[-1][1] == begin:
        dropped[-1][1] = place
      else:
        dropped.append([begin, place])
    if broken:
      with open(plain.open_own(
          f'{self.path}.damaged', os.O_WRONLY | os.O_APPEND | os.O_CREAT),
                'ab') as file:
        file.writelines(broken)
        flush_to_disk(file)
      self.moved += len(broken)
    if dropped and dropped[-1][1] == place:
      place = dropped.pop()[0]
    if place < os.path.getsize(self.path):
      os.truncate(self.path, place)
    if dropped:
      self._cut_out(dropped)

  def _cut_out(self, dropped):
    """Replaces the file by one without some of its bytes."""
    os.close(self._file)  # Windows replaces no file that is open.
    try:
      with replacing(self.path) as temporary:
        with open(self.path, 'rb') as old, open(temporary, 'wb') as file:
          for begin, end in dropped:
            file.write(old.read(begin - old.tell()))
            old.seek(end)
          shutil.copyfileobj(old, file)
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
  return [record['images'] for _, record in record_lines.lines(path)
          if record is not None]


def furthest(workdir: str | os.PathLike) -> int:
  """Images at the newest record of a run; 0 of a folder that has none."""
  path = os.path.join(workdir, 'metrics.jsonl')
  return record_lines.newest(path).get(
      'images', 0) if os.path.isfile(path) else 0


def read(path: str | os.PathLike,
         say: Callable[[str], Any] = console.say_aside) -> list[dict[str, Any]]:
  """The records of a metrics.jsonl, without a partial last line.

  Args:
    path: that of the file; a run may be writing it.
    say: prints a line for people: a warning of each line that is not a record.

  Returns:
    Dicts such as {'images': 64, 'd_loss': .5, 'clock': {'seconds': 3.}}.
  """
  return [*each(path, say)]


def each(path: str | os.PathLike,
         say: Callable[[str], Any] = console.say_aside
         ) -> Iterator[dict[str, Any]]:
  """Yields what `read` returns, one at a time: of a million, they are large."""
  for number, (line, record) in enumerate(record_lines.lines(path), 1):
    if record is None:
      say(f'warning: {path}, line {number}: not a record of metrics, and '
          f'passed over: {line[:60]!r}')
    else:
      yield record_lines.restored(record)


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
      k for k, v in record_lines.NOT_FINITE.items()
      if v == value or math.isnan(value))

"""Where a run's numbers go: metrics.jsonl and TensorBoard."""
import json
import math
import os

import numpy as np

from msg_gan_jax.files.atomic import replacing

# JSON has no such numbers, and a reader of another language would refuse the
# bare words that Python writes for them: they are strings, which `read` undoes.
_NOT_FINITE = {
    'NaN': math.nan, 'Infinity': math.inf, '-Infinity': -math.inf}


class Metrics:
  """One JSON object a line, appended to workdir/metrics.jsonl.

  A record is {'images': int, <name>: number, .., 'clock': {<name>: number}}.
  What depends on the clock stands under that one key, so that all else is the
  same in a repeated run. Not-finite numbers are "NaN", "Infinity" and
  "-Infinity". A process that is killed leaves at most one partial last line.
  """

  def __init__(self, workdir):
    self.path = os.path.join(workdir, 'metrics.jsonl')
    self._open()
    # Or else the next record would be glued to what a kill has left.
    with open(self.path, 'rb') as file:
      whole = file.read()
    if whole and not whole.endswith(b'\n'):
      os.ftruncate(self._file, whole.rfind(b'\n') + 1)

  def write(self, images, values, clock=None):
    """Append a record.

    Args:
      images: real images shown so far.
      values: {name: scalar}; Python, numpy or jax.
      clock: {name: scalar}, as seconds, images_per_second; None has none.

    Raises:
      ValueError: a value named 'images' or 'clock', or not a scalar.
    """
    record = {'images': int(images)}
    for name, value in values.items():
      if name in ('images', 'clock'):
        raise ValueError(f'metrics: no value may be named {name!r}.')
      record[name] = _number(name, value)
    if clock is not None:
      record['clock'] = {k: _number(k, v) for k, v in clock.items()}
    line = json.dumps(record, allow_nan=False).encode() + b'\n'
    if os.write(self._file, line) != len(line):
      raise OSError(f'{self.path}: the disk took only a part of a record.')

  def images(self, tag, images, array):
    """Nothing: pictures are files of their own."""

  def truncate(self, images):
    """Drop records of more than `images`, on resume from that checkpoint."""
    kept = [
        line for line, record in _lines(self.path)
        if record['images'] <= images]
    with replacing(self.path) as temporary:
      with open(temporary, 'wb') as file:
        file.writelines(kept)
    os.close(self._file)
    self._open()

  def close(self):
    os.close(self._file)

  def _open(self):
    self._file = os.open(
        self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)


def read(path):
  """Records of a metrics.jsonl, without a partial last line.

  Args:
    path: of the file; a run may be writing it.

  Returns:
    List of dicts, as they were given to `Metrics.write`.

  Raises:
    ValueError: a broken line that is not the last; it names path and line.
  """
  return [_restored(record) for _, record in _lines(path)]


class TensorBoard:
  """The same numbers, and pictures, as TensorBoard files in a folder.

  Raises:
    ValueError: tensorboardX is not installed.
  """

  def __init__(self, folder):
    try:
      import tensorboardX  # Slow, and an extra.
    except ImportError as error:
      raise ValueError(
          'config.train.tensorboard: tensorboardX is missing; '
          "pip install 'msg_gan_jax[tensorboard]'.") from error
    self._new = tensorboardX.SummaryWriter
    self._folder, self._opened = os.fspath(folder), 0
    self._open()

  def write(self, images, values, clock=None):
    for name, value in values.items():
      self._writer.add_scalar(name, _float(name, value), int(images))
    for name, value in (clock or {}).items():
      self._writer.add_scalar(f'clock/{name}', _float(name, value), images)

  def images(self, tag, images, array):
    """A picture, uint8 [H, W, C] with 1, 3 or 4 channels."""
    self._writer.add_image(tag, np.asarray(array), images, dataformats='HWC')

  def truncate(self, images):
    """TensorBoard then hides what was written after `images`."""
    self._writer.close()
    self._open(purge_step=images + 1)

  def close(self):
    self._writer.close()

  def _open(self, **settings):
    # Files are named by the second: a second one would overwrite the first.
    self._opened += 1
    self._writer = self._new(
        self._folder, filename_suffix=f'.{os.getpid()}.{self._opened}',
        **settings)


class Many:
  """Several writers as one."""

  def __init__(self, *writers):
    self._writers = writers

  def write(self, images, values, clock=None):
    for writer in self._writers:
      writer.write(images, values, clock)

  def images(self, tag, images, array):
    for writer in self._writers:
      writer.images(tag, images, array)

  def truncate(self, images):
    for writer in self._writers:
      writer.truncate(images)

  def close(self):
    for writer in self._writers:
      writer.close()


def _float(name, value):
  if np.ndim(value):
    raise ValueError(
        f'metrics: wanted a number for {name!r}, found an array '
        f'{list(np.shape(value))}.')
  return float(value)


def _number(name, value):
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
  found = []
  for number, line in enumerate(lines, 1):
    if not line.endswith(b'\n'):
      break
    try:
      record = json.loads(line)
    except ValueError:
      record = None
    if not isinstance(record, dict) or 'images' not in record:
      raise ValueError(
          f'{path}, line {number}: no record of metrics: {line[:60]!r}.')
    found.append((line, record))
  return found

"""How far runs have come, seen at a glance: without reading all they wrote."""
from collections.abc import Callable, Iterable, Mapping
import json
import math
import os
import pathlib
import time
from typing import Any, NamedTuple, TypeVar

from msg_gan_jax.config import schema
from msg_gan_jax.runs import config_file
from msg_gan_jax.runs.below import SETTLED
from msg_gan_jax.runs.lines import is_there, read_json, read_lines
from msg_gan_jax.runs.read import WARNINGS
from msg_gan_jax.runs.standing import RUNNING, standing_of

T = TypeVar('T')
MOST = 1 << 53  # Images; a larger number is damage.
TAIL = 1 << 16  # Bytes, in which the last record usually lies whole.
LONGEST = 1 << 26  # Bytes; no record is as long.


class Glance(NamedTuple):
  """How a run stands.

  Attributes:
    config: its settings.
    standing: see runs.standing.
    images: real images shown at its newest record or checkpoint.
    total: those that it will be shown.
    rate: real images a second of training at the newest record, or None.
    left: seconds that the rest will take at this rate, measuring apart; None
      of a run that does not train, or has no record yet.
    written: when its newest record was written, in seconds since 1970, or None.
    picture: its newest grid, or None.
  """
  config: schema.Config
  standing: str
  images: int
  total: int
  rate: float | None
  left: float | None
  written: float | None
  picture: pathlib.Path | None


class Memory:
  """What was read of files, as long as these stay as they were."""

  def __init__(self) -> None:
    self._old: dict[Any, tuple[Any, Any]] = {}
    self._new: dict[Any, tuple[Any, Any]] = {}

  def get(self, path: pathlib.Path, read: Callable[[pathlib.Path], T]) -> T:
    """read(path), or what it returned of the file as it is now."""
    sign = signature(path)
    known = self._new.get((path, read)) or self._old.get((path, read))
    if not known or known[0] != sign:
      settled = not sign or time.time() - sign[0] / 1e9 > SETTLED
      known = sign if settled else None, read(path)
    self._new[path, read] = known
    return known[1]

  def forget(self) -> None:
    """Forgets what was not asked for since it was called last."""
    self._old, self._new = self._new, {}


def signature(path: str | os.PathLike) -> tuple[int, ...]:
  """What changes as a file or the entries of a folder do; () if it is gone."""
  try:
    found = os.stat(path)
  except OSError:
    return ()
  return found.st_mtime_ns, found.st_size, found.st_ino


def glances(runs: Iterable[pathlib.Path], memory: Memory
            ) -> Mapping[pathlib.Path, Glance | str]:
  """{path: how it stands, or why that cannot be told}.

  Args:
    runs: folders; one may be half-written, or gone.
    memory: the same one again makes a second look quick.
  """
  found = {}
  for run in runs:
    try:
      found[run] = _glance(run, memory)
    except (ValueError, OSError) as error:
      found[run] = str(error)
    except Exception as error:  # Of this run; all others are seen.
      found[run] = f'{type(error).__name__}: {error}'
  memory.forget()
  return found


def _glance(run, memory):
  config = memory.get(run / 'config.json', _config)
  if isinstance(config, str):
    raise ValueError(config)
  record, metrics = {}, run / 'metrics.jsonl'
  written = signature(metrics)
  if is_there(metrics):
    record = memory.get(metrics, newest)
  images = max(record.get('images', 0),
               memory.get(run / 'checkpoints', _newest_checkpoint))
  total = config.train.total_images
  starts = memory.get(run / 'versions.json', _count)
  # What made one start diverge is no word on the next.
  state = standing_of(run, images >= total,
                      memory.get(run / WARNINGS, _diverged) == starts > 0)
  rate = _finite(record.get('clock', {}).get('images_per_second'))
  when = written[0] / 1e9 if written else None
  left = None
  if state == RUNNING and rate and when:
    left = max(0., (total - images) / rate - max(0., time.time() - when))
  return Glance(config, state, images, total, rate, left, when,
                memory.get(run / 'samples', newest_grid))


def newest(path: pathlib.Path) -> dict[str, Any]:
  """The last whole record of a metrics.jsonl, read from its end; {} if none.

  Raises:
    OSError: it cannot be read.
  """
  with open(path, 'rb') as file:
    size, length = file.seek(0, os.SEEK_END), TAIL
    while True:
      file.seek(max(0, size - length))
      lines = file.read(length).split(b'\n')
      # The first is whole if the file begins there.
      for line in reversed(lines if length >= size else lines[1:]):
        if record := _record(line):
          return record
      if length >= min(size, LONGEST):
        return {}
      length *= 8


def _record(line):
  try:
    record = json.loads(line)
  except (ValueError, RecursionError):
    return {}
  fits = isinstance(record, dict) and _is_int(
      record.get('images')) and isinstance(record.get('clock', {}), dict)
  return record if fits else {}


def _config(path):
  """The Config, or why it cannot be read: that stays so, too."""
  try:
    return config_file.read_config(path.parent)[0]
  except ValueError as error:
    return str(error)


def _count(path):
  return len(read_json(path, []))


def _diverged(path):
  """The number of the newest start that diverged; 0 if none did."""
  return max((x['diverged'] for x in read_lines(path, diverged=_is_int)),
             default=0)


def _is_int(value):
  return isinstance(value, int) and 0 <= value < MOST


def _newest_checkpoint(folder):
  return max(_numbers(folder, '', ''), default=0)


def newest_grid(folder: pathlib.Path) -> pathlib.Path | None:
  """The newest grid in a run's folder of samples, if there is one."""
  found = _numbers(folder, 'images_', '.png')
  return found[max(found)] if found else None


def _numbers(folder, before, after):
  """{number: path} of what is called so in a folder, if there is one."""
  try:
    names = os.listdir(folder)
  except OSError:
    return {}
  middles = {name.removeprefix(before).removesuffix(after): name
             for name in names
             if name.startswith(before) and name.endswith(after)}
  return {int(middle): folder / name for middle, name in middles.items()
          if middle.isdecimal()}


def _finite(value):
  return value if isinstance(value, int | float) and (
      math.isfinite(value) and value > 0) else None

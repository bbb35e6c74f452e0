"""The starts of a run: when, from where, for how long, and with what."""
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.runs.columns import Columns


class Start(NamedTuple):
  """A start of a run; what is not on record is None.

  Attributes:
    date: when it began, ISO 8601.
    images: real images shown before it.
    seconds: from its first step to the last of its records that there are. None
      too of a start that has none left, since a later one began before them.
    version: of this package.
    devices: how many of which kind, such as '8 NVIDIA H100'.
    commit: of the checkout that it was started from.
    dirty: whether that had changes which the commit lacks.
  """
  date: str | None
  images: int | None
  seconds: float | None
  version: str | None
  devices: str | None
  commit: str | None
  dirty: bool | None


def starts_of(versions: Sequence[Mapping[str, Any]],
              records: Columns) -> tuple[Start, ...]:
  """The starts of a run, oldest first.

  Args:
    versions: entries of versions.json, one a start.
    records: columns of metrics.jsonl.
  """
  images = [_of_kind(entry.get('images'), int) for entry in versions]
  owner = owners(images, records['images'])
  clock = records.get('clock.seconds', np.full(owner.shape, np.nan))
  seconds = [_seconds(clock[owner == i]) for i in range(len(images))]
  return tuple(map(_start, versions, images, seconds))


def owners(starts: Sequence[int | None], images: np.ndarray) -> np.ndarray:
  """Which start has written each record.

  Args:
    starts: real images shown before each start, in the order of their dates.
    images: [n], those of the records.

  Returns:
    int [n]: a start drops the records of more images than its own, and writes
    them again. -1 is unknown.
  """
  found = np.full(np.shape(images), -1)
  for i, start in enumerate(starts):
    if start is not None:
      found[images > start] = i
  return found


def added_up(clock: Sequence[float] | np.ndarray,
             owner: Sequence[int] | np.ndarray) -> np.ndarray:
  """Seconds of all starts of a run, from those of each start by itself.

  Args:
    clock: [n], 'clock.seconds' of its records in their order: each start begins
      at 0 again.
    owner: [n], of the records; see `owners`. Where that is unknown, a start
      shows by a clock that falls.

  Returns:
    [n] float64, never falling; nan where no record has a number.
  """
  clock = np.asarray(clock, np.float64)
  if np.isnan(clock).all():
    return clock.copy()
  total, last, out = 0., 0., np.empty(clock.shape)
  for i, value in enumerate(clock):
    if (i and owner[i] != owner[i - 1]) or value < last:
      total, last = total + last, 0.
    last = last if np.isnan(value) else value
    out[i] = total + last
  return out


def _start(entry, images, seconds):
  packages, devices, git = (
      _of_kind(entry.get(name), dict) or {}
      for name in ('packages', 'devices', 'git'))
  return Start(
      _of_kind(entry.get('date'), str), images, seconds,
      _of_kind(packages.get('msg_gan_jax'), str), _devices(devices),
      _of_kind(git.get('commit'), str), _of_kind(git.get('dirty'), bool))


def _of_kind(value, kind):
  return value if isinstance(value, kind) else None


def _devices(devices):
  count, kinds = devices.get('count'), devices.get('kinds')
  if not isinstance(count, int) or not isinstance(kinds, list):
    return None
  return f'{count} {" and ".join(map(str, kinds))}'


def _seconds(clock):
  known = clock[~np.isnan(clock)]
  return float(known[-1]) if len(known) else None

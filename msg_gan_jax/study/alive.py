"""Whether the worker of a trial is still there."""
import contextlib
import functools
import hashlib
import os
import pathlib
import socket
from typing import Any, NamedTuple


class Process(NamedTuple):
  """A process, told apart from those of other machines and containers.

  Attributes:
    host: the machine's name.
    place: names this machine since it was started, and its space of process
      ids: containers may have one host's name, and each its own process 1.
    number: the process id.
  """
  host: str
  place: str
  number: int


def me() -> Process:
  """This process."""
  return Process(socket.gethostname(), _place(), os.getpid())


@functools.cache
def _place():
  parts = []
  with contextlib.suppress(OSError):  # Only Linux has them.
    parts.append(pathlib.Path('/proc/sys/kernel/random/boot_id').read_text())
    parts.append(os.readlink('/proc/self/ns/pid'))
  return hashlib.sha256(''.join(parts).encode()).hexdigest()[:8]


def holder(lease: Any) -> Process | None:
  """The process that a lease is of.

  Args:
    lease: [what `me` gave, a count, ...], or None where there is none yet.
  """
  return Process(*lease[0]) if lease else None


def is_gone(lease: Any) -> bool:
  """Whether a lease is of a process of this machine that is not there.

  Args:
    lease: see `holder`.
  """
  process, here = holder(lease), me()
  if process is None or process[:2] != here[:2] or process == here:
    return False
  try:
    os.kill(process.number, 0)
  except ProcessLookupError:
    return True
  except OSError:
    return False
  return False


class Watch:
  """Which workers are dead, as this process sees it by its own clock.

  Args:
    patience: seconds for which a lease may stand still.
  """

  def __init__(self, patience: float):
    self._patience = patience
    # {trial: (its lease, since when, when it was last looked at)}
    self._seen: dict[int, tuple[Any, float, float]] = {}

  def is_dead(self, trial: int, lease: Any, now: float) -> bool:
    """Whether the worker of a running trial is not heard of any more.

    Args:
      trial: names it.
      lease: see `holder`.
      now: seconds, of a clock that only goes on.
    """
    if is_gone(lease):
      return True
    value, since, last = self._seen.get(trial, (None, now, now))
    # Between two looks the storage, or this worker, may have been away.
    if lease != value or now - last > self._patience / 2:
      since = now
    self._seen[trial] = lease, since, now
    return now - since > self._patience

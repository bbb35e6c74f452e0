"""Whether a worker of this machine is still there."""
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
    lease: [what `me` gave, a count], or None where there is none yet.
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

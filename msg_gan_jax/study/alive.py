"""Whether a worker of this machine is still there."""
import contextlib
import functools
import os
import pathlib
import socket
from typing import Any


@functools.cache
def _here():
  """Names this machine since it was started, and its space of process ids.

  Containers may have one host's name, and each its own process 1.
  """
  parts = [socket.gethostname()]
  with contextlib.suppress(OSError):  # Only Linux has them.
    parts.append(pathlib.Path('/proc/sys/kernel/random/boot_id').read_text())
    parts.append(os.readlink('/proc/self/ns/pid'))
  return '-'.join(x.strip() for x in parts)


def me() -> str:
  """This process, told apart from those of other machines and containers."""
  return f'{_here()} {os.getpid()}'


def is_gone(lease: Any) -> bool:
  """Whether a lease is of a process of this machine that is not there.

  Args:
    lease: [what `me` gave, a count], or None where there is none yet.
  """
  if not lease:
    return False
  here, _, process = lease[0].rpartition(' ')
  if here != _here() or int(process) == os.getpid():
    return False
  try:
    os.kill(int(process), 0)
  except ProcessLookupError:
    return True
  except OSError:
    return False
  return False

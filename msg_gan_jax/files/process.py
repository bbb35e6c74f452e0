"""Processes, told apart from those of other machines, and of other times."""
import contextlib
import functools
import hashlib
import os
import pathlib
import socket
from typing import NamedTuple


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


def machine() -> str:
  """Names this machine since it was started; '' where it cannot be told."""
  with contextlib.suppress(OSError):  # Only Linux has it.
    return pathlib.Path('/proc/sys/kernel/random/boot_id').read_text().strip()
  return ''


@functools.cache
def _place():
  spaces = ''
  with contextlib.suppress(OSError):  # Only Linux has them.
    spaces = os.readlink('/proc/self/ns/pid')
  return hashlib.sha256(f'{machine()}\n{spaces}'.encode()).hexdigest()[:8]


def started(number: int) -> str:
  """When a process of this machine began; '' where there is none.

  Numbers are given again, and so the start belongs to one. 'unknown' where the
  system does not tell.
  """
  if os.name != 'posix':
    return 'unknown'
  if os.path.exists('/proc/self/stat'):
    try:
      # proc(5): the 22nd value; the second may hold spaces and brackets.
      words = pathlib.Path(f'/proc/{number}/stat').read_text(
          errors='replace').rpartition(')')[2].split()
      return '' if words[0] in 'ZX' else words[19]
    except OSError:
      return ''
  try:
    os.kill(number, 0)
  except ProcessLookupError:
    return ''
  except OSError:
    pass
  return 'unknown'


def is_gone(process: Process, began: str = '') -> bool:
  """Whether one of this machine is not there; False of another machine's.

  Args:
    process: which.
    began: what `started` said of it; '' is not known.
  """
  if process[:2] != me()[:2]:
    return False
  found = started(process.number)
  return not found or bool(began) and found != began

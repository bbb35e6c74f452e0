"""Whether a run trains, is done, has stopped or has diverged."""
import os
import pathlib
import re
import socket
import time

from msg_gan_jax.files import plain
from msg_gan_jax.runs.read import Written

RUNNING, DONE, STOPPED, DIVERGED = 'running', 'done', 'stopped', 'diverged'
LOCKS = pathlib.Path('/proc/locks')  # Linux lists who holds which file.
RECENT = 120  # Seconds for which a run of another machine counts as alive.


def standing(run: Written) -> str:
  """RUNNING, DONE, STOPPED or DIVERGED."""
  return standing_of(run.path, run.images >= run.config.train.total_images,
                     bool(run.diverged))


def standing_of(folder: pathlib.Path, shown: bool, diverged: bool) -> str:
  """The same of a run that is not read whole.

  A run that trains on this machine holds its folder's lock. On another one, or
  where the system does not list locks, it cannot be seen: there it runs if it
  has written a record lately.

  Args:
    folder: of the run.
    shown: whether it has come to its last image.
    diverged: whether its newest start ended in numbers that are not finite.
  """
  if is_held(folder):
    return RUNNING
  if diverged:
    return DIVERGED
  if shown:
    return DONE
  return RUNNING if _has_written_lately(folder) else STOPPED


def is_held(folder: pathlib.Path) -> bool:
  """Whether a process of this machine holds the lock of a run's folder.

  It is looked up and not tried: who tries a lock holds it for a moment, and a
  run that starts in this moment would be refused.
  """
  try:
    found = os.stat(folder / '.lock')
    holder = re.search(r'process (\d+)', _lock(folder))
    lines = LOCKS.read_text(encoding='ascii').splitlines()
  except OSError:
    return False
  # Where a disk lies on others, as in containers, its number is not the one of
  # the list; the process is.
  device = f'{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:'
  for kind, process, place in re.findall(
      r'^\d+: FLOCK +\w+ +(\w+) +(-?\d+) +(\S+)', '\n'.join(lines), re.M):
    if kind == 'WRITE' and place.endswith(f':{found.st_ino}') and (
        place.startswith(device) or (holder and process == holder[1])):
      return True
  return False


def _has_written_lately(folder):
  try:
    lock = _lock(folder)
    written = (folder / 'metrics.jsonl').stat().st_mtime
  except OSError:
    return False
  here = LOCKS.exists() and f' on {socket.gethostname()}, ' in lock
  return bool(lock) and not here and time.time() - written < RECENT


def _lock(folder):
  """What the lock says of who holds it, or held it last."""
  return plain.read(folder / '.lock', 10_000).decode(errors='replace')

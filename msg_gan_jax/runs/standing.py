"""Whether a run trains, is done, has stopped or has diverged."""
import os
import pathlib
import socket
import time

from msg_gan_jax.runs.read import Written

RUNNING, DONE, STOPPED, DIVERGED = 'running', 'done', 'stopped', 'diverged'
LOCKS = pathlib.Path('/proc/locks')  # Linux lists who holds which file.
RECENT = 120  # Seconds for which a run of another machine counts as alive.


def standing(run: Written) -> str:
  """RUNNING, DONE, STOPPED or DIVERGED.

  A run that trains on this machine holds its folder's lock. On another one it
  cannot be seen: there it runs if it has written a record lately.
  """
  if is_held(run.path):
    return RUNNING
  if run.diverged:
    return DIVERGED
  if run.images >= run.config.train.total_images:
    return DONE
  return RUNNING if _has_written_lately(run.path) else STOPPED


def is_held(folder: pathlib.Path) -> bool:
  """Whether a process of this machine holds the lock of a run's folder.

  It is looked up and not tried: who tries a lock holds it for a moment, and a
  run that starts in this moment would be refused.
  """
  try:
    found = os.stat(folder / '.lock')
    lines = LOCKS.read_text(encoding='ascii').splitlines()
  except OSError:
    return False
  wanted = (f'{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:'
            f'{found.st_ino}')
  return any('FLOCK' in line and 'WRITE' in line and wanted in line.split()
             for line in lines)


def _has_written_lately(folder):
  try:
    lock = (folder / '.lock').read_text(encoding='utf-8')
    written = (folder / 'metrics.jsonl').stat().st_mtime
  except (OSError, UnicodeDecodeError):
    return False
  here = f' on {socket.gethostname()}, ' in lock
  return not here and time.time() - written < RECENT

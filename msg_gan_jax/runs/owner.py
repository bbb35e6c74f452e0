"""Who writes a run's folder, also where a disk has no locks.

A lock of the file system holds off what runs on this machine, and on some
network disks no more than that, or nothing at all. So a run has a file besides,
made by one alone (O_EXCL), which says who has it and is written anew every BEAT
seconds. What a crash leaves is found out: of a process of this machine by its
number and its start, of any other by the beats that do not come.
"""
from collections.abc import Callable
import contextlib
import json
import os
import pathlib
import secrets
import threading
import time
from typing import Any

from msg_gan_jax.files import plain, process
from msg_gan_jax.runs.versions import now

FILE = '.owner'
BEAT, SILENT = 10., 60.  # Seconds: between two beats, and of one that is dead.
# Tokens of this process: it may have left one behind without closing it.
_HELD: set[str] = set()


class InUseError(ValueError):
  """Another process is writing the run."""


class Owner:
  """The ownership of a run's folder; it ends with `close`.

  Args:
    folder: of the run.
    alone: whether a lock says that no other process of this machine has it.
    say: prints a line for people, where it has to be waited.

  Raises:
    InUseError: another process has it.
    OSError: the folder takes no file, or what has its name is no file.
  """

  def __init__(self, folder: pathlib.Path, alone: bool,
               say: Callable[[str], Any]):
    self._folder, self._path = folder, folder / FILE
    self._token, self._beats = secrets.token_hex(8), 0
    # As `atomic.replacing` calls its own.
    self._temporary = f'{self._path}.{os.getpid()}-{self._token[:8]}.tmp'
    self._about = {
        'token': self._token, 'process': [*process.me()],
        'machine': process.machine(),
        'started': process.started(os.getpid()), 'since': now()}
    _HELD.add(self._token)  # Before another thread can see it.
    try:
      while not self._make():
        self._clear(alone, say)
    except BaseException:
      _HELD.discard(self._token)
      raise
    self._end = threading.Event()
    self._thread = threading.Thread(
        target=self._beat, name='owner of a run', daemon=True)
    self._thread.start()

  def check(self) -> None:
    """Raises InUseError where the folder was taken over by another process.

    It takes one whose owner was silent for long, as one that was suspended, and
    may have ended since.
    """
    found, content = _read(self._path)
    if found.get('token') != self._token and not self._removed(content):
      who = f'by {_called(found)}' if found else 'and left by another process'
      raise InUseError(
          f'workdir {self._folder}: taken over {who}, since this process gave '
          f'no sign of life for over {SILENT:.0f} s. It writes nothing more '
          'there.')

  def _removed(self, content):
    """Whether somebody has removed the file, and nobody can have had it since.

    One that takes it over waits for longer.
    """
    return content is None and time.time() - self._last < SILENT / 2

  def close(self) -> None:
    """Gives the folder back."""
    self._end.set()
    self._thread.join(5)  # A disk that hangs does not keep the end up.
    _HELD.discard(self._token)
    with contextlib.suppress(OSError):
      os.close(self._file)
    with contextlib.suppress(OSError):
      if _read(self._path)[0].get('token') == self._token:
        os.remove(self._path)

  def _make(self):
    """Whether this process has made the file.

    It stays open: what is written to it, once another process has put its own
    in its place, goes nowhere.
    """
    try:
      self._file = plain.open_own(
          self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
      return False
    try:
      self._write()
    except OSError:  # What is half there would have to be waited for.
      os.close(self._file)
      os.remove(self._path)
      raise
    return True

  def _write(self):
    # It is as long each time: a reader never sees half of one.
    content = json.dumps({**self._about, 'beats': f'{self._beats:012}'})
    os.lseek(self._file, 0, os.SEEK_SET)
    os.write(self._file, content.encode())
    os.fsync(self._file)  # Other machines see it then.
    self._last = time.time()

  def _beat(self):
    while not self._end.wait(BEAT):
      self._beats += 1
      with contextlib.suppress(OSError):  # The next one may come through.
        found, content = _read(self._path)
        if found.get('token') == self._token:
          self._write()
        elif self._removed(content):
          os.close(self._file)
          self._make()

  def _clear(self, alone, say):
    """Removes the file of an owner that is gone, and raises for another."""
    found, content = _read(self._path)
    if self._lives(found, content, alone, say):
      raise InUseError(
          f'workdir {self._folder}: in use by {_called(found)}. Wait for it, '
          'stop it, or choose another workdir=FOLDER.')
    # Of several that have come so far, the one that renames it goes on.
    aside = self._temporary
    with contextlib.suppress(FileNotFoundError):
      os.rename(self._path, aside)
      if _read(aside)[0].get('token') != found.get('token'):
        os.replace(aside, self._path)  # It is that of another by now.
      else:
        os.remove(aside)

  def _lives(self, found, content, alone, say):
    who, here = _process(found), process.me()
    if alone and found.get('machine') == process.machine() != '':
      return False  # Also from another container of this machine.
    if who[:2] == here[:2] and os.name == 'posix':
      left_here = who == here and found['token'] not in _HELD
      return not (alone or left_here or process.is_gone(
          who, str(found.get('started'))))
    age = self._age()
    if age > 10 * SILENT:
      return False
    left = max(2 * BEAT, SILENT - age)
    say(f'workdir {self._folder}: {_called(found)} has it, or was lost with '
        f'it; waiting for a sign of life, {left:.0f} s at most')
    end = time.monotonic() + left
    while time.monotonic() < end:
      time.sleep(min(1., BEAT / 4))
      if (seen := _read(self._path)[1]) != content:
        return seen is not None
    return False

  def _age(self):
    """Seconds since the last beat, by the clock that dates both files."""
    probe = self._temporary
    os.close(plain.open_own(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    try:
      return os.stat(probe).st_mtime - os.stat(self._path).st_mtime
    except FileNotFoundError:
      return 0.
    finally:
      os.remove(probe)


def _read(path):
  """(what an owner's file says or {}, its bytes or None)."""
  try:
    content = plain.read(path, 10_000)
    found = json.loads(content)
  except OSError:
    return {}, None
  except ValueError:  # It is being made, or was cut off.
    return {}, b''
  return (found if isinstance(found, dict) else {}), content


def _process(found):
  """The Process of an owner; of no machine, where the file does not tell."""
  try:
    host, place, number = found['process']
    return process.Process(str(host), str(place), int(number))
  except (LookupError, TypeError, ValueError):
    return process.Process('?', '?', 0)


def _called(found):
  host, _, number = _process(found)
  return f'process {number} on {host}, since {found.get("since", "?")}'

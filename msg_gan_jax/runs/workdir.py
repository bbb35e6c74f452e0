"""A run's folder: one writer at a time, and what it was started with."""
from collections.abc import Callable, Mapping, Sequence
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import socket
from typing import Any, Self

from msg_gan_jax.config import schema
from msg_gan_jax.files import console, plain
from msg_gan_jax.files.atomic import append_json, sweep, write_json
from msg_gan_jax.runs import classes as class_names
from msg_gan_jax.runs import config_file, experiment_file, owner
from msg_gan_jax.runs.owner import InUseError
from msg_gan_jax.runs.versions import now, read_versions, versions

fcntl: Any
try:
  import fcntl
except ImportError:  # Windows has none; runs there are not locked.
  fcntl = None

# What nobody writes but who has the lock.
_OF_TRAINING = re.compile(
    r'(config|versions|summary|classes|failed_step|rollbacks)\.json|'
    r'metrics\.jsonl|experiment\.py|failed_step\.(npz|png)|curves\.png|'
    r'images_\d+\.png')


class Workdir:
  """A run's folder, locked against every other process while it is open.

  The order of a start is: open, `check`, restore the newest checkpoint,
  `start`. Nothing but the lock is written before `start`, so that a start
  that is refused leaves the folder as it was, or none where there was none.

  Args:
    path: the folder; it is created, with its parents.
    main: whether this is the process that writes, jax.process_index() == 0.
    say: prints a line for people: a warning, if the folder cannot be locked.
    experiment: FILE or FILE:ARGUMENT that the settings came from, of which a
      copy is kept; '' is none.

  Raises:
    ValueError: a path that is not that of a folder, a folder that holds
      anything but a run, a part of it that is a link to elsewhere, or a run
      that another process is writing (InUseError).
  """

  def __init__(self, path: str | os.PathLike, main: bool = True,
               say: Callable[[str], Any] = console.say, experiment: str = ''):
    self.path = config_file.absolute(path)
    self.main, self.experiment = main, experiment
    self._lock: Any = None
    self._owner: owner.Owner | None = None
    _refuse_what_is_no_folder(self.path)
    self._made: list[pathlib.Path] = []
    if main:
      self._made = [folder for folder in (self.path, *self.path.parents)
                    if not folder.exists()]
      # Others may not write it: it holds code that is the user's own.
      self.path.mkdir(0o755, parents=True, exist_ok=True)
      _refuse_links(self.path)
      _refuse_strangers(self.path)
      self._take(say)

  def __enter__(self) -> Self:
    return self

  def __exit__(self, *_: object) -> None:
    self.close()

  def _take(self, say):
    """Holds the folder against every other process."""
    try:
      self._lock, alone = _lock(self.path, say)
      self._owner = owner.Owner(self.path, alone, say)
    except OSError as error:
      raise ValueError(
          f'workdir {self.path}: {error.filename or "it"} cannot be written: '
          f'{error.strerror or error}.') from error
    finally:
      if self._lock is not None and self._owner is None:
        self._lock.close()
        self._lock = None

  def check_ours(self) -> None:
    """Raises InUseError where another process has taken the folder over."""
    if self._owner is not None:
      self._owner.check()

  def close(self) -> None:
    """Gives the lock back; a new folder that holds nothing goes with it."""
    if self._owner is not None:
      self._owner.close()
      self._owner = None
    if self._lock is not None:
      self._remove_empty()
      self._lock.close()
      self._lock = None

  def _remove_empty(self):
    """Removes the folders that this start made, if it wrote nothing there."""
    if not self._made:
      return
    with contextlib.suppress(OSError):  # Something lies there by now.
      for path in self.path.iterdir():
        if path.name != '.lock':
          path.rmdir()
      (self.path / '.lock').unlink()
      for folder in self._made:
        folder.rmdir()

  def check(self, config: schema.Config) -> list[str]:
    """Compares a config with that of the run's earlier starts.

    Args:
      config: the Config that the run shall go on under.

    Returns:
      Lines 'train.batch: 32 -> 64' of the settings that differ and may; none
      at the first start.

    Raises:
      ValueError: with a line for each setting that differs and may not.
    """
    if not (self.path / 'config.json').exists():
      return []
    old, lacking = config_file.read_config(self.path)
    may, may_not = schema.differences(old, config)
    if may_not:
      raise ValueError(
          f'workdir {self.path}: this run was started under another config:\n'
          + ''.join(f'  config.{line}\n' for line in may_not)
          + 'Restore these values to continue it, or choose another '
          f'workdir=FOLDER. With workdir={self.path} alone, without '
          'config=EXPERIMENT and without changes, it goes on as it was.')
    if lacking:
      may.insert(0, config_file.describe(lacking))
    return may

  def start(self, config: schema.Config, images: int = 0, digest: str = '',
            devices: Sequence[Any] | None = None,
            pictures: Mapping[str, Any] | None = None,
            classes: Sequence[str] = ()) -> list[str]:
    """Checks a config, and records this start and what it changes.

    Args:
      config: the Config that the run goes on under.
      images: real images shown before this start.
      digest: the digest of the data source.
      devices: what the run computes on; None for jax.devices().
      pictures: what is recorded of them, plain JSON.
      classes: names of those that it learns, by number; () if there are none.

    Returns:
      What `check` returns, and a line where the pictures are not those of the
      last start ('data.digest: ...'), or the compiler options, the experiment
      file or the names of classes are not, or where what is known of earlier
      starts is damaged.
    """
    changed = self.check(config)
    if not self.main:
      return changed
    for folder in self.path, self.path / 'samples':
      sweep(folder, lambda name: bool(_OF_TRAINING.fullmatch(name)))
    path = self.path / 'versions.json'
    was_there, entries = path.exists(), read_versions(path)
    if was_there and not path.exists():
      changed.append(
          'versions.json: was damaged; it is now versions.damaged.json')
    present = versions(devices)
    before = experiment_file.recorded(entries)
    kept = experiment_file.keep(self.path, self.experiment, before)
    if before and kept and before['digest'] != kept['digest']:
      changed.append(
          f'{experiment_file.FILE}: {before["file"]} {before["digest"]:.8}... '
          f'-> {kept["file"]} {kept["digest"]:.8}...; the new one is kept')
    if images and entries:
      old, options = entries[-1].get('data_digest'), 'compiler_options'
      if old != digest:
        changed.append(f'data.digest: {old!r:.14}... -> {digest!r:.14}...')
      if (before := entries[-1].get(options, {})) != present[options]:
        changed.append(
            f'{options}: {before} -> {present[options]}; the run goes on, but '
            'not to the same bits')
    if renamed := class_names.changes(self.path, classes):
      changed.append(renamed)
    self.note(images, changed)
    if changed or not (self.path / 'config.json').exists():
      write_json(self.path / 'config.json', dataclasses.asdict(config))
    class_names.keep(self.path, classes)
    write_json(path, [*entries, {
        'images': int(images), 'data_digest': digest,
        **({'pictures': pictures} if pictures else {}),
        **({experiment_file.RECORD: kept} if kept else {}), **present}])
    return changed

  def note(self, images: int, lines: Sequence[str]) -> None:
    """Records in changes.jsonl what has changed at a start, if anything.

    Not twice in a row: a start that comes no further finds the same again.

    Args:
      images: real images shown before this start.
      lines: for people.
    """
    path = self.path / 'changes.jsonl'
    entry = {'images': int(images), 'changed': [*lines]}
    if lines and self.main and not _ends_with(path, entry):
      append_json(path, {**entry, 'date': now()})


def _ends_with(path, entry):
  """Whether the last line of a file of JSON says all of an entry."""
  if not path.exists():
    return False
  try:
    last = json.loads((plain.read(path).splitlines() or [b''])[-1])
  except ValueError:
    return False
  return isinstance(last, dict) and entry == {
      name: last.get(name) for name in entry}


def _refuse_what_is_no_folder(path):
  """Raises for a path, or a part of one, that is a file or leads nowhere."""
  for place in (path, *path.parents):
    what = f'workdir {path}: ' + (f'{place} is ' if place != path else '')
    if place.is_symlink() and not place.exists():
      raise ValueError(
          f'{what}a link to {os.readlink(place)!r}, which is not there; wanted '
          'a folder. Remove the link, or make the folder.')
    if place.exists():
      if not place.is_dir():
        raise ValueError(f'{what}a file; wanted a folder.')
      return


def _refuse_strangers(path):
  """Raises for a folder that holds files, but not a run's config.json."""
  if (path / 'config.json').exists():
    return
  # Before the first `start` there are a lock, other hidden files, and folders
  # that nothing was written into.
  strangers = sorted(
      x.name for x in path.iterdir() if not x.name.startswith('.')
      and not (x.is_dir() and not any(x.iterdir())))
  if strangers:
    names = ', '.join(strangers[:3]) + (', ...' if len(strangers) > 3 else '')
    raise ValueError(
        f'workdir {path}: not a run: it holds {names}, and no config.json. '
        'Wanted a new or an empty folder, or that of an earlier run.')


def _refuse_links(path):
  """Raises for a part of a run that lies elsewhere; the run itself may.

  What is written, or removed, by its name would hit what the link leads to.
  """
  whole = os.path.realpath(path)
  parts = sorted(os.scandir(path), key=lambda entry: entry.name)
  for folder in [*parts]:
    if folder.is_dir(follow_symlinks=False):
      parts += os.scandir(folder.path)
  for entry in parts:
    if entry.is_symlink() and os.path.commonpath(
        [whole, os.path.realpath(entry.path)]) != whole:
      raise ValueError(
          f'workdir {path}: {os.path.relpath(entry.path, path)} is a link out '
          'of it, to '
          f'{os.readlink(entry.path)!r}. Remove it, or put what it leads to in '
          'its place; the folder of the run as a whole may be a link.')


def _lock(path, say):
  """(an open file that is locked, whether it is).

  Its lock says that no other process of this machine writes the run.
  """
  file = open(plain.open_own(  # noqa: SIM115
      path / '.lock', os.O_RDWR | os.O_CREAT), 'r+', encoding='utf-8',
              errors='replace')
  alone = False
  try:
    if fcntl is not None:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
      alone = True
  except BlockingIOError:
    holder = file.read(200).strip() or 'another process'
    file.close()
    raise InUseError(
        f'workdir {path}: in use by {holder}. Wait for it, stop it, or '
        'choose another workdir=FOLDER.') from None
  except OSError:
    pass  # A disk without locks: then the owner's file alone counts.
  file.seek(0)
  file.truncate(0)
  file.write(
      f'process {os.getpid()} on {socket.gethostname()}, since {now()}')
  file.flush()
  return file, alone

"""A run's folder: one writer at a time, and what it was started with."""
from collections.abc import Callable, Sequence
import contextlib
import dataclasses
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import socket
import subprocess
import sys
from typing import Any, Self

from msg_gan_jax.config import schema, tables
from msg_gan_jax.files.atomic import append_json, write_json

fcntl: Any
try:
  import fcntl
except ImportError:  # Windows has none; runs there are not locked.
  fcntl = None

PACKAGES = ('jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'chex',
            'numpy', 'grain', 'pillow', 'msg_gan_jax')


class Workdir:
  """A run's folder, locked against every other process while it is open.

  The order of a start is: open, `check`, restore the newest checkpoint,
  `start`. Nothing but the lock is written before `start`, so that a start
  that is refused leaves the folder as it was.

  Args:
    path: the folder; it is created, with its parents.
    main: whether this is the process that writes, jax.process_index() == 0.
    say: prints a line for people: a warning, if the folder cannot be locked.

  Raises:
    ValueError: a path that is not that of a folder, a folder that holds
      anything but a run, or a run that another process is writing.
  """

  def __init__(self, path: str | os.PathLike, main: bool = True,
               say: Callable[[str], Any] = print):
    self.path = _absolute(path)
    self.main = main
    self._lock = None
    if self.path.exists() and not self.path.is_dir():
      raise ValueError(f'workdir {self.path}: a file; wanted a folder.')
    if main:
      self.path.mkdir(parents=True, exist_ok=True)
      _refuse_strangers(self.path)
      self._lock = _lock(self.path, say)

  def __enter__(self) -> Self:
    return self

  def __exit__(self, *_: object) -> None:
    self.close()

  def close(self) -> None:
    """Gives the lock back; the folder stays."""
    if self._lock is not None:
      self._lock.close()
      self._lock = None

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
    old, lacking = _read_config(self.path)
    may, may_not = schema.differences(old, config)
    if may_not:
      raise ValueError(
          f'workdir {self.path}: this run was started under another config:\n'
          + ''.join(f'  config.{line}\n' for line in may_not)
          + 'Restore these values to continue it, or choose another '
          'workdir=FOLDER. With workdir alone, and no other config, it goes '
          'on under its own.')
    if lacking:
      may.insert(0, _told(lacking))
    return may

  def start(self, config: schema.Config, images: int = 0, digest: str = '',
            devices: Sequence[Any] | None = None) -> list[str]:
    """Checks a config, and records this start and what it changes.

    Args:
      config: the Config that the run goes on under.
      images: real images shown before this start.
      digest: the digest of the data source.
      devices: what the run computes on; None for jax.devices().

    Returns:
      What `check` returns, and a line 'data.digest: ...' where the pictures
      are not those of the last start.
    """
    changed = self.check(config)
    if not self.main:
      return changed
    entries = _read_versions(self.path / 'versions.json')
    old = entries[-1].get('data_digest') if entries else digest
    if images and old != digest:
      changed.append(f'data.digest: {old!r:.14}... -> {digest!r:.14}...')
    if changed:
      append_json(self.path / 'changes.jsonl', {
          'images': int(images), 'changed': changed, 'date': _now()})
    if changed or not (self.path / 'config.json').exists():
      write_json(self.path / 'config.json', dataclasses.asdict(config))
    write_json(self.path / 'versions.json', [*entries, {
        'images': int(images), 'data_digest': digest, **versions(devices)}])
    return changed


def load_config(
    path: str | os.PathLike, say: Callable[[str], None] | None = None
) -> schema.Config:
  """The Config of the run in a folder.

  A setting that did not exist when the run began has the value that it then
  had in fact: see `before` in schema.setting.

  Args:
    path: the folder.
    say: gets a line about such settings; None says nothing.

  Raises:
    ValueError: no such folder, a folder that is not a run, a config.json that
      is damaged or of another schema; the message names the nearest thing
      that there is.
  """
  config, lacking = _read_config(_absolute(path))
  if lacking and say:
    say(f'{path}: {_told(lacking)}')
  return config


def _told(lacking):
  """A line about settings that a config.json lacks."""
  return ('settings that did not exist when this run began are read as before: '
          + ', '.join(f'{k} = {v!r}' for k, v in lacking.items()))


def _read_config(path):
  """(Config, {name: value} of the settings that the file lacks)."""
  file = path / 'config.json'
  if not path.is_dir():
    raise ValueError(f'workdir {path}: no such folder. {_neighbours(path)}')
  if not file.is_file():
    raise ValueError(
        f'workdir {path}: not a run, it has no config.json. '
        f'{_neighbours(path)}')
  try:
    values = json.loads(file.read_text(encoding='utf-8'))
    names = set(_names(values))
  except (ValueError, AttributeError) as error:
    raise ValueError(
        f'{file}: damaged ({error}). Restore it from a copy; with the same '
        'settings and another workdir=FOLDER, the run can begin again.'
    ) from error
  about = schema.metadata()
  other = f'the file is of another version of msg_gan_jax{_written_by(path)}.'
  for name in sorted(names - set(about)):
    raise ValueError(
        f'{file}: no setting {name!r} in this version; {_close(name, about)}'
        f'{other}')
  before = schema.before()
  lacking = {name: before[name] for name in about if name not in names}
  for name, value in lacking.items():
    *sections, field = name.split('.')
    place = values
    for section in sections:
      place = place.setdefault(section, {})
    place[field] = value
  try:
    return schema.parse(values), lacking
  except ValueError as error:
    raise ValueError(f'{file}: {error}') from error


def versions(devices: Sequence[Any] | None = None) -> dict[str, Any]:
  """What a run was started with: packages, machine, devices, commit, date.

  Args:
    devices: jax devices; None for jax.devices().
  """
  if devices is None:
    import jax
    devices = jax.devices()
  packages = {}
  for name in PACKAGES:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
      packages[name] = importlib.metadata.version(name)
  if 'msg_gan_jax' not in packages:  # Used from its checkout.
    packages['msg_gan_jax'] = sys.modules['msg_gan_jax'].__version__
  return {
      'date': _now(),
      'packages': packages,
      'python': platform.python_version(),
      'platform': platform.platform(),
      'devices': {
          'count': len(devices),
          'kinds': sorted({d.device_kind for d in devices}),
          'processes': len({d.process_index for d in devices}),
      },
      'git': commit(pathlib.Path(__file__).resolve()),
  }


def commit(file: pathlib.Path) -> dict[str, Any] | None:
  """{'commit', 'dirty'} of the git checkout that tracks a file, or None."""
  def git(*words):
    return subprocess.run(
        ['git', '-C', str(file.parent), *words], capture_output=True,
        text=True, timeout=10, check=True, stdin=subprocess.DEVNULL).stdout
  try:
    # An installed package may lie in some other project's checkout.
    git('ls-files', '--error-unmatch', file.name)
    head = git('rev-parse', 'HEAD').strip()
    top = git('rev-parse', '--show-toplevel').strip()
    return {'commit': head, 'dirty': bool(git(
        '-C', top, 'status', '--porcelain').strip())}
  except (OSError, subprocess.SubprocessError):
    return None


def _absolute(path):
  path = os.fspath(path)
  if not path:
    raise ValueError("workdir: wanted a folder, found ''.")
  if '://' in path:
    raise ValueError(
        f'workdir {path}: wanted a folder in the file system; mount the '
        'bucket, and give the path of the mount.')
  return pathlib.Path(os.path.abspath(os.path.expanduser(path)))


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


def _lock(path, say):
  """An open file whose lock says that this process writes the run."""
  file = open(path / '.lock', 'a+', encoding='utf-8')  # noqa: SIM115
  try:
    if fcntl is not None:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
  except BlockingIOError:
    file.seek(0)
    holder = file.read().strip() or 'another process'
    file.close()
    raise ValueError(
        f'workdir {path}: in use by {holder}. Wait for it, stop it, or '
        'choose another workdir=FOLDER.') from None
  except OSError as error:
    say(f'warning: workdir {path}: cannot be locked here ({error}); take '
        'care that no second process writes it.')
  file.truncate(0)
  file.write(
      f'process {os.getpid()} on {socket.gethostname()}, since {_now()}')
  file.flush()
  return file


def _names(values, prefix=''):
  """Dotted names of the leaves of nested dicts."""
  for name, value in values.items():
    if isinstance(value, dict):
      yield from _names(value, f'{prefix}{name}.')
    else:
      yield prefix + name


def _neighbours(path):
  """A sentence about the runs in a folder, or else beside it."""
  place, runs = path, _runs(path)
  if not runs:
    place, runs = path.parent, _runs(path.parent)
  if not runs:
    return f'There are no runs in {place}.'
  close = tables.closest(path.name, runs)
  hint = f'Did you mean {close!r}? ' if close else ''
  names = ', '.join(runs[:8]) + (', ...' if len(runs) > 8 else '')
  return f'{hint}Runs in {place}: {names}.'


def _runs(path):
  if not path.is_dir():
    return []
  return sorted(x.parent.name for x in path.glob('*/config.json'))


def _close(name, known):
  close = tables.closest(name, known)
  return f'the nearest is {close!r}; ' if close else ''


def _written_by(path):
  """' (0.1.0)' of the last start, where that is on record."""
  try:
    entries = json.loads((path / 'versions.json').read_text(encoding='utf-8'))
    return f' ({entries[-1]["packages"]["msg_gan_jax"]})'
  except (OSError, ValueError, LookupError, TypeError):
    return ''


def _read_versions(path):
  """The entries of the starts before this one."""
  if not path.exists():
    return []
  try:
    return [dict(x) for x in json.loads(path.read_text(encoding='utf-8'))]
  except (ValueError, TypeError):
    # A record of the past must not stop a run; it is kept for a person.
    os.replace(path, path.with_name('versions.damaged.json'))
    return []


def _now():
  return datetime.datetime.now().astimezone().isoformat(timespec='seconds')

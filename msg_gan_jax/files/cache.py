"""Keeps arrays on disk, written once, whole or not at all, by one process."""
from collections.abc import Callable, Iterator
import contextlib
import errno
import hashlib
import json
import os
import stat

import numpy as np

from msg_gan_jax.files import console, owners, plain
from msg_gan_jax.files.atomic import flush_to_disk, readable, replacing

try:
  import fcntl
except ImportError:  # Windows: two processes may then both do the work.
  fcntl = None  # type: ignore[assignment]


# Of larger files only the size is checked: hashing them would hold up every
# start by tens of seconds. config.data.cache_gb keeps decoded pictures smaller.
MOST_HASHED_BYTES = 16_000_000_000


def folder(cache_dir: str) -> str:
  """Returns cache_dir as an absolute path; '' means default_folder()."""
  return os.path.abspath(os.path.expanduser(cache_dir or default_folder()))


def default_folder() -> str:
  """Returns msg_gan_jax in the user's cache folder, where XDG places it."""
  base = os.environ.get('XDG_CACHE_HOME', '')
  if not os.path.isabs(base):  # The standard says to ignore relative paths.
    base = os.path.join(os.path.expanduser('~'), '.cache')
  return os.path.join(base, 'msg_gan_jax')


def make(folder: str) -> None:
  """Makes a folder that others may read, and nobody else writes.

  Raises:
    OSError: the disk refuses it.
  """
  above = os.path.dirname(folder)
  if not os.path.isdir(above):
    os.makedirs(above, exist_ok=True)
  with contextlib.suppress(FileExistsError):
    os.mkdir(folder, 0o755)


def is_ours(path: str) -> bool:
  """Whether a file is there, and nobody else can have written it.

  A folder may be one that many share, and what lies in it from anybody. Where
  the system knows no owners, as Windows, all are taken for ours.
  """
  try:
    facts = os.stat(path, follow_symlinks=False)
  except OSError:
    return False
  return stat.S_ISREG(facts.st_mode) and not (
      hasattr(os, 'geteuid') and owners.doubt(path, facts, own_group=True))


def of_programs() -> tuple[str, str]:
  """(the folder of compiled programs, why it may not be used or '').

  They are code: what others may have put there is not run.
  """
  folder = os.path.join(default_folder(), 'xla')
  try:
    make(default_folder())
    with contextlib.suppress(FileExistsError):
      os.mkdir(folder, 0o700)
    if not hasattr(os, 'geteuid'):
      return folder, ''
    if why := owners.doubt_of_way(folder):
      return folder, why
    # Of a time when others may have had access.
    for above, folders, files in os.walk(folder):
      for path in (os.path.join(above, name) for name in (*folders, *files)):
        facts = os.stat(path, follow_symlinks=False)
        if stat.S_ISLNK(facts.st_mode):
          return folder, f'{path} is a link'
        if why := owners.doubt(path, facts, own_group=True):
          return folder, why
  except OSError:  # jax tells what the disk refuses.
    pass
  return folder, ''


def fetch(folder: str, key: str, row_shape: tuple[int, ...] | None, rows: int,
          produce: Callable[[Callable | None], dict],
          suffices: Callable[[dict], bool] = lambda about: True
          ) -> tuple[np.ndarray | None, dict]:
  """Returns what is kept under `key`, and produces it first if need be.

  Args:
    folder: where it is kept; created if need be.
    key: a name that changes with everything that the content depends on.
    row_shape: shape of a row; None if only `about` is kept.
    rows: the most rows that there can be, for which room is reserved; 0 if
      unknown.
    produce: append -> about. Calls append(uint8 [k, *row_shape]) for all rows
      in order, and returns a dict for JSON. It is called at most once, and not
      at all while another process produces the same: that one is waited for.
    suffices: whether `about` has what is needed; what an older version kept
      without it is made anew.

  Returns:
    (uint8 [n, *row_shape] mapped from the file or None, about). With an array
    comes about['sha256'], the hash of its values; if they no longer have it,
    the array is produced anew.

  Raises:
    OSError: the folder or the disk does not take it; nothing is left behind.
  """
  make(folder)
  entry = _load(folder, key, row_shape, suffices)
  if entry is not None:
    return entry
  with alone_with(folder, key, wait=True) as locked:
    entry = _load(folder, key, row_shape, suffices)
    if entry is not None:
      return entry
    base = os.path.join(folder, key)
    if there := [x for x in _parts(base, row_shape) if os.path.lexists(x)]:
      why = ('is damaged, or of an older version' if all(map(is_ours, there))
             else 'is not yours alone, and so not trusted')
      console.say_aside(
          f'What {folder!r} keeps as {key[:16]}... {why}; it is made anew.')
    _sweep(folder, key, locked)
    _store(folder, key, row_shape, rows, produce)
  entry = _load(folder, key, row_shape, suffices)
  if entry is None:
    raise OSError(f'what was written to {folder!r} cannot be read back')
  return entry


def _load(folder, key, row_shape, suffices):
  # The json is written last, so the rest is there if it is. The size is
  # checked because a copied or restored folder may still be cut short.
  base = os.path.join(folder, key)
  if not all(map(is_ours, _parts(base, row_shape))):
    return None
  try:
    about = json.loads(plain.read(base + '.json'))
    if not suffices(about):
      return None
    if row_shape is None:
      return None, about
    if os.path.getsize(base + '.npy') != about['bytes_of_npy']:
      return None
    pixels = np.load(base + '.npy', mmap_mode='r')
    if not (pixels.dtype == np.uint8 and pixels.flags.c_contiguous
            and pixels.shape == (about['rows'], *row_shape)):
      return None  # The hash does not cover the header.
    if (pixels.nbytes <= MOST_HASHED_BYTES
        and about['sha256'] != _sha256(base + '.npy', pixels.offset)):
      return None
  except (FileNotFoundError, ValueError, KeyError, EOFError, TypeError,
          RecursionError):
    return None
  return np.asarray(pixels), about


def _parts(base, row_shape):
  return [base + '.json', *([] if row_shape is None else [base + '.npy'])]


def _sha256(path, start):
  """Hashes what lies in a file from `start` on."""
  with open(path, 'rb') as file:  # Reading is faster than mapping.
    file.seek(start)
    return hashlib.file_digest(file, 'sha256').hexdigest()


@contextlib.contextmanager
def alone_with(folder: str, key: str, wait: bool,
               what: str = 'prepares the same data') -> Iterator[bool]:
  """Yields whether it is certain that this process is alone with `key`.

  Args:
    folder: where locks are kept; nobody is alone where it takes no file.
    key: name of what is made once.
    wait: for another process that has it.
    what: that one does meanwhile, in words.
  """
  if fcntl is None:
    yield False
    return
  try:
    lock = open(plain.open_own(os.path.join(
        folder, key + '.lock'), os.O_WRONLY | os.O_CREAT), 'wb')
  except OSError:
    yield False
    return
  with lock as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
      if not wait:
        yield False
        return
      console.say_aside(f'Waiting for another process that {what}.')
      fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:  # Some network disks have no locks.
      yield False
      return
    yield True


def _sweep(folder, key, locked):
  """Removes what killed processes left half written: they hold no lock."""
  if not locked:
    return
  for name in os.listdir(folder):
    if name.endswith('.tmp'):
      owner = name.lstrip('.').split('.')[0]
      alone = (contextlib.nullcontext(True) if owner == key
               else alone_with(folder, owner, wait=False))
      with alone as dead:
        if dead:
          with contextlib.suppress(OSError):
            os.remove(os.path.join(folder, name))


def _store(folder, key, row_shape, rows, produce):
  base = os.path.join(folder, key)
  if row_shape is None:
    about = produce(None)
  else:
    with replacing(base + '.npy') as temporary:
      about = _write_npy(temporary, row_shape, rows, produce)
  with replacing(base + '.json') as temporary:
    with open(temporary, 'x', encoding='utf-8', opener=readable) as file:
      json.dump(about, file)
      flush_to_disk(file)


def _write_npy(path, row_shape, rows, produce):
  # It is written and not mapped, so that a full disk raises an error; a mapped
  # file would end the process by SIGBUS.
  count, digest = 0, hashlib.sha256()
  with open(path, 'xb', opener=readable) as file:
    _header(file, rows, row_shape)
    start = file.tell()
    _reserve(file, start + rows * _bytes(row_shape))

    def append(block):
      nonlocal count
      block = np.ascontiguousarray(block)
      count += len(block)
      digest.update(block)
      file.write(block)

    about = produce(append)
    end = file.tell()
    file.truncate(end)
    file.seek(0)
    _header(file, count, row_shape)
    # numpy pads the header, so that it fits a first axis of any length.
    assert file.tell() == start, 'the header changed its length'
    flush_to_disk(file)
  return {**about, 'rows': count, 'bytes_of_npy': end,
          'sha256': digest.hexdigest()}


def _reserve(file, size):
  # A full disk is noticed now, and not after an hour of decoding.
  if hasattr(os, 'posix_fallocate'):
    try:
      os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:  # Some file systems cannot reserve.
      if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        raise


def _header(file, rows, row_shape):
  np.lib.format.write_array_header_1_0(file, {
      'descr': '|u1', 'fortran_order': False, 'shape': (rows, *row_shape)})


def _bytes(row_shape):
  return int(np.prod(row_shape, dtype=np.int64))

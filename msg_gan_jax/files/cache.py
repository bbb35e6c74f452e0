"""Arrays kept on disk: written once, whole or not at all, by one process."""
import contextlib
import errno
import hashlib
import json
import os
import secrets
import sys

import numpy as np

try:
  import fcntl
except ImportError:  # Windows: two processes may then both do the work.
  fcntl = None


# Of more than this only the size is looked at: to hash it would hold up every
# start by tens of seconds. Sets to be decoded are smaller, by cache_gb.
MOST_HASHED_BYTES = 16_000_000_000


def folder(cache_dir):
  """config.data.cache_dir as an absolute path; '' is default_folder()."""
  return os.path.abspath(os.path.expanduser(cache_dir or default_folder()))


def default_folder():
  """msg_gan_jax in the user's cache folder, as the XDG standard places it."""
  base = os.environ.get('XDG_CACHE_HOME', '')
  if not os.path.isabs(base):  # The standard: relative paths do not count.
    base = os.path.join(os.path.expanduser('~'), '.cache')
  return os.path.join(base, 'msg_gan_jax')


def fetch(folder, key, row_shape, rows, produce):
  """What is kept under `key`; made now if it is not there.

  Args:
    folder: where it is kept; made if need be.
    key: a name that changes with everything the content depends on.
    row_shape: shape of a row, None where only `about` is kept.
    rows: the most rows that there can be; room is kept for them. 0: unknown.
    produce: append -> about. Calls append(uint8 [k, *row_shape]) for all rows
      in order, and returns a dict for JSON. Called at most once, and not at
      all while another process makes the same: that one is waited for.

  Returns:
    (uint8 [n, *row_shape] mapped from the file or None, about). With an array
    comes about['sha256'], that of its values; where they have another one by
    now, the array is made anew.

  Raises:
    OSError: the folder or the disk does not take it; nothing is left behind.
  """
  os.makedirs(folder, exist_ok=True)
  found = _load(folder, key, row_shape)
  if found is not None:
    return found
  with _lock(folder, key, wait=True) as locked:
    found = _load(folder, key, row_shape)
    if found is not None:
      return found
    if os.path.exists(os.path.join(folder, key + '.json')):
      print(f'What {folder!r} keeps as {key[:16]}... is damaged, or of an '
            'older version; it is made anew.', file=sys.stderr)
    _sweep(folder, key, locked)
    _store(folder, key, row_shape, rows, produce)
  found = _load(folder, key, row_shape)
  if found is None:
    raise OSError(f'what was written to {folder!r} cannot be read back')
  return found


def _load(folder, key, row_shape):
  # The json comes last, so where it is, all else is. The size is checked
  # because a copied or restored folder may still be cut short.
  base = os.path.join(folder, key)
  try:
    with open(base + '.json', encoding='utf-8') as file:
      about = json.load(file)
    if row_shape is None:
      return None, about
    if os.path.getsize(base + '.npy') != about['bytes_of_npy']:
      return None
    pixels = np.load(base + '.npy', mmap_mode='r')
    if not (pixels.dtype == np.uint8 and pixels.flags.c_contiguous
            and pixels.shape == (about['rows'], *row_shape)):
      return None  # The header is not hashed.
    if (pixels.nbytes <= MOST_HASHED_BYTES
        and about['sha256'] != _sha256(base + '.npy', pixels.offset)):
      return None
  except (FileNotFoundError, ValueError, KeyError, EOFError):
    return None
  return np.asarray(pixels), about


def _sha256(path, start):
  """Of what lies in a file from `start` on."""
  with open(path, 'rb') as file:  # To read is faster than to map.
    file.seek(start)
    return hashlib.file_digest(file, 'sha256').hexdigest()


@contextlib.contextmanager
def _lock(folder, key, wait):
  """Yields whether this process is alone with `key`, when that is known."""
  if fcntl is None:
    yield False
    return
  with open(os.path.join(folder, key + '.lock'), 'w') as file:
    try:
      fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
      if not wait:
        yield False
        return
      print('Waiting for another process that prepares the same data.',
            file=sys.stderr)
      fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:  # Some network disks have no locks.
      yield False
      return
    yield True


def _sweep(folder, key, locked):
  """Removes what dead processes left half written; the dead hold no lock."""
  if not locked:
    return
  for name in os.listdir(folder):
    if name.endswith('.tmp'):
      owner = name.split('.')[0]
      alone = (contextlib.nullcontext(True) if owner == key
               else _lock(folder, owner, wait=False))
      with alone as dead:
        if dead:
          with contextlib.suppress(OSError):
            os.remove(os.path.join(folder, name))


def _store(folder, key, row_shape, rows, produce):
  base = os.path.join(folder, key)
  mark = f'{base}.{os.getpid()}-{secrets.token_hex(4)}'
  temporaries = {}
  try:
    if row_shape is None:
      about = produce(None)
    else:
      temporaries[base + '.npy'] = mark + '.npy.tmp'
      about = _write_npy(mark + '.npy.tmp', row_shape, rows, produce)
    temporaries[base + '.json'] = mark + '.json.tmp'
    with open(mark + '.json.tmp', 'w', encoding='utf-8') as file:
      json.dump(about, file)
      _settle(file)
    for final, temporary in temporaries.items():  # The json last.
      os.replace(temporary, final)
  finally:
    for temporary in temporaries.values():
      with contextlib.suppress(OSError):
        os.remove(temporary)


def _write_npy(path, row_shape, rows, produce):
  # Written, not mapped: a full disk is then an error and not a SIGBUS.
  count, digest = 0, hashlib.sha256()
  with open(path, 'wb') as file:
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
    # numpy pads the header for a first axis of any length.
    assert file.tell() == start, 'the header changed its length'
    _settle(file)
  return {**about, 'rows': count, 'bytes_of_npy': end,
          'sha256': digest.hexdigest()}


def _reserve(file, size):
  # A full disk shows now, and not after an hour of decoding.
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


def _settle(file):
  # Else a power cut could leave the new name without its content.
  file.flush()
  os.fsync(file.fileno())

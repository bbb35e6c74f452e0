"""An LMDB of encoded pictures as a PictureStore; LSUN is published so."""
import json
import os
import re
from typing import Any
import weakref

import numpy as np

from msg_gan_jax.data import decode
from msg_gan_jax.data.stores import listing
from msg_gan_jax.files import optional

# Values under these keys count the pictures, and are none.
COUNTS = ('length', '__len__', 'num-samples')
# StyleGAN2 in PyTorch keeps each picture at several sizes, as 256-00012.
SIZE_AND_NUMBER = re.compile(r'(\d+)-(\d{5,})')
# A process may open a database only once, so stores of the same one share it.
_OPEN: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()


class Lmdb:
  """Values that are files of pictures, in the order of their keys.

  Of a picture that is there in several sizes the largest is read. There are no
  labels: LSUN has one database for each class. Any number of threads may read;
  nothing is written or locked. Implements store.PictureStore.

  Args:
    path: the folder with data.mdb.
    cache_dir: where the list of keys is kept; '' is the user's cache folder.

  Raises:
    ValueError: lmdb is not installed, or there is no database, or it is empty
      or cut off.

  Source: https://github.com/fyu/lsun; several sizes are those of
  https://github.com/rosinality/stylegan2-pytorch, prepare_data.py.
  """

  def __init__(self, path: str, cache_dir: str = '') -> None:
    lmdb = optional.require('lmdb', "config.data.name: 'lmdb'")
    self.place = _folder(path)
    self._stats = listing.stats([os.path.join(self.place, 'data.mdb')])
    self._database = _open(lmdb, self.place)
    _check_whole(self._database, self.place)
    self.name = os.path.basename(self.place)
    keys = self._keys(cache_dir)
    self.names, self.notes = _largest(
        [key for key in keys if key not in COUNTS], self._read)
    self._whole = len(self.names) == len(keys)
    if not self.names:
      raise ValueError(f'config.data.path: {path!r} is an LMDB without a '
                       'single key; wanted pictures.')
    self.classes: tuple[str, ...] = ()
    self.labels = np.zeros(len(self.names), np.int32)
    self.mean_bytes = self._stats[0][1] / len(keys)

  def where(self, i: int) -> str:
    return f'{self.place}/{self.names[i]}'

  def read(self, i: int) -> bytes:
    return self._read(self.names[i])

  def peek(self, i: int) -> bytes:
    return self.read(i)

  def identity(self) -> bytes:
    # What an earlier version kept of all keys is of another set.
    more = [] if self._whole else [len(self.names)]
    return json.dumps([*self._stats, *more]).encode()

  def _read(self, name):
    with self._database.begin() as transaction:
      return transaction.get(name.encode('latin-1'))

  def _keys(self, cache_dir):
    """Lists the keys; Latin-1 makes one character of any byte, and back."""
    def produce():
      with self._database.begin() as transaction:
        keys = listing.bar(transaction.cursor().iternext(values=False),
                           self._database.stat()['entries'], self.name)
        return {'keys': [key.decode('latin-1') for key in keys]}

    return listing.fetch(
        cache_dir, ['lmdb', self.place, self._stats], produce)['keys']


def _largest(keys, read):
  """-> (the key of the largest size of each picture, notes).

  Other keys than those of SIZE_AND_NUMBER stay as they are, as do years and
  others whose pictures have other sizes than they say.
  """
  parts = [SIZE_AND_NUMBER.fullmatch(key) for key in keys]
  if not all(parts):
    return keys, {}
  found: dict[str, tuple[int, str]] = {}
  for key, part in zip(keys, parts, strict=True):
    size, number = part.groups()
    found[number] = max(found.get(number, (0, '')), (int(size), key))
  one_of = {int(part[1]): key for key, part in zip(keys, parts, strict=True)}
  sizes = sorted(one_of)
  if len(sizes) < 2 or not all(
      _has_side(read(one_of[size]), size) for size in sizes):
    return keys, {}
  names = [found[number][1] for number in sorted(found)]
  return names, {'resolutions': (
      f"{len(names):,} of {len(keys):,}: pictures are there at "
      f"{', '.join(map(str, sizes))} px, and of each the largest is read")}


def _has_side(packed, size):
  try:
    facts = decode.read_facts(packed)
  except Exception:  # PIL raises many kinds; reading all will tell.
    return False
  return size in (facts.width, facts.height)


def _folder(path):
  """Finds the absolute folder with a data.mdb in it."""
  full = os.path.realpath(os.path.expanduser(path))
  if path and os.path.basename(full) == 'data.mdb' and os.path.isfile(full):
    return os.path.dirname(full)
  if path and os.path.isfile(os.path.join(full, 'data.mdb')):
    return full
  below = []
  if path and os.path.isdir(full):
    below = sorted(name for name in os.listdir(full) if os.path.isfile(
        os.path.join(full, name, 'data.mdb')))
  hint = f' It holds those of {", ".join(below)}.' if below else ''
  raise ValueError(
      f'config.data.path: no data.mdb in {path!r}; wanted the folder of an '
      f'LMDB, such as /data/church_outdoor_train_lmdb.{hint}')


def _open(lmdb, folder):
  database = _OPEN.get(folder)
  if database is None:
    try:
      # Without a lock file, because the disk may be read-only.
      database = lmdb.open(folder, readonly=True, lock=False, readahead=False)
    except lmdb.Error as error:
      raise ValueError(
          f'config.data.path: {folder!r} cannot be opened as an LMDB: '
          f'{error}.') from error
    _OPEN[folder] = database
  return database


def _check_whole(database, folder):
  """Refuses a file that is too short: reading behind its end would kill us."""
  size = os.path.getsize(os.path.join(folder, 'data.mdb'))
  wanted = (database.info()['last_pgno'] + 1) * database.stat()['psize']
  if size < wanted:
    # If values were deleted, the last pages may never have been written.
    raise ValueError(
        f'config.data.path: data.mdb in {folder!r} has {size:,} bytes of the '
        f'{wanted:,} that it speaks of: it is cut off. Copy or fetch it again; '
        'where values were deleted from it, `mdb_copy -c` writes it anew.')

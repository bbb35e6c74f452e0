"""An LMDB of encoded pictures, as LSUN is published."""
import json
import os
import weakref

import numpy as np

from msg_gan_jax.data.stores import listing
from msg_gan_jax.files import optional

# A process may open a database only once; sources of the same one share it.
_OPEN = weakref.WeakValueDictionary()


class Lmdb:
  """Values that are files of pictures, in the order of their keys.

  Implements pictures.Store. There are no labels: LSUN has one database a
  class. Any number of threads may read; nothing is written, nor locked.

  Args:
    path: the folder with data.mdb.
    cache_dir: where the list of keys is kept.

  Raises:
    ValueError: lmdb is not installed, no database there, or an empty one, or
      one that is cut off.

  Source: https://github.com/fyu/lsun
  """

  def __init__(self, path, cache_dir=''):
    lmdb = optional.load('lmdb', 'lmdb')
    self.place = _folder(path)
    self._stats = listing.stats([os.path.join(self.place, 'data.mdb')])
    self._database = _open(lmdb, self.place)
    _check_whole(self._database, self.place)
    self.name = os.path.basename(self.place)
    self.names = self._keys(cache_dir)
    if not self.names:
      raise ValueError(f'config.data.path: {path!r} is an LMDB without a '
                       'single key; wanted pictures.')
    self.classes = ()
    self.labels = np.zeros(len(self.names), np.int32)
    self.notes = {}
    self.mean_bytes = self._stats[0][1] / len(self.names)

  def where(self, i):
    return f'{self.place}/{self.names[i]}'

  def read(self, i):
    with self._database.begin() as transaction:
      return transaction.get(self.names[i].encode('latin-1'))

  def peek(self, i):
    return self.read(i)

  def identity(self):
    return json.dumps(self._stats).encode()

  def _keys(self, cache_dir):
    """Latin-1 takes any byte to one character, and back."""
    def produce():
      with self._database.begin() as transaction:
        keys = listing.bar(transaction.cursor().iternext(values=False),
                           self._database.stat()['entries'], self.name)
        return {'keys': [key.decode('latin-1') for key in keys]}

    return listing.fetch(
        cache_dir, ['lmdb', self.place, self._stats], produce)['keys']


def _folder(path):
  """The absolute folder with a data.mdb in it."""
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
      f'LMDB, as /data/church_outdoor_train_lmdb.{hint}')


def _open(lmdb, folder):
  database = _OPEN.get(folder)
  if database is None:
    try:
      # No lock file: the set may lie on a disk that one can only read.
      database = lmdb.open(folder, readonly=True, lock=False, readahead=False)
    except lmdb.Error as error:
      raise ValueError(
          f'config.data.path: {folder!r} cannot be opened as an LMDB: '
          f'{error}.') from error
    _OPEN[folder] = database
  return database


def _check_whole(database, folder):
  """Whoever reads a mapped page behind the end of the file is killed."""
  size = os.path.getsize(os.path.join(folder, 'data.mdb'))
  wanted = (database.info()['last_pgno'] + 1) * database.stat()['psize']
  if size < wanted:
    # Where values were deleted, the last pages may never have been written.
    raise ValueError(
        f'config.data.path: data.mdb in {folder!r} has {size:,} bytes of the '
        f'{wanted:,} that it speaks of: it is cut off. Copy or fetch it again; '
        'where values were deleted from it, `mdb_copy -c` writes it anew.')

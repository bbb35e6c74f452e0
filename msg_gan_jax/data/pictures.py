"""Encoded pictures of any store as a source: decoded once, kept, mapped."""
import collections
from concurrent import futures
import contextlib
import errno
import hashlib
import json
import os
import sys
import threading
from typing import Protocol
import warnings

import numpy as np

from msg_gan_jax.data import decode, tally
from msg_gan_jax.files import cache, progress

VERSION = 2  # Of the cache; a change of decode.py that moves a pixel adds 1.
CHUNK_BYTES = 16_000_000  # What a thread decodes at a time, at most 64 files.
# Below 5 kB a file PIL spends its time under the interpreter's lock, and a
# second thread is in the way: 32 px 109 -> 106 us, 128 px 139 -> 182 us, and
# only at 256 px (6.5 kB) 410 -> 342 us.
ONE_THREAD_BYTES = 5_000
FEW = 8  # So few are decoded by the caller, which may be one of many threads.
BAR_FROM = 2_000  # Fewer files are done before a bar could be read.
# An open file too many is this process's fault, and not the picture's.
NOT_THE_FILES_FAULT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class Store(Protocol):
  """Pictures as they lie on disk, by number: a folder, an archive, ...

  Attributes:
    name: what a person calls it.
    place: where it lies, for errors and notes.
    names: of every picture, unique, in the order of their numbers.
    classes: names of the labels, () where there are none.
    labels: index into classes for every picture, 0 where there are none.
    notes: what else was found, plain values.
    mean_bytes: of an encoded picture; 0 where pixels are not encoded.
  """
  name: str
  place: str
  names: list
  classes: tuple
  labels: list
  notes: dict
  mean_bytes: float

  def where(self, i) -> str:
    """Picture i, so that a person finds it."""

  def read(self, i):
    """Picture i: bytes of a file, or pixels, as decode.decode takes them."""

  def peek(self, i):
    """As `read`, or a path or an open file whose head says enough."""

  def identity(self):
    """bytes that change when pictures may have: names, sizes, times."""


class Pictures:
  """The pictures of a store, all of one shape; implements source.Source.

  Two stores with the same pictures, classes and labels in the same order have
  the same digest.

  Args:
    store: Store.
    recipe: decode.Recipe: what every picture becomes.
    on_bad: what a broken picture does, 'error' or 'skip'.
    cache_dir: where decoded pictures are kept; '' is the user's cache folder.
    cache_gb: sets up to this size are decoded once and kept; of larger ones
      only the notes are kept, and `images` decodes.
    threads: that decode; 0 is one a core, or one in all for small files.

  Raises:
    ValueError: nothing to read, or a broken picture with on_bad='error'.
  """

  def __init__(self, store, recipe, on_bad='error', cache_dir='', cache_gb=4.,
               threads=0):
    if recipe.channels not in decode.MODES:
      raise ValueError(
          f'config.data.channels: a picture has 1 (grey), 3 (colour) or 4 '
          f'(with alpha) channels, found {recipe.channels}.')
    self._store, self._recipe = store, recipe
    self._skip = on_bad == 'skip'
    self._cache_dir = cache.folder(cache_dir)
    self._threads = threads or self._best_threads()
    self._pool, self._pool_lock = None, threading.Lock()
    self.name, self.classes = store.name, store.classes
    self.shape = (recipe.height, recipe.width, recipe.channels)
    size = len(store.names) * self._row_bytes()
    self._pixels = None
    about = self._read(streamed=size > cache_gb * 1e9)
    bad = {name for name, _ in about['skipped']}
    self._kept_ones = [i for i, n in enumerate(store.names) if n not in bad]
    self._labels = np.array([store.labels[i] for i in self._kept_ones],
                            np.int32)
    self.notes = self._notes(about)
    self._digest = self._whole_digest(about.get('sha256'))

  def __len__(self):
    return len(self._kept_ones)

  def images(self, indices):
    indices = np.asarray(indices)
    if self._pixels is not None:
      return self._pixels[indices]
    pixels = np.empty((len(indices), *self.shape), np.uint8)
    for row, picture in enumerate(self._map(self._one, indices)):
      pixels[row] = picture
    return pixels

  def labels(self, indices):
    return self._labels[np.asarray(indices)]

  def factors(self, indices):
    return {}

  def where(self, index):
    """Picture `index` within the place of the store, for people."""
    found = self._store.where(self._kept_ones[index])
    return found.removeprefix(self._store.place).lstrip('/: ')

  def digest(self):
    """Of all pixels; of names, sizes and times where the set is streamed."""
    return self._digest

  def _read(self, streamed):
    """Pixels, when they are kept, and what is known of them."""
    if streamed:
      self._kept = 'streamed from the files'
      try:
        return cache.fetch(self._cache_dir, self._key('streamed'), None, 0,
                           lambda _: self._produce(None))[1]
      except OSError as error:
        self._complain(error)
        return self._produce(None)
    self._kept = self._cache_dir
    rows = len(self._store.names)
    try:
      self._pixels, about = cache.fetch(
          self._cache_dir, self._key('decoded'), self.shape, rows,
          self._produce)
      return about
    except OSError as error:
      self._complain(error)
    self._kept = 'in memory'
    pixels, count = np.empty((rows, *self.shape), np.uint8), 0

    def append(block):
      nonlocal count
      pixels[count:count + len(block)] = block
      count += len(block)

    about = self._produce(append)
    self._pixels = pixels[:count]
    return {**about, 'sha256': hashlib.sha256(self._pixels).hexdigest()}

  def _complain(self, error):
    print(f'config.data.cache_dir: {self._cache_dir!r} does not take the '
          f'decoded pictures: {error}. They are decoded at every start.',
          file=sys.stderr)

  def _produce(self, append):
    """Decodes all; append(block) in order, or only looks when None."""
    only_look = append is None and not self._skip
    read = self._look if only_look else self._decode
    seen, skipped = collections.Counter(), []
    with self._quiet(), self._bar() as bar:
      for pixels, seen_here, bad in self._in_order(read):
        if append is not None and len(pixels):
          append(pixels)
        seen.update(seen_here)
        skipped += bad
        bar.update(len(bad) + sum(seen_here.values()))
    if len(skipped) == len(self._store.names):
      raise ValueError(
          f'config.data.path: all {len(skipped)} pictures in '
          f'{self._store.place!r} are broken; the first is {skipped[0][0]!r}: '
          f'{skipped[0][1]}.')
    return {
        'skipped': skipped,
        'seen': [[*kind, count] for kind, count in seen.most_common()],
    }

  def _in_order(self, read):
    """Results of read(range of numbers), in order, a few of them ahead."""
    size = max(1, min(64, CHUNK_BYTES // self._row_bytes()))
    numbers = range(len(self._store.names))
    chunks = (numbers[i:i + size] for i in numbers[::size])
    waiting = collections.deque()
    with futures.ThreadPoolExecutor(self._threads) as pool:
      try:
        for chunk in chunks:
          waiting.append(pool.submit(read, chunk))
          if len(waiting) > 2 * self._threads:
            yield waiting.popleft().result()
        while waiting:
          yield waiting.popleft().result()
      finally:
        pool.shutdown(wait=False, cancel_futures=True)

  def _decode(self, numbers):
    """-> (pixels of the good ones, Counter of Seen, [[bad name, why]])."""
    pixels = np.empty((len(numbers), *self.shape), np.uint8)
    seen, bad, count = [], [], 0
    for i in numbers:
      try:
        pixels[count], found = decode.decode(self._store.read(i), self._recipe)
      except Exception as error:  # PIL raises many kinds.
        bad.append(self._bad(i, error))
      else:
        seen.append(found)
        count += 1
    return pixels[:count], collections.Counter(seen), bad

  def _look(self, numbers):
    seen = []
    for i in numbers:
      try:
        seen.append(decode.look(self._store.peek(i)))
      except Exception as error:
        self._bad(i, error)
    return (), collections.Counter(seen), []

  def _one(self, index):
    i = self._kept_ones[index]
    try:
      return decode.decode(self._store.read(i), self._recipe)[0]
    except Exception as error:
      raise self._broken(i, error) from error

  def _bad(self, i, error):
    if (not self._skip or isinstance(error, MemoryError)
        or getattr(error, 'errno', None) in NOT_THE_FILES_FAULT):
      raise self._broken(i, error) from error
    return [self._store.names[i], f'{type(error).__name__}: {error}']

  def _broken(self, i, error):
    return ValueError(
        f'config.data.path: cannot read {self._store.where(i)!r}: {error} '
        f"({type(error).__name__}). Remove it, or set config.data.on_bad="
        "'skip'.")

  def _map(self, function, items):
    if self._threads == 1 or len(items) <= FEW:
      return map(function, items)
    with self._pool_lock:
      if self._pool is None:
        self._pool = futures.ThreadPoolExecutor(self._threads)
    return self._pool.map(function, items)

  def _row_bytes(self):
    return int(np.prod(self.shape))

  def _best_threads(self):
    if self._store.mean_bytes < ONE_THREAD_BYTES:
      return 1
    return os.cpu_count() or 1

  @contextlib.contextmanager
  def _quiet(self):
    # PIL warns of odd EXIF and of 90 megapixels without naming the file; at
    # twice that it raises, and that is an error here too.
    with warnings.catch_warnings():
      warnings.simplefilter('ignore')
      yield

  def _bar(self):
    total = len(self._store.names)
    return progress.bar(total=total, desc=f'Reading {self.name}',
                        unit=' pictures', disable=total < BAR_FROM)

  def _key(self, kind):
    """Of all that the pixels depend on, short of the bytes of the files."""
    # The place too: two unpacked archives may share names, sizes and times.
    return self._hash(kind, self._skip, self._store.place)

  def _hash(self, *more):
    digest = hashlib.sha256(json.dumps(
        [VERSION, self._recipe, *more]).encode())
    digest.update(self._store.identity())
    return digest.hexdigest()

  def _whole_digest(self, pixels):
    labelled = json.dumps(
        [pixels or self._hash(), self._recipe, self.classes]).encode()
    return hashlib.sha256(labelled + self._labels.tobytes()).hexdigest()

  def _notes(self, about):
    seen = [(decode.Seen(*row[:-1]), row[-1]) for row in about['seen']]
    per_class = np.bincount(self._labels, minlength=len(self.classes))
    streamed = self._pixels is None
    return {
        'path': self._store.place,
        'pictures': len(self),
        'per_class': dict(zip(self.classes, per_class.tolist(), strict=False)),
        **tally.found(seen),
        'decisions': tally.decisions(self._recipe, seen),
        'skipped': about['skipped'],
        'kept': self._kept,
        'digest_of': ('names, sizes and times of the files' if streamed
                      else 'pixels and labels'),
        **self._store.notes,
    }

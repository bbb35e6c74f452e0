"""Decodes the pictures of a store: by threads, in order, errors by name."""
import collections
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
import errno
import threading
from typing import Any
import warnings

import numpy as np

from msg_gan_jax.config import errors
from msg_gan_jax.data import decode, held_out, tally
from msg_gan_jax.data.store import PictureStore
from msg_gan_jax.files import cores, progress

CHUNK_BYTES = 16_000_000  # A thread decodes as much at a time, or 64 pictures.
# Below 5 kB a file PIL spends its time under the interpreter's lock, and a
# second thread is in the way: 32 px 109 -> 106 us, 128 px 139 -> 182 us, and
# only at 256 px (6.5 kB) 410 -> 342 us.
ONE_THREAD_BYTES = 5_000
FEW = 8  # The caller, which may be one of many threads, decodes so few itself.
BAR_FROM = 2_000  # Fewer pictures are decoded before one could read a bar.
# Too many open files, or too little memory, are not the fault of a picture.
NOT_THE_FILES_FAULT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
# Of a broken picture, where settings say what is read.
REMEDY = "Remove it, or set config.data.on_bad='skip'."


class Decoder:
  """Decodes pictures of a store by their numbers.

  Args:
    store: where the pictures come from.
    recipe: what every picture becomes.
    skip: whether `read_all` passes over broken pictures; else they are errors.
    threads: how many decode; 0 is one for each core, or one in all for small
      files.
    remedy: what helps against a broken picture, a sentence.

  Attributes:
    shape: (height, width, channels) of every decoded picture.
  """

  def __init__(self, store: PictureStore, recipe: decode.Recipe, skip: bool,
               threads: int = 0, remedy: str = REMEDY) -> None:
    self._store, self._recipe, self._skip = store, recipe, skip
    self._remedy = remedy
    self._threads = threads or _best_threads(store)
    self._pool: futures.Executor | None = None
    self._pool_lock = threading.Lock()
    self.shape = (recipe.height, recipe.width, recipe.channels)

  @property
  def bytes_per_picture(self) -> int:
    return int(np.prod(self.shape))

  def images(self, numbers: Iterable[int]) -> np.ndarray:
    """Decodes a few pictures.

    Args:
      numbers: ints [n], of pictures in the store.

    Returns:
      uint8 [n, H, W, C].

    Raises:
      ValueError: one of them is broken.
    """
    numbers = list(numbers)
    pixels = np.empty((len(numbers), *self.shape), np.uint8)
    for row, picture in enumerate(self._map(self._decode_one, numbers)):
      pixels[row] = picture
    return pixels

  def read_all(self, append: Callable[[np.ndarray], None] | None) -> dict:
    """Decodes all pictures in order.

    Args:
      append: takes uint8 [k, H, W, C]. With None, only the headers are read,
        unless broken pictures are to be skipped.

    Returns:
      A dict for JSON: 'skipped', a list of [name, why] of broken pictures; what
      tally.counted returns; and, unless only headers were read, 'fingerprints',
      those of all good pictures as hexadecimal digits.

    Raises:
      ValueError: a picture is broken and not to be skipped, or all are.
    """
    only_headers = append is None and not self._skip
    read = self._read_headers if only_headers else self._decode_chunk
    facts: collections.Counter = collections.Counter()
    skipped: list = []
    prints: list[bytes] = []
    total, bar = len(self._store.names), self._bar()
    # PIL warns of odd EXIF and of 90 megapixels without naming the file; at
    # twice that it raises, and that is an error here too.
    with warnings.catch_warnings(), bar:
      warnings.simplefilter('ignore')
      for pixels, chunk_facts, broken, chunk_prints in self._in_order(read):
        if append is not None and len(pixels):
          append(pixels)
        facts.update(chunk_facts)
        skipped += broken
        prints += chunk_prints
        bar.update(len(broken) + sum(chunk_facts.values()))
    if len(skipped) == total:
      raise ValueError(
          f'config.data.path: all {len(skipped)} pictures in '
          f'{self._store.place!r} are broken; the first is {skipped[0][0]!r}: '
          f'{skipped[0][1]}.')
    about = {'skipped': skipped, **tally.counted(facts)}
    return about if only_headers else {
        **about, 'fingerprints': b''.join(prints).hex()}

  def fingerprints(self) -> np.ndarray:
    """Reads the bytes of all pictures, and decodes none.

    Returns:
      uint8 [n, held_out.BYTES], in the order of the store.

    Raises:
      ValueError: a file cannot be read.
    """
    prints: list[bytes] = []
    with self._bar() as bar:
      for chunk in self._in_order(self._fingerprint_chunk):
        prints += chunk
        bar.update(len(chunk))
    return held_out.rows(b''.join(prints))

  def _bar(self):
    total = len(self._store.names)
    return progress.bar(total=total, desc=f'Reading {self._store.name}',
                        unit=' pictures', disable=total < BAR_FROM)

  def _in_order(self, read: Callable[[range], Any]) -> Iterator[Any]:
    """Yields read(numbers) of chunk after chunk; a few are read ahead."""
    size = max(1, min(64, CHUNK_BYTES // self.bytes_per_picture))
    numbers = range(len(self._store.names))
    chunks = (numbers[i:i + size] for i in numbers[::size])
    waiting: collections.deque = collections.deque()
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

  def _decode_chunk(self, numbers):
    """-> (pixels, Counter of facts, [[broken name, why]], fingerprints)."""
    pixels = np.empty((len(numbers), *self.shape), np.uint8)
    facts, broken, prints, count = [], [], [], 0
    for i in numbers:
      try:
        packed = self._store.read(i)
        pixels[count], picture_facts = decode.decode(packed, self._recipe)
      except Exception as error:  # PIL raises many kinds.
        broken.append(self._skipped(i, error))
      else:
        facts.append(picture_facts)
        prints.append(held_out.fingerprint(packed))
        count += 1
    return pixels[:count], collections.Counter(facts), broken, prints

  def _read_headers(self, numbers):
    """-> ((), Counter of facts, [], [])."""
    facts = []
    for i in numbers:
      try:
        facts.append(decode.read_facts(self._store.peek(i)))
      except Exception as error:
        self._skipped(i, error)
    return (), collections.Counter(facts), [], []

  def _fingerprint_chunk(self, numbers):
    prints = []
    for i in numbers:
      try:
        prints.append(held_out.fingerprint(self._store.read(i)))
      except Exception as error:
        raise self._broken(i, error) from error
    return prints

  def _decode_one(self, i):
    try:
      return decode.decode(self._store.read(i), self._recipe)[0]
    except Exception as error:
      raise self._broken(i, error) from error

  def _skipped(self, i, error):
    """[name, why] of a broken picture, which may be an error."""
    if (not self._skip or isinstance(error, MemoryError)
        or getattr(error, 'errno', None) in NOT_THE_FILES_FAULT):
      raise self._broken(i, error) from error
    return [self._store.names[i], f'{errors.kind(error)}: {error}']

  def _broken(self, i, error):
    place = f'config.data.path: cannot read {self._store.where(i)!r}: {error}'
    if isinstance(error, decode.WantsRangeError):
      return ValueError(f'{place}.')
    return ValueError(f'{place} ({type(error).__name__}). {self._remedy}')

  def _map(self, function: Callable[[int], Any],
           numbers: list[int]) -> Iterator:
    if self._threads == 1 or len(numbers) <= FEW:
      return map(function, numbers)
    with self._pool_lock:
      if self._pool is None:
        self._pool = futures.ThreadPoolExecutor(self._threads)
    return self._pool.map(function, numbers)


def _best_threads(store):
  return 1 if store.mean_bytes < ONE_THREAD_BYTES else cores.available()

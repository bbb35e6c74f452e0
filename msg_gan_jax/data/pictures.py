"""The pictures of any store as a source: decoded once, kept, mapped."""
import hashlib
import json

import numpy as np

from msg_gan_jax.data import decode, held_out, tally
from msg_gan_jax.data.decoder import REMEDY, Decoder
from msg_gan_jax.data.source import OF_FILES
from msg_gan_jax.data.store import PictureStore
from msg_gan_jax.files import cache, console, disk

# Version of the cache: add 1 when a change of decode.py moves a pixel.
VERSION = 2


class Pictures:
  """The pictures of a store, all of one shape; implements source.Source.

  Two stores with the same pictures, classes and labels in the same order have
  the same digest.

  Args:
    store: where the pictures come from.
    recipe: what every picture becomes.
    on_bad: what a broken picture does: 'error' or 'skip'.
    cache_dir: where decoded pictures are kept; '' is the user's cache folder.
    cache_gb: sets up to this size are decoded once and kept. Of larger sets
      only the notes are kept, and `images` decodes.
    threads: how many decode; 0 is one for each core, or one in all for small
      files.
    remedy: what helps against a broken picture, a sentence.

  Raises:
    ValueError: there is nothing to read, or a picture is broken and on_bad is
      'error'.
  """

  def __init__(self, store: PictureStore, recipe: decode.Recipe,
               on_bad: str = 'error', cache_dir: str = '',
               cache_gb: float = 4., threads: int = 0,
               remedy: str = REMEDY) -> None:
    if recipe.channels not in decode.MODES:
      raise ValueError(
          f'config.data.channels: a picture has 1 (grey), 3 (colour) or 4 '
          f'(with alpha) channels, found {recipe.channels}.')
    self._store, self._recipe = store, recipe
    self._skip = on_bad == 'skip'
    self._cache_dir = cache.folder(cache_dir)
    self._decoder = Decoder(store, recipe, self._skip, threads, remedy)
    self.name: str = store.name
    self.classes: tuple[str, ...] = store.classes
    self.shape: tuple[int, int, int] = self._decoder.shape
    size = len(store.names) * self._decoder.bytes_per_picture
    self._pixels: np.ndarray | None = None
    about = self._read(streamed=size > cache_gb * 1e9)
    broken = {name for name, _ in about['skipped']}
    # Numbers in the store of the pictures that are not skipped.
    self._numbers = [i for i, name in enumerate(store.names)
                     if name not in broken]
    self._labels = np.asarray(store.labels, np.int32)[self._numbers]
    self._fingerprints: str | None = about.get('fingerprints')
    self.notes: dict = self._notes(about)
    self._digest = self._digest_of(about.get('sha256'))

  def __len__(self) -> int:
    return len(self._numbers)

  def images(self, indices: np.ndarray) -> np.ndarray:
    indices = np.asarray(indices)
    if self._pixels is not None:
      return self._pixels[indices]
    return self._decoder.images(self._numbers[i] for i in indices)

  def labels(self, indices: np.ndarray) -> np.ndarray:
    return self._labels[np.asarray(indices)]

  def factors(self, indices: np.ndarray) -> dict[str, np.ndarray]:
    return {}

  def where(self, index: int) -> str:
    """Says where picture `index` is within the place of the store."""
    path = self._store.where(self._numbers[index])
    return path.removeprefix(self._store.place).lstrip('/: ')

  def fingerprints(self) -> np.ndarray:
    """Returns uint8 [n, held_out.BYTES], hashes of the bytes as stored.

    They are known of pictures that were decoded. Of a set that is streamed all
    bytes are read, once.

    Raises:
      ValueError: a file cannot be read.
    """
    if self._fingerprints is not None:
      return held_out.rows(bytes.fromhex(self._fingerprints))

    def produce(append):
      append(self._decoder.fingerprints())
      return {}
    key = hashlib.sha256(json.dumps(
        ['fingerprints', held_out.BYTES, self._store.place]).encode())
    key.update(self._store.identity())
    try:
      found = cache.fetch(
          self._cache_dir, key.hexdigest(), (held_out.BYTES,),
          len(self._store.names), produce)[0]
    except OSError as error:
      self._warn(error)
      found = self._decoder.fingerprints()
    return np.asarray(found)[self._numbers]

  def digest(self) -> str:
    """Hashes all pixels, or names, sizes and times if the set is streamed."""
    return self._digest

  def _read(self, streamed):
    """Reads pixels, if they are kept, and returns what is known of them."""
    read_all = self._decoder.read_all
    if streamed:
      self._kept = 'streamed from the files'
      try:
        return cache.fetch(self._cache_dir, self._key('streamed'), None, 0,
                           lambda _: read_all(None), tally.knows_values)[1]
      except OSError as error:
        self._warn(error)
        return read_all(None)
    self._kept = self._cache_dir
    try:
      self._pixels, about = cache.fetch(
          self._cache_dir, self._key('decoded'), self.shape,
          len(self._store.names), read_all, tally.knows_values)
      return about
    except OSError as error:
      self._warn(error)
    self._kept = 'in memory'
    return self._read_into_memory()

  def _read_into_memory(self):
    pixels = np.empty((len(self._store.names), *self.shape), np.uint8)
    count = 0

    def append(block):
      nonlocal count
      pixels[count:count + len(block)] = block
      count += len(block)

    about = self._decoder.read_all(append)
    self._pixels = pixels[:count]
    return {**about, 'sha256': hashlib.sha256(self._pixels).hexdigest()}

  def _warn(self, error):
    console.say_aside(
        f'config.data.cache_dir: {self._cache_dir!r} does not take the '
        f'decoded pictures: {disk.found(error, self._cache_dir)}. They are '
        'decoded at every start.')

  def _key(self, kind):
    """Hashes all that the pixels depend on, except the bytes of the files."""
    # The place too: two unpacked archives may share names, sizes and times.
    return self._hash(kind, self._skip, self._store.place)

  def _hash(self, *more):
    digest = hashlib.sha256(json.dumps(
        [VERSION, self._recipe_key(), *more]).encode())
    digest.update(self._store.identity())
    return digest.hexdigest()

  def _digest_of(self, pixels):
    content = json.dumps(
        [pixels or self._hash(), self._recipe_key(), self.classes]).encode()
    return hashlib.sha256(content + self._labels.tobytes()).hexdigest()

  def _recipe_key(self):
    """The recipe as runs knew it before it had a range, if it has none."""
    return self._recipe if self._recipe.range else self._recipe[:-1]

  def _notes(self, about):
    facts = [(decode.PictureFacts(*row[:-1]), row[-1])
             for row in about['seen']]
    per_class = np.bincount(self._labels, minlength=len(self.classes))
    streamed = self._pixels is None
    return {
        'path': self._store.place,
        'pictures': len(self),
        'per_class': dict(zip(self.classes, per_class.tolist(), strict=False)),
        **tally.size_summary(facts),
        'decisions': tally.decisions(self._recipe, facts),
        'skipped': about['skipped'],
        **tally.wide_note(about.get('wide'), self._recipe.range),
        **self._label_note(),
        'kept': self._kept,
        'digest_of': OF_FILES if streamed else 'pixels and labels',
        **self._store.notes,
    }

  def _label_note(self):
    """Notes numbers that do not begin at 0, as those of classes do."""
    first = int(self._labels.min())
    numbered = self.classes == tuple(map(str, range(len(self.classes))))
    return {'labels_begin_at': first} if first and numbered else {}

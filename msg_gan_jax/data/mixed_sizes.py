"""Pictures of a store at their own sizes, for who resizes each by itself."""
import collections
from concurrent import futures
import functools
import hashlib
from typing import Any
import warnings

import numpy as np

from msg_gan_jax.data import decode, tally
from msg_gan_jax.data.source import OF_FILES
from msg_gan_jax.data.store import PictureStore
from msg_gan_jax.data.stores import listing
from msg_gan_jax.files import cores


class MixedSizes:
  """Pictures of several sizes; implements source.Source but for `images`.

  Only their headers are read at first. Every picture is in colour as PIL's
  convert('RGB') has it: grey is repeated, alpha is left out.

  Args:
    store: where the pictures come from.
    cache_dir: where the list of their sizes is kept; '' is the user's cache
      folder.
    range: the values of black and white of more than 8 bits, such as '0:4095';
      '' is 0:65535.

  Attributes:
    shape: (0, 0, 3): the sides differ.

  Raises:
    ValueError: a header cannot be read.
  """

  def __init__(self, store: PictureStore, cache_dir: str = '',
               range: str = '') -> None:
    self._store = store
    self._range = decode.parse_range(range) if range else None
    self.name: str = store.name
    self.classes: tuple[str, ...] = store.classes
    self.shape: tuple[int, int, int] = (0, 0, 3)
    self._digest = hashlib.sha256(
        f'mixed sizes 1 {range}'.encode() + store.identity()).hexdigest()
    headers = listing.fetch(  # Two archives may share names, sizes and times.
        cache_dir, ['sizes', store.place, self._digest], self._read_headers)
    self.notes: dict[str, Any] = {
        'path': store.place, 'pictures': len(self), **headers,
        'digest_of': OF_FILES, **store.notes}

  def __len__(self) -> int:
    return len(self._store.names)

  def images(self, indices: np.ndarray) -> np.ndarray:
    """Refuses: there is no array of pictures of several sizes."""
    raise ValueError(
        f'{self.name} has {self.sizes()}; wanted one size, or one to which '
        'all are cropped and resized, such as resolution=64.')

  def sizes(self) -> str:
    """Says what sizes there are: 'pictures of 2 sizes: 20x16 (12), ...'."""
    known, count = self.notes['sizes'], self.notes['different_sizes']
    examples = [f'{size} ({n:,})' for size, n in [*known.items()][:3]]
    return (f'pictures of {count:,} sizes: {", ".join(examples)}'
            + (', ...' if count > len(examples) else ''))

  def own_size(self, index: int) -> np.ndarray:
    """Picture `index`, uint8 [h, w, 3], at its own size.

    Raises:
      ValueError: it is broken.
    """
    return _read(self._store, int(index), functools.partial(
        decode.decode_own_size, span=self._range), self._store.read)

  def labels(self, indices: np.ndarray) -> np.ndarray:
    return np.asarray(self._store.labels, np.int32)[np.asarray(indices)]

  def factors(self, indices: np.ndarray) -> dict[str, np.ndarray]:
    return {}

  def digest(self) -> str:
    """Hashes the names, sizes and times of the files."""
    return self._digest

  def _read_headers(self):
    with warnings.catch_warnings(), futures.ThreadPoolExecutor(
        cores.available()) as pool:
      warnings.simplefilter('ignore')  # They do not name the file.
      facts = pool.map(
          lambda i: upright_facts(self._store, i), range(len(self)))
      found = [*listing.bar(facts, len(self), self.name)]
    return {**tally.size_summary([(x, 1) for x in found]), **tally.wide_note(
        tally.counted(collections.Counter(found))['wide'], self._range)}


def upright_facts(store: PictureStore, i: int) -> decode.PictureFacts:
  """What picture i holds, by its header; its sides as it lies upright.

  Raises:
    ValueError: it cannot be read.
  """
  facts = _read(store, i, decode.read_facts, store.peek)
  if facts.turned:  # By a quarter, or it is mirrored: decoding tells.
    height, width, _ = _read(
        store, i, decode.decode_own_size, store.read).shape
    facts = facts._replace(height=height, width=width)
  return facts


def _read(store, i, decode_it, get):
  try:
    return decode_it(get(i))
  except Exception as error:  # PIL raises many kinds.
    raise ValueError(f'cannot read {store.where(i)!r}: {error} '
                     f'({type(error).__name__}).') from error

"""What a data set holds, counted in one pass over its pictures."""
import collections
from collections.abc import Callable, Iterator, Sequence
import hashlib
import itertools
from typing import Any, NamedTuple, Protocol

import numpy as np

from msg_gan_jax.data import order
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.sources import DRAWN, Drawn, Splits

MOST = 200_000  # Larger sets are judged by ENOUGH pictures, drawn at random.
ENOUGH = 50_000
# All of a set with fewer bytes are compared with each other: as many as
# config.data.cache_gb keeps decoded.
QUICK_BYTES = 4e9
# Another stream of random numbers than that which holds pictures out.
_STREAM = 2**32
CHUNK_BYTES = 8 * 2**20  # Counting needs up to eight times as much beside it.
EXAMPLES = 5
# Below these a picture has one colour, or is grey, to the eye. A JPEG of one
# colour differs from it by a value here and there.
ONE_COLOUR_STD = 1.
GREY_SPREAD = 1.
# Below this it has a tint at most. Spreads are means of max - min over red,
# green and blue.
NEARLY_GREY_SPREAD = 4.
CHANNELS = {1: ('grey',), 3: ('red', 'green', 'blue'),
            4: ('red', 'green', 'blue', 'alpha')}


class Census(NamedTuple):
  """What was counted.

  Attributes:
    facts: plain values for JSON.
    mean, std: float64 [H, W, C] over the pictures, 0 .. 255; None if they are
      points and not pictures.
  """
  facts: dict[str, Any]
  mean: np.ndarray | None
  std: np.ndarray | None


class Counter(Protocol):
  """Counts the values of pictures, chunk by chunk."""

  def add(self, images: np.ndarray, numbers: np.ndarray) -> None:
    """Counts pictures [n, H, W, C], whose indices are `numbers` [n]."""

  def facts(self) -> dict[str, Any]:
    """What was counted, as plain values for JSON."""


def take(splits: Splits, progress: Callable[[int], Any] = lambda count: None,
         quick_bytes: float = QUICK_BYTES) -> Census:
  """Counts in chunks, so that a streamed set is never held at once.

  Values are counted over `sample`. Copies and leaks are looked for among those
  that are `compared`; all held-out pictures are compared with them.

  Args:
    splits: the data set.
    progress: called with the number of pictures since its last call.
    quick_bytes: see `compared`.
  """
  train, held_out = splits
  picked = sample(len(train))
  facts: dict[str, Any] = {
      'name': train.name, 'shape': list(train.shape), 'train': len(train),
      'held_out': 0 if held_out is None else len(held_out),
      'digest': train.digest(), 'looked_at': len(picked),
      'notes': dict(train.notes), 'classes': per_class(train),
      'factors': factors(train, picked)}
  if train.images(picked[:1]).dtype != np.uint8:
    points = Numbers()
    _look(train, picked, progress, points, picked)
    return Census({**facts, **points.facts()}, None, None)
  pictures, read = Bytes(), compared(splits, quick_bytes)
  hashes = _look(train, read, progress, pictures, picked)
  facts |= pictures.facts()
  facts['compared'] = len(read)
  facts['copies'] = copies(hashes, read, train)
  facts['leaks'] = leaks(hashes, read, _look(
      held_out, np.arange(facts['held_out']), progress))
  facts['where'] = {
      'train': where(train, [
          *itertools.chain(*facts['copies']['examples']),
          *(trained for _, trained in facts['leaks']['examples']),
          *facts['one_colour']['examples']]),
      'held_out': where(held_out, [
          index for index, _ in facts['leaks']['examples']])}
  return Census(facts, *pictures.mean_and_std())


def sample(count: int) -> np.ndarray:
  """int64: all indices of a set up to MOST, else ENOUGH at random; ascending.

  They are random because a copy may lie just beside its original, or half a
  set away: even steps would always meet both, or never.
  """
  if count <= MOST:
    return np.arange(count)
  return np.sort(order.permutation(count, seed=0, stream=_STREAM)[:ENOUGH])


def compared(splits: Splits, quick_bytes: float = QUICK_BYTES) -> np.ndarray:
  """Indices of the training pictures that are compared byte for byte.

  Args:
    splits: the data set.
    quick_bytes: all are, if both splits have no more bytes than this; else
      those of `sample`.
  """
  train, held_out = splits
  count = len(train) + (0 if held_out is None else len(held_out))
  if count * int(np.prod(train.shape)) <= quick_bytes:
    return np.arange(len(train))
  return sample(len(train))


def _look(source, read, progress, counter=None, picked=()):
  """Hashes of all that are `read`; those that are `picked` are counted too."""
  hashes = [np.zeros(0, np.uint64)]
  for numbers, images in chunks(source, read):
    hashes += [fingerprints(images)]
    here = np.isin(numbers, picked, assume_unique=True)
    if here.any():
      counter.add(images[here], numbers[here])
    progress(len(numbers))
  return np.concatenate(hashes)


def where(source: Source | None, numbers: Sequence[int]) -> dict[str, str]:
  """{number: name of its file}; {} if the source draws its pictures."""
  name_of = getattr(source, 'where', None)
  return {str(i): name_of(i) for i in numbers} if name_of else {}


def chunks(source: Source, indices: np.ndarray,
           chunk_bytes: int = CHUNK_BYTES,
           ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
  """Yields (indices, pictures), at most `chunk_bytes` or one picture."""
  size = max(1, chunk_bytes // int(np.prod(source.shape))) if len(
      indices) else 1
  for start in range(0, len(indices), size):
    chunk = indices[start:start + size]
    yield chunk, source.images(chunk)


class Bytes:
  """Counts uint8 [n, H, W, C]; sums are integers, and so exact."""

  def __init__(self) -> None:
    self.count, self.grey, self.nearly_grey = 0, 0, 0
    self.histograms: Any = 0
    self.one_colour: list[int] = []
    self.spread, self.opaque = 0., True
    self._sum: Any = 0
    self._squares: Any = 0

  def add(self, images: np.ndarray, numbers: np.ndarray) -> None:
    """See Counter."""
    planes = np.ascontiguousarray(np.moveaxis(images, -1, 0))
    squares = np.square(planes, dtype=np.uint16)  # 255 ** 2 fits.
    self.count += len(images)
    self.histograms += np.stack([
        np.bincount(plane.ravel(), minlength=256) for plane in planes])
    self._sum += planes.sum(1, dtype=np.int64)
    self._squares += squares.sum(1, dtype=np.int64)
    flat = _flattest(planes, squares) < ONE_COLOUR_STD
    self.one_colour += np.asarray(numbers)[flat].tolist()
    if len(planes) >= 3:
      spread = (planes[:3].max(0) - planes[:3].min(0)).mean((1, 2))
      self.grey += int((spread < GREY_SPREAD).sum())
      self.nearly_grey += int((spread < NEARLY_GREY_SPREAD).sum())
      self.spread += float(spread.sum())
    if len(planes) == 4:
      self.opaque &= bool((planes[3] == 255).all())

  def facts(self) -> dict[str, Any]:
    """See Counter."""
    channels = len(self.histograms)
    names = CHANNELS.get(channels, [f'channel {i}' for i in range(channels)])
    facts: dict[str, Any] = {
        'channels': dict(zip(names, map(_moments, self.histograms),
                             strict=True)),
        'one_colour': {'count': len(self.one_colour),
                       'examples': self.one_colour[:EXAMPLES]}}
    if channels >= 3:
      facts['colour'] = {'grey_pictures': self.grey,
                         'nearly_grey_pictures': self.nearly_grey,
                         'mean_spread': self.spread / self.count}
    if channels == 4:
      facts['opaque'] = self.opaque
    return facts

  def mean_and_std(self) -> tuple[np.ndarray, np.ndarray]:
    """float64 [H, W, C] each, over the pictures."""
    mean = self._sum / self.count
    std = np.sqrt(np.maximum(0, self._squares / self.count - mean**2))
    return np.moveaxis(mean, 0, -1), np.moveaxis(std, 0, -1)


class Numbers:
  """Ranges of floats [n, H, W, C]: points and not pictures."""

  def __init__(self) -> None:
    self._low: Any = np.inf
    self._high: Any = -np.inf

  def add(self, images: np.ndarray, numbers: np.ndarray) -> None:
    """See Counter."""
    del numbers
    self._low = np.minimum(self._low, images.min((0, 1, 2)))
    self._high = np.maximum(self._high, images.max((0, 1, 2)))

  def facts(self) -> dict[str, Any]:
    """See Counter."""
    return {'ranges': np.stack([self._low, self._high], 1).tolist()}


def _flattest(planes, squares):
  """[n]: deviation over a picture's pixels, in the channel that varies most."""
  pixels = planes.shape[2] * planes.shape[3]
  mean = planes.sum((2, 3), dtype=np.int64) / pixels
  square = squares.sum((2, 3), dtype=np.int64) / pixels
  return np.sqrt(np.maximum(0, square - mean**2)).max(0)


def _moments(histogram):
  """Mean, deviation and ends of the values that a histogram counts."""
  share = histogram / histogram.sum()
  value = np.arange(256)
  mean = float(share @ value)
  return {'mean': mean, 'std': float(share @ (value - mean)**2)**.5,
          'at_0': float(share[0]), 'at_255': float(share[255]),
          'histogram': histogram.tolist()}


def per_class(source: Source) -> dict[str, int]:
  """{name: how many}, in the order of the classes; {} if there are none."""
  if not source.classes:
    return {}
  counts = np.bincount(source.labels(np.arange(len(source))),
                       minlength=len(source.classes))
  return dict(zip(_distinct(source.classes), counts.tolist(), strict=True))


def _distinct(names):
  """Names as they are; a name that is there twice gets its number."""
  times = collections.Counter(map(str, names))
  return [str(name) if times[str(name)] == 1 else f'{name} #{i}'
          for i, name in enumerate(names)]


def factors(source: Source,
            indices: np.ndarray) -> dict[str, dict[str, float]]:
  """{factor: {value: share}, or its low, high and mean}."""
  facts = {}
  names = DRAWN.get(source.name, Drawn()).factors
  for factor, values in source.factors(indices).items():
    if np.issubdtype(values.dtype, np.floating):
      facts[factor] = {'low': float(values.min()), 'high': float(values.max()),
                       'mean': float(values.mean())}
      continue
    counts = collections.Counter(values.ravel().tolist())
    words = names.get(factor) or {value: value for value in sorted(counts)}
    places = words if isinstance(words, dict) else range(len(words))
    facts[factor] = {str(words[place]): counts[place] / values.size
                     for place in places}
  return facts


def fingerprints(images: np.ndarray) -> np.ndarray:
  """uint64 [n]: a hash of each picture, equal where all bytes are.

  In a set of ten million the chance that two different pictures share one is
  3e-6.
  """
  return np.frombuffer(b''.join(
      hashlib.blake2b(image, digest_size=8).digest()
      for image in np.ascontiguousarray(images)), np.uint64)


def copies(hashes: np.ndarray, indices: np.ndarray,
           source: Source) -> dict[str, Any]:
  """Exact duplicates: how many could go, and groups as examples.

  A conditional GAN learns all labels of a group that has several.
  """
  _, which, counts = np.unique(
      hashes, return_inverse=True, return_counts=True)
  places = collections.defaultdict(list)
  for place in np.flatnonzero(counts[which] > 1):
    places[which[place]].append(place)
  labels = source.labels(indices)
  several_labels: list[list[int]] = []
  one_label: list[list[int]] = []
  for group in places.values():
    alike = (labels[group] == labels[group[0]]).all()
    (one_label if alike else several_labels).append(indices[group].tolist())
  groups = several_labels + one_label
  return {'count': sum(len(group) - 1 for group in groups),
          'largest': max(map(len, groups), default=0),
          'in_two_classes': len(several_labels),
          'examples': [group[:EXAMPLES] for group in groups[:EXAMPLES]]}


def leaks(hashes: np.ndarray, indices: np.ndarray,
          held_out_hashes: np.ndarray) -> dict[str, Any]:
  """Held-out pictures that are trained on too; examples: [held out, train]."""
  held_out = set(held_out_hashes.tolist())
  trained = {key: int(index) for key, index in zip(
      hashes.tolist(), indices, strict=True) if key in held_out}
  pairs = [[i, trained[key]] for i, key in enumerate(held_out_hashes.tolist())
           if key in trained]
  return {'count': len(pairs), 'examples': pairs[:EXAMPLES]}

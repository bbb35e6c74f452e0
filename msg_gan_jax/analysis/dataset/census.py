"""What a data set holds, counted in one pass over its pictures."""
import collections
import hashlib
import itertools
from typing import NamedTuple

import numpy as np

from msg_gan_jax.data import order
from msg_gan_jax.data.drawn import avatars

MOST = 200_000  # Larger sets are judged by ENOUGH pictures, drawn at random.
ENOUGH = 50_000
# Of these all are compared with each other: config.data.cache_gb, up to which
# sets are kept decoded.
QUICK_BYTES = 4e9
# Not that of data/open.py, which says what is kept out of training.
_STREAM = 2**32
CHUNK_BYTES = 8 * 2**20  # Counting needs up to eight times as much beside it.
EXAMPLES = 5
# Below these a picture is of one colour, or grey, to the eye. A JPEG of one
# colour is off by a value here and there.
ONE_COLOUR_STD = 1.
GREY_SPREAD = 1.
CHANNELS = {1: ('grey',), 3: ('red', 'green', 'blue'),
            4: ('red', 'green', 'blue', 'alpha')}
# Sources whose factors have names: (words) or (low, high).
FACTORS = {'avatars': avatars.FACTORS}


class Census(NamedTuple):
  """What was counted.

  Attributes:
    found: plain values for JSON.
    mean, std: float64 [H, W, C] over the pictures, 0 .. 255; None where
      pictures are no bytes.
  """
  found: dict
  mean: np.ndarray | None
  std: np.ndarray | None


def take(splits, progress=lambda count: None, quick_bytes=QUICK_BYTES):
  """Splits -> Census, in chunks: a streamed set is never held at once.

  Values are counted over `sample`; copies and leaks are looked for among those
  that are `compared`, and held-out pictures are all compared with them.

  Args:
    splits: data.open.Splits.
    progress: called with the number of pictures since its last call.
    quick_bytes: as of `compared`.
  """
  train, held_out = splits
  picked = sample(len(train))
  found = {
      'name': train.name, 'shape': list(train.shape), 'train': len(train),
      'held_out': 0 if held_out is None else len(held_out),
      'digest': train.digest(), 'looked_at': len(picked),
      'notes': dict(train.notes), 'classes': per_class(train),
      'factors': factors(train, picked)}
  pictures = train.images(picked[:1]).dtype == np.uint8
  values = Bytes() if pictures else Numbers()
  read = compared(splits, quick_bytes) if pictures else picked
  hashes = _look(train, read, progress, values, picked)
  found.update(values.found())
  if not pictures:
    return Census(found, None, None)
  found['compared'] = len(read)
  found['copies'] = copies(hashes, read, train)
  kept = np.arange(found['held_out'])
  found['leaks'] = leaks(hashes, read, _look(held_out, kept, progress))
  found['where'] = {
      'train': where(train, [
          *itertools.chain(*found['copies']['examples']),
          *(trained for _, trained in found['leaks']['examples']),
          *found['one_colour']['examples']]),
      'held_out': where(held_out, [
          index for index, _ in found['leaks']['examples']])}
  return Census(found, *values.mean_and_std())


def sample(count):
  """All indices of a set up to MOST, else ENOUGH at random; ascending.

  At random, for a copy may lie just beside its original, or half a set away:
  even steps would always, or never, meet both.
  """
  if count <= MOST:
    return np.arange(count)
  return np.sort(order.permutation(count, seed=0, stream=_STREAM)[:ENOUGH])


def compared(splits, quick_bytes=QUICK_BYTES):
  """Indices of the training pictures that are compared byte for byte.

  Args:
    splits: data.open.Splits.
    quick_bytes: all are, if both splits have no more bytes than this; else
      those of `sample`.
  """
  train, held_out = splits
  count = len(train) + (0 if held_out is None else len(held_out))
  if count * int(np.prod(train.shape)) <= quick_bytes:
    return np.arange(len(train))
  return sample(len(train))


def _look(source, read, progress, values=None, picked=()):
  """Hashes of all that are `read`; values get those that are `picked` too."""
  hashes = [np.zeros(0, np.uint64)]
  for numbers, images in chunks(source, read):
    hashes += [fingerprints(images)]
    here = np.isin(numbers, picked, assume_unique=True)
    if here.any():
      values.add(images[here], numbers[here])
    progress(len(numbers))
  return np.concatenate(hashes)


def where(source, numbers):
  """{number: name of its file}; {} of a source that draws its pictures."""
  if not hasattr(source, 'where'):
    return {}
  return {str(i): source.where(i) for i in numbers}


def chunks(source, indices, chunk_bytes=CHUNK_BYTES):
  """Yields (indices, pictures), of at most `chunk_bytes` or one picture."""
  size = max(1, chunk_bytes // int(np.prod(source.shape))) if len(
      indices) else 1
  for start in range(0, len(indices), size):
    some = indices[start:start + size]
    yield some, source.images(some)


class Bytes:
  """Running counts over uint8 [n, H, W, C]; exact, being integers."""

  def __init__(self):
    self.count, self.histograms, self._sum, self._squares = 0, 0, 0, 0
    self.one_colour, self.grey = [], 0
    self.spread, self.opaque = 0., True

  def add(self, images, numbers):
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
      self.spread += float(spread.sum())
    if len(planes) == 4:
      self.opaque &= bool((planes[3] == 255).all())

  def found(self):
    channels = len(self.histograms)
    names = CHANNELS.get(channels, [f'channel {i}' for i in range(channels)])
    found = {
        'channels': dict(zip(names, map(_moments, self.histograms),
                             strict=True)),
        'one_colour': {'count': len(self.one_colour),
                       'examples': self.one_colour[:EXAMPLES]}}
    if channels >= 3:
      found['colour'] = {'grey_pictures': self.grey,
                         'mean_spread': self.spread / self.count}
    if channels == 4:
      found['opaque'] = self.opaque
    return found

  def mean_and_std(self):
    """float64 [H, W, C] each."""
    mean = self._sum / self.count
    std = np.sqrt(np.maximum(0, self._squares / self.count - mean**2))
    return np.moveaxis(mean, 0, -1), np.moveaxis(std, 0, -1)


class Numbers:
  """Running ranges over floats [n, H, W, C]: points and not pictures."""

  def __init__(self):
    self._low, self._high = np.inf, -np.inf

  def add(self, images, numbers):
    del numbers
    self._low = np.minimum(self._low, images.min((0, 1, 2)))
    self._high = np.maximum(self._high, images.max((0, 1, 2)))

  def found(self):
    return {'ranges': np.stack([self._low, self._high], 1).tolist()}


def _flattest(planes, squares):
  """Deviation over a picture's pixels, of its liveliest channel; [n]."""
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


def per_class(source):
  """{name: how many}, in the order of the classes; {} without any."""
  if not source.classes:
    return {}
  counts = np.bincount(source.labels(np.arange(len(source))),
                       minlength=len(source.classes))
  return dict(zip(_distinct(source.classes), counts.tolist(), strict=True))


def _distinct(names):
  """Names as they are; those that are there twice, with their numbers."""
  seen = collections.Counter(map(str, names))
  return [str(name) if seen[str(name)] == 1 else f'{name} #{i}'
          for i, name in enumerate(names)]


def factors(source, indices):
  """{factor: {value: share}, or its low, high and mean}."""
  found, names = {}, FACTORS.get(source.name, {})
  for factor, values in source.factors(indices).items():
    if np.issubdtype(values.dtype, np.floating):
      found[factor] = {'low': float(values.min()), 'high': float(values.max()),
                       'mean': float(values.mean())}
      continue
    counts = collections.Counter(values.ravel().tolist())
    words = names.get(factor) or {value: value for value in sorted(counts)}
    places = words if isinstance(words, dict) else range(len(words))
    found[factor] = {str(words[place]): counts[place] / values.size
                     for place in places}
  return found


def fingerprints(images):
  """uint64 [n]: a hash a picture, equal where all bytes are.

  Of ten million pictures two that differ share one with a chance of 3e-6.
  """
  return np.frombuffer(b''.join(
      hashlib.blake2b(image, digest_size=8).digest()
      for image in np.ascontiguousarray(images)), np.uint64)


def copies(hashes, indices, source):
  """Exact duplicates: how many could go, and groups as examples.

  A group under several labels teaches a conditional GAN both.
  """
  _, which, counts = np.unique(
      hashes, return_inverse=True, return_counts=True)
  groups = collections.defaultdict(list)
  for place in np.flatnonzero(counts[which] > 1):
    groups[which[place]].append(place)
  labels, torn, whole = source.labels(indices), [], []
  for group in groups.values():
    one_label = (labels[group] == labels[group[0]]).all()
    (whole if one_label else torn).append(indices[group].tolist())
  groups = torn + whole
  return {'count': sum(len(group) - 1 for group in groups),
          'largest': max(map(len, groups), default=0),
          'in_two_classes': len(torn),
          'examples': [group[:EXAMPLES] for group in groups[:EXAMPLES]]}


def leaks(hashes, indices, kept_hashes):
  """Held-out pictures that are trained on too; examples: [held out, train]."""
  known = set(kept_hashes.tolist())
  trained = {one: int(index) for one, index in zip(
      hashes.tolist(), indices, strict=True) if one in known}
  pairs = [[kept, trained[one]] for kept, one in enumerate(
      kept_hashes.tolist()) if one in trained]
  return {'count': len(pairs), 'examples': pairs[:EXAMPLES]}

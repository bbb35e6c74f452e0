"""What may be scored: folders, archives, arrays, data sets, a generator."""
from collections.abc import Callable
import dataclasses
import hashlib
import os
from typing import NamedTuple

import numpy as np

from msg_gan_jax.config import schema, tables
from msg_gan_jax.data import decode, sources
from msg_gan_jax.data.stores import archive, folder, npz

MOST_BYTES = 2**32  # Pictures of a generator that are kept; more are redrawn.
_CHANNELS = {'1': 1, 'L': 1, 'I;16': 1, 'RGBA': 4, 'LA': 4, 'PA': 4}


def open_set(text, flag='--real', held_out=False, resolution=0, cache_dir=''):
  """The pictures that a text names, as a Source.

  Args:
    text: a folder of pictures, a zip, tar or .npz; a row of SOURCES that draws
      its pictures or fetches them, as 'avatars'; or both, as 'cifar10:PATH'.
    flag: what errors begin with.
    held_out: of a data set with two parts, the one that is never trained on.
    resolution: height and width that all pictures get; 0 leaves them as they
      are, and then they must all have one size.
    cache_dir: where decoded pictures are kept.

  Raises:
    ValueError: nothing there, no pictures, or pictures of several sizes.
  """
  name, _, path = text.partition(':')
  try:
    if os.path.exists(text):
      return _files(text, resolution, cache_dir)
    if name in sources.SOURCES:
      size = {'resolution': resolution} if resolution else {}
      shape = {'polygons': {'resolution': 28, 'channels': 1, **size}}
      splits = sources.SOURCES[name](schema.Data(
          name=name, path=path, cache_dir=cache_dir,
          **shape.get(name, size)))
      return splits.held_out if held_out and splits.held_out else splits.train
  except (ValueError, OSError) as error:
    said = str(error)
    for place in ('config.data.path: ', 'config.data.'):
      said = said.removeprefix(place)
    raise ValueError(f'{flag}: {said}') from error
  raise ValueError(
      f'{flag}: no file, folder or source {text!r}; wanted a folder of '
      'pictures, a .zip, .tar or .npz, or a source. '
      + tables.nearest(name, sources.SOURCES))


def _files(path, resolution, cache_dir):
  """All pictures of a folder or an archive, of the size that the first has."""
  if os.path.isdir(path) and os.path.exists(os.path.join(path, 'config.json')):
    raise ValueError(
        f'{path!r} is a run and no folder of pictures; wanted --workdir={path}')
  found = None if os.path.isdir(path) else archive.unpack(path, cache_dir)
  if found is None:
    store = folder.Folder(path)
  elif npz.holds(found):
    store = npz.Arrays(found)
  else:
    store = archive.Archive(found)
  where = store.where(0)
  try:
    first = decode.look(store.peek(0))
  except Exception as error:  # PIL raises many kinds.
    raise ValueError(f'cannot read {where!r}: {error}') from error
  height, width = (first.width, first.height) if first.turned and (
      first.height != first.width) else (first.height, first.width)
  if resolution:
    height = width = resolution
  data = schema.Data(
      name='folder', resolution=height, width=width, cache_dir=cache_dir,
      channels=_CHANNELS.get(first.mode, 3))
  pictures = sources.read(store, data)
  if len(pictures.notes['modes']) > 1 and data.channels != 3:
    # All in colour, as the peers read them, and not as the first one is.
    pictures = sources.read(store, dataclasses.replace(data, channels=3))
  sizes = pictures.notes['sizes']
  if pictures.notes['different_sizes'] > 1 and not resolution:
    some = ', '.join(f'{size} ({n:,})' for size, n in list(sizes.items())[:3])
    raise ValueError(
        f'{path!r} has pictures of {pictures.notes["different_sizes"]} sizes: '
        f'{some}; wanted one, or --resolution=N, to which all are cropped and '
        'resized.')
  return pictures


class Paths(NamedTuple):
  """What a path length needs of a generator, see metrics.path_length.

  Attributes:
    draw: (key, n) -> latents, in the space.
    synthesize: (latents, key) -> floats in -1 .. 1, [n, H, W, C].
    space: 'z' or 'w'.
  """
  draw: Callable
  synthesize: Callable
  space: str


def alike(real, fake):
  """Both as they are, or both in colour where one of them is."""
  if real.shape[2] == fake.shape[2]:
    return real, fake
  return tuple(one if one.shape[2] == 3 else _Coloured(one)
               for one in (real, fake))


class _Coloured:
  """A source whose grey is repeated and whose alpha is left out."""

  def __init__(self, source):
    self._source, self.paths = source, None
    self.name, self.classes = source.name, source.classes
    self.shape, self.notes = (*source.shape[:2], 3), source.notes
    self.labels, self.factors = source.labels, source.factors

  def __len__(self):
    return len(self._source)

  def images(self, indices):
    found = self._source.images(indices)
    return found[..., :3] if found.shape[-1] > 3 else np.repeat(
        found[..., :1], 3, -1)

  def digest(self):
    return hashlib.sha256(
        b'in colour ' + self._source.digest().encode()).hexdigest()


class Arrays:
  """uint8 [n, H, W, C] in memory as a Source, with labels [n] or without.

  Raises:
    ValueError: no such array, or other labels than pictures.
  """
  notes, paths = {}, None

  def __init__(self, pixels, labels=None, classes=(), name='array'):
    self._pixels = pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or not pixels.size:
      raise ValueError(
          f'{name}: wanted pictures as uint8 [n, H, W, C], found '
          f'{pixels.dtype} {list(pixels.shape)}. Floats in -1 .. 1 become so '
          'by np.clip(np.rint(127.5 * x + 127.5), 0, 255).astype(np.uint8).')
    self._labels = np.zeros(len(pixels), np.int32) if labels is None else (
        np.asarray(labels, np.int32))
    if self._labels.shape != (len(pixels),):
      raise ValueError(f'{name}: {len(pixels)} pictures, and labels of shape '
                       f'{list(self._labels.shape)}; wanted [{len(pixels)}].')
    self.name, self.shape = name, pixels.shape[1:]
    if labels is not None and not classes:
      classes = tuple(str(i) for i in range(self._labels.max() + 1))
    self.classes = tuple(classes)

  def __len__(self):
    return len(self._pixels)

  def images(self, indices):
    return self._pixels[indices]

  def labels(self, indices):
    return self._labels[indices]

  def factors(self, indices):
    return {}

  def digest(self):
    about = repr((self._pixels.shape, self.classes)).encode()
    return hashlib.sha256(about + np.ascontiguousarray(self._pixels).tobytes()
                          + self._labels.tobytes()).hexdigest()


def generated(draw, n, shape, labels=None, classes=(), name='samples',
              paths=None):
  """Pictures that a generator draws, as a Source.

  Few are drawn once and kept; of more than MOST_BYTES each is drawn whenever
  it is asked for.

  Args:
    draw: (first, last) -> uint8 [last - first, H, W, C].
    n: how many.
    shape: (H, W, C).
    labels: int [n] that they were drawn with.
    classes: their names.
    paths: Paths of the generator, or None.
  """
  found = _Drawn(draw, n, shape, labels, classes, name)
  if n * int(np.prod(shape)) <= MOST_BYTES:
    found = Arrays(np.concatenate([
        found.images(np.arange(i, min(i + found.BLOCK, n)))
        for i in range(0, n, found.BLOCK)]), labels, classes, name)
  found.paths = paths
  return found


class _Drawn:
  """As `generated`, drawn whenever asked for, by blocks that stay the same."""
  notes = {}
  BLOCK = 256

  def __init__(self, draw, n, shape, labels, classes, name):
    self._draw, self._n, self._kept = draw, n, (-1, None)
    self._labels = np.zeros(n, np.int32) if labels is None else labels
    self.shape, self.classes, self.name = tuple(shape), tuple(classes), name

  def __len__(self):
    return self._n

  def images(self, indices):
    # A block's pictures depend on nothing but its number: noise is drawn with
    # it, and batch norm may look at all of it.
    found = np.empty((len(indices), *self.shape), np.uint8)
    blocks = np.asarray(indices) // self.BLOCK
    for block in np.unique(blocks):
      if self._kept[0] != block:
        first = block * self.BLOCK
        self._kept = block, self._draw(
            first, min(first + self.BLOCK, self._n))
      here = blocks == block
      found[here] = self._kept[1][np.asarray(indices)[here] % self.BLOCK]
    return found

  def labels(self, indices):
    return self._labels[indices]

  def factors(self, indices):
    return {}

  def digest(self):
    return ''  # Drawn, and nothing of them is kept.

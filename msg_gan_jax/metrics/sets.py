"""What may be scored: folders, archives, arrays, data sets, a generator."""
from collections.abc import Callable, Sequence
import dataclasses
import os
from typing import Any, NamedTuple

import jax
import numpy as np

from msg_gan_jax.arrays.indices import evenly
from msg_gan_jax.config import errors, schema, tables
from msg_gan_jax.data import sources
from msg_gan_jax.data.mixed_sizes import MixedSizes, upright_facts
from msg_gan_jax.data.source import ArraySource, Coloured, Source
from msg_gan_jax.data.stores import archive, folder, npz
from msg_gan_jax.metrics.moments_file import MomentsFile, is_moments

# A generator's pictures are kept in memory up to this many bytes; of more, each
# is drawn again whenever it is asked for.
MOST_BYTES = 2**32
_LOOKED_AT = 64  # Pictures whose size is looked at before any is decoded.
_REMEDY = 'Remove it: all pictures of a set count.'
_TURNED, _ON_WHITE = 'turned as their EXIF says', 'alpha laid on white'
_CHANNELS = {'1': 1, 'L': 1, 'I;16': 1, 'RGBA': 4, 'LA': 4, 'PA': 4}


def open_set(text: str, name: str = 'real', held_out: bool = False,
             resolution: int = 0, cache_dir: str = '',
             like: schema.Data | None = None, range: str = '',
             channels: int = 0) -> Source:
  """The pictures that a text names, as a Source.

  Args:
    text: a folder of pictures, at any depth, a zip, tar or .npz; an .npz of mu
      and sigma, which is a MomentsFile; a row of SOURCES that draws its
      pictures or fetches them, such as 'avatars'; or both, such as
      'cifar10:PATH'.
    name: of the argument that errors begin with.
    held_out: of a data set with two parts, the one that is never trained on.
    resolution: height and width that all pictures get; 0 leaves them as they
      are. Files of several sizes are then a MixedSizes.
    cache_dir: where decoded pictures are kept.
    like: settings by which pictures are read and get that resolution (range,
      resize, filter, and the width beside the height); None crops to squares.
    range: the values of black and white of grey with more than 8 bits and of
      floats, such as '0:4095', in place of those of `like`.
    channels: that pictures of files get, as in training; 0 leaves them.

  Raises:
    ValueError: there is nothing, or no picture.
  """
  source, _, path = text.partition(':')
  try:
    if os.path.exists(text):
      if is_moments(text):
        return MomentsFile(text, name)
      like = like or schema.Data()
      return _files(text, resolution, cache_dir, dataclasses.replace(
          like, range=range or like.range), channels)
    if source in sources.SOURCES:
      data = schema.Data(name=source, path=path, cache_dir=cache_dir)
      if source in sources.DRAWN:
        data = dataclasses.replace(data, **sources.DRAWN[source].settings)
      if resolution:
        data = dataclasses.replace(data, resolution=resolution)
      splits = sources.SOURCES[source](data)
      return splits.held_out if held_out and splits.held_out else splits.train
  except (ValueError, OSError) as error:
    message = errors.without_settings(errors.renamed(str(error), {
        'config.data.path': name, 'config.data.range': 'range'}))
    message = errors.renamed(message, {
        f'config.data.{field.name}': field.name
        for field in dataclasses.fields(schema.Data)})
    if not message.startswith(f'{name}: '):
      message = f'{name}: {message}'
    raise ValueError(message) from error
  raise ValueError(
      f'{name}: no file, folder or source {text!r}; wanted a folder of '
      'pictures, a .zip, .tar or .npz, or a source. '
      + tables.nearest(source, sources.SOURCES))


def _files(path, resolution, cache_dir, like, channels):
  """All pictures of a folder or an archive."""
  if os.path.isdir(path) and os.path.exists(os.path.join(path, 'config.json')):
    raise ValueError(
        f'{path!r} is a run, not a folder of pictures; wanted what it draws, '
        'in Python analysis.generator.samples.sample_run(RUN)[-1], on the '
        f'command line workdir={path}.')
  store = _store(path, cache_dir)
  looked = [upright_facts(store, int(i)) for i in evenly(
      len(store.names), _LOOKED_AT)]
  height, width = looked[0].height, looked[0].width
  if resolution:
    height, width = resolution, max(
        1, round(resolution * like.shape[1] / like.shape[0]))
  elif len({(x.height, x.width) for x in looked}) > 1:
    return MixedSizes(store, cache_dir, like.range)
  data = schema.Data(
      name='folder', resolution=height, width=width, cache_dir=cache_dir,
      resize=like.resize, filter=like.filter, range=like.range,
      channels=channels or _CHANNELS.get(looked[0].mode, 3))
  pictures = sources.read(store, data, _REMEDY)
  happened = pictures.notes['decisions']
  if not resolution and (
      pictures.notes['different_sizes'] > 1 or _TURNED in happened):
    mixed = MixedSizes(store, cache_dir, like.range)
    if mixed.notes['different_sizes'] > 1:
      return mixed
  kinds = len(pictures.notes['modes'])
  if not channels and (
      _ON_WHITE in happened or (kinds > 1 and data.channels != 3)):
    # In colour, as PIL's convert('RGB') has it, which the peers call: alpha is
    # left out, where training lays it on white.
    return Coloured(pictures if data.channels == 4 else sources.read(
        store, dataclasses.replace(data, channels=4), _REMEDY))
  return pictures


def _store(path, cache_dir):
  # Pictures at any depth. Their folders are classes where they can be, for the
  # few metrics that compare classes; nothing else needs them.
  if os.path.isdir(path):
    return folder.Folder(path, strict=False)
  unpacked = archive.unpack(path, cache_dir)
  if npz.is_npz(unpacked):
    return npz.Npz(unpacked)
  return archive.Archive(unpacked, strict=False)


class Paths(NamedTuple):
  """What a path length needs of a generator, see functional.path_length.

  Attributes:
    draw: (key, n) -> latents, in the space.
    synthesize: (latents, key) -> floats in -1 .. 1, [n, H, W, C].
    space: 'z' or 'w'.
  """
  draw: Callable[[jax.Array, int], jax.Array]
  synthesize: Callable[[jax.Array, jax.Array], jax.Array]
  space: str


def in_same_channels(real: Source, fake: Source) -> tuple[Source, Source]:
  """Both as they are, or both in colour where one of them is."""
  given = any(isinstance(x, MomentsFile) for x in (real, fake))
  if given or real.shape[2] == fake.shape[2]:
    return real, fake
  return _in_colour(real), _in_colour(fake)


def _in_colour(source):
  return source if source.shape[2] == 3 else Coloured(source)


class Samples(ArraySource):
  """Pictures of a generator in memory.

  Args:
    pixels, labels, classes, name: see ArraySource.
    paths: how to walk through the generator's latents, or None.
  """

  def __init__(self, pixels: np.ndarray, labels: np.ndarray | None = None,
               classes: Sequence[str] = (), name: str = 'samples',
               paths: Paths | None = None) -> None:
    super().__init__(pixels, labels, classes, name)
    self.paths = paths


def generated(draw: Callable[[int, int], np.ndarray], n: int,
              shape: tuple[int, int, int], labels: np.ndarray | None = None,
              classes: Sequence[str] = (), name: str = 'samples',
              paths: Paths | None = None) -> Source:
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
  drawn = _Generated(draw, n, shape, labels, classes, name, paths)
  if n * int(np.prod(shape)) > MOST_BYTES:
    return drawn
  pixels = np.concatenate([
      drawn.images(np.arange(i, min(i + drawn.BLOCK, n)))
      for i in range(0, n, drawn.BLOCK)])
  return Samples(pixels, labels, classes, name, paths)


def are_drawn(source: Source) -> bool:
  """Whether pictures come from a generator, in the order that it draws them.

  Any other set has no order of its own: that of a folder is one of names, and
  so one of classes.
  """
  return isinstance(source, Samples | _Generated)


class _Generated:
  """Pictures of a generator, drawn whenever asked for, in blocks that stay the
  same."""
  BLOCK = 256

  def __init__(self, draw, n, shape, labels, classes, name, paths):
    self.notes, self.paths = {}, paths
    self._draw, self._n = draw, n
    self._last: tuple[int, Any] = (-1, None)  # (block, its pictures)
    self._labels = np.zeros(n, np.int32) if labels is None else labels
    self.shape, self.classes, self.name = tuple(shape), tuple(classes), name

  def __len__(self):
    return self._n

  def images(self, indices):
    # A block's pictures depend on nothing but its number: noise is drawn with
    # it, and batch norm may look at all of it.
    images = np.empty((len(indices), *self.shape), np.uint8)
    blocks = np.asarray(indices) // self.BLOCK
    for block in np.unique(blocks):
      if self._last[0] != block:
        first = block * self.BLOCK
        self._last = block, self._draw(
            first, min(first + self.BLOCK, self._n))
      here = blocks == block
      images[here] = self._last[1][np.asarray(indices)[here] % self.BLOCK]
    return images

  def labels(self, indices):
    return self._labels[indices]

  def factors(self, indices):
    return {}

  def digest(self):
    return ''  # Drawn, and nothing of them is kept.

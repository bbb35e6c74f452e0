"""From config.data to the pictures: those to train on, those kept out."""
import hashlib
from typing import NamedTuple

import numpy as np

from msg_gan_jax import source as source_lib
from msg_gan_jax import tables
from msg_gan_jax.data import avatars, decode, folder, order, pictures


class Splits(NamedTuple):
  """What training sees, and what it never sees (None where there is none)."""
  train: source_lib.Source
  held_out: source_lib.Source | None


class Subset:
  """Some pictures of another source, in the order of `indices`."""

  def __init__(self, source, indices):
    self._source, self._indices = source, np.asarray(indices, np.int64)
    self.name, self.shape = source.name, source.shape
    self.classes = source.classes
    self.notes = dict(source.notes, pictures=len(self), out_of=len(source))
    if 'per_class' in source.notes:
      counts = np.bincount(
          self.labels(np.arange(len(self))), minlength=len(self.classes))
      self.notes['per_class'] = dict(
          zip(self.classes, counts.tolist(), strict=False))

  def __len__(self):
    return len(self._indices)

  def images(self, indices):
    return self._source.images(self._indices[indices])

  def labels(self, indices):
    return self._source.labels(self._indices[indices])

  def factors(self, indices):
    return self._source.factors(self._indices[indices])

  def digest(self):
    return hashlib.sha256(
        self._source.digest().encode() + self._indices.tobytes()).hexdigest()


def open_source(config):
  """config.Config -> Splits.

  Neither split depends on config.seed: runs of other seeds are compared, and
  must have learned from, and be measured on, the same pictures.

  Raises:
    ValueError: an unknown name, or data that are missing or broken.
  """
  return SOURCES[config.data.name](config.data)


def open_avatars(data):
  """The first `count` drawings; those kept out are drawn beyond them."""
  if data.path:
    raise ValueError(
        f'config.data.path: {data.path!r}, but config.data.name = '
        "'avatars' draws its pictures; did you mean config.data.name = "
        "'folder'?")

  def draw(count, first):
    return avatars.Avatars(count, data.resolution, data.channels, seed=0,
                           first=first, label=data.label)
  held_out = draw(data.held_out, data.count) if data.held_out else None
  return Splits(draw(data.count, 0), held_out)


def open_folder(data):
  """A folder of picture files."""
  if data.label:
    raise ValueError(
        f'config.data.label: {data.label!r}; the classes of a folder are its '
        'folders. Wanted none.')
  return _of_store(folder.Folder(data.path), data)


def _of_store(store, data):
  """Pictures of a store; at most a tenth of them, fixed, is kept out."""
  found = read(store, data)
  held_out = min(data.held_out, len(found) // 10)
  if held_out < 2:  # Of one picture there is nothing to measure.
    return Splits(found, None)
  mixed = order.permutation(len(found), seed=0, stream=0)
  return Splits(Subset(found, np.sort(mixed[held_out:])),
                Subset(found, np.sort(mixed[:held_out])))


def read(store, data):
  """pictures.Store -> pictures.Pictures, as the settings say."""
  recipe = decode.Recipe(*data.shape, data.resize, data.filter)
  return pictures.Pictures(
      store, recipe, data.on_bad, data.cache_dir, data.cache_gb, data.threads)


SOURCES = tables.Table('config.data.name', 'source', {
    'avatars': open_avatars,
    'folder': open_folder,
})

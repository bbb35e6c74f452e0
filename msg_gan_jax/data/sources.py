"""From config.data to the pictures: those to train on, those kept out."""
import hashlib
from typing import NamedTuple

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data import decode, order, pictures
from msg_gan_jax.data import source as source_lib
from msg_gan_jax.data.drawn import avatars, polygons, toys
from msg_gan_jax.data.stores import (
  archive,
  cifar,
  folder,
  huggingface,
  lmdb,
  npz,
  tfds,
)


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

  def where(self, index):
    """Picture `index`, as its source calls it."""
    return self._source.where(self._indices[index])

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
  """Cartoon heads."""
  _refuse(data, 'dataset')
  if data.width not in (0, data.resolution):
    raise ValueError(
        f'config.data.width: {data.width}; avatars are squares of config.data.'
        f'resolution = {data.resolution}. Wanted 0.')
  return _drawn(data, lambda count, first: avatars.Avatars(
      count, data.resolution, data.channels, seed=0, first=first,
      label=data.label))


def open_polygons(data):
  """Convex polygons; data.dataset says which."""
  if data.label:
    raise ValueError(
        f'config.data.label: {data.label!r}; polygons have no classes. Wanted '
        'none.')
  return _drawn(data, lambda count, first: polygons.Polygons(
      data.dataset, count, data.shape, first=first))


def open_toy(data):
  """Points of the plane; data.name says of which layout."""
  _refuse(data, 'dataset')
  if data.label:
    raise ValueError(
        f'config.data.label: {data.label!r}; the classes of a toy are its '
        'Gaussians. Wanted none.')
  return _drawn(data, lambda count, first: toys.Toy(
      data.name, count, data.shape, first=first))


def _drawn(data, draw):
  """The first `count` that are drawn; those kept out are beyond them.

  Args:
    data: config.Data.
    draw: (count, first) -> Source.
  """
  if data.path:
    raise ValueError(
        f'config.data.path: {data.path!r}, but config.data.name = '
        f'{data.name!r} draws its pictures; did you mean config.data.name = '
        "'folder'?")
  _refuse(data, 'split', 'label_file', 'resize', 'filter', 'on_bad')
  held_out = draw(data.held_out, data.count) if data.held_out else None
  return Splits(draw(data.count, 0), held_out)


def open_folder(data):
  """A folder of picture files."""
  _refuse(data, 'dataset', 'split')
  return _of_store(folder.Folder(
      data.path, data.label_file, data.label, data.on_bad), data)


def open_archive(data):
  """A zip or a tar of picture files, or an .npz of arrays."""
  _refuse(data, 'split')
  found = archive.unpack(data.path, data.cache_dir)
  if npz.holds(found):
    _refuse(data, 'label_file')
    return _of_store(npz.Arrays(found, data.dataset, data.label), data)
  _refuse(data, 'dataset')
  return _of_store(archive.Archive(
      found, data.label_file, data.label, data.on_bad), data)


def open_cifar(data):
  """All of the training set; what is kept out is of the test set.

  As many pictures of it as config.data.held_out, evenly spaced, or all.
  """
  _refuse(data, 'dataset', 'label_file')
  if data.split != 'train':
    raise ValueError(
        f'config.data.split: {data.split!r}; {data.name} trains on all of its '
        "training set, and is measured on its test set. Wanted 'train'.")
  if data.name == 'cifar10':
    _refuse(data, 'label')
  files = cifar.load(data.name, data.path, data.cache_dir)
  train = read(cifar.Cifar(files, 'train', data.label), data)
  if data.held_out < 2:  # Of one picture there is nothing to measure.
    return Splits(train, None)
  test = cifar.Cifar(files, 'test', data.label, data.held_out)
  return Splits(train, read(test, data))


def open_tfds(data):
  """A set that TensorFlow Datasets has prepared."""
  _refuse(data, 'label_file')
  return _of_store(tfds.Tfds(
      data.dataset, data.path, data.split, data.label, data.cache_dir), data)


def open_lmdb(data):
  """An LMDB of encoded pictures."""
  _refuse(data, 'dataset', 'split', 'label', 'label_file')
  return _of_store(lmdb.Lmdb(data.path, data.cache_dir), data)


def open_huggingface(data):
  """A data set of the Hugging Face Hub, or one that its library saved."""
  _refuse(data, 'label_file')
  return _of_store(huggingface.HuggingFace(
      data.dataset, data.path, data.split, data.label, data.cache_dir), data)


def _refuse(data, *names):
  """Settings that mean nothing to this source stand as they are by default."""
  usual = type(data)()
  for name in names:
    found, wanted = getattr(data, name), getattr(usual, name)
    if found != wanted:
      raise ValueError(
          f'config.data.{name}: {found!r} means nothing to config.data.name = '
          f'{data.name!r}; wanted {wanted!r}, the default.')


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
  _refuse(data, 'count')
  recipe = decode.Recipe(*data.shape, data.resize, data.filter)
  return pictures.Pictures(
      store, recipe, data.on_bad, data.cache_dir, data.cache_gb, data.threads)


SOURCES = tables.Table('config.data.name', 'source', {
    'avatars': open_avatars,
    'polygons': open_polygons,
    'ring': open_toy,
    'grid': open_toy,
    'line': open_toy,
    'folder': open_folder,
    'archive': open_archive,
    'cifar10': open_cifar,
    'cifar100': open_cifar,
    'tfds': open_tfds,
    'lmdb': open_lmdb,
    'huggingface': open_huggingface,
})

"""Opens the pictures that config.data names: for training, and held out."""
from collections.abc import Callable, Mapping
import dataclasses
import types
from typing import Any, NamedTuple, Protocol

import numpy as np

from msg_gan_jax.config import schema, tables
from msg_gan_jax.data import decode, held_out
from msg_gan_jax.data.decoder import REMEDY
from msg_gan_jax.data.drawn import avatars, polygons, toys
from msg_gan_jax.data.pictures import Pictures
from msg_gan_jax.data.source import OF_FILES, Source, Subset
from msg_gan_jax.data.store import PictureStore
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
  """What training sees, and what it never sees (None if there is nothing)."""
  train: Source
  held_out: Source | None

  def about(self) -> dict[str, dict[str, Any]]:
    """{split: {'count', 'shape', 'digest'}} of those that there are.

    The digest of a set that is streamed is '': the times of its files are
    another machine's own.
    """
    return {
        name: {'count': len(source), 'shape': [*source.shape],
               'digest': '' if source.notes.get('digest_of') == OF_FILES
               else source.digest()}
        for name, source in self._asdict().items() if source is not None}


class OpenSource(Protocol):
  """What a row of SOURCES is."""

  def __call__(self, data: schema.Data, /) -> Splits:
    """Opens the source that the settings name.

    Raises:
      ValueError: a setting is wrong, or data are missing or broken.
    """


class Drawn(NamedTuple):
  """Facts about a source that draws as many pictures as one likes.

  Attributes:
    settings: values of config.data that it needs in place of the defaults to
      draw pictures; {} for points.
    factors: {factor: its values, or (low, high)}; {} if they have no names.
  """
  settings: Mapping[str, Any] = types.MappingProxyType({})
  factors: Mapping[str, tuple] = types.MappingProxyType({})


def open_source(config: schema.Settings) -> Splits:
  """Opens the pictures that a config names.

  Neither split depends on config.seed: runs of several seeds are compared, and
  so they must learn from, and be measured on, the same pictures.

  Args:
    config: Config, or what `parse` takes: a ConfigDict or a nested dict.

  Raises:
    ValueError: the name is unknown, or data are missing or broken.
  """
  data = schema.parse(config).data
  return SOURCES.look_up(data.name)(data)


def with_share(config: schema.Config, splits: Splits) -> schema.Config:
  """The config with the share that is held out, if it was left open.

  A run records it at its first start, so that no picture changes sides when
  others are added.

  Args:
    config: that `splits` were opened with.
    splits: see open_source.
  """
  share = splits.train.notes.get(held_out.NOTE, config.data.held_out_share)
  return dataclasses.replace(config, data=dataclasses.replace(
      config.data, held_out_share=share))


def open_avatars(data: schema.Data) -> Splits:
  """Opens drawn cartoon heads.

  Source: this project's own distribution of heads, data/drawn/avatars.py.
  """
  _want_defaults(data, 'dataset')
  if data.width not in (0, data.resolution):
    raise ValueError(
        f'config.data.width: {data.width}; avatars are squares of config.data.'
        f'resolution = {data.resolution}. Wanted 0.')
  return _drawn(data, lambda count, first: avatars.Avatars(
      count, data.resolution, data.channels, seed=0, first=first,
      label=data.label))


def open_polygons(data: schema.Data) -> Splits:
  """Opens drawn convex polygons; data.dataset says which.

  Source: after Lucic et al. 2018 (arXiv:1711.10337), sec. 5; the definition is
  this project's.
  """
  if data.label:
    raise ValueError(
        f'config.data.label: {data.label!r}; polygons have no classes. Wanted '
        'none.')
  return _drawn(data, lambda count, first: polygons.Polygons(
      data.dataset, count, data.shape, first=first))


def open_toy(data: schema.Data) -> Splits:
  """Opens points of the plane; data.name is their layout.

  Source: Metz et al. 2017 (arXiv:1611.02163) and Lin et al. 2018
  (arXiv:1712.04086); see data/drawn/toys.py.
  """
  _want_defaults(data, 'dataset')
  if data.label:
    raise ValueError(
        f'config.data.label: {data.label!r}; the classes of a toy are its '
        'Gaussians. Wanted none.')
  return _drawn(data, lambda count, first: toys.Toy(
      data.name, count, data.shape, first=first))


def _drawn(data: schema.Data, draw: Callable[[int, int], Source]) -> Splits:
  """Draws the first `count` for training, and those that follow to hold out.

  Args:
    data: the settings.
    draw: (count, first) -> Source.
  """
  if data.path:
    raise ValueError(
        f'config.data.path: {data.path!r}, but config.data.name = '
        f'{data.name!r} draws its pictures; did you mean config.data.name='
        "'folder'?")
  _want_defaults(data, 'split', 'label_file', 'resize', 'filter', 'range',
                 'on_bad')
  return Splits(draw(data.count, 0), draw(data.held_out, data.count) if (
      data.held_out) else None)


def open_folder(data: schema.Data) -> Splits:
  """Opens a folder of picture files.

  Source: this project's; dataset.json is NVIDIA's (StyleGAN2-ADA).
  """
  _want_defaults(data, 'dataset', 'split')
  return _split(folder.Folder(data.path, data.label_file, data.label,
                              follow_links=data.follow_links), data)


def open_archive(data: schema.Data) -> Splits:
  """Opens a zip or a tar of picture files, or an .npz of arrays.

  Source: this project's; the files inside are those of a folder.
  """
  _want_defaults(data, 'split')
  opened = archive.unpack(data.path, data.cache_dir)
  if npz.is_npz(opened):
    _want_defaults(data, 'label_file')
    return _split(npz.Npz(opened, data.dataset, data.label), data)
  _want_defaults(data, 'dataset')
  return _split(archive.Archive(opened, data.label_file, data.label), data)


def open_cifar(data: schema.Data) -> Splits:
  """Opens CIFAR-10 or CIFAR-100: trains on all of the training set.

  Of the test set, config.data.held_out pictures, evenly spaced, or all are
  held out.

  Source: Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html
  """
  _want_defaults(data, 'dataset', 'label_file', 'range')
  if data.split != 'train':
    raise ValueError(
        f'config.data.split: {data.split!r}; {data.name} trains on all of its '
        "training set, and is measured on its test set. Wanted 'train'.")
  if data.name == 'cifar10':
    _want_defaults(data, 'label')
  files = cifar.load(data.name, data.path, data.cache_dir)
  train = read(cifar.Cifar(files, 'train', data.label), data)
  if data.held_out < 2:  # One picture has no statistics to measure.
    return Splits(train, None)
  test = cifar.Cifar(files, 'test', data.label, data.held_out)
  return Splits(train, read(test, data))


def open_tfds(data: schema.Data) -> Splits:
  """Opens a set that TensorFlow Datasets has prepared.

  Source: https://www.tensorflow.org/datasets
  """
  _want_defaults(data, 'label_file')
  return _split(tfds.Tfds(
      data.dataset, data.path, data.split, data.label, data.cache_dir), data)


def open_lmdb(data: schema.Data) -> Splits:
  """Opens an LMDB of encoded pictures.

  Source: LSUN's form, https://github.com/fyu/lsun
  """
  _want_defaults(data, 'dataset', 'split', 'label', 'label_file')
  return _split(lmdb.Lmdb(data.path, data.cache_dir), data)


def open_huggingface(data: schema.Data) -> Splits:
  """Opens a data set of the Hugging Face Hub, or one that its library saved.

  Source: https://huggingface.co/docs/datasets
  """
  _want_defaults(data, 'label_file')
  return _split(huggingface.HuggingFace(
      data.dataset, data.path, data.split, data.label, data.cache_dir,
      data.follow_links), data)


def _want_defaults(data: schema.Data, *names: str) -> None:
  """Refuses settings that mean nothing to this source and were changed."""
  defaults = type(data)()
  for name in names:
    value, default = getattr(data, name), getattr(defaults, name)
    if value != default:
      raise ValueError(
          f'config.data.{name}: {value!r} means nothing to config.data.name = '
          f'{data.name!r}; wanted {default!r}, the default.')


def _split(store: PictureStore, data: schema.Data) -> Splits:
  """Reads a store, and holds out a fixed part of its pictures."""
  pictures = read(store, data)
  kept_out = held_out.choose(pictures, data)
  measured = np.flatnonzero(kept_out)
  if not len(measured):
    return Splits(pictures, None)
  return Splits(
      Subset(pictures, np.flatnonzero(~kept_out)),
      Subset(pictures, measured) if (
          len(measured) >= held_out.fewest(data)) else None)


def read(store: PictureStore, data: schema.Data,
         remedy: str = REMEDY) -> Pictures:
  """Reads the pictures of a store as the settings say.

  Args:
    store: where they lie.
    data: the settings.
    remedy: what helps against a broken picture, a sentence.

  Raises:
    ValueError: a picture is broken, config.data.count is set, or
      config.data.range is not a range.
  """
  _want_defaults(data, 'count')
  return Pictures(store, decode.recipe_of(data), data.on_bad, data.cache_dir,
                  data.cache_gb, data.threads, remedy)


SOURCES: tables.Table[OpenSource] = tables.Table('config.data.name', 'source', {
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

# Sources that draw their pictures, and so have no path.
DRAWN: dict[str, Drawn] = {
    'avatars': Drawn(factors=avatars.FACTORS),
    'polygons': Drawn({'resolution': 28, 'channels': 1}),
    'ring': Drawn(),
    'grid': Drawn(),
    'line': Drawn(),
}

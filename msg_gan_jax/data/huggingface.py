"""A data set of the Hugging Face Hub, or one that its library saved."""
import json
import os

import numpy as np

from msg_gan_jax import tables
from msg_gan_jax.data import extras, features, listing


class HuggingFace:
  """The rows of a split; implements pictures.Store.

  Its pictures are the encoded ones: the same file has the same pixels here as
  in a folder. Any number of threads may read.

  Args:
    dataset: 'user/name', or 'user/name:config'; '' where a path is given.
    path: a folder that save_to_disk wrote, or one of parquet files; '' where
      a dataset is given.
    split: a split of it; of a dataset, or of parquet files, also an
      expression as 'train[:10%]'.
    label: the column that is the class; '' is 'label', or the only one.
    cache_dir: where what is downloaded or converted is kept; '' is the
      library's own folder.

  Raises:
    ValueError: `datasets` is not installed; no such set, split or column; no
      network.
  """

  def __init__(self, dataset='', path='', split='train', label='',
               cache_dir=''):
    datasets = extras.load('datasets', 'huggingface')
    if bool(dataset) == bool(path):
      raise ValueError(
          f'config.data.dataset: {dataset!r}, and config.data.path: {path!r}; '
          "wanted one of the two: as 'user/name', or a folder.")
    self.name = dataset or os.path.basename(os.path.abspath(path))
    self.place = dataset or os.path.realpath(os.path.expanduser(path))
    rows = (_of_hub(datasets, dataset, split, cache_dir) if dataset else
            _of_folder(datasets, self.place, split, cache_dir))
    self._image = features.picture(
        self.place, _of_kind(datasets.Image, rows), rows.features)
    label = features.label(
        self.place, label, _of_kind(datasets.ClassLabel, rows))
    self._split = split
    self._stats = listing.stats(x['filename'] for x in rows.cache_files)
    self.names = [str(i) for i in range(len(rows))]
    self.mean_bytes = (
        sum(size for _, size, _ in self._stats) / max(1, len(rows)))
    self.classes, self.labels, self.notes = (), np.zeros(len(rows), int), {}
    if label:
      self.classes, self.labels, self.notes = features.labelled(
          label, rows.features[label].names, rows[label][:])
    self.notes['split'] = split
    self._rows = rows.select_columns([self._image]).cast_column(
        self._image, datasets.Image(decode=False))

  def where(self, i):
    return f'{self.place}: {self._split}[{self.names[i]}]'

  def read(self, i):
    found = self._rows[i][self._image]
    if found['bytes'] is not None:
      return found['bytes']
    with open(found['path'], 'rb') as file:
      return file.read()

  def peek(self, i):
    return self.read(i)

  def identity(self):
    return json.dumps(
        [self.name, self._split, self._image, self._stats]).encode()


def _of_kind(kind, rows):
  return [k for k, f in rows.features.items() if isinstance(f, kind)]


def _of_hub(datasets, dataset, split, cache_dir):
  name, _, config = dataset.partition(':')
  try:
    return datasets.load_dataset(
        name, config or None, split=split, cache_dir=_cache(cache_dir))
  except datasets.exceptions.DatasetNotFoundError as error:
    raise ValueError(f'config.data.dataset: {error}') from error
  except ConnectionError as error:
    raise ValueError(
        f'config.data.dataset: {dataset!r} cannot be reached: {error}. Without '
        'a network: load it elsewhere, save_to_disk, and set config.data.path '
        'to that folder.') from error
  except ValueError as error:  # Says what there is instead.
    raise ValueError(_refused(dataset, split, error)) from error


def _of_folder(datasets, folder, split, cache_dir):
  if not os.path.isdir(folder):
    raise ValueError(f'config.data.path: no folder {folder!r}.')
  inside = os.listdir(folder)
  if 'dataset_dict.json' in inside:
    splits = datasets.load_from_disk(folder)
    if split not in splits:
      raise ValueError(f'config.data.split: no split {split!r} in {folder!r}; '
                       f'{tables.nearest(split, splits)}')
    return splits[split]
  if 'state.json' in inside:
    rows = datasets.load_from_disk(folder)
    if split not in ('train', str(rows.split)):
      raise ValueError(f'config.data.split: {split!r}; {folder!r} holds only '
                       f"{str(rows.split or 'train')!r}.")
    return rows
  if not any(name.endswith('.parquet') for _, _, names in os.walk(folder)
             for name in names):
    raise ValueError(
        f'config.data.path: {folder!r} was not written by save_to_disk, and '
        'has no .parquet files. For files of pictures set config.data.name = '
        "'folder'.")
  try:
    return datasets.load_dataset(
        folder, split=split, cache_dir=_cache(cache_dir))
  except ValueError as error:
    raise ValueError(_refused(folder, split, error)) from error


def _cache(cache_dir):
  """A folder of its own in ours; None is the library's default."""
  if not cache_dir:
    return None
  return os.path.join(
      os.path.abspath(os.path.expanduser(cache_dir)), 'huggingface')


def _refused(what, split, error):
  text = str(error)
  if 'split' in text.lower():
    return f'config.data.split: {split!r} of {what!r}: {text}'
  return f'config.data.dataset: {what!r}: {text}'

"""A data set of the Hugging Face Hub, or one that its library saved."""
import contextlib
import json
import os
import ssl
import urllib.error
import urllib.request

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data.stores import columns, listing
from msg_gan_jax.files import cache, optional

PLAIN = ('int', 'bool', 'string', 'large_string')  # 'u' is taken off.


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
    label: the column that is the class: a ClassLabel, or whole numbers, bools
      or texts; '' is a usual name as 'label', or the only ClassLabel.
    cache_dir: where what is downloaded or converted is kept; '' is the
      library's own folder.

  Raises:
    ValueError: `datasets` is not installed; no such set, split or column; no
      network.
  """

  def __init__(self, dataset='', path='', split='train', label='',
               cache_dir=''):
    datasets = optional.load('datasets', 'huggingface')
    if bool(dataset) == bool(path):
      raise ValueError(
          f'config.data.dataset: {dataset!r}, and config.data.path: {path!r}; '
          "wanted one of the two: as 'user/name', or a folder.")
    self.name = dataset or os.path.basename(os.path.abspath(path))
    self.place = dataset or os.path.realpath(os.path.expanduser(path))
    rows = (_of_hub(datasets, dataset, split, cache_dir) if dataset else
            _of_folder(datasets, self.place, split, cache_dir))
    self._image = columns.picture(
        self.place, _of_kind(datasets.Image, rows), rows.features)
    self._split = split
    self.names = [str(i) for i in range(len(rows))]
    self.classes, self.labels, self.notes = _labels(
        datasets, self.place, rows, label, self._image)
    self.notes['split'] = split
    self._rows = rows.select_columns([self._image]).cast_column(
        self._image, datasets.Image(decode=False))
    self._stats = [
        *listing.stats(x['filename'] for x in rows.cache_files),
        *map(_stat, _paths(self._rows.data.column(self._image)))]
    self.mean_bytes = (
        sum(size for _, size, _ in self._stats) / max(1, len(rows)))

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


def _labels(datasets, place, rows, wanted, image):
  """-> (classes, labels, notes) of a wanted column, or of the likeliest."""
  kinds = {
      name: f.dtype if isinstance(f, datasets.Value) else type(f).__name__
      for name, f in rows.features.items()}
  known = _of_kind(datasets.ClassLabel, rows)
  plain = [name for name in _of_kind(datasets.Value, rows)
           if kinds[name].removeprefix('u').startswith(PLAIN)]
  name = columns.label(place, wanted, known, plain)
  found = (), np.zeros(len(rows), np.int32), {}
  if name in known:
    found = columns.labelled(name, rows.features[name].names, rows[name][:])
  elif name:
    found = columns.classified(place, name, rows[name][:], bool(wanted))
  # Where a label was not taken, its note says so.
  found[2].update(columns.others(kinds, image, name))
  return found


def _paths(column):
  """Of the pictures in a column that lie in files of their own."""
  import pyarrow.compute as pc  # `datasets` brings it.
  outside = pc.and_(pc.is_null(pc.struct_field(column, 'bytes')),
                    pc.is_valid(pc.struct_field(column, 'path')))
  return pc.struct_field(column, 'path').filter(outside).to_pylist()


def _stat(path):
  """Name, size and time; where it is not there, its reader will say so."""
  try:
    return listing.stats([path])[0]
  except OSError:
    return [path, 0, -1]


def _of_hub(datasets, dataset, split, cache_dir):
  name, _, config = dataset.partition(':')
  offline = (contextlib.nullcontext() if _reachable(datasets) else
             _offline(datasets))
  try:
    with offline:
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


def _reachable(datasets):
  """Whether the Hub answers, however it does; the library asks for 24 s."""
  if datasets.config.HF_HUB_OFFLINE:
    return False
  ask = urllib.request.Request(datasets.config.HF_ENDPOINT, method='HEAD')
  try:
    urllib.request.urlopen(ask, timeout=10).close()
  except urllib.error.HTTPError:
    return True
  except OSError as error:
    # Of certificates the library may know more than Python does.
    return isinstance(getattr(error, 'reason', error), ssl.SSLError)
  return True


@contextlib.contextmanager
def _offline(datasets):
  """Here the library takes what it has downloaded before, or says no."""
  from huggingface_hub import constants
  places = (datasets.config, constants)
  before = [place.HF_HUB_OFFLINE for place in places]
  try:
    for place in places:
      place.HF_HUB_OFFLINE = True
    yield
  finally:
    for place, was in zip(places, before, strict=True):
      place.HF_HUB_OFFLINE = was


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
  return os.path.join(cache.folder(cache_dir), 'huggingface')


def _refused(what, split, error):
  text = str(error)
  if 'split' in text.lower():
    return f'config.data.split: {split!r} of {what!r}: {text}'
  return f'config.data.dataset: {what!r}: {text}'

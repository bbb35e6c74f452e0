"""A data set of the Hugging Face Hub, or of its library, as a PictureStore."""
import contextlib
import json
import os
import ssl
import urllib.error
import urllib.request

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data import picture_files
from msg_gan_jax.data.stores import columns, listing
from msg_gan_jax.files import cache, optional, plain

# Beginnings of the types that can be classes; 'uint8' counts as 'int8'.
PLAIN = ('int', 'bool', 'string', 'large_string')


class HuggingFace:
  """The rows of a split; implements store.PictureStore.

  Its pictures are read as they are encoded: a file has the same pixels here as
  in a folder. Any number of threads may read.

  Args:
    dataset: 'user/name' or 'user/name:config'; '' if a path is given.
    path: a folder that save_to_disk wrote, or one of parquet files; '' if a
      dataset is given.
    split: a split of it; of a dataset, or of parquet files, also an expression
      such as 'train[:10%]'.
    label: the column that is the class: a ClassLabel, or whole numbers, bools
      or texts; '' is a usual name such as 'label', or the only ClassLabel.
    cache_dir: where downloaded or converted files are kept; '' is the library's
      own folder.
    follow_links: whether pictures in files of their own may lie outside of the
      folder.

  Raises:
    ValueError: `datasets` is not installed; there is no such set, split or
      column; or there is no network.
  """

  def __init__(self, dataset: str = '', path: str = '', split: str = 'train',
               label: str = '', cache_dir: str = '',
               follow_links: bool = False) -> None:
    datasets = optional.require('datasets', "config.data.name: 'huggingface'")
    if bool(dataset) == bool(path):
      raise ValueError(
          f'config.data.dataset: {dataset!r}, and config.data.path: {path!r}; '
          "wanted one of the two: such as 'user/name', or a folder.")
    self.name = dataset or os.path.basename(os.path.abspath(path))
    self.place = dataset or os.path.realpath(os.path.expanduser(path))
    rows = (_of_hub(datasets, dataset, split, cache_dir) if dataset else
            _of_folder(datasets, self.place, split, cache_dir))
    self._image = columns.picture_column(
        self.place, _of_kind(datasets.Image, rows), rows.features)
    self._split = split
    self.names = [str(i) for i in range(len(rows))]
    self.classes, self.labels, self.notes = _labels(
        datasets, self.place, rows, label, self._image)
    self.notes['split'] = split
    self._rows = rows.select_columns([self._image]).cast_column(
        self._image, datasets.Image(decode=False))
    files = _paths(self._rows.data.column(self._image))
    if path and not follow_links:
      _refuse_elsewhere(self.place, files)
    self._stats = [
        *listing.stats(x['filename'] for x in rows.cache_files),
        *map(_stat, files)]
    self.mean_bytes = (
        sum(size for _, size, _ in self._stats) / max(1, len(rows)))

  def where(self, i: int) -> str:
    return f'{self.place}: {self._split}[{self.names[i]}]'

  def read(self, i: int) -> bytes:
    picture = self._rows[i][self._image]
    if picture['bytes'] is not None:
      return picture['bytes']
    return plain.read(picture['path'])

  def peek(self, i: int) -> bytes:
    return self.read(i)

  def identity(self) -> bytes:
    return json.dumps(
        [self.name, self._split, self._image, self._stats]).encode()


def _of_kind(kind, rows):
  return [k for k, f in rows.features.items() if isinstance(f, kind)]


def _labels(datasets, place, rows, wanted, image):
  """-> columns.Labels of the wanted column, or of the likeliest one."""
  kinds = {
      name: f.dtype if isinstance(f, datasets.Value) else type(f).__name__
      for name, f in rows.features.items()}
  known = _of_kind(datasets.ClassLabel, rows)
  plain = [name for name in _of_kind(datasets.Value, rows)
           if kinds[name].removeprefix('u').startswith(PLAIN)]
  name = columns.label_column(place, wanted, known, plain)
  labels = columns.Labels((), np.zeros(len(rows), np.int32), {})
  if name in known:
    labels = columns.from_class_labels(
        name, rows.features[name].names, rows[name][:])
  elif name:
    labels = columns.from_values(place, name, rows[name][:], bool(wanted))
  # If a label is not used, its note says why.
  labels.notes.update(columns.others(kinds, image, name))
  return labels


def _paths(column):
  """Lists the files of pictures in a column that do not hold their bytes."""
  import pyarrow.compute as pc  # `datasets` brings it.
  outside = pc.and_(pc.is_null(pc.struct_field(column, 'bytes')),
                    pc.is_valid(pc.struct_field(column, 'path')))
  return pc.struct_field(column, 'path').filter(outside).to_pylist()


def _refuse_elsewhere(folder, paths):
  """Raises for a picture outside of the folder that speaks of it."""
  for path in paths:
    full = os.path.realpath(os.path.join(folder, path))
    if os.path.commonpath([folder, full]) != folder:
      raise ValueError(
          f'config.data.path: {folder!r} speaks of {path!r}, which lies '
          'outside of it. Where it is yours: config.data.follow_links=True.')


def _stat(path):
  """-> [name, size, time]; if the file is missing, its reader will tell."""
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
  except ValueError as error:  # It says what there is instead.
    raise ValueError(_refused(dataset, split, error)) from error


def _reachable(datasets):
  """Tells whether the Hub answers at all; the library would try for 24 s."""
  if datasets.config.HF_HUB_OFFLINE:
    return False
  ask = urllib.request.Request(datasets.config.HF_ENDPOINT, method='HEAD')
  try:
    urllib.request.urlopen(ask, timeout=10).close()
  except urllib.error.HTTPError:
    return True
  except OSError as error:
    # The library may trust certificates that Python does not.
    return isinstance(getattr(error, 'reason', error), ssl.SSLError)
  return True


@contextlib.contextmanager
def _offline(datasets):
  """A context in which the library uses only what it has downloaded before."""
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
    raise ValueError(
        f'config.data.path: no folder {folder!r}; the nearest that exists is '
        f'{picture_files.nearest_folder(folder)!r}.')
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
        'has no .parquet files. For files of pictures set config.data.name='
        "'folder'.")
  try:
    return datasets.load_dataset(
        folder, split=split, cache_dir=_cache(cache_dir))
  except ValueError as error:
    raise ValueError(_refused(folder, split, error)) from error


def _cache(cache_dir):
  """Returns a folder inside of ours; None is the library's default."""
  if not cache_dir:
    return None
  return os.path.join(cache.folder(cache_dir), 'huggingface')


def _refused(what, split, error):
  text = str(error)
  if 'split' in text.lower():
    return f'config.data.split: {split!r} of {what!r}: {text}'
  return f'config.data.dataset: {what!r}: {text}'

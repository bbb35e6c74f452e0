"""A set of TensorFlow Datasets as a PictureStore, without TensorFlow."""
import json
import os

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data.stores import columns, listing, tfds_prepared
from msg_gan_jax.files import optional


class Tfds:
  """A split of a prepared set; implements store.PictureStore.

  Its pictures are read as they are encoded: a file has the same pixels here as
  in a folder. array_record or parquet files are read by index, and any number
  of threads may read.

  Args:
    dataset: 'name' or 'name/config', either with ':version'.
    path: TFDS's data_dir; '' is its default.
    split: a split of the set, or an expression such as 'train[:10%]+test'.
    label: the feature that is the class: a ClassLabel, or whole numbers, bools
      or texts; in a dict, a path such as 'attributes/Smiling'. '' is a usual
      name such as 'label', or the only ClassLabel.
    cache_dir: where the labels are kept; '' is the user's cache folder.

  Raises:
    ValueError: TFDS is not installed; there is no such set, split or feature;
      or the set is not prepared, or cannot be read by index.
  """

  def __init__(self, dataset: str, path: str = '', split: str = 'train',
               label: str = '', cache_dir: str = '') -> None:
    tfds = optional.require('tensorflow_datasets', "config.data.name: 'tfds'")
    self.place = tfds_prepared.find(tfds, dataset, path)
    builder = tfds.builder_from_directory(self.place)
    features = builder.info.features
    self._image = _picture(tfds, dataset, features)
    known, plain = _classes(tfds, features)
    inner = [name for name in known if '/' in name]
    self._label = columns.label_column(
        dataset, label, [x for x in known if x not in inner], inner + plain)
    self._records = _records(tfds, builder, dataset, split)
    self._split = split
    self._stats = listing.stats(
        entry.path for entry in sorted(os.scandir(self.place), key=_name)
        if entry.is_file())
    self.name = builder.info.full_name
    self.names = [str(i) for i in range(len(self._records))]
    self.mean_bytes = _mean_bytes(builder.info)
    labels = columns.Labels((), np.zeros(len(self.names), np.int32), {})
    if self._label in known:
      labels = columns.from_class_labels(
          self._label, known[self._label], self._read_labels(cache_dir))
    elif self._label:
      labels = columns.from_values(
          dataset, self._label, self._read_labels(cache_dir), bool(label))
    self.classes, self.labels, self.notes = labels
    self.notes.update(columns.others(
        _kinds(tfds, features), self._image, self._label))
    self.notes['split'] = split

  def where(self, i: int) -> str:
    return f'{self.place}: {self._split}[{self.names[i]}]'

  def read(self, i: int) -> bytes:
    return self._records[i][self._image]

  def peek(self, i: int) -> bytes:
    return self.read(i)

  def identity(self) -> bytes:
    return json.dumps([self.name, self._split, self._stats]).encode()

  def _read_labels(self, cache_dir):
    """Reads all records, because labels lie beside their pictures."""
    def produce():
      numbers = range(len(self._records))
      return {'labels': [self._label_of(i) for i in listing.bar(
          numbers, len(numbers), self.name)]}

    facts = ['tfds', self.place, self._split, self._label, self._stats]
    return listing.fetch(cache_dir, facts, produce)['labels']

  def _label_of(self, i):
    try:
      value = self._records[i]
      for name in self._label.split('/'):
        value = value[name]
    except Exception as error:  # Damaged files raise many kinds.
      raise ValueError(
          f'config.data.path: cannot read {self.where(i)!r}: {error} '
          f'({type(error).__name__}). Prepare it anew.') from error
    return (value.decode('utf-8', 'backslashreplace')
            if isinstance(value, bytes) else np.asarray(value).item())


def _name(entry):
  return entry.name


def _picture(tfds, dataset, features):
  # Subclasses are left out: a LabeledImage is a map of classes.
  images = [k for k, f in features.items() if type(f) is tfds.features.Image]
  name = columns.picture_column(dataset, images, features)
  kind = np.dtype(features[name].np_dtype)
  if kind not in (np.uint8, np.uint16):
    raise ValueError(f'config.data.dataset: pictures of {dataset!r} are '
                     f'{kind}; wanted uint8 or uint16.')
  return name


def _classes(tfds, features):
  """-> ({class label: its classes}, names of other numbers and texts).

  What lies in a dict is called by its path; it is a label only if a setting
  names it.
  """
  known, plain = {}, []
  for name, feature in features.items():
    if isinstance(feature, tfds.features.ClassLabel):
      known[name] = feature.names
    elif isinstance(feature, tfds.features.FeaturesDict):
      inner, more = _classes(tfds, feature)
      known.update({f'{name}/{x}': names for x, names in inner.items()})
      plain += [f'{name}/{x}' for x in more]
    elif isinstance(feature, tfds.features.Text) or (
        isinstance(feature, tfds.features.Tensor) and not feature.shape
        and np.dtype(feature.np_dtype).kind in 'iub'):
      plain.append(name)
  return known, plain


def _kinds(tfds, features):
  """-> {name: what it is}, for dicts with what they hold."""
  return {name: f'{type(f).__name__} {", ".join(sorted(f.keys()))}'
          if isinstance(f, tfds.features.FeaturesDict) else type(f).__name__
          for name, f in features.items()}


def _records(tfds, builder, dataset, split):
  """Opens records by index, with pictures as they are encoded."""
  skip = {name: tfds.decode.SkipDecoding()
          for name, f in builder.info.features.items()
          if isinstance(f, tfds.features.Image)}
  try:
    if not builder.info.splits[split].num_examples:
      raise ValueError('it is empty')
    return builder.as_data_source(split=split, decoders=skip)
  except NotImplementedError as error:
    raise ValueError(tfds_prepared.wrong_format(builder, dataset)) from error
  except (ValueError, KeyError) as error:
    name = split.partition('[')[0]
    known = sorted(builder.info.splits)
    near = tables.closest(name, known)
    hint = f' Did you mean {near!r}?' if near and name not in known else ''
    raise ValueError(
        f'config.data.split: {split!r} of {dataset!r}: '
        f"{str(error).partition('. ')[0]}.{hint} Known: {', '.join(known)}, "
        f"and expressions such as '{known[0]}[:10%]'.") from error


def _mean_bytes(info):
  splits = info.splits.values()
  return (sum(split.num_bytes for split in splits)
          / max(1, sum(split.num_examples for split in splits)))

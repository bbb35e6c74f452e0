"""Any image set of TensorFlow Datasets, prepared once, without TensorFlow."""
import difflib
import json
import os

import numpy as np

from msg_gan_jax.data.stores import columns, listing, tfds_prepared
from msg_gan_jax.files import optional


class Tfds:
  """A split of a prepared set; implements pictures.Store.

  Its pictures are the encoded ones: the same file has the same pixels here as
  in a folder. Reading is by index, of array_record or parquet files, and any
  number of threads may read.

  Args:
    dataset: 'name', 'name/config', either with ':version'.
    path: TFDS's data_dir; '' is its default.
    split: a split of the set, or an expression as 'train[:10%]+test'.
    label: the feature that is the class: a ClassLabel, or whole numbers, bools
      or texts, in a dict as 'attributes/Smiling'; '' is a usual name as
      'label', or the only ClassLabel.
    cache_dir: where the labels are kept.

  Raises:
    ValueError: TFDS is not installed; no such set, split or feature; a set
      that is not prepared, or not for reading by index.
  """

  def __init__(self, dataset, path='', split='train', label='', cache_dir=''):
    tfds = optional.load('tensorflow_datasets', 'tfds')
    self.place = tfds_prepared.find(tfds, dataset, path)
    builder = tfds.builder_from_directory(self.place)
    features = builder.info.features
    self._image = _picture(tfds, dataset, features)
    known, plain = _classes(tfds, features)
    inner = [name for name in known if '/' in name]
    self._label = columns.label(
        dataset, label, [x for x in known if x not in inner], inner + plain)
    self._source = _source(tfds, builder, dataset, split)
    self._split = split
    self._stats = listing.stats(
        entry.path for entry in sorted(os.scandir(self.place), key=_name)
        if entry.is_file())
    self.name = builder.info.full_name
    self.names = [str(i) for i in range(len(self._source))]
    self.mean_bytes = _mean_bytes(builder.info)
    self.classes, self.labels, self.notes = (), [0] * len(self.names), {}
    if self._label in known:
      self.classes, self.labels, self.notes = columns.labelled(
          self._label, known[self._label], self._labels(cache_dir))
    elif self._label:
      self.classes, self.labels, self.notes = columns.classified(
          dataset, self._label, self._labels(cache_dir), bool(label))
    self.notes.update(columns.others(
        _kinds(tfds, features), self._image, self._label))
    self.notes['split'] = split

  def where(self, i):
    return f'{self.place}: {self._split}[{self.names[i]}]'

  def read(self, i):
    return self._source[i][self._image]

  def peek(self, i):
    return self.read(i)

  def identity(self):
    return json.dumps([self.name, self._split, self._stats]).encode()

  def _labels(self, cache_dir):
    """Of all records, one after the other: they lie beside the pictures."""
    def produce():
      numbers = range(len(self._source))
      return {'labels': [self._label_of(i) for i in listing.bar(
          numbers, len(numbers), self.name)]}

    facts = ['tfds', self.place, self._split, self._label, self._stats]
    return listing.fetch(cache_dir, facts, produce)['labels']

  def _label_of(self, i):
    try:
      value = self._source[i]
      for name in self._label.split('/'):
        value = value[name]
    except Exception as error:  # A damaged file raises many kinds.
      raise ValueError(
          f'config.data.path: cannot read {self.where(i)!r}: {error} '
          f'({type(error).__name__}). Prepare it anew.') from error
    return (value.decode('utf-8', 'backslashreplace')
            if isinstance(value, bytes) else np.asarray(value).item())


def _name(entry):
  return entry.name


def _picture(tfds, dataset, features):
  # Not its subclasses: a LabeledImage is a map of classes.
  images = [k for k, f in features.items() if type(f) is tfds.features.Image]
  name = columns.picture(dataset, images, features)
  kind = np.dtype(features[name].np_dtype)
  if kind not in (np.uint8, np.uint16):
    raise ValueError(f'config.data.dataset: pictures of {dataset!r} are '
                     f'{kind}; wanted uint8 or uint16.')
  return name


def _classes(tfds, features):
  """-> ({class label: its classes}, names of other numbers and texts).

  What lies in a dict is called by its path, and is only taken if it is named.
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
  """{name: what it is}, of dicts with what they hold."""
  return {name: f'{type(f).__name__} {", ".join(sorted(f.keys()))}'
          if isinstance(f, tfds.features.FeaturesDict) else type(f).__name__
          for name, f in features.items()}


def _source(tfds, builder, dataset, split):
  """Records by index, pictures as they are encoded."""
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
    near = difflib.get_close_matches(name, known, n=1)
    hint = f' Did you mean {near[0]!r}?' if near and name not in known else ''
    raise ValueError(
        f'config.data.split: {split!r} of {dataset!r}: '
        f"{str(error).partition('. ')[0]}.{hint} Known: {', '.join(known)}, "
        f"and expressions as '{known[0]}[:10%]'.") from error


def _mean_bytes(info):
  splits = info.splits.values()
  return (sum(split.num_bytes for split in splits)
          / max(1, sum(split.num_examples for split in splits)))

"""CIFAR-10 and CIFAR-100, as published for C programs, as PictureStores."""
import hashlib
import json
import os
from typing import NamedTuple

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data.stores import archive, listing
from msg_gan_jax.files import download, plain

SIZE = 32
PIXELS = 3 * SIZE * SIZE


class Layout(NamedTuple):
  """How a set is published.

  A file holds records of a few label bytes and a red, a green and a blue plane.

  Attributes:
    title: what people call it.
    url: of the archive.
    md5: of the archive, as its page gives it.
    folder: that the archive unpacks to.
    files: {'train': names, 'test': names}.
    labels: {name: (file with the names of the classes, how many)}, in the order
      of the label bytes.
    label: which of them is the class unless a setting names another.
  """
  title: str
  url: str
  md5: str
  folder: str
  files: dict[str, list[str]]
  labels: dict[str, tuple[str, int]]
  label: str


# Source of layouts and digests: https://www.cs.toronto.edu/~kriz/cifar.html
PAGE = 'https://www.cs.toronto.edu/~kriz/'
LAYOUTS: dict[str, Layout] = {
    'cifar10': Layout(
        'CIFAR-10', f'{PAGE}cifar-10-binary.tar.gz',
        'c32a1d4ab5d03f1284b67883e8d87530', 'cifar-10-batches-bin',
        {'train': [f'data_batch_{i}.bin' for i in range(1, 6)],
         'test': ['test_batch.bin']},
        {'': ('batches.meta.txt', 10)}, ''),
    'cifar100': Layout(
        'CIFAR-100', f'{PAGE}cifar-100-binary.tar.gz',
        '03b5dce01913d631647c71ecec9e9cb8', 'cifar-100-binary',
        {'train': ['train.bin'], 'test': ['test.bin']},
        {'coarse': ('coarse_label_names.txt', 20),
         'fine': ('fine_label_names.txt', 100)}, 'fine'),
}


class Files(NamedTuple):
  """The published files.

  Attributes:
    layout: how they are published.
    place: the archive or the folder, absolute.
    contents: {name: bytes}.
    stamp: sizes and times, which change when the files do.
    official: whether this is the published archive, as a sentence.
  """
  layout: Layout
  place: str
  contents: dict[str, bytes]
  stamp: list
  official: str


class Cifar:
  """One part of a CIFAR; implements store.PictureStore.

  Args:
    files: what `load` returns.
    part: 'train' or 'test'.
    label: a name in layout.labels; '' is the layout's own choice.
    most: how many pictures, evenly spaced; None, or more than there are, is
      all.

  Raises:
    ValueError: files are missing, cut off or have another format; or there is
      no such label.
  """
  mean_bytes = 0.

  def __init__(self, files: Files, part: str, label: str = '',
               most: int | None = None) -> None:
    layout = files.layout
    which, (names_file, count) = _label(layout, label)
    records = {name: _records(files, name) for name in layout.files[part]}
    names = [f'{name}[{i}]' for name, rows in records.items()
             for i in range(len(rows))]
    rows = [row for rows in records.values() for row in rows]  # Views.
    indices = _spaced(len(names), most)
    self.name, self.place = layout.title, files.place
    self.names = [names[i] for i in indices]
    self.classes = _classes(files, names_file, count)
    self.labels = np.array([rows[i][which] for i in indices], np.int32)
    self._pixels = [rows[i][len(layout.labels):] for i in indices]
    self._check_labels(count)
    self._stamp = files.stamp
    self.notes: dict = {'archive': files.official, 'part': part}
    if len(indices) < len(names):
      self.notes['out_of'] = len(names)

  def where(self, i: int) -> str:
    return f'{self.place}/{self.names[i]}'

  def read(self, i: int) -> np.ndarray:
    return np.moveaxis(self._pixels[i].reshape(3, SIZE, SIZE), 0, -1)

  def peek(self, i: int) -> np.ndarray:
    return self.read(i)

  def identity(self) -> bytes:
    return json.dumps([self.names, self._stamp]).encode()

  def _check_labels(self, count):
    wrong = np.flatnonzero(self.labels >= count)
    if len(wrong):
      raise ValueError(
          f'config.data.path: label {self.labels[wrong[0]]} of '
          f'{self.where(wrong[0])!r}; wanted 0 to {count - 1}. Is it another '
          'data set, or damaged?')


def load(name: str, path: str, cache_dir: str) -> Files:
  """Reads the files at `path`, or those of the published archive.

  Args:
    name: a row of LAYOUTS.
    path: the archive, the folder of the .bin files, or the folder that holds
      it; '' fetches the archive once.
    cache_dir: where a fetched archive is kept; '' is the user's cache folder.

  Raises:
    ValueError: nothing is there, it is not readable, or it cannot be fetched.
  """
  layout = LAYOUTS[name]
  if not path:
    path = download.fetch(
        layout.title, layout.url, f'md5:{layout.md5}', cache_dir)
  full = os.path.realpath(os.path.expanduser(path))
  if os.path.isfile(full):
    return _of_archive(layout, full, cache_dir)
  if not os.path.isdir(full):
    raise ValueError(
        f'config.data.path: no file or folder {path!r}; wanted the archive '
        f'{os.path.basename(layout.url)} or its folder, or nothing: then '
        f'{layout.url} is fetched.')
  inner = os.path.join(full, layout.folder)
  return _of_folder(layout, inner if os.path.isdir(inner) else full)


def _of_archive(layout, path, cache_dir):
  """Reads the files from an archive, wherever in it they lie."""
  opened = archive.unpack(path, cache_dir)
  places = {os.path.basename(name): name for name in opened.members}
  contents = {}
  for name in _all_names(layout) & set(places):
    try:
      contents[name] = opened.read(places[name])
    except ValueError as error:
      raise ValueError(
          f'config.data.path: cannot read {name} in {path!r}: {error}. Wanted '
          f'{layout.url}; fetch it again.') from error
  stamp = listing.stats([path])
  return Files(layout, path, contents, stamp,
               _official(layout, path, stamp, cache_dir))


def _of_folder(layout, folder):
  paths = [os.path.join(folder, name) for name in sorted(
      _all_names(layout) & set(os.listdir(folder)))]
  contents = {}
  for path in paths:
    contents[os.path.basename(path)] = plain.read(path)
  return Files(layout, folder, contents, listing.stats(paths),
               'a folder, which has no digest')


def _official(layout, path, stamp, cache_dir):
  """Compares the archive's MD5, which is computed once: it takes a while."""
  def digest():
    with open(path, 'rb') as file:
      return {'md5': hashlib.file_digest(
          file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()}

  md5 = listing.fetch(cache_dir, ['md5', path, stamp], digest)['md5']
  if md5 == layout.md5:
    return 'verified'
  return f'MD5 is {md5}; that of {layout.url} is {layout.md5}'


def _all_names(layout):
  return {*layout.files['train'], *layout.files['test'],
          *(name for name, _ in layout.labels.values())}


def _records(files, name):
  """-> uint8 [n, label bytes + 3072]."""
  layout = files.layout
  if name not in files.contents:
    raise ValueError(
        f'config.data.path: no {name} in {files.place!r}, found '
        f'{", ".join(sorted(files.contents)) or "nothing of it"}; wanted the '
        f'binary version of {layout.title}, as {layout.url} has it.')
  content, row = files.contents[name], len(layout.labels) + PIXELS
  if not content or len(content) % row:
    raise ValueError(
        f'config.data.path: {name} in {files.place!r} has {len(content)} '
        f'bytes; wanted a multiple of {row}, as {layout.title} has. It is cut '
        'short, or of another data set.')
  return np.frombuffer(content, np.uint8).reshape(-1, row)


def _label(layout, label):
  """-> (which label byte, (file of names, how many classes))."""
  label = label or layout.label
  if label not in layout.labels:
    known = tables.nearest(label, [name for name in layout.labels if name])
    raise ValueError(f'config.data.label: {layout.title} has no {label!r}; '
                     f'{known}')
  return list(layout.labels).index(label), layout.labels[label]


def _classes(files, name, count):
  """Reads the names of the classes; without their file, counts them."""
  if name not in files.contents:
    return tuple(str(i) for i in range(count))
  text = files.contents[name].decode('utf-8', 'replace')
  classes = tuple(line.strip() for line in text.splitlines() if line.strip())
  if len(classes) != count:
    raise ValueError(
        f'config.data.path: {name} in {files.place!r} names {len(classes)} '
        f'classes; {files.layout.title} has {count}.')
  return classes


def _spaced(count, most):
  """-> at most `most` numbers from 0 to count - 1, evenly spaced."""
  most = count if most is None else min(most, count)
  return np.arange(most) * count // most

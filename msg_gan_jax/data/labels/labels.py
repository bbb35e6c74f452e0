"""Labels of pictures: from a file that lists them, or from their folders."""
from collections.abc import Callable
import os
from typing import NamedTuple

from msg_gan_jax.config import tables
from msg_gan_jax.data import picture_files
from msg_gan_jax.data.labels import label_files, label_rows

DEFAULT = 'dataset.json'  # So NVIDIA's tools call it, for StyleGAN and others.
# More would be names of single pictures, and a layer as wide as the data set.
MOST_CLASSES = 100_000


class Inside(NamedTuple):
  """What lies in a folder or an archive.

  Attributes:
    place: where it lies, for errors.
    names: sorted paths of its pictures, with '/'.
    others: paths of its other files.
    read: path -> bytes.
  """
  place: str
  names: list
  others: list
  read: Callable[[str], bytes]


def label(inside, label_file='', column='', on_bad='error'):
  """tree.Kinds of the pictures, as a file says it, or else their folders.

  Args:
    inside: Inside.
    label_file: a name inside or a path on disk; label_files.read says what it
      may hold. '' is dataset.json, at the root or in the folder that holds all
      pictures; where there is none, folders are classes, as in tree.classify.
    column: of the file; '' is `label`, `class`, or the only one.
    on_bad: see tree.classify.

  Raises:
    ValueError: no such file or column, or pictures without a label, with two,
      or with one that is no class.
  """
  title, folder, content = _find(inside, label_file)
  if content is None:
    if column:
      raise ValueError(
          f'config.data.label: {column!r}; the classes of a folder are its '
          'folders. Wanted none, or the column of a config.data.label_file.')
    return picture_files.classify(inside.place, inside.names, on_bad)
  notes = {'label_file': picture_files.printable(title)}
  kept = list(range(len(inside.names)))
  place = f'config.data.label_file: {title!r}'
  listing = label_files.read(place, title, content)
  if listing is None:
    return picture_files.Kinds(kept, (), [0] * len(kept), notes)
  finder = label_rows.Finder(inside.names, folder)
  column, pairs = label_rows.pairs(title, listing, column, finder)
  values, absent = label_rows.match(title, inside.names, finder, pairs)
  classes, numbers = classify(place, values, inside.names)
  if column:
    notes['label'] = column
  if absent:
    notes['rows_without_a_picture'] = absent
  return picture_files.Kinds(kept, classes, numbers, notes)


def classify(place, values, names):
  """Labels as a file gives them -> (names of the classes, index into them).

  Numbers from 0 keep theirs, and the classes are called '0' to the largest;
  -1 and 1 (CelebA), and false and true, are two classes; texts are sorted.

  Args:
    place: how an error begins.
    values: one a picture.
    names: of the pictures, for errors.

  Raises:
    ValueError: a label that is no class.
  """
  kinds = {type(v) for v in values}
  if len(kinds) > 1:
    first = {type(v): (v, n)
             for v, n in zip(values[::-1], names[::-1], strict=True)}
    said = ' and '.join(f'{v!r} ({n!r})' for v, n in first.values())
    raise ValueError(f'{place}: labels of several kinds: {said}; wanted one.')
  kind, = kinds
  if kind not in (int, bool, str):
    raise ValueError(
        f'{place}: the label of {names[0]!r} is '
        f'{label_rows.short(values[0])}; wanted a class: a whole number from '
        '0, or a name.')
  known = sorted(set(values))
  if kind is int and known[0] >= 0:
    return _numbered(place, values, names)
  if kind is int and not set(known) <= {-1, 1}:
    raise ValueError(
        f'{place}: the label of {names[values.index(known[0])]!r} is '
        f'{known[0]}; wanted whole numbers from 0, or only -1 and 1.')
  known = {int: [-1, 1], bool: [False, True]}.get(kind, known)
  number = {value: i for i, value in enumerate(known)}
  called = [str(v).lower() if kind is bool else str(v) for v in known]
  return tuple(map(picture_files.printable, called)), [
    number[v] for v in values
  ]


def _numbered(place, values, names):
  most = max(values)
  if most >= MOST_CLASSES:
    raise ValueError(
        f'{place}: the label of {names[values.index(most)]!r} is {most}; '
        f'wanted classes, numbered from 0 to at most {MOST_CLASSES - 1:,}.')
  return tuple(map(str, range(most + 1))), list(values)


def _find(inside, label_file):
  """-> (name for errors, folder of its paths, bytes), None where none is."""
  if not label_file:
    for folder in _wrappers(inside.names):
      if folder + DEFAULT in set(inside.others):
        return folder + DEFAULT, folder, inside.read(folder + DEFAULT)
    return '', '', None
  if label_file in inside.others:
    folder, slash, _ = label_file.rpartition('/')
    return label_file, folder + slash, inside.read(label_file)
  path = os.path.expanduser(label_file)
  if not os.path.isfile(path):
    listed = [n for n in inside.others
              if n.lower().endswith(tuple(label_files.READERS))]
    raise ValueError(
        f'config.data.label_file: no file {label_file!r}, neither in '
        f'{inside.place!r} nor on disk; '
        f'{tables.nearest(label_file, listed) if listed else "none there."}')
  with open(path, 'rb') as file:
    return label_file, '', file.read()


def _wrappers(names):
  """'' and the folders that hold all of the sorted names, outermost first."""
  parts = os.path.commonprefix([names[0], names[-1]]).split('/')[:-1]
  return [''.join(f'{p}/' for p in parts[:i]) for i in range(len(parts) + 1)]

"""Labels pictures: by a file that lists them, or by their folders."""
from collections.abc import Callable, Sequence
import os
import re
from typing import NamedTuple

from msg_gan_jax.config import tables
from msg_gan_jax.data import picture_files
from msg_gan_jax.data.labels import label_files, label_rows
from msg_gan_jax.files import plain

DEFAULT = 'dataset.json'  # NVIDIA's tools call it so, for StyleGAN and others.
# More classes would be names of single pictures, and would make a layer as wide
# as the data set.
MOST_CLASSES = 100_000


class Contents(NamedTuple):
  """What lies in a folder or an archive.

  Attributes:
    place: where it lies, for errors.
    names: sorted paths of its pictures, with '/'.
    others: paths of its other files.
    read: path -> bytes.
  """
  place: str
  names: list[str]
  others: list[str]
  read: Callable[[str], bytes]


def label_pictures(
    contents: Contents, label_file: str = '', column: str = '',
    strict: bool = True) -> picture_files.Labelling:
  """Labels pictures as a file says, or else by their folders.

  Args:
    contents: of the folder or the archive.
    label_file: a name inside of it, or a path on disk; label_files.read says
      what it may hold. '' is dataset.json, at the root or in the folder that
      holds all pictures; if there is none, folders are classes.
    column: of the file; '' is `label`, `class`, or the only one.
    strict: whether what cannot be labelled is an error. Else it has no classes,
      and the notes say why.

  Raises:
    ValueError: there is no such file or column, or a picture has no label, or
      two, or one that is not a class.
  """
  unlabelled = [0] * len(contents.names)
  if not strict:
    try:
      return label_pictures(contents, label_file, column)
    except ValueError as error:
      # Nobody has set the setting that the error begins with.
      why = re.sub(r'^config\.data\.\w+: ', '', str(error)).rstrip('.')
      return picture_files.Labelling(
          (), unlabelled, {picture_files.WITHOUT_CLASSES: why})
  title, folder, content = _find(contents, label_file)
  if content is None:
    if column:
      raise ValueError(
          f'config.data.label: {column!r}; the classes of a folder are its '
          'folders. Wanted none, or the column of a config.data.label_file.')
    return picture_files.classes_of_folders(contents.place, contents.names)
  notes: dict = {'label_file': picture_files.printable(title)}
  place = f'config.data.label_file: {title!r}'
  listing = label_files.read(place, title, content)
  if listing is None:
    return picture_files.Labelling((), unlabelled, notes)
  finder = label_rows.PictureFinder(contents.names, folder)
  column, pairs = label_rows.file_label_pairs(title, listing, column, finder)
  values, absent = label_rows.labels_of_pictures(
      title, contents.names, finder, pairs)
  classes, numbers = to_classes(place, values, contents.names)
  if column:
    notes['label'] = column
  if absent:
    notes['rows_without_a_picture'] = absent
  return picture_files.Labelling(classes, numbers, notes)


def to_classes(place: str, values: Sequence, names: Sequence[str],
               ) -> tuple[tuple[str, ...], list[int]]:
  """Makes classes of labels as a file gives them.

  Numbers from 0 stay, and the classes are called '0' to the largest; -1 and 1
  (CelebA), or false and true, are two classes; texts are sorted.

  Args:
    place: how an error begins.
    values: one for each picture; at least one.
    names: of the pictures, for errors.

  Returns:
    The names of the classes, and each picture's index into them.

  Raises:
    ValueError: a label is not a class.
  """
  kinds = {type(v) for v in values}
  if len(kinds) > 1:
    first = {type(v): (v, n)
             for v, n in zip(values[::-1], names[::-1], strict=True)}
    shown = ' and '.join(f'{v!r} ({n!r})' for v, n in first.values())
    raise ValueError(f'{place}: labels of several kinds: {shown}; wanted one.')
  kind, = kinds
  if kind not in (int, bool, str):
    raise ValueError(
        f'{place}: the label of {names[0]!r} is '
        f'{label_rows.short(values[0])}; wanted a class: a whole number from '
        '0, or a name.')
  known: list = sorted(set(values))
  if kind is int and known[0] >= 0:
    return _numbered(place, values, names)
  if kind is int and not set(known) <= {-1, 1}:
    raise ValueError(
        f'{place}: the label of {names[values.index(known[0])]!r} is '
        f'{known[0]}; wanted whole numbers from 0, or only -1 and 1.')
  if kind is not str:
    known = [-1, 1] if kind is int else [False, True]
  number = {value: i for i, value in enumerate(known)}
  classes = [str(v).lower() if kind is bool else str(v) for v in known]
  return (tuple(map(picture_files.printable, classes)),
          [number[v] for v in values])


def _numbered(place, values, names):
  most = max(values)
  if most >= MOST_CLASSES:
    raise ValueError(
        f'{place}: the label of {names[values.index(most)]!r} is {most}; '
        f'wanted classes, numbered from 0 to at most {MOST_CLASSES - 1:,}.')
  return tuple(map(str, range(most + 1))), list(values)


def _find(contents, label_file):
  """-> (name for errors, folder that its paths begin in, bytes or None)."""
  if not label_file:
    for folder in _wrappers(contents.names):
      if folder + DEFAULT in set(contents.others):
        return folder + DEFAULT, folder, contents.read(folder + DEFAULT)
    return '', '', None
  if label_file in contents.others:
    folder, slash, _ = label_file.rpartition('/')
    return label_file, folder + slash, contents.read(label_file)
  path = os.path.expanduser(label_file)
  if not os.path.isfile(path):
    listed = [n for n in contents.others
              if n.lower().endswith(tuple(label_files.READERS))]
    raise ValueError(
        f'config.data.label_file: no file {label_file!r}, neither in '
        f'{contents.place!r} nor on disk; '
        f'{tables.nearest(label_file, listed) if listed else "none there."}')
  try:
    return label_file, '', plain.read(path)
  except OSError as error:
    raise ValueError(f'config.data.label_file: {label_file!r} cannot be read: '
                     f'{error.strerror}.') from error


def _wrappers(names):
  """'' and the folders that hold all of the sorted names, outermost first."""
  parts = os.path.commonprefix([names[0], names[-1]]).split('/')[:-1]
  return [''.join(f'{p}/' for p in parts[:i]) for i in range(len(parts) + 1)]

"""Finds the label of every picture in the rows of a label file."""
import collections
from collections.abc import Sequence
from typing import Any

from msg_gan_jax.config import tables
from msg_gan_jax.data.labels import label_files


class PictureFinder:
  """Finds the picture that a name in a label file means.

  Args:
    names: sorted paths of the pictures, with '/'.
    folder: of the label file, '' or with a '/' at its end.

  Attributes:
    first: the first of the names.
  """

  def __init__(self, names: Sequence[str], folder: str) -> None:
    self.first = names[0]
    self._folder = folder
    self._paths = {name: i for i, name in enumerate(names)}
    self._bases: dict[str, list[int]] = collections.defaultdict(list)
    for i, name in enumerate(names):
      self._bases[name.rpartition('/')[2]].append(i)

  def by_path(self, name: Any) -> int | None:
    """Index of a path that begins at the root or at the label file, or None."""
    if not isinstance(name, str):
      return None
    for path in (name, _plain(name)):
      for full in (path, self._folder + path):
        if full in self._paths:
          return self._paths[full]
    return None

  def by_base(self, name: Any) -> list[int]:
    """Indices of the pictures whose paths end in the same name."""
    if not isinstance(name, str):
      return []
    return self._bases.get(_plain(name).rpartition('/')[2], [])


def _plain(name):
  r"""'.\cat\a.png', as Windows writes it -> 'cat/a.png'."""
  return name.strip().replace('\\', '/').removeprefix('./')


def file_label_pairs(title: str, listing: label_files.Listing, column: str,
                     finder: PictureFinder) -> tuple[str, list[tuple]]:
  """Takes the column of files and that of labels out of a listing.

  Args:
    title: of the label file, for errors.
    listing: its rows.
    column: the name of the labels' column; '' is `label`, `class`, or the only
      one.
    finder: knows the pictures.

  Returns:
    The name of the labels' column or '', and [(file, label), ...].

  Raises:
    ValueError: no column names pictures, or it is not clear which has labels.
  """
  file = _file_column(title, listing, finder)
  label = _label_column(title, listing, column, file)
  values = [row[label] for row in listing.rows]
  if not listing.typed:
    values = label_files.parse_column(values)
  files = (row[file] for row in listing.rows)
  return (listing.header[label] if listing.header else '',
          list(zip(files, values, strict=True)))


def _file_column(title, listing, finder):
  """Finds the column whose cells are pictures, whatever its header is."""
  for rows in (listing.rows[:1000], listing.rows):
    counts = collections.Counter(
        i for row in rows for i, cell in enumerate(row)
        if finder.by_path(cell) is not None or finder.by_base(cell))
    if counts:
      return max(sorted(counts), key=counts.get)
  instead = f'the first row is {short(listing.rows[0])}' if listing.rows else (
      'it has no rows')
  raise ValueError(
      f'config.data.label_file: {title!r} names none of the pictures, such as '
      f'{finder.first!r}; {instead}.')


def _label_column(title, listing, column, file):
  header = listing.header
  if column:
    if header is None:
      raise ValueError(
          f'config.data.label: {column!r}, but the columns of {title!r} have '
          'no names. Wanted none.')
    if column not in header:
      raise ValueError(
          f'config.data.label: no column {column!r} in {title!r}; '
          f'{tables.nearest(column, header)}')
    return header.index(column)
  for usual in ('label', 'class'):
    if usual in (header or ()):
      return header.index(usual)
  rest = [i for i in range(len(listing.rows[0])) if i != file]
  if len(rest) == 1:
    return rest[0]
  if not rest or header is None:
    raise ValueError(
        f'config.data.label_file: {title!r} has {len(rest) + 1} columns '
        'without a name that says label; wanted a file and its label.')
  raise ValueError(
      f'config.data.label: which column of {title!r} is the label? '
      f'{tables.nearest("", [header[i] for i in rest])}')


def labels_of_pictures(title: str, names: Sequence[str], finder: PictureFinder,
                       pairs: Sequence[tuple]) -> tuple[list, int]:
  """Gives every picture its label.

  Args:
    title: of the label file, for errors.
    names: of the pictures.
    finder: knows them.
    pairs: (file, label) of every row.

  Returns:
    The labels in the order of names, and how many rows name no picture.

  Raises:
    ValueError: a picture has no label, or two.
  """
  values: list = [None] * len(names)
  without_path, absent = [], 0

  def assign(i, value):
    if values[i] is not None and values[i] != value:
      raise ValueError(
          f'config.data.label_file: {title!r} lists {names[i]!r} twice, as '
          f'{short(values[i])} and as {short(value)}; wanted one label.')
    values[i] = value

  for file, label in pairs:
    value = None if label == '' else label
    i = finder.by_path(file)
    if i is None:
      without_path.append((file, value))
    else:
      assign(i, value)
  # A picture that a path names cannot be meant by the last part of another.
  free = {i for i, value in enumerate(values) if value is None}
  for file, value in without_path:
    candidates = finder.by_base(file)
    if len(candidates) == 1 and candidates[0] in free:
      assign(candidates[0], value)
    else:
      absent += 1
  _check_all(title, names, values, finder)
  return values, absent


def _check_all(title, names, values, finder):
  lacking = [name for name, value in zip(names, values, strict=True)
             if value is None]
  if lacking:
    count = len(finder.by_base(lacking[0]))
    why = (f' {count} are called so, and only a path tells them apart.'
           if count > 1 else '')
    raise ValueError(
        f'config.data.label_file: {title!r} has no label for {lacking[0]!r}, '
        f'nor for {len(lacking) - 1} others of {len(names)}; every picture '
        f'wants one.{why}')


def short(value: Any) -> str:
  """Shows a value in an error, in at most 60 characters."""
  text = repr(value)
  return text if len(text) < 60 else text[:57] + '...'

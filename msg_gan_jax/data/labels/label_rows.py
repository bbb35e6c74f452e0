"""Rows of a label file -> a label for every picture."""
import collections

from msg_gan_jax.config import tables
from msg_gan_jax.data.labels import label_files


class Finder:
  """Which picture a name in a label file means."""

  def __init__(self, names, folder):
    self.first = names[0]
    self._folder = folder
    self._paths = {name: i for i, name in enumerate(names)}
    self._bases = collections.defaultdict(list)
    for i, name in enumerate(names):
      self._bases[name.rpartition('/')[2]].append(i)

  def by_path(self, name):
    """Index, or None; paths may begin at the root or at the label file."""
    if not isinstance(name, str):
      return None
    for path in (name, _plain(name)):
      for full in (path, self._folder + path):
        if full in self._paths:
          return self._paths[full]
    return None

  def by_base(self, name):
    """Indices of the pictures whose names end so."""
    if not isinstance(name, str):
      return []
    return self._bases.get(_plain(name).rpartition('/')[2], [])


def _plain(name):
  """As Windows and `find .` write paths -> as names are."""
  return name.strip().replace('\\', '/').removeprefix('./')


def pairs(title, listing, column, finder):
  """-> (name of the label's column or '', [(file, label), ...])."""
  file = _file_column(title, listing, finder)
  number = _label_column(title, listing, column, file)
  values = [row[number] for row in listing.rows]
  if not listing.typed:
    values = label_files.typed(values)
  files = (row[file] for row in listing.rows)
  return (listing.header[number] if listing.header else '',
          list(zip(files, values, strict=True)))


def _file_column(title, listing, finder):
  """The column whose cells are pictures; a header may call it anything."""
  for rows in (listing.rows[:1000], listing.rows):
    found = collections.Counter(
        i for row in rows for i, cell in enumerate(row)
        if finder.by_path(cell) is not None or finder.by_base(cell))
    if found:
      return max(sorted(found), key=found.get)
  said = f'the first row is {short(listing.rows[0])}' if listing.rows else (
      'it has no rows')
  raise ValueError(
      f'config.data.label_file: {title!r} names none of the pictures, which '
      f'are called as {finder.first!r}; {said}.')


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


def match(title, names, finder, pairs):
  """-> (the label of every picture, how many rows name no picture)."""
  values, later, absent = [None] * len(names), [], 0

  def give(i, value):
    if values[i] is not None and values[i] != value:
      raise ValueError(
          f'config.data.label_file: {title!r} lists {names[i]!r} twice, as '
          f'{short(values[i])} and as {short(value)}; wanted one label.')
    values[i] = value

  given = [(f, None if v == '' else v) for f, v in pairs]
  for file, value in given:
    i = finder.by_path(file)
    if i is None:
      later.append((file, value))
    else:
      give(i, value)
  # What a path names, no other row means by its last part.
  free = {i for i, value in enumerate(values) if value is None}
  for file, value in later:
    alike = finder.by_base(file)
    if len(alike) == 1 and alike[0] in free:
      give(alike[0], value)
    else:
      absent += 1
  _check_all(title, names, values, finder)
  return values, absent


def _check_all(title, names, values, finder):
  lacking = [name for name, value in zip(names, values, strict=True)
             if value is None]
  if lacking:
    alike = len(finder.by_base(lacking[0]))
    why = (f' {alike} are called so, and only a path tells them apart.'
           if alike > 1 else '')
    raise ValueError(
        f'config.data.label_file: {title!r} has no label for {lacking[0]!r}, '
        f'nor for {len(lacking) - 1} others of {len(names)}; every picture '
        f'wants one.{why}')


def short(value):
  text = repr(value)
  return text if len(text) < 60 else text[:57] + '...'

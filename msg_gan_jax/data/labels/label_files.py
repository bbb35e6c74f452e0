"""Files that list pictures and labels, JSON or CSV, as rows of cells."""
import csv
import io
import json
import re
from typing import NamedTuple

from msg_gan_jax.data import picture_files


class Listing(NamedTuple):
  """Rows of cells, all of one length.

  Attributes:
    header: names of the columns, None where they have none.
    rows: lists of str, or of what JSON holds.
    typed: whether the file says what is a number; CSV does not.
  """
  header: list | None
  rows: list
  typed: bool = True


def read(place, name, content):
  """A Listing, or None where the file says that there are no labels.

  JSON is NVIDIA's {"labels": [["a.png", 6], ...]} or {"labels": null}, a plain
  {"a.png": 6, ...}, or a list of objects, which may also lie one a line
  (.jsonl). CSV has commas, semicolons or tabs, with or without a header.

  Args:
    place: how an error begins.
    name: its end says how to read the file.
    content: bytes, as UTF-8, or as UTF-16 with its mark.

  Raises:
    ValueError: it is none of these, and where it stops being one.

  Source: docs of NVIDIA's `dataset_tool.py` (StyleGAN2-ADA and later).
  """
  suffix = '.' + name.lower().rpartition('.')[2]
  if suffix not in READERS:
    raise ValueError(
        f'{place}: a file of labels ends in {", ".join(READERS)}.')
  encoding = ('utf-16' if content[:2] in (b'\xff\xfe', b'\xfe\xff')
              else 'utf-8-sig')
  try:
    text = content.decode(encoding)
  except UnicodeDecodeError as error:
    line = content[:error.start].count(b'\n') + 1
    raise ValueError(
        f'{place}, line {line}: is no UTF-8 ({error.reason}); save it as '
        'UTF-8.') from error
  return READERS[suffix](place, text)


def _json(place, text):
  found = _parse(place, text)
  if isinstance(found, dict) and 'labels' in found and (
      found['labels'] is None or isinstance(found['labels'], list)):
    return _nvidia(place, found['labels'])
  if isinstance(found, dict):
    return Listing(None, [list(pair) for pair in found.items()])
  if isinstance(found, list):
    return _objects(place, found)
  raise ValueError(
      f'{place}: holds {type(found).__name__}; wanted an object of files and '
      'labels, or a list of objects.')


def _nvidia(place, rows):
  if rows is None:
    return None
  for i, row in enumerate(rows):
    if not (isinstance(row, list) and len(row) == 2):
      raise ValueError(
          f'{place}: labels[{i}] is {str(row)[:60]}; wanted [file, label].')
  return Listing(None, rows)


def _json_lines(place, text):
  lines = [(i, line) for i, line in enumerate(text.split('\n'), 1)
           if line.strip()]
  return _objects(place, [_parse(place, line, i) for i, line in lines])


def _parse(place, text, line=None):
  twice = []

  def unique(pairs):
    found = dict(pairs)
    if len(found) < len(pairs):  # json would take the last.
      seen = set()
      twice.extend(k for k, _ in pairs if k in seen or seen.add(k))
    return found

  try:
    found = json.loads(text, object_pairs_hook=unique)
  except (json.JSONDecodeError, RecursionError) as error:
    where = line or getattr(error, 'lineno', 1)
    said = getattr(error, 'msg', 'nested too deep')
    raise ValueError(f'{place}, line {where}: is no JSON: {said}.') from error
  if twice:
    raise ValueError(f'{place}: lists {twice[0]!r} twice in one object; wanted '
                     'one label.')
  return found


def _objects(place, found):
  """List of objects -> Listing; cells that one lacks are None."""
  for i, one in enumerate(found):
    if not isinstance(one, dict):
      raise ValueError(
          f'{place}: item {i} is {str(one)[:60]}; wanted an object with a file '
          'and a label.')
  header = list(dict.fromkeys(key for one in found for key in one))
  return Listing(header, [[one.get(key) for key in header] for one in found])


def _csv(place, text):
  first = text.partition('\n')[0]
  delimiter = max(',;\t', key=first.count)
  if not first.count(delimiter):
    raise ValueError(
        f'{place}: no comma, semicolon or tab in its first line '
        f'{first[:60]!r}; wanted two columns or more.')
  reader = csv.reader(io.StringIO(text, newline=''), delimiter=delimiter,
                      skipinitialspace=True, strict=True)
  rows = []
  try:
    for row in reader:
      if rows and row and len(row) != len(rows[0]):
        raise ValueError(
            f'{place}, line {reader.line_num}: {len(row)} cells; wanted '
            f'{len(rows[0])}, as in the first line.')
      if row:
        rows.append(row)
  except csv.Error as error:
    raise ValueError(
        f'{place}, line {reader.line_num}: is no CSV: {error}.') from error
  header = None
  if not any(picture_files.is_picture(cell) for cell in rows[0]):
    header = [cell.strip() for cell in rows.pop(0)]
  return Listing(header, rows, typed=False)


def typed(column):
  """Texts of one column -> whole numbers, floats or bools if all are that.

  None where there is none. With a cell as '007' all stay texts: it is a name,
  and another one than '7'.
  """
  column = [cell.strip() for cell in column]
  filled = [cell for cell in column if cell]
  if any(re.fullmatch(PADDED, cell) for cell in filled):
    return column
  for pattern, to in ((r'[+-]?\d{1,18}', int), (NUMBER, float)):
    if filled and all(re.fullmatch(pattern, cell) for cell in filled):
      return [to(cell) if cell else None for cell in column]
  if filled and {cell.lower() for cell in filled} <= {'true', 'false'}:
    return [cell.lower() == 'true' if cell else None for cell in column]
  return column


PADDED = r'[+-]?0\d+'
NUMBER = r'[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf)'
READERS = {'.json': _json, '.jsonl': _json_lines, '.csv': _csv, '.tsv': _csv,
           '.txt': _csv}

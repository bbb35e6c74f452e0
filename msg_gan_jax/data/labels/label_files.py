"""Reads files that list pictures and labels, JSON or CSV, as rows of cells."""
import collections
from collections.abc import Callable
import csv
import io
import json
import re
from typing import Any, NamedTuple

from msg_gan_jax.data import picture_files


class Listing(NamedTuple):
  """Rows of cells, all of one length.

  Attributes:
    header: names of the columns, None if they have none.
    rows: lists of str, or of what JSON holds.
    typed: whether the file tells numbers from texts; CSV does not.
  """
  header: list[str] | None
  rows: list[list]
  typed: bool = True


def read(place: str, name: str, content: bytes) -> Listing | None:
  """Reads a file of labels.

  JSON is NVIDIA's {"labels": [["a.png", 6], ...]} or {"labels": null}, a plain
  {"a.png": 6, ...}, or a list of objects; .jsonl has one object on each line.
  CSV has commas, semicolons or tabs, with or without a header.

  Args:
    place: how an error begins.
    name: of the file; its end says how to read it.
    content: of the file, UTF-8, or UTF-16 with its mark.

  Returns:
    Its rows, or None if it says that there are no labels.

  Raises:
    ValueError: it has another form, and where.

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
        f'{place}, line {line}: is not UTF-8 ({error.reason}); save it as '
        'UTF-8.') from error
  return READERS[suffix](place, text)


def _json(place, text):
  value = _parse(place, text)
  if isinstance(value, dict) and 'labels' in value and (
      value['labels'] is None or isinstance(value['labels'], list)):
    return _nvidia(place, value['labels'])
  if isinstance(value, dict):
    return Listing(None, [list(pair) for pair in value.items()])
  if isinstance(value, list):
    return _objects(place, value)
  raise ValueError(
      f'{place}: holds {type(value).__name__}; wanted an object of files and '
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
  def unique(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):  # json would take the last.
      twice = collections.Counter(keys).most_common(1)[0][0]
      raise ValueError(
          f'{place}: lists {twice!r} twice in one object; wanted one label.')
    return dict(pairs)

  try:
    return json.loads(text, object_pairs_hook=unique)
  except (json.JSONDecodeError, RecursionError) as error:
    where = line or getattr(error, 'lineno', 1)
    reason = getattr(error, 'msg', 'nested too deep')
    raise ValueError(
        f'{place}, line {where}: is not JSON: {reason}.') from error


def _objects(place, values):
  """List of objects -> Listing; cells that an object lacks are None."""
  for i, value in enumerate(values):
    if not isinstance(value, dict):
      raise ValueError(
          f'{place}: item {i} is {str(value)[:60]}; wanted an object with a '
          'file and a label.')
  header = list(dict.fromkeys(key for value in values for key in value))
  return Listing(
      header, [[value.get(key) for key in header] for value in values])


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
        f'{place}, line {reader.line_num}: is not CSV: {error}.') from error
  header = None
  if not any(picture_files.is_picture(cell) for cell in rows[0]):
    header = [cell.strip() for cell in rows.pop(0)]
  return Listing(header, rows, typed=False)


def parse_column(column: list[str]) -> list:
  """Parses texts as whole numbers, floats or bools, if all of them are that.

  An empty cell becomes None. With a cell such as '007' all stay texts: it is a
  name, and differs from '7'.
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
READERS: dict[str, Callable[[str, str], Any]] = {
    '.json': _json, '.jsonl': _json_lines, '.csv': _csv, '.tsv': _csv,
    '.txt': _csv}

"""The file of results of measure.py: read, looked up, and printed as tables."""
from collections.abc import Iterable, Mapping, Sequence
import json
import os
import pathlib
import statistics
from typing import Any

import throughput  # beside this file

Record = dict[str, Any]
SAME = 'commit', 'cpu', 'cores', 'python', 'jax'  # What a row is done for.


def read(path: str) -> list[Record]:
  """The records of a file that need not be there, the oldest first.

  A line that is no record is left out: a writer that was killed leaves half of
  one.
  """
  records = []
  if os.path.exists(path):
    for line in pathlib.Path(path).read_text('utf-8').splitlines():
      try:
        record = json.loads(line)
      except ValueError:
        continue
      if isinstance(record, dict) and 'row' in record:
        records.append(record)
  return records


def find(records: Sequence[Record], row: str, about: Record) -> Record | None:
  """The newest record of a row on that machine, commit and Python.

  None for a tree that differs from its commit: nobody knows how.
  """
  if about.get('commit', '').endswith('+'):
    return None
  for record in reversed(records):
    if record['row'] == row and all(
        record.get(x) == about.get(x) for x in SAME):
      return record
  return None


def median(values: Sequence[float], digits: int = 1) -> str:
  """'12.0 (11.5-13.1)'; of one value, that value."""
  middle = f'{statistics.median(values):.{digits}f}'
  if len(values) < 2:
    return middle
  return f'{middle} ({min(values):.{digits}f}-{max(values):.{digits}f})'


def summary(record: Record, rows: Mapping[str, Any]) -> str:
  """A record in a line; `rows` are those of measure_rows.py."""
  return ', '.join(f'{name} {x}' for name, x in rows[record['row']].columns(
      record['result']).items())


def tables(records: Iterable[Record], rows: Mapping[str, Any]) -> list[str]:
  """Lines of Markdown: tables of the newest records, a heading each machine.

  Of those in `rows`, as measure_rows.py has them. Rows whose newest record is
  a failure are listed with its reason.
  """
  newest: dict[tuple, dict[str, Record]] = {}
  for record in records:
    if record['row'] not in rows:
      continue
    where = newest.setdefault(tuple(record.get(x) for x in SAME), {})
    where.pop(record['row'], None)
    where[record['row']] = record
  lines = []
  for of_machine in newest.values():
    last = [*of_machine.values()][-1]
    torch = {x['torch']: 0 for x in of_machine.values() if 'torch' in x}
    lines += ['', f'{last["cores"]} cores of {last["cpu"]}; Python '
              f'{last["python"]}, jax {last["jax"]}'
              f'{"".join(f", PyTorch {x}" for x in torch)}; commit '
              f'{last["commit"] or "unknown"}, {last["date"][:10]}']
    kinds: dict[tuple[str, ...], dict[str, dict[str, str]]] = {}
    for name, record in of_machine.items():
      if 'failed' not in record:
        cells = rows[name].columns(record['result'])
        kinds.setdefault(tuple(cells), {})[name] = cells
    for of_kind in kinds.values():
      lines += ['', *throughput.table(of_kind)]
    for name, record in of_machine.items():
      if 'profile' in record.get('result', ()):
        lines += ['', *throughput.profile_lines(name, record['result'])]
    failed = [f'- {name}: {record["failed"]}'
              for name, record in of_machine.items() if 'failed' in record]
    lines += ['', 'No figures:', *failed] if failed else []
  return lines[1:]

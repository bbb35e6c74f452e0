"""The file of results of measure.py: read, looked up, and printed as tables."""
from collections.abc import Iterable, Sequence
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


def columns(record: Record) -> dict[str, str]:
  """What the table of its kind shows of a record."""
  found = record['result']
  if 'images_per_second' in found:
    beside, alone = throughput.beside_columns(found), throughput.columns(found)
    return {
        'ours, img/s': median(found['images_per_second']),
        'theirs': median(found['theirs']), 'ratio': beside['ratio'],
        'of each pair': beside['of each pair'],
        **{x: alone[x] for x in ('GFLOP/s', 'gemm', 'share', 'cores')}}
  if 'our_fid' in found:
    pairs = [b / a for a, b in zip(
        found['ours'], found['theirs'], strict=True)]
    ratio = (statistics.median(found['theirs'])
             / statistics.median(found['ours']))
    return {
        'ours, s': median(found['ours']), 'theirs, s': median(found['theirs']),
        'ratio': f'{ratio:.2f}',
        'of each pair': ' '.join(f'{x:.2f}' for x in pairs),
        'FID, ours': f'{found["our_fid"][-1]:.4f}',
        'FID, theirs': f'{found["their_fid"][-1]:.4f}'}
  if 'cold' in found:
    return {f'{name.replace("_", " ")}, s': median(
        x if isinstance(x, list) else [x]) for name, x in found.items()}
  if 'files_a_second' in found:
    return {
        **{f'{name}, files/s': f'{x[0]:.0f} ({x[1]:.0f}-{x[2]:.0f})'
           for name, x in found['files_a_second'].items()},
        'ratio': f'{found["ratio"]:.2f}',
        'of each pair': ' '.join(f'{x:.2f}' for x in found['pairs'])}
  if 'seconds' in found:
    return {'command to last line, s': median(found['seconds'], 0)}
  return {'its own file': found['file']}


def summary(record: Record) -> str:
  """A record in a line."""
  return ', '.join(f'{name} {x}' for name, x in columns(record).items())


def tables(records: Iterable[Record]) -> list[str]:
  """Lines of Markdown: tables of the newest records, a heading each machine.

  Rows whose newest record is a failure are listed with its reason.
  """
  newest: dict[tuple, dict[str, Record]] = {}
  for record in records:
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
        cells = columns(record)
        kinds.setdefault(tuple(cells), {})[name] = cells
    for rows in kinds.values():
      lines += ['', *throughput.table(rows)]
    failed = [f'- {name}: {record["failed"]}'
              for name, record in of_machine.items() if 'failed' in record]
    lines += ['', 'No figures:', *failed] if failed else []
  return lines[1:]

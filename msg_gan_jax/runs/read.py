"""What a run has written down, read as plain columns: without jax, any time."""
from collections.abc import Iterable, Mapping
import dataclasses
import json
import math
import os
import pathlib
import re
from typing import Any

import numpy as np

from msg_gan_jax.config import schema
from msg_gan_jax.runs import config_file, records

Columns = dict[str, np.ndarray]
# Lines of warning, as runs.told writes them.
WARNINGS = 'warnings.jsonl'


@dataclasses.dataclass(frozen=True)
class Written:
  """What a run has written down.

  Columns are {name: float64 [n]}, and the first is 'images', real images shown;
  where a line has no such number, it is nan. What stands inside another value
  is named with a dot, as 'spread.d_loss' and 'clock.seconds'.

  Attributes:
    path: the run's folder, absolute.
    config: its settings.
    records: columns of metrics.jsonl, a row for each record.
    scores: columns of what --mode=evaluate added to scores.jsonl in the folder,
      a row for each time: the values by their names, and, such as
      'frechet_random_conv.reals', what stands beside them. Where a name has
      several definitions, those after the first have their id behind it, as in
      'frechet_random_conv [ebbb5fc0]': they are never in one column.
    evaluations: the lines of scores.jsonl, whole: protocols, versions, seeds.
    grids: (images, path) of the pictures in samples/, in this order.
    warnings: {'text', 'date', 'images'} of what was warned of while it trained;
      without 'images' where that was before the first step of a start. That
      of a start that diverged has its number as 'diverged'.
    changes: {'images', 'changed', 'date'}, what continued starts have changed.
    versions: of each start, its packages, devices, data and date.
    summary: the newest distances to real pictures, of summary.json; {} if they
      were not measured.
    checkpoints: images shown at those that there are, oldest first; they are
      not read.
    best: images shown at the one with the best score, or None.
  """
  path: pathlib.Path
  config: schema.Config
  records: Columns
  scores: Columns
  evaluations: tuple[dict[str, Any], ...]
  grids: tuple[tuple[int, pathlib.Path], ...]
  warnings: tuple[dict[str, Any], ...]
  changes: tuple[dict[str, Any], ...]
  versions: tuple[dict[str, Any], ...]
  summary: dict[str, Any]
  checkpoints: tuple[int, ...]
  best: int | None

  @property
  def diverged(self) -> str:
    """What was not finite, where that ended the newest start; '' if not."""
    told = [x for x in self.warnings if x.get('diverged')]
    newest = told and told[-1]['diverged'] == len(self.versions)
    return told[-1]['text'] if newest else ''


def read(workdir: str | os.PathLike) -> Written:
  """What a run has written down so far; it may be in training.

  Args:
    workdir: its folder.

  Lines of another form than their file's are passed over, as of a file that
  another was copied over.

  Raises:
    ValueError: no run, or a file of it that cannot be read.
  """
  folder = config_file.absolute(workdir)
  try:
    return _read(folder)
  except OSError as error:
    raise ValueError(
        f'workdir {folder}: {error.filename or folder} cannot be read '
        f'({error.strerror or error}).') from error


def _read(folder):
  config, _ = config_file.read_config(folder)
  metrics = folder / 'metrics.jsonl'
  evaluations = _lines(folder / 'scores.jsonl', scores=_are_scores)
  best = _numbered(folder / 'best')
  return Written(
      path=folder, config=config,
      records=columns(records.read(metrics) if metrics.exists() else ()),
      scores=columns(_scores(evaluations)), evaluations=evaluations,
      grids=_grids(folder / 'samples'),
      warnings=_lines(folder / WARNINGS, text=_is_text),
      changes=_lines(folder / 'changes.jsonl', changed=_is_list),
      versions=tuple(entry for entry in _json(folder / 'versions.json', [])
                     if isinstance(entry, dict)),
      summary=_json(folder / 'summary.json', {}),
      checkpoints=_numbered(folder / 'checkpoints'),
      best=best[-1] if best else None)


def columns(rows: Iterable[Mapping[str, Any]]) -> Columns:
  """Dicts of numbers, or of such dicts -> {name: float64 [n]}; gaps are nan."""
  flat = [dict(_numbers(row)) for row in rows]
  names = dict.fromkeys(('images', *(name for row in flat for name in row)))
  return {name: np.array([row.get(name, math.nan) for row in flat], np.float64)
          for name in names}


def _numbers(row, prefix=''):
  for name, value in row.items():
    if isinstance(value, Mapping):
      yield from _numbers(value, f'{prefix}{name}.')
    elif isinstance(value, int | float):
      yield prefix + name, float(value)


def _scores(evaluations):
  """A row of numbers for each line; other definitions have other names."""
  ids: dict[str, str] = {}
  for line in evaluations:
    row = {'images': line.get('images', math.nan)}
    for name, score in line.get('scores', {}).items():
      first = ids.setdefault(name, score.get('id', ''))
      column = name if score.get('id', '') == first else (
          f'{name} [{score["id"]}]')
      for field, value in score.items():
        # JSON has no nan: null stands for it, and the warnings say why.
        row[column if field == 'value' else f'{column}.{field}'] = (
            math.nan if value is None else value)
    yield row


def _is_text(value):
  return isinstance(value, str)


def _is_list(value):
  return isinstance(value, list)


def _are_scores(value):
  """Whether it is {name: {'value': number or null, ..}}."""
  return isinstance(value, dict) and all(
      isinstance(score, dict) and isinstance(score.get('id', ''), str)
      and isinstance(score.get('value'), int | float | None)
      for score in value.values())


def _lines(path, **forms):
  """Dicts of a file of JSON lines, without what a kill has left half.

  Args:
    path: of the file; where there is none, there are no lines.
    forms: {key: test of its value} of each line; others are passed over.
  """
  if not path.exists():
    return ()
  found = []
  for line in path.read_text(encoding='utf-8', errors='replace').split('\n'):
    try:
      value = json.loads(line)
    except ValueError:
      continue
    if isinstance(value, dict) and all(
        key in value and fits(value[key]) for key, fits in forms.items()):
      found.append(value)
  return tuple(found)


def _json(path, missing):
  """What a JSON file holds, if it is there and of the kind of `missing`."""
  try:
    value = json.loads(path.read_text(encoding='utf-8'))
  except (FileNotFoundError, ValueError):
    return missing
  return value if isinstance(value, type(missing)) else missing


def _grids(folder):
  found = ((re.fullmatch(r'images_(\d+)\.png', path.name), path)
           for path in folder.glob('images_*.png'))
  return tuple(sorted((int(match[1]), path) for match, path in found if match))


def _numbered(folder):
  """Images shown at the finished checkpoints in a folder."""
  if not folder.is_dir():
    return ()
  return tuple(sorted(int(path.name) for path in folder.iterdir()
                      if path.name.isdigit() and path.is_dir()))

"""Scores as lines of text, and in a file: unlike protocols never together."""
from collections.abc import Iterable, Sequence
import math
import os
from typing import Any

from msg_gan_jax.files import atomic
from msg_gan_jax.files.console import visible
from msg_gan_jax.metrics.functional import training_seeds
from msg_gan_jax.metrics.score import Score
from msg_gan_jax.metrics.table import title_of
from msg_gan_jax.report.text import columns

FILE = 'scores.jsonl'
_REALS = {'held_out': 'held-out pictures ', 'train': 'training pictures '}
_ACROSS = 4  # Columns of numbers that a terminal has room for.
_FOOT = (
    'reals: one half of them against the other, or what they have themselves.',
    '± is the standard error over samples; another training seed moves a score '
    'more.')


def sheet(scores: Sequence[Score], record: dict[str, Any]) -> list[str]:
  """One pair of sets as lines of text for a person: a line a score.

  Args:
    scores, record: of evaluate.compute.
  """
  cells = [('', 'samples', '', 'reals')]
  cells += [(f'  {_title(score)}', _number(score.value),
             _error(score.error), _optional(score.reals)) for score in scores]
  return [_heading(record), *columns(cells, '<><>', (40, 10, 12, 10)), *_FOOT,
          *_warnings([('', scores, record)])]


def rows(scored: Sequence[tuple[str, Sequence[Score], dict[str, Any]]],
         seeds: bool = False, notes: Sequence[str] = ()) -> list[str]:
  """Several pairs as text: a table for each protocol and set of reals.

  Args:
    scored: [(label, scores, record)].
    seeds: whether they are runs that differ by their seed: then the mean over
      them, and its spread, stand in the last column.
    notes: lines below the tables.
  """
  groups: dict[tuple, list] = {}
  for pair in scored:
    ids = tuple((name, x['id']) for name, x in pair[2]['scores'].items())
    groups.setdefault(ids, []).append(pair)
  lines = [line for group in groups.values() for line in _table(group, seeds)]
  lines += [*notes, *_FOOT[:1]]
  lines.append('± of a run is the standard error over its samples' + (
      '; of the mean, the standard deviation over the runs.' if seeds else '.'))
  return lines + _warnings(scored)


def _table(group, seeds):
  """Lines: a row for each score, a column for each pair of one protocol."""
  _, first, record = group[0]
  names = ['', *(f'  {_title(score)}' for score in first)]
  numbers = [[label, *(_with_error(x.value, x.error) for x in scores)]
             for label, scores, _ in group]
  numbers.append(['reals', *(_optional(score.reals) for score in first)])
  if seeds and len(group) > 1:
    over = [training_seeds.over_seeds([scores[i].value
                                       for _, scores, _ in group])
            for i in range(len(first))]
    numbers.append([f'mean of {len(group)} runs',
                    *(_with_error(x.mean, x.std) for x in over)])
  lines = [_heading(record)]
  for i in range(0, len(numbers), _ACROSS):
    cells = list(zip(names, *numbers[i:i + _ACROSS], strict=True))
    lines += columns(cells, '<>', (0, 20))
  return lines


def _warnings(scored: Iterable[tuple]) -> list[str]:
  """Each once."""
  return [f'warning: {line}' for line in dict.fromkeys(
      line for _, scores, record in scored for line in (
          *record['warnings'], *(w for x in scores for w in x.warnings)))]


def append(folder: str, label: str, record: dict[str, Any]) -> str:
  """Adds a record to scores.jsonl of a folder; returns its path."""
  path = os.path.join(folder, FILE)
  atomic.append_json(path, {'label': label, **finite(record)})
  return path


def finite(record: Any) -> Any:
  """JSON has no NaN: null stands for it, and the warnings say why."""
  if isinstance(record, dict):
    return {k: finite(v) for k, v in record.items()}
  if isinstance(record, list | tuple):
    return [finite(v) for v in record]
  if isinstance(record, float) and not math.isfinite(record):
    return None
  return record


def _heading(record):
  settings = record['settings']
  reals = _REALS.get(settings.get('reals'), '')
  n_fake, n_real = (
      'unknown' if record[n] is None else f'{record[n]:,}'
      for n in ('n_fake', 'n_real'))
  return (f'{record["protocol"]} [{record["id"]}]: {n_fake} '
          f'samples against {n_real} {reals}of {visible(record["real"])}; '
          f'{settings["follows"]}')


def _title(score):
  title = title_of(score.name, score.features)
  if score.features:
    title += f' [{score.features}]'
  # Beside a classifier's word stands how often it is right about reals.
  right = score.about.get('classifier')
  return title if right is None else f'{title}, right {right:.0%} of reals'


def _with_error(value, error):
  return _number(value) + _error(error)


def _error(error):
  """What is no number is no error: nothing stands there."""
  known = error is not None and math.isfinite(error)
  return f' ± {_number(error)}' if known else ''


def _optional(value):
  return '' if value is None else _number(value)


def _number(value):
  if not math.isfinite(value):
    return 'no number'
  if value and not 1e-3 <= abs(value) < 1e5:
    return f'{value:.3g}'
  return f'{value:,.2f}' if abs(value) >= 10 else f'{value:.4f}'

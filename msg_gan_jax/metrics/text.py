"""Scores as lines of text, and in a file: unlike protocols never together."""
import json
import math
import os

from msg_gan_jax.metrics.functional import bootstrap
from msg_gan_jax.metrics.table import TITLES

FILE = 'scores.jsonl'
_COLUMNS = 4
_FOOT = (
    'reals: one half of them against the other, or what they have themselves.',
    '± is the standard error over samples; another training seed moves a score '
    'more.')


def sheet(found, record):
  """One pair of sets as lines of text for a person: a line a score.

  Args:
    found: [score.Score].
    record: of scores.of_pair.
  """
  names = [_title(one) for one in found]
  width = max(36, *(len(name) for name in names)) + 2
  lines = [_heading(record),
           f'{"":<{width + 2}}{"samples":>10}{"":<12}{"reals":>10}']
  for name, one in zip(names, found, strict=True):
    error = '' if one.error is None else f' ± {_number(one.error)}'
    reals = '' if one.reals is None else _number(one.reals)
    lines.append(
        f'  {name:<{width}}{_number(one.value):>10}{error:<12}{reals:>10}')
  lines += _FOOT
  lines += _warnings([(None, found, record)])
  return [line.rstrip() for line in lines]


def rows(several, seeds=False):
  """Several pairs as text: a table for each protocol and set of reals.

  Args:
    several: [(label, [score.Score], record)].
    seeds: whether they are runs that differ by their seed: then the mean over
      them, and its spread, stand in the last column.
  """
  lines, groups = [], {}
  for label, found, record in several:
    ids = tuple((name, x['id']) for name, x in record['scores'].items())
    groups.setdefault(ids, []).append((label, found, record))
  for group in groups.values():
    columns = [(label, [_with_error(x.value, x.error) for x in found])
               for label, found, _ in group]
    first = group[0][1]
    columns.append(('reals', [
        '' if x.reals is None else _number(x.reals) for x in first]))
    if seeds and len(group) > 1:
      over = [bootstrap.over_seeds([found[i].value for _, found, _ in group])
              for i in range(len(first))]
      columns.append((f'mean of {len(group)} runs', [
          _with_error(x['mean'], x['std']) for x in over]))
    left = max(len(_title(one)) for one in first) + 2
    lines.append(_heading(group[0][2]))
    for i in range(0, len(columns), _COLUMNS):  # What a terminal has room for.
      some = columns[i:i + _COLUMNS]
      widths = [max(20, len(label) + 2) for label, _ in some]
      lines.append(' ' * (left + 2) + ''.join(
          f'{label:>{w}}' for (label, _), w in zip(some, widths, strict=True)))
      for number, one in enumerate(first):
        lines.append(f'  {_title(one):<{left}}' + ''.join(
            f'{cells[number]:>{w}}'
            for (_, cells), w in zip(some, widths, strict=True)))
  lines += _FOOT[:1]
  lines.append('± of a run is the standard error over its samples' + (
      '; of the mean, the standard deviation over the runs.' if seeds else '.'))
  lines += _warnings(several)
  return [line.rstrip() for line in lines]


def _warnings(several):
  """Each once."""
  return [f'warning: {line}' for line in dict.fromkeys(
      line for _, found, record in several for line in (
          *record['warnings'], *(w for one in found for w in one.warnings)))]


def append(folder, label, record):
  """Adds a record to scores.jsonl of a folder; returns its path."""
  path = os.path.join(folder, FILE)
  line = json.dumps({'label': label, **finite(record)}) + '\n'
  with open(path, 'a', encoding='utf-8') as file:
    file.write(line)
  return path


def _heading(record):
  settings = record['settings']
  return (f'{record["protocol"]} [{record["id"]}]: {record["n_fake"]:,} '
          f'samples against {record["n_real"]:,} of {record["real"]}; '
          f'{settings["follows"]}')


def _title(one):
  metric = TITLES.get(one.name, one.name.replace('_', ' '))
  if one.features:
    metric += f' [{one.features}]'
  # Of a classifier's word it is told how often it is right about reals.
  right = one.about.get('classifier')
  return metric if right is None else f'{metric}, right {right:.0%} of reals'


def _with_error(value, error):
  return _number(value) + ('' if error is None else f' ± {_number(error)}')


def _number(value):
  if not math.isfinite(value):
    return 'no number'
  if value and not 1e-3 <= abs(value) < 1e5:
    return f'{value:.3g}'
  return f'{value:,.2f}' if abs(value) >= 10 else f'{value:.4f}'


def finite(record):
  """JSON has no NaN: null, and the warnings say why."""
  if isinstance(record, dict):
    return {k: finite(v) for k, v in record.items()}
  if isinstance(record, list | tuple):
    return [finite(v) for v in record]
  if isinstance(record, float) and not math.isfinite(record):
    return None
  return record

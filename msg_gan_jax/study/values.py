"""What came of gathered runs by one metric."""
import math

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.metrics.table import METRICS
from msg_gan_jax.report.text import plural
from msg_gan_jax.study import outcome
from msg_gan_jax.study.analysis import Gathered, plain
from msg_gan_jax.study.results import COSTS, Result, Results
from msg_gan_jax.training.scorer import is_score, key_in
from msg_gan_jax.training.summary import SCORES, SWD_MEAN


def results(gathered: Gathered, metric: str = '', which: str = '') -> tuple[
    Results, list[str]]:
  """What came of runs by one metric.

  Args:
    gathered: the runs.
    metric: a row of METRICS, 'swd', or the name of a score in the records; ''
      is that by which they were judged.
    which: 'best' or 'last' measurement; '' is what they were judged by.

  Returns:
    (Results, notes about runs that were left out).

  Raises:
    ValueError: a metric that no run has, runs that were judged by different
      ones, scores of unlike protocols, or no run with a finite value.
  """
  runs = gathered.runs
  asked = metric or _common(runs, 'metric', lambda run: run.metric)
  which = which or _common(runs, 'value', lambda run: run.which)
  keys = [_key(asked, run.record) for run in runs]
  known = sorted({key for key in keys if key})
  if not known:
    names = sorted({name for run in runs for name in _scores(run.record)})
    if metric and names:
      of_runs = any(metric in run.record.get('curve', ()) for run in runs)
      raise ValueError('metric: ' + (
          f'{asked!r} does not say how good samples are; wanted a score: '
          f'{", ".join(names)}.' if of_runs else
          f'no run has {asked!r}; {tables.nearest(asked, names)}'))
    raise ValueError('none of the runs has a value: '
                     + _why_none(runs))
  _check_protocols(known, keys, runs)
  key = known[0]
  lower = outcome.is_lower(key)
  rows, missing = [], 0
  for run, found, point in zip(runs, keys, gathered.points, strict=True):
    value = math.nan if run.record.get('diverged') else (
        _value(run.record, key, which, lower) if found else None)
    if value is None:
      missing += 1
      continue
    rows.append(_result(run, point, value, key, which, lower))
  if not any(math.isfinite(row.value) for row in rows):
    raise ValueError(f'none of the runs has a value of {key}: '
                     + _why_none(runs))
  notes = []
  if missing:
    notes.append(f'{plural(missing, "run")} without {key}, left out.')
  found = Results(rows, key, lower, drawn=gathered.drawn)
  return found, notes + _unequal(found, runs)


def _common(runs, flag, of):
  found = sorted({of(run) for run in runs})
  if len(found) > 1:
    raise ValueError(f'{flag}: the runs were judged by {" and by ".join(found)}'
                     f'; wanted one of them, such as {flag}={found[0]}.')
  return found[0]


def _key(metric, record):
  """Which column of a record's curve is a metric's; '' if none is."""
  scores = _scores(record)
  if metric in scores:
    return metric
  return key_in(metric, scores) if (
      metric == 'swd' or metric in METRICS) else ''


def _scores(record):
  """Columns of a record's curve that say how samples compare with reals."""
  return [name for name in record.get('curve', ()) if is_score(name)]


def _value(record, key, which, lower):
  """The value of a run that did not diverge; None if it was not measured."""
  row = _row(record, key, which, lower)
  return None if row is None else record['curve'][key][row]


def _row(record, key, which, lower):
  """Which measurement of a run counts."""
  column = np.array(record['curve'].get(key, ()), np.float64)
  rows = np.flatnonzero(np.isfinite(column))
  if not len(rows):
    return None
  best = np.argmin(column[rows]) if lower else np.argmax(column[rows])
  return int(rows[best] if which == 'best' else rows[-1])


def _result(run, point, value, key, which, lower):
  record = run.record
  row = _row(record, key, which, lower) if record.get('curve') else None
  curve = {} if row is None else record['curve']
  others = {name: column[row] for name, column in curve.items()
            if name not in COSTS and not name.startswith(outcome.STABILITY)
            and name != key and column[row] is not None}
  cost = {k: v for k, v in record.get('cost', {}).items() if v is not None}
  return Result({k: plain(v) for k, v in point.items()}, run.seed, value,
                others, cost, curve)


def _check_protocols(known, keys, runs):
  """Refuses values that must not stand in one table."""
  if len(known) > 1:
    raise ValueError(
        f'metric: the runs have {" and ".join(known)}, which never meet in one '
        f'table; wanted the runs of one of them, or metric={known[0]}.')
  if known[0] == SWD_MEAN or known[0] in SCORES:
    return
  found = sorted({run.record.get('protocol', '') for run, key in zip(
      runs, keys, strict=True) if key})
  if len(found) > 1:
    raise ValueError(
        f'workdir: {known[0]} was measured by unlike protocols, '
        f'{" and ".join(map(repr, found))}, whose values never meet in one '
        'table; wanted the runs of one of them.')


def _why_none(runs):
  diverged = sum(bool(run.record.get('diverged')) for run in runs)
  if diverged == len(runs):
    return f'each of the {len(runs):,} has diverged.'
  if not diverged:
    return 'they were not measured.'
  return (f'{plural(diverged, "run")} of {len(runs):,} diverged, and the '
          'others were not measured.')


def _unequal(found: Results, runs) -> list[str]:
  """Warnings: what is compared is not equal in all else."""
  notes = []
  by_point = found.by_point()
  lacking = [key for key, seeds in by_point.items()
             if len(seeds) < len(found.seeds)]
  if lacking and len(found.seeds) > 1:
    notes.append(
        f'{len(lacking):,} of {plural(len(by_point), "point")} lack a seed '
        'that others have; comparisons are over the seeds that both have.')
  data = {run.record.get('data') for run in runs} - {None, ''}
  if len(data) > 1:
    notes.append(f'The runs were trained on {len(data)} different sets of '
                 'pictures.')
  images = {row.cost['images'] for row in found.rows
            if 'images' in row.cost and not math.isnan(row.value)}
  if len(images) > 1:
    notes.append(f'The runs were not trained equally long: {min(images):,.0f} '
                 f'to {max(images):,.0f} images.')
  return notes

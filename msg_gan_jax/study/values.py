"""What came of gathered runs by one metric."""
import math
import re

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.metrics.table import METRICS
from msg_gan_jax.report.text import plural
from msg_gan_jax.runs.cost import COSTS
from msg_gan_jax.runs.together import plain
from msg_gan_jax.study import outcome
from msg_gan_jax.study.analysis import Gathered
from msg_gan_jax.study.results import Result, Results
from msg_gan_jax.study.standing import words
from msg_gan_jax.training.scorer import is_score, key_in
from msg_gan_jax.training.summary import SCORES

KINDS = 4  # Unlike protocols that an error lists.


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
  _check_protocols(known, keys, gathered)
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


def _check_protocols(known, keys, gathered):
  """Refuses values that must not stand in one table."""
  if len(known) > 1:
    raise ValueError(
        f'metric: the runs have {" and ".join(known)}, which never meet in one '
        f'table; wanted the runs of one of them, or metric={known[0]}.')
  if known[0] in SCORES:
    return
  facts = [_protocol(run, known[0]) if key else {}
           for run, key in zip(gathered.runs, keys, strict=True)]
  by_name: dict[str, set[str]] = {}
  for fact in facts:
    for name, value in fact.items():
      by_name.setdefault(name, set()).add(value)
  unlike = [name for name, values in by_name.items() if len(values) > 1]
  if not unlike:
    return
  kinds: dict[str, list[str]] = {}
  for fact, point in zip(facts, gathered.points, strict=True):
    if not fact:
      continue
    # What a record of an earlier version lacks is not known.
    kind = ', '.join(fact.get(name, 'unknown') for name in unlike)
    kinds.setdefault(kind, []).append(words(dict(point)))
  listed = sorted(kinds.items())[:KINDS]
  raise ValueError(
      f'workdir: {known[0]} was measured by unlike protocols, '
      f'{" and ".join(repr(kind) for kind, _ in listed)}'
      f'{" and others" if len(kinds) > KINDS else ""}, whose values never meet '
      'in one table ('
      + '; '.join(f'{plural(len(points), "run")} such as {points[0]}'
                  for _, points in listed)
      + '). Wanted the runs of one of them: they are folders in runs/ of their '
      'study, and workdir takes several, with commas between.')


def _protocol(run, key):
  """{name: words} of what is known to move a value beside the samples."""
  sliced = re.fullmatch(r'swd_(mean|\d+)', key)
  facts = {} if sliced else {
      'protocol': run.record.get('protocol', ''),
      'weights': run.settings.get('evaluate.weights_file', '')}
  reals = run.record.get('reals', {}).get(
      outcome.SLICED if sliced else outcome.SCORED)
  if reals:
    facts['reals'] = (f'{plural(reals["count"], "real")} of '
                      f'{" x ".join(map(str, reals["shape"]))}')
    if reals['digest']:
      facts['digest'] = f'digest {reals["digest"]:.8}'
  return facts


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

"""A study's results as tables."""
import itertools

import numpy as np

from msg_gan_jax.report.tables import Around, Cell, Table
from msg_gan_jax.study import effects, figures
from msg_gan_jax.study.results import COSTS, Results

INTERVAL = "Intervals are Student's 95 % over seeds"
WORST = 'a run that diverged counts as the worst of all'


def ranking(results: Results, most: int = 20) -> Table:
  """The points of a study, the best median first."""
  axes = results.axes
  points = sorted(
      results.by_point().items(), key=lambda x: float(np.median([
          *x[1].values()])), reverse=not results.lower)
  rows: list[list[Cell]] = []
  for place, (key, seeds) in enumerate(points[:most], 1):
    point = dict(zip(axes, key, strict=True))
    of_point = results.where(point)
    mean = results.scale.over_seeds([*seeds.values()])
    diverged = int(np.isnan(of_point.values).sum())
    rows.append([
        place, *map(_cell, key), float(np.median([*seeds.values()])),
        Around(mean.mean, mean.low, mean.high), mean.n, diverged,
        *(_mean_cost(of_point, name) for name in ('images', 'seconds'))])
  return Table(
      ('row', *axes, f'median {results.metric}', results.scale.mean_name,
       'seeds', 'diverged', 'images', 'seconds'), rows,
      f'The best {len(rows)} of {len(points)} points, by the median of '
      f'{results.metric} over seeds.', [f'{INTERVAL}; {WORST}.'])


def by_level(results: Results, axis: str) -> Table:
  """The values of an axis, all other axes alike."""
  scale = results.scale
  rows: list[list[Cell]] = []
  for x in effects.levels(results, axis):
    difference = x.difference
    rows.append([
        _cell(x.level), Around(x.mean.mean, x.mean.low, x.mean.high),
        Around(*map(scale.back, (difference.mean, difference.low,
                                 difference.high)))
        if difference else None,
        x.p, difference.p_signs if difference else None, x.mean.n, x.runs,
        x.diverged])
  return Table(
      (axis, results.metric,
       'times the best' if scale.ratios else 'minus the best', 'p',
       'p of signs', 'seeds', 'runs', 'diverged'), rows,
      f'{results.metric} by {axis}, {scale.mean_name} over all other axes.',
      [f'{INTERVAL}; p is of the paired t test over seeds, corrected for all '
       f'rows (Holm), and of the exact test of signs, not corrected; {WORST}.'])


def importance(results: Results) -> Table:
  """How much each axis matters, alone and by fANOVA."""
  alone, whole, missing = effects.main_effects(results), {}, ''
  try:
    whole = effects.fanova(results)
  except ValueError as error:  # What it needs is not installed.
    missing = f' fANOVA is left out: {error}'
  rows = [[axis, alone[axis], whole.get(axis)]
          for axis in sorted(alone, key=lambda x: -alone[x])]
  return Table(
      ('axis', 'alone', 'fANOVA'), rows,
      f'How much of {results.metric} each axis decides.',
      ['alone: share of the variance of ranks; fANOVA: Hutter et al. 2014.'
       + missing])


def heat(results: Results, down: str, across: str) -> Table:
  """The median of the value for each two values of two axes."""
  values = figures.medians(results, down, across)
  rows: list[list[Cell]] = [
      [_cell(level), *(None if np.isnan(x) else float(x) for x in row)]
      for level, row in zip(results.levels(down), values, strict=True)]
  return Table(
      (f'{down} \\ {across}', *map(str, results.levels(across))), rows,
      f'Median {results.metric} by {down} and {across}, over seeds and all '
      'other axes.', [f'{WORST[0].upper()}{WORST[1:]}.'])


def heats(results: Results) -> dict[tuple[str, str], Table]:
  """{two axes: `heat`}, of those that have few values."""
  return {pair: heat(results, *pair)
          for pair in itertools.combinations(results.few, 2)}


def correlation(results: Results) -> Table:
  """Spearman's correlations of all scores over the runs."""
  found = effects.correlations(results)
  return Table(
      ('score', 'and', 'correlation'),
      [[a, b, value] for (a, b), value in found.items()],
      "Spearman's correlation of scores over runs.")


def costs(results: Results, axis: str) -> Table:
  """What a run of each value of an axis costs, in four units."""
  rows = [[_cell(level), *(_mean_cost(results.where({axis: level}), name)
                           for name in COSTS)]
          for level in results.levels(axis)]
  return Table(
      (axis, *(name.replace('d_', 'D ').replace('g_', 'G ')
               for name in COSTS)), rows,
      f'Mean cost of a run by {axis}.')


def _mean_cost(results, name):
  values = [row.cost[name] for row in results.rows if name in row.cost]
  return float(np.mean(values)) if values else None


def _cell(value) -> Cell:
  return value if isinstance(value, int | float | str) else str(value)

"""A study's results as tables."""
import itertools

import numpy as np

from msg_gan_jax.report.tables import Around, Cell, Table
from msg_gan_jax.runs.cost import COSTS
from msg_gan_jax.study import effects, figures
from msg_gan_jax.study.results import Results

INTERVAL = "Intervals are Student's 95 % over seeds"
WORST = 'a run that diverged counts as the worst of all'
COST = 'costs are of runs that did not diverge'


def ranking(results: Results, most: int = 20) -> Table:
  """The points of a study, the best median first."""
  axes, points = results.axes, results.ranked()
  rows: list[list[Cell]] = []
  for place, (key, seeds) in enumerate(points[:most], 1):
    of_point = results.where(dict(zip(axes, key, strict=True)))
    mean = results.scale.over_seeds([*seeds.values()])
    diverged = int(np.isnan(of_point.values).sum())
    rows.append([
        place, *key, float(np.median([*seeds.values()])),
        Around(mean.mean, mean.low, mean.high), mean.n,
        f'{diverged:,} of {len(of_point.rows):,}',
        *(_mean_cost(of_point, name) for name in ('images', 'seconds'))])
  return Table(
      ('row', *axes, f'median {results.metric}', results.scale.mean_name,
       'seeds', 'diverged', 'images', 'seconds'), rows,
      f'The best {len(rows)} of {len(points)} points, by the median of '
      f'{results.metric} over seeds.', [f'{INTERVAL}; {WORST}; {COST}.'])


def by_level(results: Results, axis: str) -> Table:
  """The values of an axis, over all other axes."""
  scale = results.scale
  rows: list[list[Cell]] = []
  for x in effects.levels(results, axis):
    apart: list[Cell] = [None] * 4
    if x.difference:
      apart = [
          Around(*map(scale.back, x.difference[:3])), x.difference.n, x.p,
          x.difference.p_signs]
    rows.append([
        x.level, Around(x.mean.mean, x.mean.low, x.mean.high), x.mean.n, x.runs,
        *apart, f'{x.diverged:,} of {x.tried:,}'])
  return Table(
      (axis, results.metric, 'seeds', 'runs',
       'times the best' if scale.ratios else 'minus the best', 'common seeds',
       'p', 'p of signs', 'diverged'), rows,
      f'{results.metric} by {axis}, {scale.mean_name} over all other axes.',
      [f'{INTERVAL}, each of one comparison by itself. seeds and runs are '
       'those of the mean; what is compared with the best are the seeds, and '
       'the values of all other axes, that both have. p is of the paired t '
       'test over seeds, corrected for all pairs of rows (Holm), and of the '
       f'exact test of signs, not corrected; {WORST}.'])


def importance(results: Results) -> Table:
  """How much each axis matters, alone, with another, and by fANOVA."""
  alone, whole, missing = effects.main_effects(results), {}, ''
  try:
    whole = effects.fanova(results)
  except ValueError as error:  # What it needs is not installed.
    missing = f' fANOVA is left out: {error}'
  together = {pair: x.share for pair, x in effects.interactions(results).items()
              if x.share}
  rows: list[list[Cell]] = [
      [axis, alone[axis], whole.get(axis)]
      for axis in sorted(alone, key=lambda x: -alone[x])]
  rows += [[' × '.join(pair), together[pair], None]
           for pair in sorted(together, key=lambda x: -together[x])]
  return Table(
      ('axis', 'explains', 'fANOVA'), rows,
      f'How much of {results.metric} each axis decides.',
      ['explains: share of the variance of ranks beyond chance (epsilon '
       'squared), of an axis alone, and of two axes beyond the sum of both; '
       'fANOVA: of an axis alone, Hutter et al. 2014, times what the forest '
       'explains of runs it has not seen.' + missing])


def heat(results: Results, down: str, across: str) -> Table:
  """The median of the value for each two values of two axes."""
  values = figures.medians(results, down, across)
  rows: list[list[Cell]] = [
      [level, *(None if np.isnan(x) else float(x) for x in row)]
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
  rows = [[level, *(_mean_cost(results.where({axis: level}), name)
                    for name in COSTS)]
          for level in results.levels(axis)]
  return Table(
      (axis, *(name.replace('d_', 'D ').replace('g_', 'G ')
               for name in COSTS)), rows,
      f'Mean cost of a run that did not diverge, by {axis}.')


def _mean_cost(results, name):
  values = [row.cost[name] for row in results.rows
            if name in row.cost and not np.isnan(row.value)]
  return float(np.mean(values)) if values else None

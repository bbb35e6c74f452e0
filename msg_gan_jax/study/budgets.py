"""Figures and tables of a study: what a budget buys, and the best 5 %."""
import numpy as np

from msg_gan_jax.report import plots
from msg_gan_jax.report.plots import Curve
from msg_gan_jax.report.tables import Around, Cell, Table
from msg_gan_jax.report.text import plural
from msg_gan_jax.study import budget
from msg_gan_jax.study.findings import FEWEST, best_share
from msg_gan_jax.study.legible import (
  MOST_BANDS,
  Figure,
  by_level,
  is_log,
  label,
  of_few,
)
from msg_gan_jax.study.results import Results

ORDERS = '95 % of the orders lie'
NO_INTERVAL = ('That is no confidence interval: it ends where all runs of the '
               'study are trained')
WORST = 'a run that diverged counts as the worst of all'


def figure(results: Results, axis: str = '') -> Figure:
  """The best value against the number of runs: of all, or for each level."""
  name, by, note = 'budget', '', ''
  groups = {'all runs': results}
  if axis:
    name, by = f'budget_{axis}', f', by {axis}'
    groups, note = _large(results, axis, 2)
  if len(groups) < 2 and axis or len(results.rows) < 2:
    why = 'fewer than two values have two runs' if axis else 'there is one run'
    return Figure(name, None, 'The best value that a number of runs brings'
                              f'{by} is left out: {why}.')
  curves: dict[str, Curve] = {}
  for level, group in groups.items():
    best = budget.best_in_orders(group.counted, results.lower)
    curves[level] = Curve(best.budgets, best.expected, best.low, best.high)
  bands = len(curves) <= MOST_BANDS
  if not bands:
    curves = {k: v._replace(low=None, high=None) for k, v in curves.items()}
  values = np.concatenate([y for curve in curves.values() for y in curve[1:]
                           if y is not None])
  return Figure(
      name, plots.curves(
          {f'runs that are trained{by}': curves}, f'best {label(results)}',
          steps=True, log=is_log(results, values)),
      f'The best value that a number of runs brings{by}: the mean over the '
      'orders in which they could be trained'
      + (f', and where {ORDERS}. {NO_INTERVAL}' if bands else
         '. Where 95 % of the orders lie is in the table')
      + f'{note}.')


def table(results: Results, axis: str = '') -> Table:
  """The best value of some numbers of runs: of all, or for each level."""
  groups = _groups(results, axis)
  budgets = _some(max(len(group.rows) for group in groups.values()))
  rows: list[list[Cell]] = []
  for level, group in groups.items():
    afforded = [b for b in budgets if b <= len(group.rows)]
    best = budget.best_in_orders(group.counted, results.lower, afforded)
    found = [Around(*map(float, x)) for x in zip(*best[1:], strict=True)]
    rows.append([level, *found, *[None] * (len(budgets) - len(found))])
  return Table(
      (axis or 'of', *(plural(b, 'run') for b in budgets)), rows,
      f'The best {results.metric} that a number of runs brings'
      + (f', by {axis}.' if axis else '.'),
      [f'The mean over the orders in which the runs could be trained, and '
       f'where {ORDERS}. {NO_INTERVAL}; {WORST}.'], digits=3)


def _some(most):
  """Numbers of runs for a table: 1, 3, 6, 12, ..., and all."""
  found = [1, *(3 * 2**i for i in range(20) if 3 * 2**i < most)]
  while len(found) > 6:
    found = found[::2]
  return [*found, most] if most > 1 else found


def best_figure(results: Results, axis: str) -> Figure:
  """The best 5 % of each level."""
  groups, note = _large(results, axis, FEWEST)
  if len(groups) < 2:
    return Figure(f'best_{axis}', None, (
        f'The best 5 % by {axis} are left out: fewer than two values have '
        f'{plural(FEWEST, "run")}.'))
  best = {name: _best(group) for name, group in groups.items()}
  what = 'best 5 %' if all(
      best_share(group) <= .05 for group in groups.values()) else (
          f'best {plural(FEWEST, "run")}' if all(
              len(x) == FEWEST for x in best.values()) else
          f'best 5 %, {FEWEST} runs at least')
  return Figure(
      f'best_{axis}', plots.boxes(
          best, f'{what}\n{label(results)}', xlabel=axis,
          log=is_log(results, np.concatenate([*best.values()]))),
      f'The {what} of each {axis}'
      + (', since 5 % would be fewer' if what == f'best {FEWEST} runs' else '')
      + f'{note}.')


def best_table(results: Results, axis: str = '') -> Table:
  """The best 5 %: of all, or of each level."""
  rows: list[list[Cell]] = []
  for level, group in _groups(results, axis).items():
    best = _best(group)
    rows.append([level, len(group.rows), len(best), float(best[0]),
                 float(np.median(best)), float(best[-1])])
  return Table(
      (axis or 'of', 'runs', 'kept', 'best', 'median', 'worst'), rows,
      f'The best 5 % by {results.metric}' + (f' of each {axis}.' if axis else
                                             '.'),
      [f'kept: 5 % of the runs, and {FEWEST} at least where there are so many; '
       f'best, median and worst are of these; {WORST}.'])


def _groups(results, axis):
  """{value of an axis, as a cell: its runs}; of no axis, all."""
  return {level: results.where({axis: level})
          for level in results.levels(axis)} if axis else {'all runs': results}


def _best(results):
  return budget.best_share(results.counted, results.lower, best_share(results))


def _large(results, axis, fewest):
  """({value of an axis: its runs}, a note), of those that have enough."""
  results, note = of_few(results, axis)
  groups = by_level(results, axis)
  kept = {k: v for k, v in groups.items() if len(v.rows) >= fewest}
  small = [name for name in groups if name not in kept]
  return kept, note + (
      f'; without {", ".join(small)}, of which there are fewer than '
      f'{plural(fewest, "run")}' if small else '')

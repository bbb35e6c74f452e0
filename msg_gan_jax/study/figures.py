"""A study's results as figures, in the form of the papers."""
from collections.abc import Mapping

import numpy as np

from msg_gan_jax.report import plots
from msg_gan_jax.report.plots import Dots
from msg_gan_jax.report.text import plural
from msg_gan_jax.study import budgets, effects, over_time
from msg_gan_jax.study.findings import shown
from msg_gan_jax.study.legible import (
  Figure,
  by_level,
  chosen_axes,
  is_log,
  label,
  of_few,
  only,
  ordered,
)
from msg_gan_jax.study.results import Results

MOST_ROWS, MOST_DOTS = 20, 400
MAIN = 3  # Axes whose levels get figures of their own: the most important.


def figures(results: Results) -> list[Figure]:
  """All that the results have something to show in, or why it is not there."""
  chosen = chosen_axes(results)
  strength = effects.main_effects(results)
  main = sorted(chosen, key=lambda x: -strength[x])[:MAIN]
  drawn = [axis for axis in results.axes if axis not in chosen]
  found = [over_time.curves(results)]
  if len(results.by_point()) > 1 and not drawn:
    found.append(_intervals(results))
  found.append(budgets.figure(results))
  for axis in main:
    found += [budgets.figure(results, axis),
              budgets.best_figure(results, axis)]
  if rest := [axis for axis in chosen if axis not in main]:
    found.append(Figure('rest', None, (
        f'{", ".join(rest)}: only in tables. Figures are of the {MAIN} axes '
        'that matter most.')))
  found += [_heat(results, main)] if len(main) > 1 else []
  found += [_scatter(results, drawn, main)] if drawn else []
  found += over_time.stability(results)
  return found


def _intervals(results):
  """Each point's mean with its interval, and its seeds."""
  points = ordered(results)
  rows, dots = {}, {}
  for _, name, seeds in points[:MOST_ROWS]:
    mean = results.scale.over_seeds([*seeds.values()])
    rows[name] = mean.mean, mean.low, mean.high
    dots[name] = [*seeds.values()] if len(seeds) > 1 else []
  several = len(results.seeds) > 1
  return Figure(
      'intervals', plots.intervals(
          rows, label(results), dots=dots, log=results.scale.ratios),
      (f"{results.scale.mean_name.capitalize()} over seeds with Student's 95 % "
       'interval, and each seed as a small dot, in the order of medians; an '
       'arrow ends an interval that goes on'
       if several else 'The value of each point, of one seed')
      + f'{only(points, MOST_ROWS)}.')


def _heat(results, main):
  """The median by two axes, and by a third one in panels."""
  notes = ''
  for axis in main:
    results, note = of_few(results, axis)
    notes += note and f'{note} of {axis}'
  down, across, *rest = sorted(main, key=lambda x: -len(results.levels(x)))
  third = rest[0] if rest and len(results.levels(rest[0])) <= 4 else None
  panels = {}
  for level in results.levels(third) if third else [None]:
    group = results.where({third: level}) if third else results
    panels[f'{third} {shown(level)}' if third else ''] = medians(
        group, down, across, results)
  values = np.concatenate([x[np.isfinite(x)] for x in panels.values()])
  return Figure(
      'heat', plots.heats(
          panels, [*map(shown, results.levels(down))],
          [*map(shown, results.levels(across))], f'median {label(results)}',
          results.lower, is_log(results, values), across, down),
      f'The median by {down} and {across}'
      + (f', for each {third}' if third else '')
      + f', over seeds and all else; dark is good{notes}.')


def medians(results: Results, down: str, across: str,
            whole: Results | None = None) -> np.ndarray:
  """[rows, columns], the median for each two values of two axes; nan of none.

  Args:
    results: of which the medians are.
    down, across: axes.
    whole: whose values the axes have; None: those of `results`.
  """
  whole = whole or results
  rows = {x: i for i, x in enumerate(whole.levels(down))}
  columns = {x: i for i, x in enumerate(whole.levels(across))}
  cells: dict[tuple[int, int], list[float]] = {}
  for row, value in zip(results.rows, results.counted, strict=True):
    if down in row.point and across in row.point:
      cells.setdefault((rows[row.point[down]], columns[row.point[across]]),
                       []).append(value)
  found = np.full((len(rows), len(columns)), np.nan)
  for place, values in cells.items():
    found[place] = np.median(values)
  return found


def _scatter(results, drawn, main):
  """The value against each setting that was drawn."""
  groups = by_level(of_few(results, main[0])[0], main[0]) if main else {
      '': results}
  most = max(len(group.rows) for group in groups.values())
  rng = np.random.default_rng(0)
  groups = {name: group.of(sorted(rng.choice(
      len(group.rows), MOST_DOTS, replace=False).tolist()))
            if len(group.rows) > MOST_DOTS else group
            for name, group in groups.items()}
  panels: dict[str, Mapping[str, Dots]] = {}
  for axis in drawn:
    panels[axis] = {
        f'{main[0]} {name}' if main else name: Dots(
            [row.point[axis] for row in group.rows if not np.isnan(row.value)],
            [row.value for row in group.rows if not np.isnan(row.value)])
        for name, group in groups.items()}
  lost = int(np.isnan(results.values).sum())
  return Figure(
      'settings', plots.scatters(panels, label(results),
                                 log=is_log(results, results.counted), log_x=[
                                     x for x in drawn if results.is_log(x)]),
      (f'The values of {MOST_DOTS:,} runs of each colour at most, drawn from '
       'all,' if most > MOST_DOTS else 'The value of each run')
      + ' against what was drawn for it'
      + (f'; {plural(lost, "run")} that diverged are not shown' if lost else '')
      + '.')

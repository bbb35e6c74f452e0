"""A study's results as figures, in the form of the papers."""
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.report import plots
from msg_gan_jax.report.plots import Curve, Dots
from msg_gan_jax.report.text import plural
from msg_gan_jax.study import budget, effects
from msg_gan_jax.study.findings import FEWEST, best_share, shown
from msg_gan_jax.study.outcome import STABILITY
from msg_gan_jax.study.results import Results
from msg_gan_jax.study.scale import is_wide

MOST_CURVES, MOST_BANDS, MOST_ROWS, MOST_DOTS = 12, 4, 20, 400
LONGEST = 32  # Characters of a name.
MAIN = 3  # Axes whose levels get figures of their own: the most important.
UNITS = {'images': 'real images', 'd_steps': 'updates of D',
         'g_steps': 'updates of G', 'seconds': 'seconds'}


class Figure(NamedTuple):
  """A figure of the page.

  Attributes:
    name: of its files.
    drawn: for plots.save.
    caption: what it shows.
  """
  name: str
  drawn: Any
  caption: str


def figures(results: Results) -> list[Figure]:
  """All that the results have something to show in."""
  strength = effects.main_effects(results)
  main = sorted(results.few, key=lambda x: -strength[x])[:MAIN]
  found = [_curves(results)]
  drawn = [axis for axis in results.axes if results.is_drawn(axis)]
  if len(results.by_point()) > 1 and not drawn:
    found.append(_intervals(results))
  for axis in main:
    if all(len(group.rows) >= FEWEST
           for group in _by_level(results, axis).values()):
      found += [_budget(results, axis), _best(results, axis)]
  found += [_heat(results, main)] if len(main) > 1 else []
  found += [_scatter(results, drawn, main)] if drawn else []
  found.append(_stability(results))
  return [figure for figure in found if figure]


def label(results: Results) -> str:
  """The metric, and which way it goes."""
  return f'{results.metric} ({"less" if results.lower else "more"} is better)'


def name_of(results: Results, key: Any) -> str:
  """A point as a short name: numbers with their axis, names alone."""
  return ', '.join(
      f'{axis} {shown(value, results.is_drawn(axis))}'
      if isinstance(value, int | float) else str(value)
      for axis, value in zip(results.axes, key, strict=True)) or 'all runs'


def _ordered(results):
  """[(point, its name, {seed: value})], the best median first.

  Where names would be long, it is the point's row in the ranking.
  """
  axes, found = results.axes, results.ranked()
  names = [name_of(results, key) for key, _ in found]
  if max(map(len, names)) > LONGEST:
    names = [f'row {i + 1}' for i in range(len(names))]
  return [(dict(zip(axes, key, strict=True)), name, seeds)
          for name, (key, seeds) in zip(names, found, strict=True)]


def _curves(results):
  """The value over images, steps and seconds, for the best points."""
  ordered = _ordered(results)
  panels: dict[str, dict[str, Curve]] = {UNITS[unit]: {} for unit in UNITS}
  for point, name, _ in ordered[:MOST_CURVES]:
    runs = [row.curve for row in results.where(point).rows if row.curve]
    for unit, words in UNITS.items():
      curve = _over(runs, unit, results.metric)
      if curve is not None:
        panels[words][name] = curve
  panels = {unit: panel for unit, panel in panels.items() if panel}
  if all(len(x.x) < 2 for panel in panels.values() for x in panel.values()):
    return None
  if len(ordered) > MOST_BANDS:  # More bands hide each other.
    panels = {unit: {k: v._replace(low=None, high=None)
                     for k, v in panel.items()}
              for unit, panel in panels.items()}
  values = [y for panel in panels.values() for x in panel.values() for y in x.y]
  few = len(ordered) <= MOST_BANDS
  return Figure(
      'curves', plots.curves(panels, label(results), log=is_wide(values)),
      'Median over seeds' + (', and the range of all of them' if few else '')
      + f', over four kinds of time{_only(ordered, MOST_CURVES)}.')


def _over(runs, unit, metric):
  """Curve of the median over seeds, and their range, at each measurement."""
  runs = [run for run in runs if metric in run and unit in run]
  if not runs:
    return None
  length = max(len(run[metric]) for run in runs)

  def column(name):
    return np.array([np.pad(
        np.array(run[name], np.float64), (0, length - len(run[name])),
        constant_values=np.nan) for run in runs])

  y, x = column(metric), column(unit)
  some = np.isfinite(y).any(0) & np.isfinite(x).any(0)
  if not some.any():
    return None
  y, x = y[:, some], x[:, some]
  return Curve(np.nanmedian(x, 0), np.nanmedian(y, 0),
               *((np.nanmin(y, 0), np.nanmax(y, 0)) if len(runs) > 1 else ()))


def _intervals(results):
  """Each point's mean with its interval, and its seeds."""
  ordered = _ordered(results)
  rows, dots = {}, {}
  for _, name, seeds in ordered[:MOST_ROWS]:
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
      + f'{_only(ordered, MOST_ROWS)}.')


def _only(ordered, most):
  """Which points are shown, and what their names are."""
  text = f'; the best {most} of {len(ordered):,} points' if (
      len(ordered) > most) else ''
  return text + ('; a row is that of the ranking' if ordered[0][1] == 'row 1'
                 else '')


def _by_level(results, axis):
  return {shown(level): results.where({axis: level})
          for level in results.levels(axis)}


def _budget(results, axis):
  """The best value against the number of runs, for each level."""
  curves, ends = {}, []
  for name, group in _by_level(results, axis).items():
    best = budget.best_in_orders([group.counted], results.lower)
    ends += [best.low, best.high]
    curves[name] = Curve(best.budgets, best.expected, best.low, best.high)
  return Figure(
      f'budget_{axis}', plots.curves(
          {f'runs that are trained, by {axis}': curves},
          f'best {label(results)}', steps=True,
          log=is_wide(np.concatenate(ends))),
      f'The best value that a number of runs brings, by {axis}: the mean over '
      'the orders in which they could be trained, and between which values 95 '
      '% of the orders lie. The band is no confidence interval: it ends where '
      'all runs of the study are trained.')


def _best(results, axis):
  """The best 5 % of each level."""
  groups = _by_level(results, axis)
  shares = {name: best_share(group) for name, group in groups.items()}
  best = {name: budget.best_share(group.counted, results.lower, shares[name])
          for name, group in groups.items()}
  least = min(len(x) for x in best.values())
  what = 'best 5 %' if max(shares.values()) <= .05 else (
      f'best {plural(least, "run")}')
  return Figure(
      f'best_{axis}', plots.boxes(
          best, f'{what}\n{label(results)}', xlabel=axis,
          log=is_wide(np.concatenate([*best.values()]))),
      f'The {what} of each {axis}'
      + ('' if what == 'best 5 %' else ', since 5 % would be fewer') + '.')


def _heat(results, main):
  """The median by two axes, and by a third one in panels."""
  down, across, *rest = sorted(main, key=lambda x: -len(results.levels(x)))
  third = rest[0] if rest and len(results.levels(rest[0])) <= 4 else None
  panels = {}
  for level in results.levels(third) if third else [None]:
    group = results.where({third: level}) if third else results
    panels[f'{third} {shown(level)}' if third else ''] = medians(
        group, down, across, results)
  return Figure(
      'heat', plots.heats(
          panels, [*map(shown, results.levels(down))],
          [*map(shown, results.levels(across))], f'median {label(results)}',
          results.lower, across, down),
      f'The median by {down} and {across}'
      + (f', for each {third}' if third else '')
      + ', over seeds and all else; dark is good.')


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
  groups = _by_level(results, main[0]) if main else {'': results}
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
                                 log=is_wide(results.values), log_x=[
                                     x for x in drawn if results.is_log(x)]),
      (f'The values of {MOST_DOTS:,} runs of each colour at most, drawn from '
       'all,' if most > MOST_DOTS else 'The value of each run')
      + ' against what was drawn for it'
      + (f'; {plural(lost, "run")} that diverged are not shown' if lost else '')
      + '.')


def _stability(results):
  """How far fixed samples move in an epoch, at each height, of the best."""
  panels: dict[str, dict[str, Curve]] = {}
  for point, name, _ in _ordered(results)[:3]:
    runs = [row.curve for row in results.where(point).rows if row.curve]
    names = dict.fromkeys(k for run in runs for k in run
                          if k.startswith(STABILITY))
    found = {k.removeprefix(STABILITY) + ' px': curve for k in names
             if (curve := _over(runs, 'images', k)) is not None}
    if found:
      panels[f'real images, {name}'] = found
  return panels and Figure(
      'stability', plots.curves(panels, 'change of fixed samples', log=True),
      'How far the pictures of fixed latents moved in an epoch, by height '
      '(figure 6 of MSG-GAN); the median and the range over seeds.')

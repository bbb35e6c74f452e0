"""What a study found, in words, by rules that are the same for every study.

1. The point with the best median over its seeds is named.
2. "The best x depends on y" is said before anything else of an axis, where two
   axes explain more of the variance of ranks together, beyond the sum of both,
   than either does alone, and p of the F test of that is below .05, corrected
   for all pairs of axes. It is said of the axis that alone explains less, of
   the two whose best value is not the same beside each of the other's.
3. Of each axis, the one that explains most first: which value is best on
   average over all other axes that vary, and how the others compare with it.
   "Better" is p below .05, by the paired t test over seeds, corrected for all
   pairs of values (Holm); else "cannot be told". Where that test by itself
   would have told them apart, this is said too.
4. Where that best value is worse than another beside a value of another axis,
   corrected for all pairs of values beside all values of all other axes.
"""
from collections.abc import Sequence
import math
from typing import Any

import numpy as np

from msg_gan_jax.report.tables import number
from msg_gan_jax.report.text import percent, plural
from msg_gan_jax.study import budget, comparison, effects
from msg_gan_jax.study.effects import Interaction, Level
from msg_gan_jax.study.results import Results

NOTABLE = .1  # Of diverged runs: a share that is spoken of.
FEWEST = 5  # Runs at least that stand for the best 5 %.
EXACT = 12  # Digits of numbers that were chosen.
LISTED = 3  # Axes that are named one by one.


def findings(results: Results) -> list[str]:
  """Sentences about each axis, the one that matters most first."""
  alone = effects.main_effects(results)
  lines, told, compared = [_best_point(results)], set(), []
  for axis, other, together in _dependent(results, alone):
    lines += _depends(results, axis, other, together)
    told.add((axis, other))
  for axis in sorted(alone, key=lambda x: -alone[x]):
    found = [] if results.is_drawn(axis) else effects.levels(results, axis)
    if found:
      lines += _about(results, axis, found)
      compared.append((found[0].mean.n, found[0].tests))
    elif results.is_drawn(axis):
      lines.append(_where_the_best_lie(results, axis))
    else:
      lines += _by_budget(results, axis)
    lines.append(
        f'{axis} alone explains '
        + (f'{percent(alone[axis])} of the variance of ranks beyond chance.'
           if alone[axis] else
           'no more of the variance of ranks than chance would.'))
  lines += [
      f'{x.axis}: with {x.other} {shown(x.at)}, {shown(x.level)} is better '
      f'than {shown(x.usual)} by {_apart(results, *x.size)} ({chance(x.p)}'
      f'{_of(x.tests)}), although {shown(x.usual)} is the best on average.'
      for x in effects.reversals(results) if (x.axis, x.other) not in told]
  return lines + _of_signs(results, compared)


def _of_signs(results, compared):
  """What (seeds, comparisons) of axes mean for the exact test."""
  seeds, tests = max(compared, default=(0, 0))
  fewest = comparison.fewest_seeds(max(tests, 1))
  if not 1 < seeds < fewest:
    return []
  what = 'logarithms of ratios' if results.scale.ratios else 'differences'
  return [
      f'With {plural(seeds, "seed")} the exact test of signs cannot reject at '
      f'5 %{f" after {tests:,} comparisons" if tests > 1 else ""}: it needs '
      f'{fewest} at least. p is of the t test, which takes {what} of seeds for '
      'normal.']


def _best_point(results):
  """The point with the best median over its seeds."""
  found, axes = results.ranked(), results.axes
  best, seeds = found[0]
  name = ', '.join(
      f'{axis} {shown(value, results.is_drawn(axis))}'
      for axis, value in zip(axes, best, strict=True)) or 'These settings'
  median = float(np.median([*seeds.values()]))
  return (f'{name}: the median {results.metric} is {number(median, 3)} '
          + (f'over {len(seeds)} seeds' if len(seeds) > 1 else 'with one seed')
          + (f', the best of {plural(len(found), "point")}. The best of many '
             'is partly luck: new seeds of it would probably do worse.'
             if axes else '.'))


def shown(value: Any, drawn: bool = False) -> str:
  """A value of an axis; a number that was drawn, to three digits."""
  if not isinstance(value, float):
    return str(value)
  return number(value, 3) if drawn else f'{value:.{EXACT}g}'


def best_share(results: Results) -> float:
  """5 %, or as many of the runs as make five."""
  return min(1., max(.05, FEWEST / len(results.rows)))


def _dependent(results, alone):
  """(axis, another one that decides its best value, Interaction): rule 2."""
  found = []
  for pair, together in effects.interactions(results).items():
    if together.p < comparison.LEVEL and together.share > max(
        alone[x] for x in pair) and not any(map(results.is_drawn, pair)):
      orders = [x for x in (pair, pair[::-1]) if len(_best_at(results, *x)) > 1]
      found += [(*min(orders, key=lambda x: alone[x[0]]), together)] if (
          orders) else []
  return sorted(found, key=lambda x: -x[2].share)


def _there(results, axis, other):
  """{value of the other axis: [Level] of this one}."""
  return {at: found for (name, at), found in effects.levels_at(
      results, axis).items() if name == other and found}


def _best_at(results, axis, other):
  """{best value of an axis: the values of the other one where it is}."""
  found: dict[Any, list[Any]] = {}
  for at, there in _there(results, axis, other).items():
    found.setdefault(there[0].level, []).append(at)
  return found


def _depends(results, axis, other, together: Interaction):
  """Sentences about an axis whose best value depends on another: rule 2."""
  best = _best_at(results, axis, other)
  listed = '; '.join(f'{shown(level)} with {_and(map(shown, at))}'
                     for level, at in best.items())
  lines = [f'{axis}: the best {axis} depends on the {other}: {listed}. '
           f'Together they explain {percent(together.share)} of the variance '
           'of ranks beyond what each explains alone (F test, '
           f'{chance(together.p)}).']
  there = _there(results, axis, other)
  unsure = []
  for at, (first, *others) in there.items():
    sure = [x for x in others
            if x.p < comparison.LEVEL and x.is_worse(results.lower)]
    lines += [f'With {other} {shown(at)}, {_compared(results, first, x)}'
              for x in sure]
    if len(sure) < len(others):
      unsure.append(shown(at))
  if not unsure:
    return lines
  where = f'any {other}' if len(unsure) == len(there) else (
      f'{other} {_and(unsure)}')
  return [*lines, f'With {where}, the best {axis} cannot be told from all '
          'others' + (f' after {plural(first.tests, "comparison")}.'
                      if first.tests else ': one seed says nothing of chance.')]


def _where_the_best_lie(results, axis):
  """Between which numbers of a drawn axis the best runs are."""
  sign = 1 if results.lower else -1
  count = math.ceil(best_share(results) * len(results.rows) - 1e-9)
  order = np.argsort(sign * results.counted, kind='stable')[:count]
  values = [results.rows[i].point[axis] for i in order
            if axis in results.rows[i].point]
  found = results.levels(axis)
  return (f'{axis}: the best {count} of {plural(len(results.rows), "run")} lie '
          f'between {number(min(values), 3)} and {number(max(values), 3)}; '
          f'{number(found[0], 3)} to {number(found[-1], 3)} were tried.')


def _by_budget(results, axis):
  """What equally many runs of each value bring, where none can be paired."""
  groups = {level: results.where({axis: level})
            for level in results.levels(axis)}
  count = min(len(group.rows) for group in groups.values())
  best = {level: float(budget.expected_best(group.counted, results.lower)[
      count - 1]) for level, group in groups.items()}
  order = sorted(best, key=lambda x: best[x], reverse=not results.lower)
  listed = ', '.join(f'{number(best[x], 3)} with {shown(x)}' for x in order)
  lines = [f'{axis}: its values have no run in common in all else, so that '
           'none is called better; the best of '
           f'{plural(count, "run")} is {listed}.']
  return lines + _diverged(axis, [
      (level, int(np.isnan(group.values).sum()), len(group.rows))
      for level, group in groups.items()])


def _diverged(axis, rows):
  return [f'{axis}: {percent(diverged / runs)} of the {plural(runs, "run")} of '
          f'{shown(level)} diverged.' for level, diverged, runs in rows
          if diverged / runs > NOTABLE]


def _about(results, axis, found: Sequence[Level]):
  """Sentences about the values of one axis, the best first: rule 3."""
  best, *rest = found
  others = [x for x in results.axes if x != axis]
  over = 'on average over ' + (
      _and(others) if len(others) <= LISTED else 'all other axes'
  ) + ', ' if others else ''
  lines = [f'{axis}: {over}{shown(best.level)} is best by {results.metric}, '
           f'{around(best.mean.mean, best.mean.low, best.mean.high)} over '
           f'{plural(best.mean.n, "seed")}.']
  lines += [f'{over[:1].upper()}{over[1:]}{_compared(results, best, x)}'
            for x in rest]
  return lines + _diverged(
      axis, [(x.level, x.diverged, x.tried) for x in found])


def _compared(results, best: Level, other: Level):
  """How sure it is that the best value of an axis is better than another."""
  first, second = shown(best.level), shown(other.level)
  difference, scale, tests = other.difference, results.scale, other.tests
  if difference is None:
    return (f'{second} is not compared with {first}: they have no run in '
            'common in all else.')
  if not difference.mean:
    return f'{first} and {second} have the same mean.'
  if not other.is_worse(results.lower):
    first, second = second, f'{first} in the runs that both have'
  sign = math.copysign(1, difference.mean)
  size = _apart(results, abs(difference.mean), *sorted(
      (sign * difference.low, sign * difference.high)))
  if math.isnan(other.p):
    return (f'{first} is ahead of {second} by {size} with one seed, which '
            'says nothing of chance.')
  if difference.n != best.mean.n:
    size += f' over the {difference.n} seeds that both have'
  sure = f'({chance(other.p)}{_of(tests)})'
  if other.p < comparison.LEVEL:
    return f'{first} is better than {second} by {size} {sure}.'
  level = comparison.LEVEL / tests
  least = comparison.detectable(difference.std, difference.n, level=level)
  more = comparison.seeds_to_tell(
      difference.mean, difference.std, level=level)
  return (
      f'{first} cannot be told from {second}: they differ by {size} {sure}'
      + (', though this comparison by itself would have told them apart '
         f'({chance(difference.p)})' if difference.p < comparison.LEVEL else '')
      + f'. {plural(difference.n, "seed")} would probably have shown '
      f'{scale.size(least)}; this one would '
      + (f'take about {plural(more, "seed")}.' if more else
         'take more than a thousand.'))


def _apart(results, mean, low, high):
  """'1.25 [1.1, 1.4]', 'a factor of 1.25 [1.1, 1.4]'."""
  scale = results.scale
  return ('a factor of ' if scale.ratios else '') + around(
      *map(scale.back, (mean, low, high)))


def around(value: float, low: float, high: float) -> str:
  """'12.3 [11.0, 13.6]'; without an interval where there is none."""
  text = number(value, 3)
  return text if math.isnan(low) else (
      f'{text} [{number(low, 3)}, {number(high, 3)}]')


def chance(p: float) -> str:
  """'p = .012', 'p < .001'."""
  return 'p < .001' if p < .001 else f'p = {p:.3f}'.replace('0.', '.')


def _of(tests):
  return f", Holm's correction for {tests:,} comparisons" if tests > 1 else ''


def _and(names):
  """'a', 'a and b', 'a, b and c'."""
  *names, last = names
  return f'{", ".join(names)} and {last}' if names else str(last)

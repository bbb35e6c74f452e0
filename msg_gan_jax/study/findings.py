"""What a study found, in words, by rules that are the same for every study."""
from collections.abc import Sequence
import math
from typing import Any

import numpy as np

from msg_gan_jax.report.tables import number
from msg_gan_jax.report.text import percent, plural
from msg_gan_jax.study import budget, comparison
from msg_gan_jax.study.effects import Level, levels, main_effects, reversals
from msg_gan_jax.study.results import Results
from msg_gan_jax.study.scale import Scale

NOTABLE = .1  # Of diverged runs: a share that is spoken of.
FEWEST = 5  # Runs at least that stand for the best 5 %.


def findings(results: Results) -> list[str]:
  """Sentences about each axis, the one that matters most first."""
  effects = main_effects(results)
  lines = [_best_point(results)]
  compared_seeds = 0
  for axis in sorted(effects, key=lambda x: -effects[x]):
    found = [] if results.is_drawn(axis) else levels(results, axis)
    if found:
      lines += about(axis, found, results.metric, results.scale)
      compared_seeds = max(compared_seeds, found[0].mean.n)
    elif results.is_drawn(axis):
      lines.append(_where_the_best_lie(results, axis))
    else:
      lines += _by_budget(results, axis)
    lines.append(f'{axis} alone explains {percent(effects[axis])} of the '
                 'variance of ranks.')
  lines += [
      f'{x.axis}: with {x.other} {x.at}, {x.level} is better than {x.usual} by '
      f'{_apart(results.scale, *x.size)} ({chance(x.p)}{_of(x.tests)}), '
      f'although {x.usual} is the best over all.' for x in reversals(results)]
  what = 'logarithms of ratios' if results.scale.ratios else 'differences'
  if 1 < compared_seeds < comparison.fewest_seeds():
    lines.append(
        f'With {plural(compared_seeds, "seed")} the exact test of signs cannot '
        f'reject at 5 %: it needs {comparison.fewest_seeds()} at least. p is '
        f'of the t test, which takes {what} of seeds for normal.')
  return lines


def _best_point(results):
  """The point with the best median over its seeds."""
  found = results.by_point()
  axes = results.axes

  def median(key):
    return float(np.median([*found[key].values()]))

  best = (min if results.lower else max)(found, key=median)
  name = ', '.join(f'{axis} {shown(value)}' for axis, value in zip(
      axes, best, strict=True)) or 'These settings'
  seeds = len(found[best])
  return (f'{name}: the median {results.metric} is '
          f'{number(median(best), 3)} '
          + (f'over {seeds} seeds' if seeds > 1 else 'with one seed')
          + (f', the best of {plural(len(found), "point")}. The best of many '
             'is partly luck: new seeds of it would probably do worse.'
             if axes else '.'))


def shown(value: Any) -> str:
  """A value of an axis; a number that was drawn, to three digits."""
  return number(value, 3) if isinstance(value, float) else str(value)


def best_share(results: Results) -> float:
  """5 %, or as many of the runs as make five."""
  return min(1., max(.05, FEWEST / len(results.rows)))


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
      (level, float(np.isnan(group.values).mean()), len(group.rows))
      for level, group in groups.items()])


def _diverged(axis, rows):
  return [f'{axis}: {percent(share)} of the {plural(runs, "run")} of '
          f'{shown(level)} diverged.' for level, share, runs in rows
          if share > NOTABLE]


def about(axis: str, found: Sequence[Level], metric: str,
          scale: Scale) -> list[str]:
  """Sentences about the values of one axis, the best first."""
  best = found[0]
  lines = [f'{axis}: {shown(best.level)} is best by {metric}, '
           f'{around(best.mean.mean, best.mean.low, best.mean.high)} over '
           f'{plural(best.mean.n, "seed")}.']
  lines += [compared(best.level, level, len(found) - 1, scale)
            for level in found[1:]]
  return lines + _diverged(
      axis, [(x.level, x.diverged, x.runs) for x in found])


def compared(best: Any, other: Level, tests: int, scale: Scale) -> str:
  """How sure it is that the best value of an axis is better than another."""
  difference = other.difference
  assert difference is not None
  name, rest = shown(best), shown(other.level)
  if not difference.mean:
    return f'{name} and {rest} have the same mean.'
  sign = math.copysign(1, difference.mean)
  size = _apart(scale, abs(difference.mean), *sorted(
      (sign * difference.low, sign * difference.high)))
  if math.isnan(other.p):
    return (f'{name} is ahead of {rest} by {size} with one seed, which '
            'says nothing of chance.')
  if other.p < comparison.LEVEL:
    return (f'{name} is better than {rest} by {size} '
            f'({chance(other.p)}{_of(tests)}).')
  level = comparison.LEVEL / tests
  least = comparison.detectable(difference.std, difference.n, level=level)
  more = comparison.seeds_to_tell(
      difference.mean, difference.std, level=level)
  return (
      f'{name} cannot be told from {rest}: they differ by {size} '
      f'({chance(other.p)}{_of(tests)}). {plural(difference.n, "seed")} would '
      f'probably have shown {scale.size(least)}; this one would '
      + (f'take about {plural(more, "seed")}.' if more else
         'take more than a thousand.'))


def _apart(scale, mean, low, high):
  """'1.25 [1.1, 1.4]', 'a factor of 1.25 [1.1, 1.4]'."""
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
  return f", Holm's correction for {tests} comparisons" if tests > 1 else ''

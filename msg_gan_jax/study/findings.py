"""What a study found, in words, by rules that are the same for every study."""
from collections.abc import Sequence
import math
from typing import Any

from msg_gan_jax.report.tables import number
from msg_gan_jax.report.text import percent, plural
from msg_gan_jax.study import comparison
from msg_gan_jax.study.effects import Level, levels, main_effects
from msg_gan_jax.study.results import Results

NOTABLE = .1  # Of diverged runs: a share that is spoken of.


def findings(results: Results) -> list[str]:
  """Sentences about each axis, the one that matters most first."""
  effects = main_effects(results)
  lines = []
  for axis in sorted(effects, key=lambda x: -effects[x]):
    found = levels(results, axis)
    if found and not _drawn(results, axis):
      lines += about(axis, found, results.metric)
    lines.append(f'{axis} alone explains {percent(effects[axis])} of the '
                 'variance of ranks.')
  seeds = {row.seed for row in results.rows}
  if len(seeds) < comparison.fewest_seeds():
    lines.append(
        f'With {plural(len(seeds), "seed")} the exact test of signs cannot '
        f'reject at 5 %: it needs {comparison.fewest_seeds()} at least. p is '
        'of the t test, which takes differences of seeds for normal.')
  return lines


def _drawn(results, axis):
  """Whether an axis has numbers that were drawn: none comes twice."""
  found = results.levels(axis)
  return len(found) > 8 and all(isinstance(x, float) for x in found)


def about(axis: str, found: Sequence[Level], metric: str) -> list[str]:
  """Sentences about the values of one axis, the best first."""
  best = found[0]
  lines = [f'{axis}: {best.level} is best by {metric}, '
           f'{around(best.mean.mean, best.mean.low, best.mean.high)} over '
           f'{plural(best.mean.n, "seed")}.']
  lines += [compared(best.level, level, len(found) - 1)
            for level in found[1:]]
  for level in found:
    if level.diverged > NOTABLE:
      lines.append(
          f'{axis}: {percent(level.diverged)} of the '
          f'{plural(level.runs, "run")} of {level.level} diverged.')
  return lines


def compared(best: Any, other: Level, tests: int) -> str:
  """How sure it is that the best value of an axis is better than another."""
  difference = other.difference
  assert difference is not None
  size = around(abs(difference.mean), *sorted((
      math.copysign(1, difference.mean) * difference.low,
      math.copysign(1, difference.mean) * difference.high)))
  if math.isnan(other.p):
    return (f'{best} is ahead of {other.level} by {size} with one seed, which '
            'says nothing of chance.')
  if other.p < comparison.LEVEL:
    return (f'{best} is better than {other.level} by {size} '
            f'({chance(other.p)}{_of(tests)}).')
  shown = comparison.detectable(difference.std, difference.n)
  more = comparison.seeds_to_tell(difference.mean, difference.std)
  return (
      f'{best} cannot be told from {other.level}: they differ by {size} '
      f'({chance(other.p)}{_of(tests)}). {plural(difference.n, "seed")} would '
      f'probably have shown a difference of {number(shown, 3)}; this one would '
      + (f'take about {plural(more, "seed")}.' if more else
         'take more than a thousand.'))


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

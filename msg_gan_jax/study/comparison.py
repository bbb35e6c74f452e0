"""Whether one method is better than another: paired tests over common seeds.

Runs of one seed have the same pictures in the same order, so that the
difference of two methods is taken seed by seed.
"""
from collections.abc import Mapping, Sequence
import functools
import math
from typing import NamedTuple

import numpy as np
from scipy import optimize, special, stats

from msg_gan_jax.metrics.functional.training_seeds import over_seeds

LEVEL = .05


class Difference(NamedTuple):
  """The first method's value minus the second's, over their common seeds.

  Attributes:
    mean: of the differences.
    low, high: the ends of its 95 % interval, Student's; nan of one seed.
    p: of the paired t test, two-sided; nan of one seed.
    p_signs: of the exact test that flips the signs of the differences (Fisher
      1935). It assumes no law, and n seeds cannot bring it below 2 / 2^n.
    n: common seeds.
    std: of the differences; nan of one seed.
  """
  mean: float
  low: float
  high: float
  p: float
  p_signs: float
  n: int
  std: float

  def turned(self) -> 'Difference':
    """The second method's value minus the first's."""
    return self._replace(mean=-self.mean, low=-self.high, high=-self.low)


def paired(first: Mapping[int, float],
           second: Mapping[int, float]) -> Difference:
  """Compares two methods.

  Args:
    first, second: {seed: value}, finite.

  Raises:
    ValueError: they have no seed in common.
  """
  seeds = sorted(first.keys() & second.keys())
  if not seeds:
    raise ValueError(
        f'no seed in common: the first method has {sorted(first)}, the second '
        f'{sorted(second)}. Runs of the same seeds can be compared.')
  differences = np.array([first[seed] - second[seed] for seed in seeds])
  mean, std, n, low, high = over_seeds(differences)
  p = math.nan
  if n > 1:  # Where they all are alike, it is certain.
    t = abs(mean) / (std / math.sqrt(n)) if std else math.inf
    p = 1. if not mean else float(2 * special.stdtr(n - 1, -t))
  return Difference(mean, low, high, p, _by_signs(differences), n, std)


def _by_signs(differences, most=16, draws=20_000):
  """p of |sum|; exact up to 2^most sign patterns, and by draws beyond."""
  n, size = len(differences), np.abs(differences)
  if n <= most:
    sums, first = np.zeros(1), 0
    for x in size:
      sums = np.concatenate([sums - x, sums + x])
  else:
    sums = _signs(n, draws) @ size
    first = 1  # The pattern that was observed is one of them.
  seen = abs(differences.sum())
  hits = int((np.abs(sums) >= seen * (1 - 1e-12)).sum())
  return (hits + first) / (len(sums) + first)


@functools.lru_cache(1)
def _signs(n, draws):
  """[draws, n] of -1. and 1."""
  return 2. * np.random.default_rng(0).integers(0, 2, (draws, n)) - 1


def holm(p: Sequence[float]) -> np.ndarray:
  """p values of several tests, corrected for their number (Holm 1979).

  Args:
    p: [m]; nan of a test that could not be made, which does not count.

  Returns:
    [m] float64, 0 .. 1: below .05 where the whole family of tests has a chance
    of at most 5 % of one false claim.
  """
  values = np.asarray(p, np.float64)
  made = np.flatnonzero(~np.isnan(values))
  order = made[np.argsort(values[made], kind='stable')]
  factors = len(order) - np.arange(len(order))
  corrected = np.full(values.shape, np.nan)
  corrected[order] = np.minimum(
      1, np.maximum.accumulate(factors * values[order]))
  return corrected


def fewest_seeds(tests: int = 1, level: float = LEVEL) -> int:
  """With how many seeds the exact test of signs can reject at all.

  Args:
    tests: how many are made, for Holm's correction of the smallest p.
    level: of the family of tests.
  """
  return math.ceil(math.log2(2 * tests / level) - 1e-12)


def detectable(std: float, n: int, power: float = .8,
               level: float = LEVEL) -> float:
  """The smallest difference that a paired t test would probably have shown.

  Args:
    std: of the differences.
    n: seeds.
    power: how probable it is to be shown.
    level: of the test.

  Returns:
    The difference; inf of one seed.

  Source: the noncentral t distribution; Cohen 1988, chapter 2.
  """
  if n < 2:
    return math.inf
  edge = stats.t.ppf(1 - level / 2, n - 1)

  # The chance of a difference the wrong way round is left out: it is below
  # 1e-3 where the right one has .8.
  shift = 1.
  while stats.nct.sf(edge, n - 1, shift) < power:
    shift *= 2
  shift = optimize.brentq(
      lambda x: stats.nct.sf(edge, n - 1, x) - power, 0, shift)
  return float(shift) * std / math.sqrt(n)


def seeds_to_tell(mean: float, std: float, power: float = .8,
                  level: float = LEVEL, most: int = 1000) -> int | None:
  """How many seeds would probably show a difference that is as large as this.

  Args:
    mean, std: of the differences that were seen.
    power, level: see `detectable`.
    most: None is returned if more are needed.
  """
  if mean == 0 or math.isnan(std):
    return None
  low, high = 2, most
  if detectable(std, high, power, level) > abs(mean):
    return None
  while low < high:
    middle = (low + high) // 2
    if detectable(std, middle, power, level) <= abs(mean):
      high = middle
    else:
      low = middle + 1
  return low

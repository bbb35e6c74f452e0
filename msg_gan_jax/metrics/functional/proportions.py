"""Shares of n, such as accuracies, with the interval of so many samples."""
import math
from typing import NamedTuple

_NORMAL = 1.959963984540054  # Of which 2.5 % of a standard normal are more.


class Proportion(NamedTuple):
  """A share with its 95 % interval.

  Attributes:
    value: 0 .. 1; nan of none.
    low, high: the ends of the interval, within 0 .. 1.
  """
  value: float
  low: float
  high: float


def wilson(hits: int, n: int) -> Proportion:
  """The share hits / n, with Wilson's interval, which fits a few of few too.

  Args:
    hits: 0 .. n.
    n: how many were asked; of 0 nothing is known.

  Source: Wilson 1927, Probable inference, the law of succession, and
  statistical inference.
  """
  if not n:
    return Proportion(math.nan, 0., 1.)
  p, z = hits / n, _NORMAL
  middle = (p + z * z / (2 * n)) / (1 + z * z / n)
  half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
  # At the ends it is exact, and rounding must not leave them.
  return Proportion(p, 0. if not hits else middle - half,
                    1. if hits == n else middle + half)


def balanced(one: Proportion, other: Proportion) -> Proportion:
  """The mean of two shares of different samples, such as two recalls.

  Source: Zou & Donner 2008, Construction of confidence limits about effect
  measures: limits of a sum by those of what is added.
  """
  value = (one.value + other.value) / 2
  low = math.hypot(one.value - one.low, other.value - other.low) / 2
  high = math.hypot(one.high - one.value, other.high - other.value) / 2
  return Proportion(value, value - low, value + high)

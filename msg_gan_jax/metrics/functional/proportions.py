"""Shares of n, such as accuracies, with the interval of so many samples."""
import math
from typing import NamedTuple

_NORMAL = 1.959963984540054  # Of which 2.5 % of a standard normal are more.


class Proportion(NamedTuple):
  """A share with its 95 % interval.

  Attributes:
    share: 0 .. 1; nan of none.
    low, high: the ends of the interval, within 0 .. 1.
  """
  share: float
  low: float
  high: float


def wilson(hits: int, n: int) -> Proportion:
  """The share hits / n, with Wilson's interval.

  Unlike the normal interval it stays within 0 .. 1, also at 0 of n.

  Args:
    hits: 0 .. n.
    n: how many were asked; of 0 nothing is known.

  Source: Wilson 1927, doi:10.1080/01621459.1927.10502953, eq. 1.
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

  Source: Zou & Donner 2008, doi:10.1002/sim.3095: limits of a sum by those of
  what is added.
  """
  share = (one.share + other.share) / 2
  low = math.hypot(one.share - one.low, other.share - other.low) / 2
  high = math.hypot(one.high - one.share, other.high - other.share) / 2
  return Proportion(share, share - low, share + high)

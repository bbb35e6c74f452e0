"""The error bar of a number over training runs that differ by their seed."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special


class OverSeeds(NamedTuple):
  """A number after several runs.

  Attributes:
    mean: over the runs.
    std: standard deviation over the runs, by n - 1; nan of one run.
    n: how many runs.
    low, high: the ends of the mean's 95 % interval; nan of one run.
  """
  mean: float
  std: float
  n: int
  low: float
  high: float


def over_seeds(values: Sequence[float] | np.ndarray) -> OverSeeds:
  """How far a number moves from one training run to another.

  Args:
    values: [n], the number after n runs that differ in their seed.

  Raises:
    ValueError: no values, or values that are not finite.

  Source: Student 1908; the interval is mean +- t std / sqrt(n).
  """
  values = np.asarray(values, np.float64)
  if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
    raise ValueError(
        f'over_seeds: wanted a list of finite numbers, found {values}.')
  n, mean = len(values), float(values.mean())
  if n == 1:
    return OverSeeds(mean, np.nan, n, np.nan, np.nan)
  std = float(values.std(ddof=1))
  half = float(special.stdtrit(n - 1, .975)) * std / np.sqrt(n)
  return OverSeeds(mean, std, n, float(mean - half), float(mean + half))

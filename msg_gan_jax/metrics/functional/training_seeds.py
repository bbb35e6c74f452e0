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
  mean, std, n, low, high = band(values[:, None])
  return OverSeeds(
      float(mean[0]), float(std[0]), n, float(low[0]), float(high[0]))


class Band(NamedTuple):
  """A number at several moments of several runs; see OverSeeds.

  Attributes:
    mean: [m], over the runs, at each moment.
    std: [m].
    n: how many runs.
    low, high: [m].
  """
  mean: np.ndarray
  std: np.ndarray
  n: int
  low: np.ndarray
  high: np.ndarray


def band(values: Sequence[Sequence[float]] | np.ndarray) -> Band:
  """`over_seeds` at each of several moments.

  Args:
    values: [n, m], the numbers of n runs that differ in their seed, at the same
      m moments.

  Raises:
    ValueError: no runs, or values that are not finite.
  """
  values = np.asarray(values, np.float64)
  if values.ndim != 2 or not len(values) or not np.isfinite(values).all():
    raise ValueError(
        'band: wanted finite numbers, a row for each run, found '
        f'{values}.')
  # A row a moment: numpy sums rows pairwise, as it does a list.
  n, values = len(values), np.ascontiguousarray(values.T)
  mean = values.mean(-1)
  if n == 1:
    none = np.full(mean.shape, np.nan)
    return Band(mean, none, n, none, none)
  std = values.std(-1, ddof=1)
  half = float(special.stdtrit(n - 1, .975)) * std / np.sqrt(n)
  return Band(mean, std, n, mean - half, mean + half)

"""The best value that a budget of runs buys.

Kurach et al. 2019 (arXiv:1807.04720) ask what somebody gets who can afford b
runs: the expected minimum of b of the study's values. Each order of its runs is
equally likely, so that b of them are drawn without replacement; Dodge et al.
2019 (arXiv:1909.03004) draw with.
"""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special


class Best(NamedTuple):
  """The best value after each number of runs, over all orders of them.

  Attributes:
    budgets: [k] int, of 1 .. n runs; of many, where no others are asked for,
      some 300 that go up by equal ratios.
    expected: [k], the mean of the best.
    low, high: [k], between which it lies in 95 % of the orders.
  """
  budgets: np.ndarray
  expected: np.ndarray
  low: np.ndarray
  high: np.ndarray


def expected_best(values: Sequence[float] | np.ndarray,
                  lower: bool = True) -> np.ndarray:
  """The expected best of b of n values, for b = 1 .. n.

  Args:
    values: [n], finite.
    lower: whether less is better.

  Returns:
    [n] float64.
  """
  sign = 1 if lower else -1
  ordered = np.sort(sign * _finite(values))
  n = len(ordered)
  return sign * np.array([_chances(n, b) @ ordered[:n - b + 1]
                          for b in range(1, n + 1)])


def best_in_orders(values: Sequence[float] | np.ndarray,
                   lower: bool = True,
                   budgets: Sequence[int] | None = None) -> Best:
  """The best so far, over all orders of a study's runs.

  Args:
    values: [n], finite.
    lower: whether less is better.
    budgets: of how many runs; None: see Best.
  """
  sign = 1 if lower else -1
  ordered = np.sort(sign * _finite(values))
  n = len(ordered)
  counts = _some(n) if budgets is None else np.array(budgets)
  found = []
  for b in counts.tolist():
    chances = _chances(n, b)
    ends = np.searchsorted(
        np.cumsum(chances) + 1e-9, (.025, .975))
    found.append((chances @ ordered[:len(chances)],
                  *ordered[np.minimum(ends, len(chances) - 1)]))
  expected, low, high = sign * np.array(found).T
  return Best(counts, expected, *((low, high) if lower else (high, low)))


def _chances(n, b):
  """[n - b + 1]: that the i-th least of n is the least of b drawn of them.

  C(n - i, b - 1) / C(n, b), drawn without replacement.
  """
  after = np.arange(n - 1, b - 2, -1.)

  def log_factorial(k):
    return special.gammaln(k + 1.)

  return np.exp(
      log_factorial(after) - log_factorial(b - 1)
      - log_factorial(after - b + 1)
      - (log_factorial(n) - log_factorial(b) - log_factorial(n - b)))


def best_share(values: Sequence[float] | np.ndarray, lower: bool = True,
               share: float = .05) -> np.ndarray:
  """The best of the values, best first: this share of them, but one at least.

  Args:
    values: [n], finite.
    lower: whether less is better.
    share: .05 is the paper's.
  """
  ordered = np.sort(_finite(values))
  ordered = ordered if lower else ordered[::-1]
  return ordered[:max(1, int(np.ceil(share * len(ordered) - 1e-9)))]


def with_the_worst(values: Sequence[float] | np.ndarray,
                   lower: bool = True) -> np.ndarray:
  """Values in which runs that have none count as the worst that any has.

  Args:
    values: [n]; nan of a run that diverged.
    lower: whether less is better.

  Raises:
    ValueError: no run has a value.
  """
  values = np.asarray(values, np.float64)
  if not np.isfinite(values).any():
    raise ValueError('no run of the study has a value; each has diverged.')
  worst = np.nanmax(values) if lower else np.nanmin(values)
  return np.where(np.isfinite(values), values, worst)


def _some(n, most=300):
  """[k] int, of 1 .. n; all of them where they are few."""
  return np.unique(np.round(np.geomspace(1, n, most)).astype(int)) if (
      n > most) else np.arange(1, n + 1)


def _finite(values):
  values = np.asarray(values, np.float64)
  if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
    raise ValueError(
        f'wanted a list of finite numbers, found {values!r:.80}.')
  return values

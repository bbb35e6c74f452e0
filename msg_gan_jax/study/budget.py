"""The best value that a budget of runs buys.

Kurach et al. 2019 (arXiv:1807.04720) ask what somebody gets who can afford b
runs: the expected minimum of b of the study's values. Dodge et al. 2019
(arXiv:1909.03004) draw with replacement; here, as there, each order of the
study's runs is equally likely, and b of them are drawn without.
"""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import special


class Best(NamedTuple):
  """The best value after each number of runs, over many orders of them.

  Attributes:
    budgets: [k] int, 1 .. n runs; of many, some 300 that go up by equal ratios.
    expected: [k], the mean of the best over all orders; a closed form where
      all runs are alike.
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
    [n] float64. Of the sorted values x_1 <= .. <= x_n, x_i is the least of b
    drawn without replacement with the probability C(n - i, b - 1) / C(n, b).
  """
  ordered = np.sort(_finite(values) if lower else -_finite(values))
  n = len(ordered)
  logs = special.gammaln(np.arange(n + 1) + 1)  # log k! at k.
  best = np.empty(n)
  for b in range(1, n + 1):
    # Of the x_i that b - 1 larger ones can follow: i <= n - b + 1.
    after = np.arange(n - 1, b - 2, -1)
    chances = np.exp(logs[after] - logs[b - 1] - logs[after - b + 1]
                     - (logs[n] - logs[b] - logs[n - b]))
    best[b - 1] = chances @ ordered[:len(after)]
  return best if lower else -best


def best_in_orders(groups: Sequence[Sequence[float] | np.ndarray],
                   lower: bool = True, orders: int = 1000,
                   seed: int = 0) -> Best:
  """The best so far in random orders of a study's runs.

  Args:
    groups: [n_k] each. All runs of a group come before those of the next, in
      a random order: somebody tries published settings first.
    lower: whether less is better.
    orders: how many orders are drawn.
    seed: of the orders.
  """
  rng = np.random.default_rng(seed)
  parts = [_finite(group) if lower else -_finite(group) for group in groups]
  drawn = np.concatenate([
      rng.permuted(np.broadcast_to(part, (orders, len(part))), axis=1)
      for part in parts], axis=1)
  so_far = np.minimum.accumulate(drawn, axis=1)
  budgets = _some(so_far.shape[1])
  so_far = so_far[:, budgets - 1]
  low, high = np.quantile(so_far, (.025, .975), axis=0)
  expected = (expected_best(parts[0])[budgets - 1] if len(parts) == 1
              else so_far.mean(axis=0))
  if lower:
    return Best(budgets, expected, low, high)
  return Best(budgets, -expected, -high, -low)


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

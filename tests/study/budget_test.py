"""Laws of the best value against the budget."""
from fractions import Fraction
import itertools
import math

import numpy as np
import pytest

from msg_gan_jax.study import budget


@pytest.mark.parametrize('lower', [True, False])
def test_the_expected_best_is_the_mean_over_all_orders(lower):
  values = [3., 1., 4., 1.5, 9.]
  best = np.minimum if lower else np.maximum
  orders = [best.accumulate(order) for order in itertools.permutations(values)]
  np.testing.assert_allclose(
      budget.expected_best(values, lower), np.mean(orders, axis=0), rtol=1e-12)


def test_of_a_uniform_law_the_expected_minimum_is_known():
  # E min of b of the points 1 .. n, without replacement, is (n + 1)/(b + 1).
  n = 200
  b = np.arange(1, n + 1)
  np.testing.assert_allclose(
      budget.expected_best(np.random.default_rng(0).permutation(b)),
      (n + 1) / (b + 1), rtol=1e-9)


def test_the_band_holds_95_percent_of_all_orders():
  n = 40  # With one run, ends lie where shares are exactly theirs.
  best = budget.best_in_orders(np.random.default_rng(1).permutation(n) + 1)

  def end(b, share):
    # The best of b is above i in comb(n - i, b) of comb(n, b) draws.
    return next(i for i in range(1, n + 1) if Fraction(
        math.comb(n - i, b), math.comb(n, b)) <= 1 - share)

  assert best.budgets.tolist() == [*range(1, n + 1)]
  for name, share in (('low', Fraction(1, 40)), ('high', Fraction(39, 40))):
    assert getattr(best, name).tolist() == [
        end(b, share) for b in best.budgets.tolist()]
  np.testing.assert_allclose(
      best.expected, (n + 1) / (best.budgets + 1), rtol=1e-9)


def test_of_many_runs_some_budgets_are_kept():
  values = np.random.default_rng(3).normal(size=1000)
  best = budget.best_in_orders(values)
  assert len(best.budgets) < 301 and best.budgets[[0, -1]].tolist() == [1, 1000]
  np.testing.assert_array_equal(
      best.expected, budget.expected_best(values)[best.budgets - 1])


def test_higher_is_the_mirror_of_lower():
  values = np.random.default_rng(2).normal(size=12)
  low = budget.best_in_orders(values)
  high = budget.best_in_orders(-values, lower=False)
  np.testing.assert_array_equal(low.expected, -high.expected)
  np.testing.assert_array_equal(low.low, -high.high)
  np.testing.assert_array_equal(
      budget.best_share(values), -budget.best_share(-values, lower=False))


@pytest.mark.parametrize(('n', 'kept'), [(1, 1), (19, 1), (20, 1), (21, 2),
                                         (100, 5), (240, 12)])
def test_the_best_share_is_a_twentieth(n, kept):
  values = np.random.default_rng(0).permutation(n)
  np.testing.assert_array_equal(budget.best_share(values), np.arange(kept))


def test_a_diverged_run_is_as_bad_as_the_worst():
  np.testing.assert_array_equal(
      budget.with_the_worst([2., np.nan, 5.]), [2., 5., 5.])
  np.testing.assert_array_equal(
      budget.with_the_worst([2., np.nan, 5.], lower=False), [2., 2., 5.])
  with pytest.raises(ValueError, match='each has diverged'):
    budget.with_the_worst([np.nan])

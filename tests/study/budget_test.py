"""Laws of the best value against the budget."""
import itertools

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


def test_random_orders_agree_with_the_closed_form_from_both_sides():
  values = np.random.default_rng(1).lognormal(size=40)
  groups = [values[:0].tolist() or values[:20], values[20:]]
  simulated = budget.best_in_orders([values], orders=4000)
  drawn = budget.best_in_orders(groups, orders=4000).expected
  np.testing.assert_allclose(simulated.expected, budget.expected_best(values))
  # Within a group they are alike, and after all runs it is the best of all.
  error = 5 * values[:20].std() / 4000**.5
  np.testing.assert_allclose(
      drawn[:20], budget.expected_best(values[:20]), atol=error)
  assert drawn[-1] == simulated.expected[-1] == values.min()
  assert (simulated.low <= simulated.expected + 1e-12).all()
  assert (simulated.expected <= simulated.high + 1e-12).all()


def test_higher_is_the_mirror_of_lower():
  values = np.random.default_rng(2).normal(size=12)
  low = budget.best_in_orders([values], seed=3)
  high = budget.best_in_orders([-values], lower=False, seed=3)
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

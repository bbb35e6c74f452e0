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


def test_the_band_holds_95_percent_of_orders_that_are_drawn():
  values = np.random.default_rng(1).lognormal(size=40)
  best = budget.best_in_orders(values)
  drawn = np.minimum.accumulate(np.random.default_rng(2).permuted(
      np.tile(values, (4000, 1)), axis=1), axis=1)
  np.testing.assert_array_equal(best.budgets, np.arange(1, 41))
  # Five standard errors of a share of 2.5 % and of 4,000 orders.
  assert (drawn < best.low).mean(0).max() <= .025 + 5 * (.024 / 4000)**.5
  assert (drawn > best.high).mean(0).max() <= .025 + 5 * (.024 / 4000)**.5
  # Not wider than it must be: without its ends it would hold fewer.
  inside = (drawn > best.low) & (drawn < best.high)
  assert inside.mean(0).max() <= .95 + 5 * (.05 / 4000)**.5
  np.testing.assert_allclose(best.expected, drawn.mean(0), atol=5 * values.std(
      ) / 4000**.5)
  assert best.expected[-1] == best.low[-1] == best.high[-1] == values.min()


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

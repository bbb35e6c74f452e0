"""Error bars over training runs have the size that closed forms give them."""
import numpy as np
import pytest
from scipy import stats

from msg_gan_jax.metrics.functional import training_seeds


@pytest.mark.parametrize('n', [2, 4, 40, 1000])
def test_seeds_have_students_interval(n):
  values = 10 + np.random.default_rng(n).normal(size=n)
  found = training_seeds.over_seeds(values)
  wanted = stats.t.interval(
      .95, n - 1, loc=np.mean(values), scale=stats.sem(values))
  np.testing.assert_allclose([found.low, found.high], wanted, rtol=1e-9)
  np.testing.assert_allclose(found.std, np.std(values, ddof=1))
  assert (found.n, found.mean) == (n, np.mean(values))


def test_students_interval_has_the_width_of_the_printed_tables():
  # Abramowitz & Stegun 1964, table 26.10: t is 3.1824 for 3 degrees.
  found = training_seeds.over_seeds([10., 12, 11, 14])
  np.testing.assert_allclose(
      (found.high - found.mean) / (found.std / 2), 3.1824, atol=1e-4)


def test_one_seed_has_no_error_bar():
  found = training_seeds.over_seeds([3.])
  assert found.mean == 3 and found.n == 1
  assert np.isnan([found.std, found.low, found.high]).all()


def test_error_bars_say_what_they_need():
  for bad in ([], [np.nan], [[1.]]):
    with pytest.raises(ValueError, match='list of finite numbers'):
      training_seeds.over_seeds(bad)

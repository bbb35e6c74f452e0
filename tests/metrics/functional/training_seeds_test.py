"""Error bars over training runs have the size that closed forms give them."""
import numpy as np
import pytest
from scipy import stats

from msg_gan_jax.metrics.functional import training_seeds


@pytest.mark.parametrize('n', [2, 4, 40, 1000])
def test_seeds_have_students_interval(n):
  values = 10 + np.random.default_rng(n).normal(size=n)
  over = training_seeds.over_seeds(values)
  wanted = stats.t.interval(
      .95, n - 1, loc=np.mean(values), scale=stats.sem(values))
  np.testing.assert_allclose([over.low, over.high], wanted, rtol=1e-9)
  np.testing.assert_allclose(over.std, np.std(values, ddof=1))
  assert (over.n, over.mean) == (n, np.mean(values))


def test_students_interval_has_the_width_of_the_printed_tables():
  # Abramowitz & Stegun 1964, table 26.10: t is 3.1824 for 3 degrees.
  over = training_seeds.over_seeds([10., 12, 11, 14])
  np.testing.assert_allclose(
      (over.high - over.mean) / (over.std / 2), 3.1824, atol=1e-4)


def test_one_seed_has_no_error_bar():
  over = training_seeds.over_seeds([3.])
  assert over.mean == 3 and over.n == 1
  assert np.isnan([over.std, over.low, over.high]).all()


def test_a_band_is_the_error_bar_at_each_moment():
  values = np.random.default_rng(0).normal(size=(3, 5))
  band = training_seeds.band(values)
  bars = [training_seeds.over_seeds(column) for column in values.T]
  for name in 'mean', 'std', 'low', 'high':
    assert getattr(band, name).tolist() == [getattr(x, name) for x in bars]
  assert band.n == 3
  one = training_seeds.band(values[:1])
  assert one.mean.tolist() == values[0].tolist()
  assert np.isnan([one.std, one.low, one.high]).all()
  assert training_seeds.band(np.empty((3, 0))).mean.shape == (0,)


def test_error_bars_say_what_they_need():
  for bad in ([], [np.nan], [[1.]]):
    with pytest.raises(ValueError, match='list of finite numbers'):
      training_seeds.over_seeds(bad)
  for bad in (np.empty((0, 3)), [[np.inf]], [1.]):
    with pytest.raises(ValueError, match='a row for each run'):
      training_seeds.band(bad)

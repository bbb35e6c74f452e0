"""Error bars have the size that closed forms give them."""
import numpy as np
import pytest
from scipy import stats

from msg_gan_jax.metrics.functional import bootstrap


def test_the_means_error_is_the_deviation_over_root_n():
  x = np.random.default_rng(0).normal(3, 2, 400)
  found = bootstrap.over_samples(np.mean, x, 1000)
  error = x.std() / 20
  # 1000 resamples know their spread to 2 %.
  np.testing.assert_allclose(found['standard_error'], error, rtol=.08)
  np.testing.assert_allclose(found['value'], x.mean())
  np.testing.assert_allclose(
      [found['low'], found['high']],
      x.mean() + 1.96 * error * np.array([-1, 1]), atol=.3 * error)
  assert (found['over'], found['n'], found['resamples']) == (
      'samples', 400, 1000)
  assert found == bootstrap.over_samples(np.mean, x, 1000)
  assert found != bootstrap.over_samples(np.mean, x, 1000, seed=1)


def test_rows_stay_whole():
  # A row whose features were drawn apart would break their equality.
  x = np.arange(50.)[:, None] * np.ones(3)
  found = bootstrap.over_samples(lambda s: np.ptp(s, axis=1).max(), x, 20)
  assert found['value'] == found['standard_error'] == found['high'] == 0


def test_seeds_have_students_interval():
  values = [10., 12, 11, 14]
  found = bootstrap.over_seeds(values)
  wanted = stats.t.interval(
      .95, 3, loc=np.mean(values), scale=stats.sem(values))
  np.testing.assert_allclose([found['low'], found['high']], wanted, rtol=1e-4)
  np.testing.assert_allclose(found['std'], np.std(values, ddof=1))
  assert (found['over'], found['n'], found['mean']) == ('seeds', 4, 11.75)


def test_one_seed_has_no_error_bar():
  found = bootstrap.over_seeds([3.])
  assert found['mean'] == 3 and found['n'] == 1
  assert np.isnan([found[k] for k in ('std', 'low', 'high')]).all()


def test_students_quantile_is_scipys():
  for freedom in [*range(1, 40), 100, 10**6]:
    assert bootstrap.student_95(freedom) == pytest.approx(
        stats.t.ppf(.975, freedom), abs=1e-4)


def test_error_bars_say_what_they_need():
  with pytest.raises(ValueError, match='found 1 and 200'):
    bootstrap.over_samples(np.mean, [1.])
  for bad in ([], [np.nan], [[1.]]):
    with pytest.raises(ValueError, match='list of finite numbers'):
      bootstrap.over_seeds(bad)

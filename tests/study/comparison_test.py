"""Laws of tests between methods."""
import numpy as np
import pytest
from scipy import stats

from msg_gan_jax.study import comparison


def by_seed(values):
  return dict(enumerate(values))


def test_paired_is_students_test_over_common_seeds():
  rng = np.random.default_rng(0)
  a, b = rng.normal(1, 1, 6), rng.normal(0, 1, 6)
  found = comparison.paired(by_seed(a), {**by_seed(b), 17: 1e9})
  assert found.n == 6
  assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue)
  assert found.p_signs == pytest.approx(stats.permutation_test(
      (a - b,), np.sum, permutation_type='samples').pvalue)
  interval = stats.ttest_rel(a, b).confidence_interval()
  assert (found.low, found.high) == pytest.approx(tuple(interval))


def test_the_order_of_two_methods_is_a_sign():
  a, b = by_seed([1., 2., 4.]), by_seed([1.5, 2.1, 9.])
  assert comparison.paired(a, b).turned() == pytest.approx(
      comparison.paired(b, a))


@pytest.mark.parametrize('n', [1, 2, 3, 5, 6])
def test_few_seeds_cannot_reject_whatever_the_difference(n):
  found = comparison.paired(
      by_seed(np.arange(n) + 1e6), by_seed(np.zeros(n)))
  assert found.p_signs == pytest.approx(2 / 2**n)
  assert (found.p_signs <= .05) == (n >= comparison.fewest_seeds())


def test_more_tests_need_more_seeds():
  assert comparison.fewest_seeds() == 6
  assert comparison.fewest_seeds(10) == 9
  for tests in (1, 3, 10, 66):
    n = comparison.fewest_seeds(tests)
    assert tests * 2 / 2**n <= .05 < tests * 2 / 2**(n - 1)


def test_without_a_common_seed_there_is_no_comparison():
  with pytest.raises(ValueError, match=r'has \[0\], the second \[1\]'):
    comparison.paired({0: 1.}, {1: 2.})


def test_equal_runs_do_not_differ():
  same = comparison.paired(by_seed([1., 2.]), by_seed([1., 2.]))
  assert (same.mean, same.p, same.p_signs) == (0, 1, 1)
  assert comparison.paired(by_seed([2., 3.]), by_seed([1., 2.])).p == 0


def test_holm_of_known_values():
  # Holm 1979's steps: .01 x 4, .02 x 3, .03 x 2, and never less than before.
  np.testing.assert_allclose(
      comparison.holm([.03, .01, np.nan, .04, .02]),
      [.06, .04, np.nan, .06, .06])


def test_holm_makes_few_false_claims_in_a_family():
  rng = np.random.default_rng(0)
  p = rng.uniform(size=(4000, 8))
  false = np.mean([comparison.holm(row).min() < .05 for row in p])
  assert .04 < false < .06


@pytest.mark.parametrize('n', [2, 3, 5, 10])
def test_the_detectable_difference_is_shown_four_times_in_five(n):
  rng = np.random.default_rng(n)
  shift = comparison.detectable(1., n)
  p = stats.ttest_1samp(rng.normal(shift, 1, (20_000, n)), 0, axis=1).pvalue
  assert np.mean(p < .05) == pytest.approx(.8, abs=.015)


def test_seeds_to_tell_are_the_fewest_that_do():
  n = comparison.seeds_to_tell(.5, 1.)
  assert comparison.detectable(1., n) <= .5 < comparison.detectable(1., n - 1)
  assert comparison.seeds_to_tell(1e-6, 1.) is None
  assert comparison.seeds_to_tell(0., 1.) is None

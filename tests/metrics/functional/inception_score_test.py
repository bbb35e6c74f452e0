"""The Inception score equals the peer's, and keeps within its bounds."""
import numpy as np
import pytest

from msg_gan_jax.metrics.functional import inception_score


def test_the_score_equals_the_peer(oracle):
  entry = oracle('isc_1000x50')
  logits, wanted = entry.inputs['logits'], entry.expected
  for settings, name in (
      ({}, 'no_shuffle'), ({'shuffle': True}, 'shuffled'),
      ({'splits': 1}, 'one_split')):
    score = inception_score.inception_score(logits, **settings)
    np.testing.assert_allclose(
        [score.value, score.std],
        [wanted[name]['mean'], wanted[name]['std']], rtol=1e-9, atol=1e-10)
  single = inception_score.inception_score(logits.astype(np.float32))
  np.testing.assert_allclose(
      single.value, wanted['no_shuffle']['mean'],
      rtol=entry.tolerance['float32_rtol'])


def test_sure_and_even_rows_have_one_point_a_class(oracle):
  entry = oracle('isc_perfect_200x10')
  logits = entry.inputs['logits']
  assert logits.max() == 200  # exp of it is no float32.
  np.testing.assert_allclose(
      inception_score.inception_score(logits.astype(np.float32)).value,
      entry.expected['no_shuffle']['mean'], rtol=1e-9)
  # Chances that no float64 holds: log 0 is never taken.
  np.testing.assert_allclose(
      inception_score.inception_score(1e4 * logits).value, 10, rtol=1e-9)


def test_rows_that_are_alike_have_score_one():
  alike = np.tile(np.random.default_rng(0).normal(size=10), (40, 1))
  np.testing.assert_allclose(
      inception_score.inception_score(alike).value, 1, rtol=1e-12)
  np.testing.assert_allclose(
      inception_score.inception_score(np.zeros((40, 10))).value, 1, rtol=1e-12)


def test_a_bias_common_to_all_classes_is_not_seen():
  logits = np.random.default_rng(0).normal(size=(100, 5))
  np.testing.assert_allclose(
      inception_score.inception_score(logits + 7).value,
      inception_score.inception_score(logits).value, rtol=1e-12)


def test_uneven_splits_leave_no_row_out():
  # 23 rows in 4 splits: 5, 6, 6, 6, as the peer's bounds are.
  logits = np.random.default_rng(0).normal(size=(23, 3))
  parts = [inception_score.inception_score(logits[a:b], 1).value
           for a, b in ((0, 5), (5, 11), (11, 17), (17, 23))]
  score = inception_score.inception_score(logits, 4)
  np.testing.assert_allclose(score.value, np.mean(parts), rtol=1e-12)
  np.testing.assert_allclose(score.std, np.std(parts), rtol=1e-12)
  assert (score.n, score.splits, score.warnings) == (23, 4, ())


def test_a_sorted_set_needs_the_shuffle():
  logits = 50 * np.eye(10)[np.repeat(np.arange(10), 50)]
  assert inception_score.inception_score(logits).value == pytest.approx(1)
  assert inception_score.inception_score(logits, shuffle=True).value > 8


def test_splits_smaller_than_the_classes_are_said():
  logits = np.random.default_rng(0).normal(size=(40, 10))
  score = inception_score.inception_score(logits)
  assert 'at most 4' in score.warnings[0]


@pytest.mark.parametrize('logits, splits, says', [
    (np.zeros((9, 3)), 10, 'at least 10 rows of logits, found 9'),
    (np.zeros((9, 3)), 0, 'at least 1 split'),
    (np.full((20, 3), -np.inf), 10, 'row 0 of logits has -inf'),
    (np.zeros(20), 10, r'found \[20\]'),
])
def test_the_score_says_what_it_needs(logits, splits, says):
  with pytest.raises(ValueError, match=says):
    inception_score.inception_score(logits, splits)

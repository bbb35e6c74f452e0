"""The kernel distance equals the peers', and its error bar holds."""
import numpy as np
import pytest

from msg_gan_jax.metrics.functional import kid


def test_subsets_equal_the_peer(oracle):
  # torch-fidelity's first input, drawn first, is the generator's.
  entry = oracle('kid_subsets10x100')
  real, fake = entry.inputs['f2'], entry.inputs['f1']
  distance = kid.kid(real, fake, subsets=10, size=100)
  wanted = entry.expected
  np.testing.assert_allclose(
      [distance.value, distance.std], [wanted['mean'], wanted['std']],
      rtol=1e-9)
  assert (distance.size, distance.subsets, distance.warnings) == (100, 10, ())
  single = kid.kid(real.astype(np.float32), fake.astype(np.float32), 10, 100)
  np.testing.assert_allclose(
      [single.value, single.std],
      [wanted['mean_float32_features'], wanted['std_float32_features']],
      rtol=entry.tolerance['float32_rtol'])


def test_whole_sets_equal_the_peer(oracle):
  entry = oracle('kid_full_set_400')
  a, b = entry.inputs['f1'], entry.inputs['f2']
  wanted = entry.expected['mmd2_unbiased']
  np.testing.assert_allclose(kid.mmd2(a, b).value, wanted, rtol=1e-9)
  np.testing.assert_allclose(
      kid.mmd2(a, b)[0], wanted, rtol=1e-9)


def test_blocks_give_what_one_block_gives(monkeypatch):
  rng = np.random.default_rng(0)
  a, b = rng.standard_normal((70, 5)), rng.standard_normal((43, 5)) + .3
  wanted = kid.mmd2(a, b)
  monkeypatch.setattr(kid, '_BLOCK', 16)
  np.testing.assert_allclose(kid.mmd2(a, b), wanted, rtol=1e-10)
  np.testing.assert_allclose(kid.mmd2(a, b).value, wanted[0], rtol=1e-10)
  np.testing.assert_allclose(
      kid.mmd2(b, a), wanted, rtol=1e-10)


def test_a_set_against_itself_is_below_zero_by_its_diagonal():
  # Unbiased for independent sets: here the cross term has the diagonal too.
  x = np.random.default_rng(0).standard_normal((50, 4))
  k = (x @ x.T / 4 + 1)**3
  off = (k.sum() - np.trace(k)) / (50 * 49)
  np.testing.assert_allclose(kid.mmd2(x, x).value, 2 * off - 2 * k.mean())


@pytest.mark.parametrize('shift, n, m, least', [
    (0, 100, 100, .93), (0, 100, 50, .93), (.5, 100, 100, .84),
    (.5, 60, 100, .84),
    pytest.param(.5, 400, 400, .9, marks=pytest.mark.slow)])
def test_two_standard_errors_hold_the_truth(shift, n, m, least):
  # In 3,000 runs with a shift: .90 of 100 rows, .94 of 400, for their errors
  # are skewed. Without: above .99 of 100 rows.
  # Means of the kernel's terms are known: E (x.y / d + 1)^3 of Gaussians.
  d, runs = 4, 300
  s = shift**2 / d
  # x.y / d has variance (1 + k s) / d, k of the two means being shifted.
  cube = (1 + 3 / d, (1 + s)**3 + 3 * (1 + s) * (1 + 2 * s) / d + 6 * s / d**2,
          1 + 3 * (1 + s) / d)
  truth = cube[0] + cube[1] - 2 * cube[2]
  rng = np.random.default_rng(n)
  results = []
  for _ in range(runs):
    fake = rng.standard_normal((m, d))
    fake[:, 0] += shift
    results.append(kid.mmd2(rng.standard_normal((n, d)), fake))
  value, error = np.array(results).T
  np.testing.assert_allclose(
      value.mean(), truth, atol=4 * value.std() / np.sqrt(runs))
  np.testing.assert_allclose(
      np.sqrt(np.square(error).mean()), value.std(), rtol=.25)
  assert (np.abs(value - truth) < 2 * error).mean() > least


@pytest.mark.parametrize('size', [30, 80])
def test_the_error_of_subsets_is_that_of_the_sets(size):
  rng = np.random.default_rng(size)
  results = []
  for seed in range(60):
    real, fake = rng.standard_normal((2, 100, 4))
    results.append(kid.kid(real, fake + .3, 8, size, seed))
  spread = np.std([x.value for x in results], ddof=1)
  stated = np.sqrt(np.mean([x.standard_error**2 for x in results]))
  assert .75 < stated / spread < 1.5


def test_a_size_beyond_the_sets_is_lowered_and_said():
  rng = np.random.default_rng(0)
  real, fake = rng.standard_normal((50, 4)), rng.standard_normal((30, 4))
  distance = kid.kid(real, fake, subsets=3)
  assert distance.size == 30 and distance.standard_error > 0
  assert 'lowered from 1000 to 30' in distance.warnings[0]
  assert distance.value == kid.kid(real, fake, subsets=3, size=30).value
  one = kid.kid(real, fake, subsets=1, size=10)
  assert one.std == 0 and np.isnan(one.standard_error)


def test_constant_sets_have_their_kernels_distance():
  # k(x, x) - 2 k(x, y) + k(y, y) at single points.
  x, y = np.ones((20, 4)), np.full((20, 4), 2.)
  assert kid.mmd2(x, x).value == 0
  np.testing.assert_allclose(kid.mmd2(x, y).value, 2**3 + 5**3 - 2 * 3**3)
  value, error = kid.mmd2(x, y)
  np.testing.assert_allclose([value, error], [79, 0], atol=1e-5)


@pytest.mark.parametrize('change, says', [
    (dict(real=np.zeros((1, 4))), 'at least 2 rows of real'),
    (dict(fake=np.full((9, 4), np.nan)), 'row 0 of fake has nan'),
    (dict(fake=np.zeros((9, 5))), 'real has 4 features a row, fake has 5'),
    (dict(size=1), 'at least 2 rows, found 100 of 1'),
])
def test_kid_says_what_it_needs(change, says):
  with pytest.raises(ValueError, match=says):
    kid.kid(**{'real': np.zeros((9, 4)), 'fake': np.zeros((9, 4)), **change})

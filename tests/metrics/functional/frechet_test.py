"""The Fréchet distance: the peers' values, closed forms, streams, errors."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from msg_gan_jax.metrics.functional import frechet, running_moments


def distance(a, b, ddof=1):
  return frechet.frechet(frechet.moments(a), frechet.moments(b), ddof)


def gaussian(n, d, seed, scale=1., mean=0.):
  rng = np.random.default_rng(seed)
  mix = np.random.default_rng(d).standard_normal((d, d)) / np.sqrt(d)
  return scale * rng.standard_normal((n, d)) @ (mix + np.eye(d)) + mean


def exact(mean, covariance, n=10**6):
  """Moments of a distribution rather than of a sample."""
  return frechet.Moments(n, np.asarray(mean, float), covariance * (n - 1))


@pytest.mark.parametrize('name', [
    'fd_full_rank_500x64', 'fd_identical_500x64', 'fd_one_set_constant'])
def test_the_distance_equals_the_peers(oracle, name):
  entry = oracle(name)
  result = distance(entry.inputs['f1'], entry.inputs['f2'])
  np.testing.assert_allclose(
      result.value, entry.expected['frechet_distance'],
      rtol=entry.tolerance['rtol'], atol=entry.tolerance['atol'])
  # The terms cancel, so that float32 features leave an error of the traces.
  single = distance(*(entry.inputs[k].astype(np.float32) for k in ('f1', 'f2')))
  np.testing.assert_allclose(single.value, result.value, rtol=1e-6, atol=1e-8)


def test_commuting_covariances_have_the_closed_form(oracle):
  entry = oracle('fd_commuting_closed_form')
  real, fake = (exact(entry.inputs[f'mu{i}'], entry.inputs[f'sigma{i}'])
                for i in (1, 2))
  result = frechet.frechet(real, fake)
  np.testing.assert_allclose(
      result.value, entry.expected['frechet_distance'], rtol=1e-9)
  np.testing.assert_allclose(
      result.mean_term, np.square(real.mean - fake.mean).sum(), rtol=1e-12)
  assert result.warnings == () and result.rank_real == result.rank_fake == 12


@pytest.mark.parametrize('n', [2, 10, 400])
def test_identical_sets_have_distance_zero(n):
  x = gaussian(n, 30, 0, mean=5)
  assert 0 <= distance(x, x).value < 1e-8
  assert 0 <= distance(x, x[::-1]).value < 1e-8


@pytest.mark.parametrize('n, m', [(10, 500), (500, 10), (12, 7), (2, 2)])
def test_fewer_rows_than_features_still_give_the_exact_distance(n, m):
  # The nuclear norm needs no square root of any matrix.
  a, b = gaussian(n, 40, 0), gaussian(m, 40, 1, 2.)
  halves = [(x - x.mean(0)) / np.sqrt(len(x) - 1) for x in (a, b)]
  wanted = np.square(a.mean(0) - b.mean(0)).sum() + sum(
      np.square(half).sum() for half in halves) - 2 * np.linalg.svd(
          halves[0] @ halves[1].T, compute_uv=False).sum()
  result = distance(a, b)
  np.testing.assert_allclose(result.value, wanted, rtol=1e-9)
  assert (result.rank_real, result.rank_fake) == (
      min(n - 1, 40), min(m - 1, 40))
  for name, size in (('real', n), ('fake', m)):
    assert any(f'{name}: {size} rows of 40 features' in x
               for x in result.warnings) == (size <= 40)


def test_a_shift_adds_its_square_and_nothing_else():
  a = gaussian(300, 10, 0)
  result = distance(a, a + 3)
  np.testing.assert_allclose(result.value, 90, rtol=1e-10)
  assert result.value == max(0, result.mean_term + result.trace_term)


def test_ddof_is_the_peers_divisor():
  # One feature: the distance of the deviations.
  a, b = gaussian(40, 1, 0), gaussian(30, 1, 1, 3.)
  for ddof in (0, 1):
    wanted = (a.mean() - b.mean())**2 + (
        a.std(ddof=ddof) - b.std(ddof=ddof))**2
    np.testing.assert_allclose(distance(a, b, ddof).value, wanted, rtol=1e-10)


def test_moments_are_numpys():
  x = gaussian(5000, 6, 0, mean=1e4)
  moments_of_x = frechet.moments(x.astype(np.float32))
  x = x.astype(np.float32).astype(np.float64)
  np.testing.assert_allclose(moments_of_x.mean, x.mean(0), rtol=1e-12)
  np.testing.assert_allclose(moments_of_x.covariance(), np.cov(x.T), rtol=1e-9)


def test_few_or_equal_rows_are_said():
  x = gaussian(100, 4, 0)
  result = distance(x, np.full((100, 4), .1))
  assert result.rank_fake == 0
  assert [w.partition(':')[0] for w in result.warnings] == ['real', 'fake']
  assert 'only 100 rows' in result.warnings[0]
  assert 'all 100 rows are equal' in result.warnings[1]
  both = distance(np.full((5, 4), .1), np.full((9, 4), .3))
  np.testing.assert_allclose(both.value, 4 * .04, rtol=1e-12)


@pytest.mark.parametrize('features, says', [
    (np.array([[0., 1], [2, np.nan]]),
     'row 1 of features has nan as feature 1'),
    (np.array([[np.inf, 1], [2, 3]]), 'row 0 of features has inf'),
    (np.zeros((1, 3)), 'at least 2 rows of features, found 1'),
    (np.zeros((2, 3, 3)), r'features \[n, d\], found \[2, 3, 3\]'),
])
def test_bad_features_are_named(features, says):
  with pytest.raises(ValueError, match=says):
    frechet.moments(features)


def test_two_widths_have_no_distance():
  with pytest.raises(ValueError, match='real has 3 features a row, fake has 4'):
    distance(gaussian(9, 3, 0), gaussian(9, 4, 0))


def test_moments_that_are_not_finite_are_refused():
  good = frechet.moments(gaussian(9, 3, 0))
  with pytest.raises(ValueError, match='of fake are of 9 rows, or not finite'):
    frechet.frechet(good, good._replace(mean=good.mean * np.nan))


@pytest.fixture(scope='module')
def add():
  return jax.jit(running_moments.add)


def streamed(add, x, shift, batch=64):
  sums = running_moments.start(shift)
  for i in range(0, len(x), batch):
    part = x[i:i + batch]
    # What fills the last batch up counts for nothing, whatever it is.
    filled = np.full((batch, x.shape[1]), np.nan, np.float32)
    filled[:len(part)] = part
    sums = add(sums, filled, np.arange(batch) < len(part))
  return running_moments.finish(sums)


@pytest.mark.parametrize('mean', [0., 1000.])
def test_streamed_moments_give_the_distance_of_direct_ones(add, mean):
  a = gaussian(1000, 8, 0, mean=mean).astype(np.float32)
  b = gaussian(777, 8, 1, .8, mean + .2).astype(np.float32)
  got = [streamed(add, x, a[0]) for x in (a, b)]
  assert got[1].n == 777
  np.testing.assert_allclose(
      frechet.frechet(*got).value, distance(a, b).value, rtol=1e-6)


def test_a_million_rows_lose_nothing():
  # One batch over and over: the exact sums are known, and a bare float32 sum,
  # which must fail here, loses more each time.
  rows, steps = 64, 16_000
  x = gaussian(rows, 4, 0, mean=.3).astype(np.float32)
  mask = jnp.ones(rows, bool)

  @jax.jit
  def run(sums, x):
    def body(carry, _):
      sums, bare = carry
      product = jnp.matmul(x.T, x, precision='highest')
      return (running_moments.add(sums, x, mask), bare + product), None
    bare = jnp.zeros((4, 4))
    return jax.lax.scan(body, (sums, bare), None, length=steps)[0]

  sums, bare = run(running_moments.start(np.zeros(4)), x)
  summed = running_moments.finish(sums)
  assert summed.n == rows * steps > 10**6
  wide = x.astype(np.float64)
  wanted = steps * wide.T @ wide
  about_mean = wanted - summed.n * np.outer(wide.mean(0), wide.mean(0))
  scale = np.sqrt(np.outer(np.diag(wanted), np.diag(wanted)))
  error = np.abs(summed.scatter - about_mean) / scale
  assert error.max() < 3e-7  # Of one batch's product, which is float32.
  assert (np.abs(bare - wanted) / scale).max() > 1e-5
  np.testing.assert_allclose(summed.mean, wide.mean(0), rtol=1e-6)


def test_sums_say_what_they_lack(add):
  sums = running_moments.start(np.zeros(3))
  with pytest.raises(ValueError, match='at least 2 rows, found 0'):
    running_moments.finish(sums)
  x = np.ones((4, 3), np.float32)
  x[2, 1] = np.nan
  with pytest.raises(ValueError, match='of 4 rows at least one'):
    running_moments.finish(
        jax.jit(running_moments.add)(sums, x, np.ones(4, bool)))


def test_the_standard_error_is_the_spread_over_samples():
  d, n = 8, 1000
  real = exact(np.zeros(d), np.eye(d))
  drawn = [gaussian(n, d, seed, mean=.3) for seed in range(200)]
  spread = np.std([
      frechet.frechet(real, frechet.moments(x)).value for x in drawn], ddof=1)
  errors = [frechet.standard_error(real, x) for x in drawn[:20]]
  # 200 samples know their spread to 5 %.
  np.testing.assert_allclose(np.mean(errors), spread, rtol=.15)
  resampled = stats.bootstrap(
      (np.arange(n),), lambda rows: frechet.frechet(
          real, frechet.moments(drawn[0][rows])).value,
      n_resamples=200, vectorized=False, method='percentile', rng=0)
  np.testing.assert_allclose(
      errors[0], resampled.standard_error, rtol=.15)


def test_both_sides_errors_add_in_squares():
  d, n = 8, 600
  pairs = [(gaussian(n, d, seed), gaussian(n, d, 1000 + seed, .7, .4))
           for seed in range(200)]
  spread = np.std([distance(a, b).value for a, b in pairs], ddof=1)
  errors = [np.hypot(frechet.standard_error(frechet.moments(a), b),
                     frechet.standard_error(frechet.moments(b), a))
            for a, b in pairs[:20]]
  np.testing.assert_allclose(np.mean(errors), spread, rtol=.15)


def test_a_collapsed_sample_has_a_standard_error():
  real = exact(np.zeros(3), np.eye(3))
  assert frechet.standard_error(real, np.ones((50, 3))) == 0
  flat = gaussian(500, 3, 0)
  flat[:, 2] = 0
  assert 0 < frechet.standard_error(real, flat) < 1


def test_infinity_is_nearer_to_the_truth_than_the_plain_distance():
  d, n = 24, 1500
  real = exact(np.zeros(d), np.eye(d))
  plain, limit = [], []
  for seed in range(12):
    fake = 1.2 * np.random.default_rng(seed).standard_normal((n, d)) + .1
    line = frechet.infinity(real, fake, seed=seed)
    plain.append(line.values[-1])
    limit.append(line.value)
  truth = d * (.2**2 + .1**2)
  assert line.sizes[0] == 150 and line.sizes[-1] == n
  assert len(line.sizes) == 15 and line.slope > 0
  assert .5 < line.r2 <= 1 and line.warnings == ()
  # The bias of 24 features and 1500 rows is .14, the noise of a mean .02.
  assert np.mean(plain) - truth > .1
  assert abs(np.mean(limit) - truth) < .05


def test_infinity_says_where_its_line_fails():
  real = exact(np.zeros(30), np.eye(30))
  fake = gaussian(60, 30, 0)
  line = frechet.infinity(real, fake, points=3, smallest=10)
  assert 'not above the 30 features' in line.warnings[0]
  with pytest.raises(ValueError, match=r'smallest size in 2 .. 59'):
    frechet.infinity(real, fake, smallest=60)
  with pytest.raises(ValueError, match='at least 20 rows'):
    frechet.infinity(real, fake[:9])

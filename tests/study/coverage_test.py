"""How often each interval that is printed holds what it should."""
import numpy as np
import pytest

from msg_gan_jax.metrics.functional.training_seeds import over_seeds
from msg_gan_jax.study import comparison
from msg_gan_jax.study.scale import Scale

STUDIES = 1000


def covered(draw, truth, n):
  """The share of studies of n seeds whose interval holds the truth."""
  rng = np.random.default_rng(n)
  hits = 0
  for _ in range(STUDIES):
    found = over_seeds(draw(rng, n))
    hits += found.low <= truth <= found.high
  return hits / STUDIES


@pytest.mark.parametrize('n', [3, 5, 10])
def test_of_normal_values_the_interval_holds_the_mean(n):
  share = covered(lambda rng, n: rng.normal(30, 4, n), 30, n)
  assert .93 <= share <= .97


@pytest.mark.parametrize(('n', 'low', 'high'), [
    (3, .80, .88), (5, .78, .86), (10, .80, .88)])
def test_of_log_normal_values_it_holds_less_as_the_page_says(n, low, high):
  # exp of a standard normal: some seeds are tens of times worse than others.
  share = covered(lambda rng, n: rng.lognormal(0, 1, n), np.exp(.5), n)
  assert low <= share <= high


@pytest.mark.parametrize('n', [3, 5, 10])
def test_where_ratios_are_compared_log_normal_values_are_as_normal_ones(n):
  rng, scale, means, ratios = np.random.default_rng(n), Scale(True), 0, 0
  for _ in range(STUDIES):
    a, b = rng.lognormal(1, 1, n), rng.lognormal(0, 1, n)
    mean = scale.over_seeds(a)
    means += mean.low <= np.e <= mean.high
    ratio = scale.paired(dict(enumerate(a)), dict(enumerate(b)))
    ratios += scale.back(ratio.low) <= np.e <= scale.back(ratio.high)
  assert .93 <= means / STUDIES <= .97
  assert .93 <= ratios / STUDIES <= .97


@pytest.mark.parametrize('n', [3, 5, 10])
@pytest.mark.parametrize('law', ['normal', 'log-normal'])
def test_the_interval_of_a_difference_holds_it(n, law):
  """Both methods move with the seed; log-normal ones by the same law."""
  rng, hits = np.random.default_rng(n), 0
  for _ in range(STUDIES):
    shared = rng.normal(0, 2, n)
    if law == 'normal':
      a, b = 1 + shared + rng.normal(size=n), shared + rng.normal(size=n)
      truth = 1
    else:
      a, b = rng.lognormal(0, 1, n), rng.lognormal(0, 1, n)
      truth = 0
    found = comparison.paired(dict(enumerate(a)), dict(enumerate(b)))
    hits += found.low <= truth <= found.high
  # A difference of equal laws is symmetric, and then the interval is wide.
  assert .93 <= hits / STUDIES <= (.97 if law == 'normal' else .995)

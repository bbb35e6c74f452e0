"""Laws of shares and their intervals."""
import math

import numpy as np
import pytest

from msg_gan_jax.metrics.functional.proportions import balanced, wilson


@pytest.mark.parametrize('hits, n', [(1, 3), (5, 10), (80, 100), (1, 1000)])
def test_the_ends_are_where_the_share_is_1_96_deviations_away(hits, n):
  """Wilson's interval solves |share - p| = z sqrt(p (1 - p) / n) for p."""
  found = wilson(hits, n)
  assert found.share == hits / n and 0 < found.low < hits / n < found.high < 1
  for p in found.low, found.high:
    assert abs(hits / n - p) / math.sqrt(p * (1 - p) / n) == pytest.approx(
        1.959964, rel=1e-6)


@pytest.mark.parametrize('hits, n, low, high', [
    # Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<857::AID-
    # SIM777>3.0.CO;2-E, table I, method 3.
    (81, 263, .2553, .3662), (15, 148, .0624, .1605), (0, 20, 0., .1611),
    (1, 29, .0061, .1718)])
def test_the_interval_is_wilsons(hits, n, low, high):
  found = wilson(hits, n)
  assert found == pytest.approx((hits / n, low, high), abs=5e-5)
  assert wilson(n - hits, n) == pytest.approx(
      (1 - found.share, 1 - found.high, 1 - found.low))


def test_none_and_all_of_few_are_not_certain():
  assert wilson(0, 10).low == 0 and wilson(0, 10).high == pytest.approx(
      .2775, abs=1e-4)
  assert wilson(10, 10).high == 1
  assert wilson(10, 10).low == pytest.approx(1 - wilson(0, 10).high)
  nothing = wilson(0, 0)
  assert math.isnan(nothing.share) and nothing[1:] == (0, 1)


def test_a_balanced_share_of_equal_sides_is_their_mean():
  one, other = wilson(30, 40), wilson(50, 100)
  found = balanced(one, other)
  assert found.share == (.75 + .5) / 2
  # Of one side that is sure it is half as wide as the other's.
  sure = one._replace(low=.75, high=.75)
  half = balanced(sure, other)
  assert half.high - half.share == pytest.approx((other.high - .5) / 2)
  assert half.share - half.low == pytest.approx((.5 - other.low) / 2)


def test_about_95_of_100_intervals_have_the_truth_in_them():
  random = np.random.default_rng(0)
  right = 0
  for _ in range(2000):
    found = balanced(wilson(random.binomial(60, .9), 60),
                     wilson(random.binomial(200, .3), 200))
    right += found.low <= .6 <= found.high
  assert .93 < right / 2000 < .97

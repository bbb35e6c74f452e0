"""Laws of the count of modes: perfect, collapsed, astray, and in between."""
import numpy as np
import pytest

from msg_gan_jax.data.drawn import toys
from msg_gan_jax.metrics.functional.mixture_modes import modes

SQUARE = np.array([[0., 0], [1, 0], [0, 1], [1, 1]])


@pytest.mark.parametrize('name', toys.LAYOUTS)
def test_the_mixture_itself_has_all_modes_and_hardly_any_divergence(name):
  toy = toys.Toy(name, 2500)
  counts = modes(toy.images(np.arange(2500))[:, 0, 0], toy.centres, toy.std)
  k = len(toy.centres)
  assert counts.modes == k
  # A Rayleigh variable is under 3 in 1 - exp(-4.5); 4.5 deviations of it.
  assert abs(counts.high_quality - (1 - np.exp(-4.5))) < .0095
  # 2 n KL is about chi² of k - 1 degrees: mean k - 1, variance 2 (k - 1).
  chi = 2 * 2500 * counts.kl
  assert (k - 1) * .1 < chi < (k - 1) + 4.5 * np.sqrt(2 * (k - 1)) + 4


def test_one_mode_alone_diverges_by_log_k():
  counts = modes(np.zeros((50, 2)), SQUARE, .1)
  assert counts == (1, 1., pytest.approx(np.log(4)))


def test_two_modes_of_four_evenly_diverge_by_log_2():
  counts = modes(SQUARE[[0, 3, 0, 3]], SQUARE, .1)
  assert counts == (2, 1., pytest.approx(np.log(2)))


def test_uneven_shares_diverge_as_the_formula_says():
  points = SQUARE[[0] * 5 + [1] * 2 + [2] * 2 + [3]]
  shares = np.array([.5, .2, .2, .1])
  assert modes(points, SQUARE, .1).kl == pytest.approx(
      (shares * np.log(shares * 4)).sum())


def test_three_deviations_are_in_and_more_is_out():
  points = np.array([[.2999, 0], [.3001, 0], [1, .29], [.5, .5]])
  counts = modes(points, SQUARE, .1)
  assert (counts.modes, counts.high_quality) == (2, .5)


def test_a_point_counts_for_its_nearest_centre_only():
  # Within three deviations of both.
  counts = modes([[.4, 0]], SQUARE, 1.)
  assert counts.modes == 1


def test_points_astray_have_no_quality_and_the_worst_divergence():
  for astray in ([[9., 9]], [[np.nan, 0]], [[np.inf, 0]]):
    with np.errstate(invalid='ignore'):
      counts = modes(np.repeat(astray, 3, 0), SQUARE, .1)
    assert counts == (0, 0., pytest.approx(np.log(4)))


def test_units_do_not_matter():
  rng = np.random.default_rng(0)
  points = rng.normal(size=(500, 2))
  assert modes(points, SQUARE, .3) == modes(4 * points, 4 * SQUARE, 1.2)


@pytest.mark.parametrize('shape', [(0, 2), (5,), (5, 1, 1, 2), (5, 3)])
def test_what_is_no_list_of_points_is_refused(shape):
  with pytest.raises(ValueError, match=r'modes: wanted points \[n, 2\], found'):
    modes(np.zeros(shape), SQUARE, .1)

"""Laws of the scatter picture: what is seen, where, and in which colour."""
import numpy as np
import pytest

from msg_gan_jax.report import plots
from msg_gan_jax.report.scatter import RANGE, scatter

NONE = np.zeros((0, 2))


def changed(points, size=512, real=NONE):
  """(row, column) of the middle of what points change."""
  before, after = (scatter(real, x, size).astype(int) for x in (NONE, points))
  weight = np.abs(after - before).sum(-1)
  rows, columns = np.mgrid[:size, :size] + .5
  return np.array([(rows * weight).sum(), (columns * weight).sum()]
                  ) / weight.sum()


@pytest.mark.parametrize('size', [64, 200, 512])
def test_it_is_a_colour_picture_of_the_size_that_is_asked_for(size):
  picture = scatter(NONE, NONE, size)
  assert (picture.dtype, picture.shape) == (np.uint8, (size, size, 3))
  assert (picture.max(), picture.mean() > 250) == (255, True)


@pytest.mark.parametrize('x, y', [
    (0, 0), (.8, 0), (0, .8), (-1, -1), (.31, -.6)])
def test_a_point_lies_at_its_place_with_y_upwards(x, y):
  wanted = (np.array([-y, x]) / RANGE + 1) * 256
  np.testing.assert_allclose(changed([[x, y]]), wanted, atol=.15)


def test_a_dot_moves_by_less_than_a_pixel():
  step = .3 * 2 * RANGE / 512
  a, b = changed([[.51, .2]]), changed([[.51 + step, .2]])
  np.testing.assert_allclose(b - a, [0, .3], atol=.1)


def test_many_fakes_have_the_colour_of_curves_and_reals_are_grey():
  at = np.full((40, 2), .5)
  row, column = np.int64((np.array([-.5, .5]) / RANGE + 1) * 256)
  fake = scatter(NONE, at)[row, column]
  assert '#{:02X}{:02X}{:02X}'.format(*fake) == plots.COLORS[1]
  real = scatter(at, NONE)[row, column].astype(int)
  assert np.ptp(real) < 20 and 180 < real.mean() < 220
  assert (scatter(at, at)[row, column] == fake).all()


def test_many_are_darker_than_few():
  sums = [int(scatter(NONE, np.full((n, 2), .5)).sum()) for n in (0, 1, 2, 9)]
  assert sums == sorted(sums, reverse=True) and len(set(sums)) == 4


def test_the_order_of_points_does_not_matter():
  points = np.random.default_rng(0).normal(0, .4, (500, 2))
  a, b = scatter(points, points), scatter(points[::-1], points[::-1])
  assert np.abs(a.astype(int) - b).max() <= 1  # Sums round differently.


def test_what_is_out_of_range_or_no_number_is_left_out():
  blank = scatter(NONE, NONE)
  bad = [[np.nan, 0], [np.inf, 0], [0, -np.inf], [RANGE + 1e-6, 0], [0, 99]]
  np.testing.assert_array_equal(scatter(bad, bad), blank)
  edge = [[RANGE, RANGE], [-RANGE, -RANGE]]
  assert (scatter(NONE, edge)[[0, -1], [-1, 0]] < 250).any(-1).all()


def test_axes_and_frame_show_minus_one_to_one():
  picture = scatter(NONE, NONE).astype(int)
  ruled = (picture != 255).any(-1)
  marks = np.flatnonzero(ruled.sum(0) > 400)
  np.testing.assert_allclose((marks + .5) / 256 - 1,
                             [-1 / RANGE, 0, 1 / RANGE], atol=1 / 256)
  assert ruled.mean() < .02


def test_a_picture_too_small_is_refused():
  with pytest.raises(ValueError, match='size: 10 pixels; wanted at least 64'):
    scatter(NONE, NONE, 10)

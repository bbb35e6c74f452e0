"""Figures have each picture in its place, and words that can be read."""
import numpy as np
import pytest

from msg_gan_jax.report import figure


def plain(value, size=20, width=None):
  return np.full((size, width or size, 3), value, np.uint8)


@pytest.mark.parametrize('height, width, smallest, largest, wanted', [
    (16, 16, 96, 256, (96, 96)), (20, 30, 96, 256, (100, 150)),
    (256, 128, 96, 256, (256, 128)), (1024, 1024, 96, 256, (256, 256)),
    (300, 300, 96, 256, (150, 150)), (257, 10, 96, 256, (257, 10)),
    (4, 4, 192, 192, (192, 192)), (200, 200, 300, 256, (200, 200))])
def test_a_tile_has_a_size_to_look_at(
    height, width, smallest, largest, wanted):
  found = figure.tile(plain(7, height, width), smallest, largest)
  assert found.shape == (*wanted, 3) and (found == 7).all()


def test_a_tile_shows_its_pixels():
  x = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
  found = figure.tile(x, 40, 40)
  np.testing.assert_array_equal(found, x.repeat(10, 0).repeat(10, 1))
  # Halved by area: the mean of each 2 x 2.
  x = np.array([[10, 30], [50, 70]], np.uint8).repeat(3, 0).repeat(3, 1)
  small = figure.tile(np.tile(x[::3, ::3, None], (2, 2, 1)), 2, 2)
  assert (small == 40).all()


@pytest.mark.parametrize('channels, wanted', [
    (1, (9, 9, 9)), (2, (9, 9, 9)), (3, (9, 10, 11)), (4, (255, 255, 255))])
def test_a_tile_is_of_colour(channels, wanted):
  x = np.broadcast_to(np.uint8([9, 10, 11, 0][:channels]), (8, 8, channels))
  assert (figure.tile(x, 8, 8) == np.uint8(wanted)).all()


def test_tiles_stand_in_rows_and_an_empty_place_stays_white():
  found = figure.draw([
      figure.Band(None, [[plain(1), plain(2)]]),
      figure.Band(None, [[None, plain(3)], [plain(4), plain(5)]])]).copy()
  # Margins of 16, gaps of 4, 16 between bands.
  assert found.shape == (16 + 20 + 16 + 20 + 4 + 20 + 16, 16 + 44 + 16, 3)
  for value, top, left in (
      (1, 16, 16), (2, 16, 40), (3, 52, 40), (4, 76, 16), (5, 76, 40)):
    assert (found[top:top + 20, left:left + 20] == value).all()
    found[top:top + 20, left:left + 20] = 255
  assert (found == 255).all()


def test_words_stand_over_beside_and_between():
  rows = [[plain(200, 60)] * 2]
  bare = figure.draw([figure.Band(None, rows)]).shape
  titled = figure.draw([figure.Band(None, rows)], ('a title', 'that is long'))
  assert titled.shape[0] > bare[0] and titled.shape[1] >= bare[1]
  assert (titled[:16 + 17] < 100).any()
  above = figure.draw([figure.Band(None, rows)], above=('one', 'two'))
  assert above.shape[0] > bare[0] and above.shape[1] == bare[1]
  for left in (16, 80):  # A word over each, in the middle.
    dark = np.flatnonzero((above[:30, left:left + 60] < 100).any((0, 2)))
    assert abs(dark.mean() - 30) < 3
  beside = figure.draw([figure.Band(None, rows)], beside=[('name', 'remark')])
  assert beside.shape[0] == bare[0] and beside.shape[1] > bare[1]
  assert (beside[:, 16:60] < 100).any()
  headed = figure.draw(
      [figure.Band(('coarse', ''), rows), figure.Band(('fine', ''), rows)])
  assert headed.shape[0] > 2 * bare[0] - 32
  apart = figure.draw([figure.Band(None, rows)], aside=1)
  assert apart.shape[1] == bare[1] + 12

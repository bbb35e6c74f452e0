"""Small pictures in squares, values about grey, heat, and figures of them."""
import numpy as np
import pytest

from msg_gan_jax.report import atlas_figures, blocks


def test_a_small_picture_is_enlarged_by_a_whole_factor():
  image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
  large = blocks.square(image, 30)
  assert large.shape == (30, 30, 3)
  np.testing.assert_array_equal(
      large[5:25, 1:29], image.repeat(4, 0).repeat(4, 1))
  assert (large[:5] == 255).all() and (large[:, 29:] == 255).all()
  grey = np.full((40, 20, 1), 77, np.uint8)
  small = blocks.square(grey, 10)
  assert (small[:, 3:8] == [77] * 3).all() or (small[:, 2:7] == 77).all()


def test_grey_is_zero_and_each_picture_has_a_scale_of_its_own():
  values = np.zeros((3, 2, 2, 3), np.float32)
  values[0, 0, 0, 1], values[0, 1, 1, 2] = -.5, .25
  values[1, 0, 1, 0] = 1e-6
  shown = blocks.about_grey(values)
  assert shown.dtype == np.uint8 and (shown[2] == 128).all()
  assert shown[0, 0, 0, 1] == 1 and shown[0, 1, 1, 2] == 192
  assert shown[1, 0, 1, 0] == 255 and (shown == 128).sum() == 33
  assert blocks.about_grey(np.ones((2, 2, 4))).shape == (2, 2, 3)


def test_heat_is_blue_for_real_and_vermilion_for_fake():
  image = np.zeros((1, 4, 3), np.uint8)
  shown = blocks.heat(image, np.array([[1., -1, 0, 9]]), 1.)
  assert shown[0, 0].tolist() == [*blocks.POSITIVE]
  assert shown[0, 1].tolist() == [*blocks.NEGATIVE]
  assert shown[0, 3].tolist() == [*blocks.POSITIVE]
  assert len({*shown[0, 2]}) == 1 and 128 < shown[0, 2, 0] < 255


def test_its_colours_differ_in_lightness_as_little_as_in_no_hue():
  """Blue and vermilion differ along blue and yellow, which most people see."""
  blue, vermilion = np.array(blocks.POSITIVE), np.array(blocks.NEGATIVE)
  assert blue[2] - blue[:2].mean() > 100
  assert vermilion[:2].mean() - vermilion[2] > 100


@pytest.mark.parametrize('channels', [1, 3, 4])
@pytest.mark.parametrize('columns', [1, 4])
def test_a_figure_has_a_block_for_each_map_and_scale(channels, columns):
  rng = np.random.default_rng(0)
  patches = {'sees 14x14': rng.integers(
      0, 256, (3, 9, 14, 14, channels), np.uint8)}
  projections = {f'{i}': rng.normal(size=(3, 9, 5, 5, channels))
                 for i in range(columns)}
  beside = [(f'map {i}', 'spread 1, 頭') for i in range(3)]
  found = atlas_figures.layer(patches, projections, beside, ('conv', 'more'))
  side = 3 * 70 + 2  # 14 and 5 fill squares of 70.
  rows = 2 if columns < 3 else 3
  assert found.dtype == np.uint8 and found.shape[2] == 3
  assert rows * side < found.shape[0] < rows * (side + 8) + 100
  assert (found.shape[1] > (1 + columns) * side * (2 if columns < 3 else 1))
  assert (found[:, -1] == 255).all()


def test_pixels_fill_their_squares_where_they_can():
  sides = [np.zeros((1, s, s, 3)) for s in (24, 12)]
  assert atlas_figures._cell(sides) == 72
  assert atlas_figures._cell([np.zeros((1, 300, 300, 3))]) == 60


def test_a_strip_has_a_column_for_each_moment():
  rng = np.random.default_rng(0)
  patches = [rng.integers(0, 256, (2, 8, 8, 3), np.uint8) for _ in range(3)]
  few, many = (atlas_figures.strip(
      patches[:n], [x.astype(float) for x in patches[:n]], ['1'] * n,
      [('map 0', '')] * 2, ('conv', '')) for n in (1, 3))
  assert many.shape[0] == few.shape[0] > 4 * 64
  assert many.shape[1] - few.shape[1] == 2 * (64 + 6)


def test_evidence_has_a_column_for_each_scale():
  rng = np.random.default_rng(0)
  levels = [rng.integers(0, 256, (4, s, s, 3), np.uint8) for s in (4, 8)]
  shares = [rng.normal(size=(4, s, s)) for s in (4, 8)]
  shares[0][1] = 0  # What says nothing is no error.
  one = [('one', '')]
  found = atlas_figures.evidence(levels, shares, {'most': one, 'all': 3 * one})
  assert found.shape[1] > 3 * 128 and found.shape[0] > 4 * 128

"""The pyramid: sizes, means and exact inverses."""
import re

import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.arrays import pixels
from msg_gan_jax.gan import pyramid

RNG = np.random.default_rng(0)


@pytest.mark.parametrize('scales, sizes', [
    ('none', (64,)), ('coarse', (4, 8, 64)), ('middle', (16, 32, 64)),
    ('fine', (64,)), ('all', (4, 8, 16, 32, 64)), ('8,32', (8, 32, 64)),
])
def test_scales_name_the_levels_and_keep_the_finest(scales, sizes):
  assert pyramid.shown((64, 64, 3), scales) == sizes


@pytest.mark.parametrize('height, width, scales, text', [
    (36, 36, 'all', '36 cannot be reached .*; the nearest that can: 32 or 40'),
    (63, 100, 'all', '63 x 100 cannot .* can: 56 x 96 or 64 x 112'),
    (4, 4, 'all', ': 4 cannot .* can: 8\\.'),
    (32, 32, 'fine', "'fine' is empty at 32 px"),
    (32, 32, '8,12', 'no level of 12 px'),
    (48, 48, '8', 'no level of 8 px; wanted some of 6, 12, 24, 48'),
    (32, 32, '8,x', "wanted sizes such as '8,16'"),
    (32, 32, 'al', "no group of scales 'al'; did you mean 'all'"),
])
def test_each_impossible_ladder_has_its_text(height, width, scales, text):
  with pytest.raises(ValueError, match=text):
    pyramid.shown((height, width, 3), scales)


@pytest.mark.parametrize('height, width, ladder', [
    (8, 8, (4, 8)), (48, 48, (6, 12, 24, 48)), (28, 28, (7, 14, 28)),
    (40, 40, (5, 10, 20, 40)), (96, 96, (6, 12, 24, 48, 96)),
    (64, 96, (4, 8, 16, 32, 64)), (96, 64, (6, 12, 24, 48, 96)),
    (32, 256, (4, 8, 16, 32)),
])
def test_a_ladder_doubles_from_a_shorter_side_of_4_to_7(
    height, width, ladder):
  assert pyramid.ladder(height, width) == ladder
  shapes = pyramid.shapes(ladder, (height, width, 3))
  assert 4 <= min(shapes[0][:2]) <= 7
  assert all((2 * h, 2 * w) == (hh, ww) for (h, w, _), (hh, ww, _) in zip(
      shapes, shapes[1:], strict=False))


def test_of_every_size_the_nearest_that_are_named_have_a_ladder():
  legal, illegal = 0, 0
  for height in range(1, 140):
    for width in (height, 30, 64, 97):
      try:
        pyramid.ladder(height, width)
        legal += 1
      except ValueError as error:
        illegal += 1
        named = re.findall(r'(\d+)(?: x (\d+))?', str(error).split(
            'nearest that can: ')[1])
        assert named
        for h, w in named:
          pyramid.ladder(int(h), int(w or h))
  assert legal > 30 and illegal > 400


def test_a_level_of_another_shape_is_half_of_both_sides():
  images = RNG.integers(0, 256, (2, 16, 24, 3), dtype=np.uint8)
  levels = pyramid.build(jnp.asarray(images), (4, 8, 16))
  assert [x.shape[1:] for x in levels] == [
      (4, 6, 3), (8, 12, 3), (16, 24, 3)]
  assert pyramid.shapes((4, 8, 16), (16, 24, 3)) == tuple(
      x.shape[1:] for x in levels)
  pyramid.check(levels, (4, 8, 16))
  for wrong in ((4, 8), (4, 8, 24), (16, 8, 4)):
    with pytest.raises(AssertionError):
      pyramid.check(levels, wrong)


def test_floats_are_taken_as_they_are():
  points = RNG.standard_normal((5, 1, 1, 2)).astype(np.float32)
  level, = pyramid.build(jnp.asarray(points), (1,))
  np.testing.assert_array_equal(level, points)


def test_build_is_the_mean_of_squares_in_minus_one_to_one():
  images = RNG.integers(0, 256, (2, 16, 16, 3), dtype=np.uint8)
  levels = pyramid.build(jnp.asarray(images), (4, 16))
  x = images / 127.5 - 1
  np.testing.assert_allclose(levels[1], x, atol=1e-6)
  means = x.reshape(2, 4, 4, 4, 4, 3).mean((2, 4))
  np.testing.assert_allclose(levels[0], means, atol=1e-6)


def test_down_undoes_up():
  x = jnp.asarray(RNG.standard_normal((2, 3, 5, 4)), jnp.float32)
  np.testing.assert_array_equal(pyramid.down(pyramid.up(x)), x)


def test_to_uint8_undoes_build_at_every_value():
  images = jnp.arange(256, dtype=jnp.uint8).reshape(1, 16, 16, 1)
  level, = pyramid.build(images, (16,))
  np.testing.assert_array_equal(pixels.to_uint8(level), images)


def test_to_uint8_clips_and_does_not_stretch():
  x = jnp.array([-9., -1.001, -.5, .5, 1.001, 9., jnp.nan, jnp.inf, -jnp.inf])
  assert pixels.to_uint8(x).tolist() == [0, 0, 64, 191, 255, 255, 0, 255, 0]

"""Laws of DiffAugment: its ranges, and one picture at all scales."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.objectives import diffaugment

pytestmark = pytest.mark.slow

KEY = jax.random.key(11)
N = 2000
color, translation, cutout = map(jax.jit, (
    diffaugment.color, diffaugment.translation, diffaugment.cutout))


def blocks(n, channels):
  """Flat within a pixel of the coarsest of 4, 8 and 16 px."""
  coarse = jax.random.uniform(KEY, (n, 4, 4, channels), minval=-1)
  return tuple(pyramid.up(coarse, factor) for factor in (1, 2, 4))


def assert_one_picture(levels):
  for level, factor in zip(levels, (4, 2), strict=False):
    np.testing.assert_allclose(
        level, pyramid.down(levels[-1], factor), atol=1e-5)


def colours_done(old, new):
  """(brightness, saturation, contrast) of each sample."""
  luma_old, luma_new = old.mean(-1), new.mean(-1)
  contrast = luma_new.std((1, 2)) / luma_old.std((1, 2))
  chroma = [(x - x.mean(-1, keepdims=True)).std((1, 2, 3)) for x in (old, new)]
  return (luma_new.mean((1, 2)) - luma_old.mean((1, 2)),
          chroma[1] / chroma[0] / contrast, contrast)


def test_colours_have_the_authors_ranges_and_are_one_for_all_scales():
  x = blocks(N, 3)
  new = color(x, KEY, 1.)
  found = colours_done(np.asarray(x[0]), np.asarray(new[0]))
  for got, low, high in zip(found, (-.5, 0, .5), (.5, 2, 1.5), strict=True):
    share = (got - low) / (high - low)
    assert -1e-4 < share.min() < .01 and .99 < share.max() < 1 + 1e-4
    assert share.mean() == pytest.approx(.5, abs=4 * 12**-.5 / N**.5)
    assert share.std() == pytest.approx(12**-.5, rel=.05)
  assert abs(np.corrcoef(found) - np.eye(3)).max() < .09
  assert_one_picture(new)


def test_grey_has_no_saturation_and_alpha_no_colour():
  def both(x, count):
    return color(x, KEY, 1.)[0], color((x[0][..., :count],), KEY, 1.)[0]

  for channels, count in ((2, 1), (4, 3)):
    x = blocks(8, channels)[:1]
    new, alone = both(x, count)
    np.testing.assert_array_equal(new[..., count:], x[0][..., count:])
    np.testing.assert_allclose(new[..., :count], alone, atol=1e-6)
    if count == 1:
      slope = np.ptp(alone, (1, 2)) / np.ptp(x[0][..., :1], (1, 2))
      assert (.5 < slope).all() and (slope < 1.5).all()


def test_a_picture_moves_by_whole_pixels_and_zeros_enter():
  x = blocks(256, 3)
  new = translation(x, KEY, 1.)
  assert_one_picture(new)
  wide = np.pad(x[-1], ((0, 0), (2, 2), (2, 2), (0, 0)))
  seen = set()
  for i, moved in enumerate(np.asarray(new[-1])):
    by = [(down, right) for down in range(-2, 3) for right in range(-2, 3)
          if (wide[i, 2 - down:18 - down, 2 - right:18 - right] == moved).all()]
    assert len(by) == 1
    seen |= set(by)
  assert len(seen) == 25


def test_a_level_that_does_not_divide_the_shift_is_interpolated():
  """A spot in the middle of a coarse pixel, moved: its weight is kept."""
  x = tuple(jnp.zeros((64, size, size, 1)).at[:, size // 2, size // 2].set(1)
            for size in (4, 16))
  coarse, fine = translation(x, KEY, 1.)
  np.testing.assert_allclose(coarse.sum((1, 2, 3)), 1, atol=1e-6)
  place = [np.einsum('bhwc,h->b', level, np.arange(level.shape[1]))
           for level in (coarse, fine)]
  np.testing.assert_allclose(place[0] - 2, (place[1] - 8) / 4, atol=1e-6)


def test_a_box_of_half_the_sides_is_cut_around_any_pixel():
  x = tuple(jnp.ones((N, size, size, 1)) for size in (4, 8, 16))
  new = cutout(x, KEY, 1.)
  assert_one_picture(new)
  gone = np.asarray(new[-1][..., 0]) == 0
  assert set(np.unique(new[-1])) == {0., 1.}
  for axis in (1, 2):
    line = gone.any(axis)
    first, length = line.argmax(1), line.sum(1)
    # Centres 0 .. 16: clipped at either end, four pixels at least.
    centre = np.where(first > 0, first + 4, length - 4)
    assert set(centre) == set(range(17)) and length.max() == 8
    assert centre.mean() == pytest.approx(8, abs=4 * 24**.5 / N**.5)
    np.testing.assert_array_equal(
        length, np.minimum(centre + 4, 16) - np.maximum(centre - 4, 0))
  np.testing.assert_array_equal(
      gone.sum((1, 2)), gone.any(1).sum(1) * gone.any(2).sum(1))


def test_each_is_done_to_its_share_and_for_itself():
  x = tuple(1 + level for level in blocks(N, 3))
  done = []
  for row, key in ((color, KEY), (cutout, KEY)):
    new = row(x, key, .3)
    changed = [np.asarray((a != b).any((1, 2, 3)))
               for a, b in zip(x, new, strict=True)]
    for level in changed:
      np.testing.assert_array_equal(level, changed[0])
    assert changed[0].mean() == pytest.approx(.3, abs=4 * .46 / N**.5)
    done.append(changed[0])
  # The whole row splits the key, so that the three are independent.
  whole = jax.jit(diffaugment.diffaugment)(x, KEY, .3)[-1]
  same = np.asarray((whole == x[-1]).all((1, 2, 3)))
  # A shift by 0 in both directions changes nothing either.
  assert same.mean() == pytest.approx(
      .7**2 * (.7 + .3 / 25), abs=4 * .48 / N**.5)


def test_a_penalty_may_go_through_all_three():
  x = blocks(4, 3)

  def slope(x):
    def judged(x):
      return sum((level**2).sum()
                 for level in diffaugment.diffaugment(x, KEY, 1.))
    return sum((g**2).sum() for g in jax.grad(judged)(x))

  value, second = jax.jit(jax.value_and_grad(slope))(x)
  assert np.isfinite(value)
  for g in second:
    assert np.isfinite(g).all() and abs(g).max() > 0

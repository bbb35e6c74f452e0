"""The pyramid: sizes, means and exact inverses."""
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax import pyramid, schedules

RNG = np.random.default_rng(0)


@pytest.mark.parametrize('scales, sizes', [
    ('none', (64,)), ('coarse', (4, 8, 64)), ('middle', (16, 32, 64)),
    ('fine', (64,)), ('all', (4, 8, 16, 32, 64)), ('8,32', (8, 32, 64)),
])
def test_scales_name_the_levels_and_keep_the_finest(scales, sizes):
  assert pyramid.shown(64, scales) == sizes


@pytest.mark.parametrize('resolution, scales, text', [
    (48, 'all', 'does not reach 48; the nearest that it reaches: 32 or 64'),
    (4, 'all', 'does not reach 4; .*8'),
    (32, 'fine', "'fine' is empty at 32 px"),
    (32, '8,12', 'no level of 12 px'),
    (32, '8,x', "wanted sizes as '8,16'"),
    (32, 'al', "no group of scales 'al'; did you mean 'all'"),
])
def test_each_impossible_ladder_has_its_text(resolution, scales, text):
  with pytest.raises(ValueError, match=text):
    pyramid.shown(resolution, scales)


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
  np.testing.assert_array_equal(pyramid.to_uint8(level), images)


def test_to_uint8_clips_and_does_not_stretch():
  x = jnp.array([-9., -1.001, -.5, .5, 1.001, 9., jnp.nan, jnp.inf, -jnp.inf])
  assert pyramid.to_uint8(x).tolist() == [0, 0, 64, 191, 255, 255, 0, 255, 0]


def test_crossed_finds_each_multiple_once_at_any_stride():
  for stride in (1, 3, 7, 40):
    hits = [n for n in range(stride, 300, stride)
            if schedules.crossed(n - stride, n, 20)]
    multiples = {-(-m // stride) * stride for m in range(20, 300, 20)}
    assert hits == sorted(m for m in multiples if m < 300)


def test_a_lazy_penalty_comes_every_kth_d_step():
  flags = []
  for step in range(12):
    flags += schedules.phase(step * 2 * 8, 8, 2, 3).penalties
  assert [i for i, flag in enumerate(flags) if flag] == list(range(0, 24, 3))
  assert schedules.phase(0, 8, 2, 0).penalties == (False, False)

"""Change and diversity equal what brute force gives."""
import itertools

import numpy as np
import pytest

from msg_gan_jax.metrics.functional import training_stability


def pyramid(seed, n=5):
  rng = np.random.default_rng(seed)
  return tuple(rng.uniform(-1, 1, (n, s, s, 3)) for s in (4, 8))


def test_change_is_the_mean_squared_difference_of_each_scale():
  before, after = pyramid(0), pyramid(1)
  wanted = {4: 0., 8: 0.}
  for size, old, new in zip(wanted, before, after, strict=True):
    for x, y in zip(old.ravel(), new.ravel(), strict=True):
      wanted[size] += (x - y)**2 / old.size
  got = training_stability.change(before, after)
  assert list(got) == [4, 8]
  np.testing.assert_allclose(
      list(got.values()), list(wanted.values()), rtol=1e-12)


def test_bytes_and_floats_change_by_the_same():
  rng = np.random.default_rng(0)
  before, after = rng.integers(0, 256, (2, 4, 8, 8, 3), dtype=np.uint8)
  in_bytes = training_stability.change((before,), (after,))
  in_floats = training_stability.change(
      (before / 127.5 - 1,), (after / 127.5 - 1,))
  assert in_bytes[8] == pytest.approx(in_floats[8], rel=1e-12)
  black, white = np.zeros_like(before), np.full_like(before, 255)
  assert training_stability.change((black,), (white,)) == {8: 4.}
  assert training_stability.change((white,), (white,)) == {8: 0.}


def test_change_refuses_pyramids_of_two_shapes():
  with pytest.raises(ValueError, match='one shape'):
    training_stability.change(pyramid(0), pyramid(0)[:1])


@pytest.mark.parametrize('size', [4, 80])  # 80 needs two blocks of columns.
def test_pairwise_is_the_mean_distance_of_all_pairs(size):
  x = np.random.default_rng(0).uniform(-1, 1, (9, size, size, 3))
  wanted = np.mean([
      np.sqrt(np.mean((a - b)**2)) for a, b in itertools.combinations(x, 2)])
  assert training_stability.pairwise(x) == pytest.approx(wanted, rel=1e-12)
  as_float32 = training_stability.pairwise(x.astype(np.float32))
  assert as_float32 == pytest.approx(wanted, rel=1e-6)


def test_pairwise_takes_bytes():
  x = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), dtype=np.uint8)
  assert training_stability.pairwise(x) == pytest.approx(
      training_stability.pairwise(x / 127.5 - 1), rel=1e-12)
  two = np.stack([np.zeros((8, 8, 1)), np.full((8, 8, 1), 255)])
  assert training_stability.pairwise(two.astype(np.uint8)) == pytest.approx(2)


def test_a_collapsed_generator_has_no_diversity():
  picture = np.random.default_rng(0).uniform(-1, 1, (1, 16, 16, 3))
  x = np.repeat(picture, 20, axis=0)
  assert training_stability.pairwise(x) < 1e-12
  # A difference of a millionth is seen, at the digits that float64 has left.
  x[0] += 1e-6
  assert training_stability.pairwise(x) == pytest.approx(
      1e-6 * 19 / 190, rel=1e-3)


def test_one_image_has_no_pairs():
  with pytest.raises(ValueError, match='at least 2'):
    training_stability.pairwise(np.zeros((1, 4, 4, 3)))

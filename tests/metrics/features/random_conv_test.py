"""Laws of features that were never trained."""
import hashlib

import jax
import numpy as np
import pytest

from msg_gan_jax.metrics.features import random_conv


@pytest.fixture(scope='module')
def features():
  return jax.jit(random_conv.features)


def some_images(n, size=32, channels=3, seed=0):
  """Sums of plane waves, the shortest of three pixels."""
  rng = np.random.default_rng(seed)
  y, x = np.mgrid[:size, :size] / size
  waves = rng.uniform(-60, 60, (n, 4, channels, 2))
  phase = rng.uniform(0, 6, (n, 4, channels, 1, 1))
  angle = (waves[..., 0, None, None] * x + waves[..., 1, None, None] * y)
  sums = np.sin(angle + phase).mean(1)  # [n, C, S, S]
  return np.moveaxis(127.5 + 120 * sums, 1, -1).astype(np.uint8)


def blurred(images, times):
  """A binomial filter of 3x3, applied several times."""
  x = images.astype(float)
  for _ in range(times):
    for axis in (1, 2):
      pad = [(1, 1) if i == axis else (0, 0) for i in range(4)]
      y = np.pad(x, pad, mode='edge')
      n = x.shape[axis]
      x = sum(w * np.take(y, range(i, i + n), axis)
              for i, w in enumerate((.25, .5, .25)))
  return x


def distance(a, b):
  """Fréchet distance of two feature sets, as if features were independent."""
  a, b = np.asarray(a, float), np.asarray(b, float)
  return ((a.mean(0) - b.mean(0))**2 + (a.std(0) - b.std(0))**2).sum()


def test_weights_are_those_of_the_version():
  # Raised here, VERSION has to be raised there: caches hold old features.
  digest = hashlib.sha256(b''.join(
      each.tobytes() for each in random_conv._kernels(3))).hexdigest()
  assert (random_conv.VERSION, digest[:16]) == (1, '092070a2243ad090')


def test_kernels_have_the_variance_of_he():
  bits = np.random.PCG64(7)
  first = random_conv.kernel(bits, (3, 3, 32, 64))
  assert first.dtype == np.float32
  assert abs(first.var() / (2 / 288) - 1) < .03  # 18432 of them.
  assert abs(first.mean()) < 3 * np.sqrt(2 / 288 / first.size)
  assert not (random_conv.kernel(bits, (3, 3, 32, 64)) == first).any()
  again = random_conv.kernel(np.random.PCG64(7), (3, 3, 32, 64))
  np.testing.assert_array_equal(again, first)


def test_most_of_the_first_kernels_do_not_see_brightness():
  first = random_conv._kernels(3)[0]
  sums = np.abs(first.sum((0, 1)))  # [C, O]
  assert (sums[:, :12] < 1e-6).all() and (sums[:, 12:] > 1e-3).all()
  # He's law for edges, a quarter of its variance for the rest.
  assert abs(first[..., :12].var() / (2 / 27) - 1) < .2
  assert abs(first[..., 12:].var() / (.5 / 27) - 1) < .3


def test_a_picture_has_its_features_whatever_is_beside_it(features):
  images = some_images(40)
  whole = np.asarray(features(images))
  assert whole.shape == (40, random_conv.FEATURES) == (40, 256)
  assert whole.dtype == np.float32 and (whole >= 0).all()
  turned = np.asarray(features(images[::-1]))[::-1]
  np.testing.assert_allclose(turned, whole, rtol=1e-5, atol=1e-6)
  as_floats = np.asarray(features(images.astype(np.float32)))
  np.testing.assert_allclose(as_floats, whole, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize('shape', [(16, 16, 1), (28, 28, 4), (100, 70, 3)])
def test_any_size_and_number_of_channels_has_as_many_features(features, shape):
  flat = np.full((2, *shape), 99, np.uint8)
  flat[1, :, :5] = 0
  whole = np.asarray(features(flat))
  assert whole.shape == (2, 256) and np.isfinite(whole).all()
  assert np.abs(whole[0] - whole[1]).max() > .01


@pytest.mark.slow
def test_more_blur_and_more_noise_are_further_away(features):
  images = some_images(400)
  real, other = features(images[:200]), images[200:]
  floor = distance(real, features(other))
  rng = np.random.default_rng(0)
  noise = rng.normal(size=other.shape)
  blur = [distance(real, features(blurred(other, k).astype(np.float32)))
          for k in (1, 4)]
  noisy = [distance(real, features(
      np.clip(other + k * noise, 0, 255).astype(np.float32)))
           for k in (16, 64)]
  assert 0 < floor < blur[0] < blur[1] and floor < noisy[0] < noisy[1]


@pytest.mark.parametrize('shape', [(16, 28, 1), (64, 20, 4), (32, 32, 2)])
def test_pictures_of_any_size_become_32_px_of_the_same_brightness(shape):
  flat = np.full((2, *shape), 200, np.uint8)
  flat[1, : shape[0] // 2] = 0
  got = np.asarray(random_conv.to_square(flat, 32))
  assert got.shape == (2, 32, 32, shape[-1])
  np.testing.assert_allclose(got[0], 200, rtol=1e-5)
  np.testing.assert_allclose(got[1].mean(), 100, rtol=1e-5)


def test_what_are_no_images_is_refused():
  with pytest.raises(ValueError, match=r'random_conv: wanted images .* \[8, 8'):
    random_conv.features(np.zeros((8, 8, 3)))

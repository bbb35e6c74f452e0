"""Path lengths of linear generators have a closed form."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.metrics.functional import path_length

SCALE = np.array([1., 2, 3, 4] * 4, np.float32)  # Of 16 pixels.


def draw(key, n):
  return jax.random.normal(key, (n, 16))


def linear(z, key):
  del key
  return (z * SCALE).reshape(-1, 4, 4, 1)


def squared(a, b):
  return jnp.square(a - b).sum((1, 2, 3))


def trimmed(values):
  low, high = np.quantile(values, [.01, .99])
  return values[(values >= low) & (values <= high)].mean()


@pytest.mark.parametrize('sampling', ['end', 'full'])
def test_straight_paths_of_a_linear_generator(sampling):
  # |A (w1 - w0)|^2, the same all along the line.
  length = path_length.path_length(
      draw, linear, squared, sampling=sampling, count=8000, batch=1000)
  rng = np.random.default_rng(0)
  steps = rng.standard_normal((200_000, 16)) * np.sqrt(2) * SCALE
  wanted = trimmed(np.square(steps).sum(1))
  assert abs(length.value - wanted) < 4 * length.standard_error + .01
  assert length.standard_error < .01 * wanted
  assert length.steps == 8000 and length.used == 7840 + 2


def test_arcs_of_the_identity_have_their_angles_square():
  def unit(key, n):
    x = draw(key, n)
    return x / jnp.linalg.norm(x, axis=1, keepdims=True)

  length = path_length.path_length(
      unit, lambda z, key: z.reshape(-1, 4, 4, 1), squared, space='z',
      sampling='full', count=4000, batch=500, epsilon=1e-2)
  x, y = np.random.default_rng(0).standard_normal((2, 100_000, 16))
  cosine = (x * y).sum(1) / np.linalg.norm(x, axis=1) / np.linalg.norm(
      y, axis=1)
  wanted = trimmed(np.arccos(cosine)**2)
  # The chord of a step is shorter than its arc by a part in 10^5.
  assert abs(length.value - wanted) < 4 * length.standard_error + .005
  assert length.space == 'z' and length.epsilon == 1e-2


def test_slerp_is_a_circle_between_its_ends():
  a, b = np.random.default_rng(0).standard_normal((2, 5, 8))
  a /= np.linalg.norm(a, axis=1, keepdims=True)
  b *= 2 / np.linalg.norm(b, axis=1, keepdims=True)
  for t, wanted in ((0., a), (1., b)):
    np.testing.assert_allclose(
        path_length.slerp(a, b, t), wanted, atol=2e-6)
  half = np.asarray(path_length.slerp(a, b, .5))
  np.testing.assert_allclose(np.linalg.norm(half, axis=1), 1.5, rtol=1e-5)
  # As far from one end as from the other, whose length is 2.
  np.testing.assert_allclose(
      (half * a).sum(1), (half * b).sum(1) / 2, rtol=1e-5)
  np.testing.assert_allclose(path_length.slerp(a, a, .3), a, atol=1e-6)


def test_both_ends_share_noise_and_each_batch_has_its_own():
  def noisy(z, key):
    return 0 * linear(z, key) + jax.random.normal(key, (len(z), 4, 4, 1))

  settings = dict(count=20, batch=8)
  length = path_length.path_length(draw, noisy, squared, **settings)
  assert length.value == 0
  shown = path_length.path_length(
      draw, noisy, lambda a, b: a.sum((1, 2, 3)), **settings, epsilon=1.)
  assert shown.standard_error > 0


def test_the_outer_percent_on_each_side_is_left_out():
  # The distance is the place in the batch: 1..100; NVIDIA's bounds are values.
  length = path_length.path_length(
      draw, linear, lambda a, b: jnp.arange(1., 101), count=100, batch=100,
      epsilon=1.)
  assert length.used == 100  # 1 and 100 are their own lower and higher.
  length = path_length.path_length(
      draw, linear, lambda a, b: jnp.arange(1., 401), count=400, batch=400,
      epsilon=1.)
  assert length.used == 394 and length.value == 200.5


def test_large_pictures_are_averaged_and_cropped_as_nvidia_does():
  seen = []

  def ramp(z, key):
    rows = jnp.arange(512.)[:, None, None]
    return jnp.broadcast_to(
        rows * jnp.ones((1, 512, 1)), (len(z), 512, 512, 1))

  def look(a, b):
    seen.append(a.shape)
    return a[:, 0, 0, 0]

  length = path_length.path_length(
      draw, ramp, look, count=2, batch=2, crop=True, epsilon=1.)
  assert seen[0] == (2, 128, 128, 1)
  assert length.value == 192.5  # Mean of rows 3/8 of 512, and the next.


@pytest.mark.parametrize('change, says', [
    (dict(space='x'), "wanted space 'z' or 'w'"),
    (dict(sampling='start'), "'start'"),
    (dict(count=0), 'positive count'),
    (dict(epsilon=0.), 'positive'),
    (dict(synthesize=lambda z, key: linear(z, key).astype(jnp.uint8)),
     'wanted float32 images, found uint8'),
    (dict(distance=lambda a, b: jnp.full(len(a), jnp.nan)), '4 of 4 distances'),
    (dict(crop=True), 'squares of 8 pixels or more, found 4 x 4'),
])
def test_path_length_says_what_it_needs(change, says):
  with pytest.raises(ValueError, match=says):
    path_length.path_length(**{
        'draw': draw, 'synthesize': linear, 'distance': squared, 'count': 4,
        'batch': 4, **change})

"""Laws of path length: closed forms, finite differences, a safe root."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan.objectives.path_length import G_PENALTIES, path_length

KEY = jax.random.key(7)
B, LAYERS, WIDTH, SHAPE = 4, 3, 5, (6, 8, 2)


def noise(shape=SHAPE):
  """The y that is drawn from the key."""
  return np.asarray(
      jax.random.normal(KEY, (B, *shape)) / (shape[0] * shape[1])**.5,
      np.float64)


@pytest.fixture(scope='module')
def matrix():
  return jax.random.normal(jax.random.key(1), (LAYERS, WIDTH, *SHAPE))


@pytest.fixture(scope='module')
def w():
  return jax.random.normal(jax.random.key(2), (B, LAYERS, WIDTH))


def test_of_a_linear_g_it_is_the_norm_of_the_transpose_times_noise(matrix, w):
  values, lengths, mean = path_length(
      lambda w: jnp.einsum('blv,lvhwc->bhwc', w, matrix), w, 2., KEY)
  pulled = np.einsum('lvhwc,bhwc->blv', np.float64(matrix), noise())
  wanted = np.sqrt((pulled**2).sum(-1).mean(-1))
  np.testing.assert_allclose(lengths, wanted, rtol=1e-5)
  assert float(mean) == pytest.approx(2 + .01 * (wanted.mean() - 2), rel=1e-6)
  np.testing.assert_allclose(values, (wanted - mean)**2, rtol=1e-4)


def test_of_any_g_it_agrees_with_finite_differences(matrix, w):
  def images(w):
    return np.tanh(np.einsum('blv,lvhwc->bhwc', w, np.float64(matrix)) / 3)

  _, lengths, _ = path_length(
      lambda w: jnp.tanh(jnp.einsum('blv,lvhwc->bhwc', w, matrix) / 3), w,
      0., KEY)
  slope, step = np.zeros(w.shape), 1e-4
  for layer in range(LAYERS):
    for i in range(WIDTH):
      by = np.zeros(w.shape)
      by[:, layer, i] = step
      change = images(np.float64(w) + by) - images(np.float64(w) - by)
      slope[:, layer, i] = (change * noise()).sum((1, 2, 3)) / (2 * step)
  np.testing.assert_allclose(
      lengths, np.sqrt((slope**2).sum(-1).mean(-1)), rtol=1e-4)


def test_a_g_that_ignores_w_has_a_gradient_and_it_is_zero(w):
  def cost(scale):
    values, lengths, _ = path_length(
        lambda w: scale * w[:, 0, 0, None, None, None] * jnp.ones(SHAPE), w,
        1., KEY)
    return values.mean(), lengths

  (value, lengths), slope = jax.value_and_grad(cost, has_aux=True)(0.)
  np.testing.assert_array_equal(lengths, 0)
  assert value == pytest.approx(.99**2) and slope == 0


def test_the_mean_is_a_constant_to_the_gradient(matrix, w):
  """d (s l - a)^2 / ds = 2 l (s l - a), with a from where s is."""
  def cost(scale):
    values, lengths, mean = path_length(
        lambda w: scale * jnp.einsum('blv,lvhwc->bhwc', w, matrix), w, 2., KEY)
    return values.mean(), (lengths, mean)

  slope, (lengths, mean) = jax.grad(cost, has_aux=True)(1.)
  assert slope == pytest.approx(
      float((2 * lengths * (lengths - mean)).mean()), rel=1e-5)
  assert abs(jax.grad(lambda mean: path_length(
      lambda w: jnp.einsum('blv,lvhwc->bhwc', w, matrix), w, mean, KEY
  )[0].sum())(2.)) == 0


@pytest.mark.slow
def test_lengths_do_not_depend_on_the_resolution():
  """By the mean square over samples, of one picture at two sizes."""
  n = 4000
  w = jnp.ones((n, 1, 1))
  base = jax.random.normal(jax.random.key(4), (4, 4, 1))
  for size in (4, 8):
    picture = jnp.repeat(jnp.repeat(base, size // 4, 0), size // 4, 1)
    _, lengths, _ = path_length(
        lambda w, picture=picture: w[..., None] * picture[None], w, 0., KEY)
    assert float((lengths**2).mean()) == pytest.approx(
        float((base**2).mean()), rel=4 * (2 / n)**.5)


def test_the_row_needs_the_whole_batch_and_others_are_refused():
  assert G_PENALTIES['path_length'].values is path_length
  assert not G_PENALTIES['path_length'].separable
  assert G_PENALTIES['none'] is None
  with pytest.raises(ValueError, match=(
      "no G penalty 'path'; .*Known: none, path_")):
    G_PENALTIES['path']

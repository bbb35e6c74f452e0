"""Penalties: closed forms of a linear D, gradients, and safety at zero."""
import jax
import jax.numpy as jnp
from jax.test_util import check_grads
import numpy as np
import pytest

from msg_gan_jax.gan.objectives import penalties
from msg_gan_jax.gan.objectives.penalties import PENALTIES

pytestmark = pytest.mark.slow

SIZES = (4, 8)
RNG = np.random.default_rng(0)
ROWS = [name for name in PENALTIES if PENALTIES[name]]


def pyramid(n=3):
  return tuple(jnp.asarray(RNG.standard_normal((n, s, s, 2)), jnp.float32)
               for s in SIZES)


def linear(weights):
  """D(x) = sum over levels of <weights, x>: its gradient is its weights."""
  return lambda images: sum(
      jnp.einsum('hwc,bhwc->b', w, x)
      for w, x in zip(weights, images, strict=True))


def test_a_linear_d_pays_its_closed_form():
  weights = tuple(x[0] for x in pyramid(1))
  n = np.array([float(jnp.linalg.norm(w)) for w in weights])
  wanted = {
      'gradient_penalty': ((n - 1)**2).mean(),
      'one_sided_gradient_penalty': (np.maximum(n - 1, 0)**2).mean(),
      'r1': .5 * (n**2).mean(), 'r2': .5 * (n**2).mean(),
      'r1_r2': (n**2).mean(), 'dragan': ((n - 1)**2).mean(),
      # Of pictures in 0 .. 1, whose slopes are twice as steep.
      **dict.fromkeys(
          ('gradient_penalty_compare_gan', 'dragan_compare_gan'),
          ((np.sqrt(1e-4 + 4 * n**2) - 1)**2).mean())}
  assert set(wanted) == set(ROWS)
  for name in ROWS:
    got = PENALTIES[name].values(
        linear(weights), pyramid(), pyramid(), jax.random.key(0))
    np.testing.assert_allclose(got, np.full(3, wanted[name]), rtol=1e-4)


def test_one_sided_forgives_a_flat_d_and_two_sided_does_not():
  flat = tuple(.01 * x[0] for x in pyramid(1))
  args = linear(flat), pyramid(), pyramid(), jax.random.key(0)
  assert float(penalties.one_sided_gradient_penalty(*args).max()) == 0
  assert float(penalties.gradient_penalty(*args).min()) > .5


def test_scales_share_one_epsilon_and_it_differs_between_samples():
  # D = half the squares, whose gradient at x is x: the norm tells epsilon.
  ones = tuple(jnp.ones((4, s, s, 2)) for s in SIZES)
  zeros = jax.tree.map(jnp.zeros_like, ones)
  between = penalties._between(zeros, ones, jax.random.key(3))
  epsilon = np.stack([np.asarray(x).reshape(4, -1) for x in (
      between[0].mean((1, 2, 3)), between[1].mean((1, 2, 3)))])
  np.testing.assert_allclose(epsilon[0], epsilon[1], rtol=1e-5)
  assert len(np.unique(epsilon[0])) == 4
  assert ((epsilon >= 0) & (epsilon <= 1)).all()


def test_r1_looks_at_reals_and_r2_at_fakes():
  def d(images):
    return sum(.5 * (x**2).sum((1, 2, 3)) for x in images)
  real, fake = pyramid(), pyramid()
  for name, images in (('r1', real), ('r2', fake)):
    squares = np.stack([np.asarray((x**2).sum((1, 2, 3))) for x in images])
    got = PENALTIES[name].values(d, real, fake, jax.random.key(0))
    np.testing.assert_allclose(got, .5 * squares.mean(0), rtol=1e-5)


@pytest.mark.parametrize('name', ROWS)
def test_every_penalty_is_finite_where_d_is_constant(name):
  def loss(scale):
    def d(images):
      return scale * sum(x.sum((1, 2, 3)) for x in images)
    return PENALTIES[name].values(
        d, pyramid(), pyramid(), jax.random.key(0)).sum()
  value, slope = jax.value_and_grad(loss)(0.)
  assert np.isfinite(value) and np.isfinite(slope)


@pytest.mark.parametrize('name', ROWS)
def test_the_gradient_by_ds_parameters_is_right(name):
  real, fake = pyramid(2), pyramid(2)

  def loss(w):
    def d(images):
      return sum(jnp.tanh(w * x).sum((1, 2, 3)) for x in images)
    return PENALTIES[name].values(d, real, fake, jax.random.key(0)).mean()

  check_grads(loss, (jnp.float32(.3),), 1, ('rev',), rtol=2e-2)


def test_only_compare_gans_dragan_stays_within_the_range_of_pictures():
  # D = half the squares, whose slope at x is |x|. A pixel of 1 or -1 moves by
  # t uniform in -1/2 .. 1/2: E (1 + t)^2 = 13/12, and 19/24 where it is clipped
  # at 1. Of 12,288 pixels the mean has a relative deviation of .003.
  def d(images):
    return sum(.5 * (x**2).sum((1, 2, 3)) for x in images)

  reals = jnp.sign(jax.random.normal(jax.random.key(1), (2, 64, 64, 3)))
  for name, square in (
      ('dragan', 13 / 12), ('dragan_compare_gan', 4 * 19 / 24)):
    got = PENALTIES[name].values(d, (reals,), (reals,), jax.random.key(0))
    slopes = 1 + jnp.sqrt(got)
    np.testing.assert_allclose(slopes, (square * 12288)**.5, rtol=.01)


@pytest.mark.parametrize('name', [
    'r1', 'r2', 'r1_r2', 'dragan', 'dragan_compare_gan'])
def test_separable_penalties_do_not_mix_samples(name):
  real, fake = pyramid(4), pyramid(4)
  louder = jax.tree.map(lambda x: x.at[3].multiply(5.), (real, fake))

  def d(images):
    return sum((x**3).sum((1, 2, 3)) for x in images)

  first, second = (PENALTIES[name].values(d, *images, jax.random.key(0))
                   for images in ((real, fake), louder))
  same = np.allclose(first[:3], second[:3], rtol=1e-5)
  assert same == PENALTIES[name].separable

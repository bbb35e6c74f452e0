"""Filters equal the peers' values and matrices written by their definition."""
import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan.networks import filters

SIZES = (4, 6), (5, 7), (1, 1), (3, 2)
TAPS = (1, 2, 1), (1, 3, 3, 1), (1, 1)


def normal(*shape):
  return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def matrix(n, taps, before, after, up=1, down=1):
  """[outputs, n]: zeros between and around n pixels, filter, every down-th."""
  taken, length = len(taps), n * up + before + after
  spread = np.zeros((length, n))
  spread[before + up * np.arange(n), np.arange(n)] = 1
  slid = np.zeros((length - taken + 1, length))
  for row in range(len(slid)):
    slid[row, row:row + taken] = np.array(taps) / sum(taps)
  return (slid @ spread)[::down]


def dense(x, *how, gain=1., **factors):
  rows, columns = (matrix(n, *how, **factors) for n in x.shape[1:3])
  return gain * np.einsum('hH,wW,bHWc->bhwc', rows, columns, x)


@jax.jit
def all_filters(x):
  """{taps: (blurred, ... and padded, twice as large, half of that)}."""
  return {taps: (
      filters.blur(x, taps), filters.blur(x, taps, (len(taps), 1)),
      filters.up(x, taps), filters.down(filters.up(x, taps), taps))
      for taps in TAPS}


@pytest.mark.slow
@pytest.mark.parametrize('size', SIZES)
def test_filters_are_their_matrices(size):
  x = normal(2, *size, 3)
  for taps, (blurred, wide, up, down) in all_filters(x).items():
    n = len(taps)
    # An even number of taps is off the centre by half a pixel.
    chex.assert_trees_all_close(
        blurred, dense(x, taps, (n - 1) // 2, n // 2), atol=1e-6)
    chex.assert_trees_all_close(wide, dense(x, taps, n, 1), atol=1e-6)
    assert wide.shape[1:3] == tuple(s + 2 for s in size)
    # As StyleGAN2-ADA pads.
    chex.assert_trees_all_close(up, dense(
        x, taps, (n + 1) // 2, (n - 2) // 2, up=2, gain=4), atol=1e-6)
    assert up.shape == (2, 2 * size[0], 2 * size[1], 3)
    chex.assert_trees_all_close(down, dense(
        up, taps, (n - 1) // 2, (n - 2) // 2, down=2), atol=1e-6)
    assert down.shape == x.shape


def test_filters_equal_the_peers(oracle):
  entry = oracle('blur_121')
  x = jnp.asarray(np.moveaxis(entry.inputs['x'], 1, -1), jnp.float32)

  def flat(y):
    return np.moveaxis(np.asarray(y), -1, 1).ravel()

  entry.assert_close(
      flat(filters.blur(x, (1, 2, 1))), entry.expected['output_flat'])
  up, wanted = filters.up(x, (1, 3, 3, 1)), entry.expected[
      'sg2ada_upsample2d_1331']
  entry.assert_close(flat(up)[:24], wanted['first'])
  entry.assert_close((up**2).sum(), wanted['sum_of_squares'])
  entry.assert_close(
      flat(filters.down(x[:, :4], (1, 3, 3, 1))), entry.expected[
          'sg2ada_downsample2d_1331_of_first_4_rows']['output_flat'])


def test_constants_are_kept_inside_and_noise_loses_the_energy_of_the_taps():
  ones = all_filters(np.ones((1, 9, 9, 1), np.float32))
  x = np.zeros((1, 9, 9, 1), np.float32)
  x[0, 4, 4] = 1
  impulses = all_filters(x)
  for taps in TAPS:
    n = len(taps)
    blurred, _, up, down = map(np.asarray, ones[taps])
    for y, edge in ((blurred, n // 2), (up, n // 2), (down, n)):
      np.testing.assert_allclose(y[:, edge:-edge, edge:-edge], 1, rtol=1e-6)
    # Of independent pixels of variance 1: an impulse has the sum of squares.
    kept = (sum(t * t for t in taps) / sum(taps)**2)**2
    blurred, _, up, _ = map(np.asarray, impulses[taps])
    assert (blurred**2).sum() == pytest.approx(kept, rel=1e-5)
    assert blurred.sum() == pytest.approx(1, rel=1e-5)
    assert up.sum() == pytest.approx(4, rel=1e-5)


def test_up_is_four_times_the_transpose_of_down():
  x, y = normal(2, 5, 7, 3), normal(2, 10, 14, 3)

  @jax.jit
  def both(x, y):
    _, pull = jax.vjp(lambda x: filters.up(x, (1, 3, 3, 1)), x)
    return pull(y)[0], 4 * filters.down(y, (1, 3, 3, 1))

  chex.assert_trees_all_close(*both(x, y), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize('apply', [filters.blur, filters.up, filters.down])
def test_filters_can_be_differentiated_twice_and_keep_bfloat16(apply):
  taps = 1, 3, 3, 1
  x, move = (jnp.asarray(normal(2, 1, 4, 6, 2)[i]) for i in range(2))

  def slope(t):
    return (jax.grad(lambda x: (apply(x, taps)**3).sum())(
        x + t * move)**2).sum()

  # A central difference: its error is that of float32, a thousandth.
  got, wanted = jax.jit(lambda: (
      jax.grad(slope)(0.), (slope(.01) - slope(-.01)) / .02))()
  assert float(got) == pytest.approx(float(wanted), rel=.01)
  low, high = jax.jit(lambda x: (
      apply(x.astype(jnp.bfloat16), taps), apply(x, taps)))(x)
  assert low.dtype == jnp.bfloat16
  np.testing.assert_allclose(np.float32(low), high, atol=.05)

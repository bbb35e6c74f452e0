"""Laws of the mapping network: crossovers, truncation, learning rates."""
import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan.networks import initialization, mapping

pytestmark = pytest.mark.slow


def normal(seed, *shape):
  return jnp.asarray(
      np.random.default_rng(seed).standard_normal(shape), jnp.float32)


def test_crossovers_have_their_law():
  keys = jax.random.split(jax.random.key(0), 4000)
  starts = np.asarray(jax.jit(jax.vmap(
      lambda key: mapping.crossover(key, 4, .9)))(keys))
  # 4000 draws: five deviations of a share of .3 are .036.
  shares = np.bincount(starts, minlength=5) / 4000
  np.testing.assert_allclose(shares, [0, .3, .3, .3, .1], atol=.036)
  assert shares[0] == 0


def test_truncation_goes_towards_the_mean_in_the_coarse_layers():
  w, mean = normal(0, 2, 4, 3), normal(1, 3)
  truncate = mapping.truncate
  chex.assert_trees_all_close(truncate(w, mean, 1.), w, atol=1e-6)
  np.testing.assert_array_equal(
      truncate(w, mean, 0.), jnp.broadcast_to(mean, w.shape))
  some = truncate(w, mean, .7, cutoff=3)
  chex.assert_trees_all_close(
      some[:, :3], mean + .7 * (w[:, :3] - mean), atol=1e-6)
  np.testing.assert_array_equal(some[:, 3], w[:, 3])


def test_a_rate_changes_how_fast_a_layer_learns_and_not_how_it_begins():
  x, slow, fast = normal(0, 4, 8), *(
      mapping.Dense(5, rate, start=2.) for rate in (.01, 1.))
  values = [initialization.initialize(
      jax.random.key(0), m.init(jax.random.key(1), x)) for m in (slow, fast)]
  got = [m.apply(v, x) for m, v in zip((slow, fast), values, strict=True)]
  chex.assert_trees_all_close(*got, rtol=1e-5)
  moved = [m.apply(jax.tree.map(lambda p: p + .1, v), x) - y for m, v, y in zip(
      (slow, fast), values, got, strict=True)]
  chex.assert_trees_all_close(100 * moved[0], moved[1], rtol=1e-2, atol=1e-3)

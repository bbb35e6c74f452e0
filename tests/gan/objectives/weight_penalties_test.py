"""Weight penalties and constraints: closed forms, and what they leave."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan.objectives.weight_penalties import (
  CONSTRAINTS,
  WEIGHT_PENALTIES,
)

ROWS = [name for name, row in WEIGHT_PENALTIES.items() if row]


def params():
  """Two layers and a norm, every leaf drawn."""
  rng = np.random.default_rng(0)
  shapes = {'conv': {'kernel': (3, 3, 2, 4), 'bias': (4,)},
            'norm': {'scale': (4,), 'bias': (4,)},
            'score': {'kernel': (6, 3), 'dead_bias': (3,)}}
  return jax.tree.map(
      lambda shape: jnp.asarray(rng.standard_normal(shape), jnp.float32),
      shapes, is_leaf=lambda x: isinstance(x, tuple))


def orthogonal_slope(kernel):
  """4 (W W^T - I) W of the smaller side."""
  w = np.asarray(kernel, float).reshape(-1, kernel.shape[-1])
  gram = w.T @ w if w.shape[0] >= w.shape[1] else w @ w.T
  rest = gram - np.eye(len(gram))
  slope = 4 * (w @ rest if w.shape[0] >= w.shape[1] else rest @ w)
  return slope.reshape(kernel.shape)


@pytest.mark.slow
def test_costs_and_slopes_have_their_closed_forms():
  tree = params()
  first, second = tree['conv']['kernel'], tree['score']['kernel']
  none = jax.tree.map(jnp.zeros_like, tree)

  def of_kernels(slope):
    return {**none, 'conv': {**none['conv'], 'kernel': slope(first)},
            'score': {**none['score'], 'kernel': slope(second)}}

  def gap(kernel):
    w = np.asarray(kernel, float).reshape(-1, kernel.shape[-1])
    squares = np.linalg.svd(w, compute_uv=False)**2
    return ((squares - 1)**2).sum()

  wanted = {
      'l2': (sum(.5 * (x**2).sum() for x in jax.tree.leaves(tree)), tree),
      'l2_mean': (.25 * ((first**2).sum() + (second**2).sum()),
                  of_kernels(lambda x: x / 2)),
      'orthogonal': (gap(first) + gap(second), of_kernels(orthogonal_slope)),
  }
  assert set(wanted) == set(ROWS)
  for name, (cost, slope) in wanted.items():
    got, by = jax.value_and_grad(WEIGHT_PENALTIES[name])(tree)
    assert float(got) == pytest.approx(float(cost), rel=1e-5), name
    for a, b in zip(jax.tree.leaves(by), jax.tree.leaves(slope), strict=True):
      np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4, err_msg=name)


def test_orthogonal_kernels_cost_nothing_whichever_side_is_smaller():
  q, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((18, 4)))
  for kernel in (q.reshape(3, 3, 2, 4), q.T):
    tree = {'a': {'kernel': jnp.asarray(kernel)}}
    cost = WEIGHT_PENALTIES['orthogonal'](tree)
    assert abs(float(cost)) < 1e-9
  doubled = {'a': {'kernel': jnp.asarray(2 * q)}}
  assert float(WEIGHT_PENALTIES['orthogonal'](doubled)) == pytest.approx(
      4 * 9, rel=1e-4)


def test_clipping_bounds_all_and_leaves_the_rest():
  tree = params()
  clipped = CONSTRAINTS['clip'](tree, .5)
  for old, new in zip(jax.tree.leaves(tree), jax.tree.leaves(clipped),
                      strict=True):
    np.testing.assert_array_equal(new, np.clip(old, -.5, .5))
  assert set(CONSTRAINTS) == {'none', 'clip'}

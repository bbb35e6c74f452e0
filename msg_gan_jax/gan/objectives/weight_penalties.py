"""What a player's weights cost, and where they may lie, whatever the data."""
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from msg_gan_jax.config import tables
from msg_gan_jax.gan.state import Tree


class WeightPenalty(Protocol):
  """A row of WEIGHT_PENALTIES."""

  def __call__(self, params: Tree, /) -> jax.Array:
    """A player's parameters -> what they cost, a scalar."""


class Constraint(Protocol):
  """A row of CONSTRAINTS."""

  def __call__(self, params: Tree, bound: jax.Array, /) -> Tree:
    """D's parameters -> the nearest ones within the bound, a scalar."""


def kernels(params: Tree) -> list[jax.Array]:
  """Kernels of a tree of parameters, in its order; no biases, no gains."""
  return [x for path, x in jax.tree_util.tree_flatten_with_path(params)[0]
          if path[-1].key == 'kernel']


def l2_mean(params: Tree) -> jax.Array:
  """Mean over kernels of half their squares: the L2 of the GAN Landscape.

  Source: Kurach et al. 2019 (arXiv:1807.04720); compare_gan, penalty_lib.py.
  """
  weights = kernels(params)
  return _half_squares(weights) / len(weights)


def l2(params: Tree) -> jax.Array:
  """Half the squares of all parameters, biases and gains too.

  Its gradient is the parameter: weight decay before the optimizer's rule.

  Source: the code of DCGAN (Radford et al. 2016, arXiv:1511.06434).
  """
  return _half_squares(jax.tree.leaves(params))


def orthogonal(params: Tree) -> jax.Array:
  """Sum over kernels of |W W^T - I|^2, the smaller side's Gram matrix.

  Source: Brock et al. 2017 (arXiv:1609.07093), eq. 3, squared as Miyato et al.
  2018 (appendix on orthonormal regularization) do; W is [outputs, all else].
  """
  total: Any = 0.
  for kernel in kernels(params):
    w = kernel.reshape(-1, kernel.shape[-1]).T
    w = w if w.shape[0] <= w.shape[1] else w.T
    total += ((w @ w.T - jnp.eye(w.shape[0]))**2).sum()
  return total


def _half_squares(weights):
  return sum(.5 * (x**2).sum() for x in weights)


def clip(params: Tree, bound: jax.Array) -> Tree:
  """Every parameter into [-bound, bound].

  Source: Arjovsky et al. 2017 (arXiv:1701.07875), algorithm 1; all variables,
  those of norms too, as in its code and in compare_gan's.
  """
  return jax.tree.map(lambda x: jnp.clip(x, -bound, bound), params)


# None costs nothing.
WEIGHT_PENALTIES: tables.Table[WeightPenalty | None] = tables.Table(
    'config.objective.d_weight_penalty', 'weight penalty', {
        'none': None,
        'l2_mean': l2_mean,
        'l2': l2,
        'orthogonal': orthogonal,
    })

# What D's parameters become after each of its updates; None leaves them.
CONSTRAINTS: tables.Table[Constraint | None] = tables.Table(
    'config.objective.constraint', 'constraint', {
        'none': None,
        'clip': clip,
    })

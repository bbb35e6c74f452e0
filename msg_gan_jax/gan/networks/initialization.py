"""How weights begin: one sampler draws those of a whole network."""
import math
from typing import Any, Protocol

import jax
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.config.tables import Table


class Law(Protocol):
  """Standard normals -> as many draws of another law."""

  def __call__(self, normals: jax.Array, /) -> jax.Array:
    ...


def _normal(normals):
  """N(0, 1).

  Source: Karras et al. 2018, sec. 4.1; DCGAN, SNGAN and others.
  """
  return normals


def _uniform(normals):
  """Uniform, with deviation 1.

  Source: Glorot & Bengio 2010, eq. 16, for one; by the normal's distribution
  function.
  """
  return 3**.5 * lax.erf(normals / 2**.5)


def _truncated(normals):
  """The normal between -2 and 2, whose deviation is .88.

  Source: TensorFlow's truncated_normal, which gives the deviation before
  truncation; compare_gan.
  """
  return 2**.5 * lax.erf_inv(
      lax.erf(normals / 2**.5) * math.erf(2**.5))


# How a kernel's numbers are spread at the start. One sampler draws standard
# normals for all kernels, and a row turns them into its own law.
LAWS: Table[Law] = Table('law', 'law', {
    'normal': _normal,
    'uniform': _uniform,
    'truncated': _truncated,
})


def initialize(key: jax.Array, values: Any, law: str = 'normal') -> Any:
  """Draws the variables of a module that begin at random.

  The layers here initialize such a variable to a constant, its scale: a leaf
  named 'kernel' is multiplied by draws of the law, a 'gain' becomes 1 + its
  value times a normal, and a 'u' (of a power iteration) a normal. A variable
  that is not constant, such as the kernel of a flax.linen.Dense, was drawn by
  an initializer of its own, and stays as it is.

  One sampler draws for all: XLA compiles each sampler by itself, and thirty of
  them take longer than the train step.

  Args:
    key: jax key.
    values: the tree of variables, as `module.init` gives it.
    law: a row of LAWS.
  """
  leaves, tree = jax.tree_util.tree_flatten_with_path(values)
  kinds = {'kernel': lambda x, n: x * LAWS[law](n), 'gain': lambda x, n: (
      1 + x * n), 'u': lambda x, n: n}
  names = [path[-1].key for path, _ in leaves]
  sizes = [x.size for (_, x), name in zip(leaves, names, strict=True)
           if name in kinds]
  normals = jax.random.normal(key, (sum(sizes),))
  drawn, start = [], 0
  for (_, x), name in zip(leaves, names, strict=True):
    if name in kinds:
      n = normals[start:start + x.size].reshape(x.shape)
      is_constant = (x == x[(0,) * x.ndim]).all()
      x, start = jnp.where(is_constant, kinds[name](x, n), x), start + x.size
    drawn.append(x)
  return jax.tree.unflatten(tree, drawn)

"""What a player's weights cost, and where they may lie, whatever the data."""
import jax
import jax.numpy as jnp

from msg_gan_jax.config import tables


def kernels(params):
  """Kernels of a tree of parameters, in its order; no biases, no gains."""
  return [x for path, x in jax.tree_util.tree_flatten_with_path(params)[0]
          if path[-1].key == 'kernel']


def l2_mean(params):
  """Mean over kernels of half their squares: the L2 of the GAN Landscape.

  Source: Kurach et al. 2019 (arXiv:1807.04720); compare_gan, penalty_lib.py.
  """
  found = kernels(params)
  return sum(.5 * (x**2).sum() for x in found) / len(found)


def l2(params):
  """Half the squares of all parameters, biases and gains too: DCGAN's code.

  Its gradient is the parameter: weight decay before the optimizer's rule.
  """
  return sum(.5 * (x**2).sum() for x in jax.tree.leaves(params))


def orthogonal(params):
  """Sum over kernels of |W W^T - I|^2, the smaller side's Gram matrix.

  Source: Brock et al. 2017 (arXiv:1609.07093), eq. 3, squared as Miyato et al.
  2018 (appendix on orthonormal regularization) do; W is [outputs, all else].
  """
  total = 0.
  for kernel in kernels(params):
    w = kernel.reshape(-1, kernel.shape[-1]).T
    w = w if w.shape[0] <= w.shape[1] else w.T
    total += ((w @ w.T - jnp.eye(w.shape[0]))**2).sum()
  return total


# params -> scalar; None costs nothing.
WEIGHT_PENALTIES = tables.Table(
    'config.objective.d_weight_penalty', 'weight penalty', {
        'none': None,
        'l2_mean': l2_mean,
        'l2': l2,
        'orthogonal': orthogonal,
    })


def clip(params, bound):
  """Every parameter of D into [-bound, bound] after each of its updates.

  Source: Arjovsky et al. 2017 (arXiv:1701.07875), algorithm 1; all variables,
  norms' too, as in its code and in compare_gan's.
  """
  return jax.tree.map(lambda x: jnp.clip(x, -bound, bound), params)


# (params, bound) -> params; None leaves them.
CONSTRAINTS = tables.Table('config.objective.constraint', 'constraint', {
    'none': None,
    'clip': clip,
})

"""WEIGHT_NORMS: what is done to a kernel before it is used.

The singular vectors of a spectral norm are statistics: a pass that may write
them (`mutable='stats'`) makes the power iterations and keeps the vectors,
every other pass uses those that were kept. So it is `gan` that says whether
they move in every pass or once a step.

Kernels and vectors are float32, whatever the features are: it is the normed
kernel that a layer casts.
"""
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.config import tables

EPSILON = 1e-12  # Of torch's and compare_gan's l2 norms.


class Layer(NamedTuple):
  """What a weight norm may know of the layer whose kernel it is given.

  Attributes:
    module: the linen module, which keeps parameters and statistics.
    iterations: power iterations a pass.
    ratio: c of stable rank normalization.
    transposed: whether it is a transposed convolution.
    shape: [1, H, W, I] or [1, I], of one input.
    apply: (x, kernel) -> y, the layer without bias.
    out: axis of the kernel that has the outputs.
  """
  module: Any
  iterations: int
  ratio: float
  transposed: bool
  shape: tuple[int, ...]
  apply: Callable
  out: int = -1


def _unit(x):
  return x / jnp.maximum(jnp.sqrt((x * x).sum()), EPSILON)


def top(layer, times, transposed, shape, always=False):
  """(u, v, sigma) of a linear map by power iteration, u kept from before.

  v = unit(A^T u), u = unit(A v), sigma = <u, A v>: Miyato et al. 2018
  (arXiv:1802.05957), algorithm 1. No gradient flows through u and v.

  Args:
    layer: Layer.
    times, transposed: x -> A x and y -> A^T y.
    shape: of A x.
    always: also iterate where the vectors cannot be kept.
  """
  module = layer.module
  kept_u = module.variable('stats', 'u', jnp.ones, shape)
  kept_v = module.variable(
      'stats', 'v', jnp.zeros, jax.eval_shape(transposed, jax.ShapeDtypeStruct(
          shape, jnp.float32)).shape)
  u, v = kept_u.value, kept_v.value
  keeps = (module.is_mutable_collection('stats')
           and not module.is_initializing())
  if keeps or always:
    for _ in range(layer.iterations):
      v = _unit(lax.stop_gradient(transposed(u)))
      u = _unit(lax.stop_gradient(times(v)))
  if keeps:
    kept_u.value, kept_v.value = u, v
  # Of an averaged player they are means of unit vectors.
  u, v = _unit(lax.stop_gradient(u)), _unit(lax.stop_gradient(v))
  return u, v, (u * times(v)).sum()


def _rows(kernel):
  """[outputs, all else], as torch and mimicry flatten a kernel."""
  return kernel.reshape(-1, kernel.shape[-1]).T


def _of_matrix(layer, matrix, always=False):
  return top(layer, lambda v: matrix @ v, lambda u: matrix.T @ u,
             matrix.shape[:1], always)


def spectral(layer, kernel):
  """W / sigma(W), u of the outputs' side kept, frozen at evaluation.

  As torch.nn.utils.spectral_norm, which mimicry and StudioGAN use.
  """
  _, _, sigma = _of_matrix(layer, _rows(kernel))
  return kernel / sigma


def spectral_compare_gan(layer, kernel):
  """W / sigma(W), u of the inputs' side kept, an iteration at evaluation too.

  The kernel of a transposed convolution is flattened to [all else, inputs].
  Source: compare_gan, arch_ops.spectral_norm.
  """
  if layer.transposed:
    matrix = kernel.transpose(0, 1, 3, 2).reshape(-1, kernel.shape[2])
  else:
    matrix = _rows(kernel).T
  _, _, sigma = _of_matrix(layer, matrix, always=True)
  return kernel / sigma


def spectral_operator(layer, kernel):
  """W over the norm of the layer itself: stride, padding, upsampling and all.

  Power iteration with the layer and its transpose in place of a matrix. The
  norm of the flattened kernel bounds that of the convolution only up to a
  factor, which depends on stride and padding: Sedghi et al. 2019
  (arXiv:1805.10408); Gouk et al. 2021 (arXiv:1804.04368), sec. 3.2.
  """
  def times(v):
    return layer.apply(v, kernel)

  def transposed(u):
    x = jax.ShapeDtypeStruct(layer.shape, jnp.float32)
    return jax.linear_transpose(times, x)(u)[0]

  out = jax.eval_shape(
      times, jax.ShapeDtypeStruct(layer.shape, jnp.float32)).shape
  _, _, sigma = top(layer, times, transposed, out)
  return kernel / sigma


def stable_rank(layer, kernel):
  """Spectral norm 1 and a stable rank of at most c min(m, n).

  W / sigma = u v^T + R; where the Frobenius norm of R exceeds sqrt(r - 1), r =
  c min(m, n), R is scaled down to it. Gradients flow through sigma and |R|.

  A matrix of one row has rank 1 and keeps W / sigma: there is no R to scale.

  Source: Sanyal et al. 2020 (arXiv:1906.04659), algorithm 1 with one preserved
  singular vector, in the form of its authors' code; c = 1 is `spectral`.
  """
  matrix = _rows(kernel)
  u, v, sigma = _of_matrix(layer, matrix)
  matrix = matrix / sigma
  if layer.ratio < .9999 and min(matrix.shape) > 1:
    most = max(0., layer.ratio * min(matrix.shape) - 1)**.5
    one = u[:, None] * v
    rest = matrix - one
    square = (rest * rest).sum()
    norm = jnp.sqrt(jnp.maximum(square, EPSILON))
    matrix = jnp.where(norm > most, one + rest * (most / norm), matrix)
  return matrix.T.reshape(kernel.shape)


def weight(layer, kernel):
  """g v / |v| for each output: Salimans & Kingma 2016 (arXiv:1602.07868).

  g begins as the norm that the law of v expects, not data-dependent.
  """
  norm = jnp.sqrt((kernel**2).sum(tuple(range(kernel.ndim - 1))))
  fan_in = kernel.size // kernel.shape[-1]
  # At initialization a kernel holds the deviation of its law: see `draw`.
  g = layer.module.param(
      'length', lambda key: kernel[(0,) * (kernel.ndim - 1)] * fan_in**.5)
  return kernel * (g / norm)


WEIGHT_NORMS = tables.Table('config.networks.weight_norm', 'weight norm', {
    'none': None,
    'weight': weight,
    'spectral': spectral,
    'spectral_compare_gan': spectral_compare_gan,
    'spectral_operator': spectral_operator,
    'stable_rank': stable_rank,
})

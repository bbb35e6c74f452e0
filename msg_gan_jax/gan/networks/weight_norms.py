"""WEIGHT_NORMS: what is done to a kernel before it is used.

The singular vectors of a spectral norm are statistics: a pass that may write
them (`mutable='stats'`) makes the power iterations and keeps the vectors, every
other pass uses those that were kept. So the training step decides whether they
move in every pass or once.

Kernels and vectors are float32, whatever the features are: it is the normed
kernel that a layer casts.
"""
from collections.abc import Callable
from typing import NamedTuple, Protocol

from flax import linen as nn
import jax
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.config.tables import Table

EPSILON = 1e-12  # Of torch's and compare_gan's l2 norms.


class Layer(NamedTuple):
  """What a weight norm may know of the layer that the kernel belongs to.

  Attributes:
    module: the linen module, which keeps parameters and statistics.
    iterations: power iterations of a pass.
    ratio: c of stable rank normalization.
    transposed: whether it is a transposed convolution.
    shape: of one input, (1, H, W, I) or (1, I).
    apply: (x, kernel) -> y, the layer without bias.
  """
  module: nn.Module
  iterations: int
  ratio: float
  transposed: bool
  shape: tuple[int, ...]
  apply: Callable[[jax.Array, jax.Array], jax.Array]


class WeightNorm(Protocol):
  """Changes a kernel [..., I, O] before its layer uses it.

  It may keep parameters and statistics in `layer.module`.
  """

  def __call__(self, layer: Layer, kernel: jax.Array, /) -> jax.Array:
    ...


def _unit(x):
  return x / jnp.maximum(jnp.sqrt((x * x).sum()), EPSILON)


def power_iteration(
    layer: Layer, times: Callable[[jax.Array], jax.Array],
    transposed: Callable[[jax.Array], jax.Array], shape: tuple[int, ...],
    always: bool = False) -> tuple[jax.Array, jax.Array, jax.Array]:
  """The largest singular value of a linear map A, with its two vectors.

  It goes on from the u of the pass before: v = A^T u and u = A v, each brought
  to length 1; then sigma = <u, A v>. No gradient flows through u and v.

  Args:
    layer: its statistics 'u' and 'v' are used and updated.
    times: x -> A x.
    transposed: y -> A^T y.
    shape: of A x.
    always: whether it also iterates where the vectors cannot be kept.

  Returns:
    (u, v, sigma).

  Source: Miyato et al. 2018 (arXiv:1802.05957), algorithm 1.
  """
  module = layer.module
  u_before = module.variable('stats', 'u', jnp.ones, shape)
  v_before = module.variable(
      'stats', 'v', jnp.zeros, jax.eval_shape(transposed, jax.ShapeDtypeStruct(
          shape, jnp.float32)).shape)
  u, v = u_before.value, v_before.value
  keeps = (module.is_mutable_collection('stats')
           and not module.is_initializing())
  if keeps or always:
    for _ in range(layer.iterations):
      v = _unit(lax.stop_gradient(transposed(u)))
      u = _unit(lax.stop_gradient(times(v)))
  if keeps:
    u_before.value, v_before.value = u, v
  # An averaged player has means of unit vectors.
  u, v = _unit(lax.stop_gradient(u)), _unit(lax.stop_gradient(v))
  return u, v, (u * times(v)).sum()


def _rows(kernel):
  """[outputs, all else], as torch and mimicry flatten a kernel."""
  return kernel.reshape(-1, kernel.shape[-1]).T


def _of_matrix(layer, matrix, always=False):
  return power_iteration(
      layer, lambda v: matrix @ v, lambda u: matrix.T @ u, matrix.shape[:1],
      always)


def spectral(layer: Layer, kernel: jax.Array) -> jax.Array:
  """W / sigma(W): the kernel, as a matrix, gets the largest singular value 1.

  The vector u of the outputs' side is kept, and frozen at evaluation.

  Source: Miyato et al. 2018 (arXiv:1802.05957), in the form of torch's
  spectral_norm, which mimicry and StudioGAN use.
  """
  _, _, sigma = _of_matrix(layer, _rows(kernel))
  return kernel / sigma


def spectral_compare_gan(layer: Layer, kernel: jax.Array) -> jax.Array:
  """W / sigma(W), as compare_gan computes it.

  The vector u of the inputs' side is kept, evaluation iterates too, and the
  kernel of a transposed convolution is flattened to [all else, inputs].

  Source: compare_gan, arch_ops.spectral_norm.
  """
  if layer.transposed:
    matrix = kernel.transpose(0, 1, 3, 2).reshape(-1, kernel.shape[2])
  else:
    matrix = _rows(kernel).T
  _, _, sigma = _of_matrix(layer, matrix, always=True)
  return kernel / sigma


def spectral_operator(layer: Layer, kernel: jax.Array) -> jax.Array:
  """W over the norm of the layer itself, with its stride, padding, upsampling.

  The power iteration applies the layer and its transpose in place of a matrix.
  The norm of the flattened kernel bounds that of the convolution only up to a
  factor, which depends on stride and padding.

  Source: Sedghi et al. 2019 (arXiv:1805.10408); Gouk et al. 2021
  (arXiv:1804.04368), sec. 3.2.
  """
  def times(v):
    return layer.apply(v, kernel)

  def transposed(u):
    return jax.vjp(times, jnp.zeros(layer.shape))[1](u)[0]

  out = jax.eval_shape(
      times, jax.ShapeDtypeStruct(layer.shape, jnp.float32)).shape
  _, _, sigma = power_iteration(layer, times, transposed, out)
  return kernel / sigma


def stable_rank(layer: Layer, kernel: jax.Array) -> jax.Array:
  """Spectral norm 1, and a bound on how many directions are as strong.

  The stable rank of a matrix is the sum of its squared singular values over the
  largest: (2, 2, 0) gives 2, (2, 1, 1) gives 1.5. Here the largest is kept, and
  the others are scaled down until the stable rank is at most r = c min(m, n).

  As a formula: W / sigma = u v^T + R, whose second part holds the others; where
  its Frobenius norm exceeds sqrt(r - 1), R is scaled down to it. Gradients flow
  through sigma and |R|. A matrix of one row keeps W / sigma: it has no R.

  Source: Sanyal et al. 2020 (arXiv:1906.04659), algorithm 1 with one preserved
  singular vector, in the form of its authors' code; c = 1 is `spectral`.
  """
  matrix = _rows(kernel)
  u, v, sigma = _of_matrix(layer, matrix)
  matrix = matrix / sigma
  if layer.ratio < .9999 and min(matrix.shape) > 1:
    most = max(0., layer.ratio * min(matrix.shape) - 1)**.5
    largest = u[:, None] * v
    rest = matrix - largest
    square = (rest * rest).sum()
    norm = jnp.sqrt(jnp.maximum(square, EPSILON))
    matrix = jnp.where(norm > most, largest + rest * (most / norm), matrix)
  return matrix.T.reshape(kernel.shape)


def weight(layer: Layer, kernel: jax.Array) -> jax.Array:
  """g v / |v|: each output's kernel v has a length g that is learned.

  g begins as the length that the law of v expects, whatever the data.

  Source: Salimans & Kingma 2016 (arXiv:1602.07868).
  """
  norm = jnp.sqrt((kernel**2).sum(tuple(range(kernel.ndim - 1))))
  fan_in = kernel.size // kernel.shape[-1]
  # At first a kernel holds the deviation of its law: see initialization.py.
  g = layer.module.param(
      'length', lambda key: kernel[(0,) * (kernel.ndim - 1)] * fan_in**.5)
  return kernel * (g / norm)


WEIGHT_NORMS: Table[WeightNorm | None] = Table(
    'config.networks.weight_norm', 'weight norm', {
        'none': None,
        'weight': weight,
        'spectral': spectral,
        'spectral_compare_gan': spectral_compare_gan,
        'spectral_operator': spectral_operator,
        'stable_rank': stable_rank,
    })

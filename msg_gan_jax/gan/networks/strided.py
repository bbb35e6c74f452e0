"""A strided convolution whose gradient's gradient is as fast as its gradient.

XLA's CPU has fast forms for a convolution, for its gradient by the input and
for that by the kernel. What jax makes of the gradient of such a gradient is
another form where there is a stride, and takes ten times as long: R1 and
gradient penalties need it. Each of the three is linear in two arguments, and
its gradients are the other two. Said so here, they lead to no other form.
There is no forward mode (jax.jvp) through it.
"""
from collections.abc import Callable
import functools
from typing import Any

import jax
from jax import lax

Padding = str | tuple[tuple[int, int], ...]
Shape = tuple[int, ...]


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def conv(x: jax.Array, kernel: jax.Array, stride: int,
         padding: Padding) -> jax.Array:
  """[B, H, W, I], [k, k, I, O] -> what convolutions.conv gives."""
  return plain(x, kernel, stride, padding)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _by_input(y, kernel, stride, padding, shape):
  """What y does to an input of this shape."""
  x = jax.ShapeDtypeStruct(shape, y.dtype)
  return jax.linear_transpose(
      lambda x: plain(x, kernel, stride, padding), x)(y)[0]


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _by_kernel(x, y, stride, padding, shape):
  """What y does to a kernel of this shape."""
  kernel = jax.ShapeDtypeStruct(shape, x.dtype)
  return jax.linear_transpose(
      lambda kernel: plain(x, kernel, stride, padding), kernel)(y)[0]


def plain(x: jax.Array, kernel: jax.Array, stride: int,
          padding: Padding) -> jax.Array:
  """The convolution with jax's own gradients."""
  return lax.conv_general_dilated(
      x, kernel, (stride, stride), padding,
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'))


def _kept(function: Callable[..., Any]) -> Callable[..., Any]:
  """The forward pass of a custom_vjp: (result, its two arguments)."""
  return lambda a, b, *static: (function(a, b, *static), (a, b))


def _of_conv(stride, padding, kept, y):
  x, kernel = kept
  return (_by_input(y, kernel, stride, padding, x.shape),
          _by_kernel(x, y, stride, padding, kernel.shape))


def _of_by_input(stride, padding, unused_shape, kept, x):
  y, kernel = kept
  return (conv(x, kernel, stride, padding),
          _by_kernel(x, y, stride, padding, kernel.shape))


def _of_by_kernel(stride, padding, unused_shape, kept, kernel):
  x, y = kept
  return (_by_input(y, kernel, stride, padding, x.shape),
          conv(x, kernel, stride, padding))


conv.defvjp(_kept(conv), _of_conv)
_by_input.defvjp(_kept(_by_input), _of_by_input)
_by_kernel.defvjp(_kept(_by_kernel), _of_by_kernel)

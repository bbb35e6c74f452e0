"""A convolution all of whose gradients have forms that are fast on a CPU.

XLA's CPU has fast forms for a convolution, for its gradient by the input and
for that by the kernel. What jax makes of the gradient of such a gradient is
another form where there is a stride, and takes ten times as long: R1 and
gradient penalties need it. Each of the three is linear in two arguments, and
its gradients are the other two. Said so here, they lead to no other form.
There is no forward mode (jax.jvp) through it.
"""
from collections.abc import Callable, Iterator
import contextlib
import contextvars
import functools
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.gan.networks import squares

Padding = str | tuple[tuple[int, int], ...]
FEW = 4  # Channels of a picture, with one of ones: see layers.fold_1x1.
# Sizes and paddings of kernels of stride 2 whose transpose has a row of UP.
_TRANSPOSED = {
    (4, ((1, 1), (1, 1))): 'transposed', (4, 'SAME'): 'transposed',
    (5, 'SAME'): 'transposed_5'}
# Rows of the small picture from which on squares are faster: measured.
_IN_SQUARES_FROM = 16


_EVERYWHERE = contextvars.ContextVar('everywhere', default=False)


@contextlib.contextmanager
def everywhere() -> Iterator[None]:
  """Gives what is traced inside these forms for every convolution.

  For the first two gradients only strided convolutions, and those of few
  channels, need them. The third, for the eigenvalues of a game, took 2.4 times
  as long without them in the quickstart.
  """
  token = _EVERYWHERE.set(True)
  try:
    yield
  finally:
    _EVERYWHERE.reset(token)


def are_everywhere() -> bool:
  """Whether `everywhere` is in force."""
  return _EVERYWHERE.get()


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def conv(x: jax.Array, kernel: jax.Array, stride: int,
         padding: Padding) -> jax.Array:
  """[B, H, W, I], [k, k, I, O] -> what convolutions.conv gives."""
  return plain(x, kernel, stride, padding)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4))
def _by_input(y, kernel, stride, padding, shape):
  """What y does to an input of this shape."""
  if stride == 1 and padding == 'SAME' and is_to_few(y, shape[-1]):
    return to_few(y, kernel[::-1, ::-1].swapaxes(2, 3))
  up = _TRANSPOSED.get((kernel.shape[0], padding))
  if (stride == 2 and up and shape[-1] > FEW and y.dtype == jnp.float32
      and min(y.shape[1:3]) >= _IN_SQUARES_FROM
      and shape[1:3] == (2 * y.shape[1], 2 * y.shape[2])):
    return squares.conv(y, kernel.swapaxes(2, 3), up)
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


def product(x: jax.Array, matrix: jax.Array) -> jax.Array:
  """x [..., I] times [I, O], as rows of one matrix.

  On a CPU the gradient by the matrix takes 3 to 5 times as long where pixels
  are not made rows first.
  """
  y = x.reshape(-1, x.shape[-1]) @ matrix.astype(x.dtype)
  return y.reshape(*x.shape[:-1], -1)


def is_to_few(x: jax.Array, out: int) -> bool:
  """Whether `to_few` is the fastest form, with `out` channels of output."""
  return x.dtype == jnp.float32 and out <= FEW < x.shape[-1]


def to_few(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """A convolution to few channels, padded by half of the kernel's size.

  One product with the kernels of all taps, whose results are then moved and
  added up: on a CPU five times as fast to three channels. For an odd kernel
  that is 'SAME'. For an even one it is what the gradient by the input needs,
  which begins half a kernel further out than 'SAME' does.
  """
  _, h, w, channels = x.shape
  size, out = kernel.shape[0], kernel.shape[-1]
  y = product(x, kernel.transpose(2, 0, 1, 3).reshape(channels, -1))
  pad = size // 2, size // 2
  y = jnp.pad(y, ((0, 0), pad, pad, (0, 0)))
  taps = ((i, j, (size * i + j) * out)
          for i in range(size) for j in range(size))
  return functools.reduce(jnp.add, (
      y[:, i:i + h, j:j + w, c:c + out] for i, j, c in taps))


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

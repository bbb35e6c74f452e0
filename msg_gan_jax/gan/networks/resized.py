"""A 3x3 convolution after doubling the size, its products at the small size.

A resize and a shift are linear, and the same for all channels, so that they may
follow the product with each tap of the kernel:

  conv(R x, k) = sum over taps (i, j) of S_i R_i (x k_ij) R_j' S_j'

R_i makes 2 H rows of H, and S_i moves them by i - 1. So a pixel of the small
picture has 9 products, where one of the large picture would have 9, and there
are four times as many of those. Rows and columns are then made by products with
small matrices, whose cost grows with the height: see `pays`.
"""
from collections.abc import Callable
import functools

import jax
import jax.numpy as jnp
import numpy as np

SIZE = 3  # of the kernel


def _nearest(n):
  return np.repeat(np.eye(n), 2, 0)


def _zeros(n):
  """A zero after every row."""
  return np.stack([np.eye(n), np.zeros((n, n))], 1).reshape(2 * n, n)


def _bilinear(n):
  """Between half-pixel centres; the outermost rows are those of the border."""
  larger = np.eye(n)
  before, after = larger[[0, *range(n - 1)]], larger[[*range(1, n), n - 1]]
  return np.stack(
      [.75 * larger + .25 * before, .75 * larger + .25 * after], 1
  ).reshape(2 * n, n)


# Rows of the large picture from those of the small one, [2 n, n].
ROWS: dict[str, Callable[[int], np.ndarray]] = {
    'nearest': _nearest, 'zeros': _zeros, 'bilinear': _bilinear}


def pays(x: jax.Array, channels_a_row: int) -> bool:
  """Whether `conv` is the fastest form: a matter of CPUs, where measured.

  Args:
    x: [B, H, W, I].
    channels_a_row: I over H from which on it is faster than what else there is.
  """
  return (jax.default_backend() == 'cpu' and x.dtype == jnp.float32
          and x.shape[-1] >= channels_a_row * x.shape[1])


def conv(x: jax.Array, kernel: jax.Array, rows: str,
         taps: tuple[int, ...] = ()) -> jax.Array:
  """Twice as large, then a 3x3 convolution, then a filter if there is one.

  Args:
    x: [B, H, W, I].
    kernel: [3, 3, I, O].
    rows: a key of ROWS.
    taps: of a filter that comes last, normalized to sum 1, along height and
      width; with four of them, pixel r is made of r - 2 .. r + 1.

  Returns:
    [B, 2 H, 2 W, O]; outside of the large picture there are zeros.
  """
  b, h, w, channels = x.shape
  out = kernel.shape[-1]
  vertical, horizontal = (_matrix(n, rows, taps) for n in (h, w))
  # Columns come first: they are the rows of a product as it lies in memory.
  y = x.reshape(-1, channels) @ kernel.transpose(2, 1, 0, 3).reshape(
      channels, -1)
  y = y.reshape(b * h, w, SIZE, SIZE * out)
  y = jnp.einsum('sjw,nwjm->nsm', horizontal, y)
  y = y.reshape(b, h, 2 * w, SIZE, out)
  return jnp.einsum('rih,bhsio->brso', vertical, y)


@functools.cache
def _matrix(n, rows, taps):
  """float32 [2 n, 3, n]: rows of the result, from those of each product."""
  # From two rows before the picture to two after it, as the filter needs them.
  large = np.pad(ROWS[rows](n), ((3, 3), (0, 0)))
  moved = np.stack([large[i:i + 2 * n + 4] for i in range(SIZE)], 1)
  if not taps:
    return moved[2:-2].astype(np.float32)
  filtered = sum(
      tap / sum(taps) * moved[k:k + 2 * n] for k, tap in enumerate(taps))
  return filtered.astype(np.float32)

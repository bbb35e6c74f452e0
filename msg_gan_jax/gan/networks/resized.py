"""A convolution after doubling the size, with its products at the small size.

A resize and a shift are linear, and the same for all channels, so that they may
follow the product with each tap of the kernel:

  conv(R x, k) = sum over taps (i, j) of S_i R (x k_ij) R' S_j'

R makes 2 H rows of H, and S_i moves them as tap i does. So a pixel of the small
picture has 9 products with a 3x3 kernel, where each of four pixels of the large
one would have 9. Rows and columns are then made by products with small
matrices, whose cost grows with the height: see `pays`.
"""
from collections.abc import Callable
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

MARGIN = 2  # Rows beyond the picture that a filter may need.


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


class Resize(NamedTuple):
  """How a picture becomes twice as large, and what follows.

  Attributes:
    rows: n -> rows of the large picture from those of the small one, [2 n, n].
    moves: of each tap, how many rows further down its pixel lies.
    pays_from: channels of the input for each row (or column) of its longer
      side from which on `conv` is faster than what else there is; measured.
    taps: of a filter that comes last, normalized to sum 1, along height and
      width: pixel r is made of r - 2 .. r + 1.
  """
  rows: Callable[[int], np.ndarray]
  moves: tuple[int, ...]
  pays_from: int
  taps: tuple[int, ...] = ()


RESIZES = {
    'nearest': Resize(_nearest, (-1, 0, 1), 8),
    'bilinear': Resize(_bilinear, (-1, 0, 1), 2),
    'zeros': Resize(_zeros, (-1, 0, 1), 8),
    # See UP in squares.py: laid over the output, and so the other way.
    'transposed': Resize(_zeros, (1, 0, -1, -2), 48),
    'smoothed': Resize(_zeros, (-1, 0, 1), 2, (1, 3, 3, 1)),  # StyleGAN2
}


def pays(x: jax.Array, resize: str) -> bool:
  """Whether `conv` is the fastest form for x [B, H, W, I]: on CPUs alone."""
  return (jax.default_backend() == 'cpu' and x.dtype == jnp.float32
          and x.shape[-1] >= RESIZES[resize].pays_from * max(x.shape[1:3]))


def conv(x: jax.Array, kernel: jax.Array, resize: str) -> jax.Array:
  """Twice as large, then a convolution, then a filter if there is one.

  Args:
    x: [B, H, W, I].
    kernel: [k, k, I, O], one row for each of the resize's moves.
    resize: a key of RESIZES.

  Returns:
    [B, 2 H, 2 W, O]; outside of the large picture there are zeros. What is
    not finite makes all of its sample NaN.
  """
  b, h, w, channels = x.shape
  size, out = kernel.shape[0], kernel.shape[-1]
  # Columns come first: they are the rows of a product as it lies in memory.
  y = x.reshape(-1, channels) @ kernel.transpose(2, 1, 0, 3).reshape(
      channels, -1)
  y = y.reshape(b * h, w, size, size * out)
  y = jnp.einsum('sjw,nwjm->nsm', _matrix(w, resize), y)
  y = y.reshape(b, h, 2 * w, size, out)
  return jnp.einsum('rih,bhsio->brso', _matrix(h, resize), y)


@functools.cache
def _matrix(n, resize):
  """float32 [2 n, k, n]: rows of the result, from those of each product."""
  rows, moves, _, taps = RESIZES[resize]
  pad = 2 * MARGIN
  large = np.pad(rows(n), ((pad, pad), (0, 0)))
  # From MARGIN rows before the picture to as many after it.
  moved = np.stack([
      large[MARGIN + move:][:2 * (n + MARGIN)] for move in moves], 1)
  if not taps:
    return moved[MARGIN:-MARGIN].astype(np.float32)
  filtered = [
      tap / sum(taps) * moved[k:k + 2 * n] for k, tap in enumerate(taps)]
  return np.sum(filtered, 0).astype(np.float32)

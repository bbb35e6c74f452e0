"""FIR filters of pictures and features, the same for every channel.

Written as sums of shifted slices, which XLA fuses into one loop: on a CPU a
depthwise convolution and its gradient took ten to forty times as long. Taps are
symmetric, are normalized to sum 1, and are used along height and width: (1, 2,
1), for example, is the 3x3 kernel outer([1, 2, 1], [1, 2, 1]) / 16. Outside of
the picture there are zeros, so that constants fade at the border.
"""
from collections.abc import Sequence

import jax
from jax import lax
import jax.numpy as jnp


def blur(x: jax.Array, taps: Sequence[int],
         pad: tuple[int, int] | None = None) -> jax.Array:
  """Filters: x [B, H, W, C] -> the same size, or that which `pad` gives.

  Args:
    x: float.
    taps: n numbers.
    pad: rows and columns of zeros (before, after); a side of s pixels becomes
      s + before + after - n + 1. None keeps the size.

  Source: Karras et al. 2019 (arXiv:1812.04948), sec. 2, with (1, 2, 1).
  """
  n = len(taps)
  return _filtered(x, taps, pad or ((n - 1) // 2, n // 2))


def up(x: jax.Array, taps: Sequence[int]) -> jax.Array:
  """Twice as large: [B, H, W, C] -> [B, 2 H, 2 W, C], constants kept inside.

  A zero after every pixel, then the filter with gain 4. With (1, 3, 3, 1) it is
  bilinear interpolation between half-pixel centres.

  Source: Karras et al. 2020 (arXiv:1912.04958), sec. 4.1; the taps (1, 3, 3, 1)
  and where they lie are those of its code.
  """
  n = len(taps)
  return 4 * _filtered(x, taps, ((n + 1) // 2, n // 2), up=2)


def down(x: jax.Array, taps: Sequence[int]) -> jax.Array:
  """Half as large: filtered, then every second pixel; sides must be even.

  [B, H, W, C] -> [B, H / 2, W / 2, C]; an even number of taps is centred on
  each square of 2x2.

  Source: as `up`.
  """
  n = len(taps)
  return _filtered(x, taps, ((n - 1) // 2, (n - 2) // 2), down=2)


def _filtered(x, taps, pad, up=1, down=1):
  """up - 1 zeros between pixels, `pad` around, filter, every down-th pixel."""
  total, zero = sum(taps), jnp.zeros((), x.dtype)
  for axis in (1, 2):
    spread = [(0, 0, 0)] * x.ndim
    spread[axis] = (*pad, up - 1)
    y = lax.pad(x, zero, spread)
    last = y.shape[axis] - len(taps)
    x = sum(
        (tap / total) * lax.slice_in_dim(y, k, k + last + 1, down, axis)
        for k, tap in enumerate(taps))
  return x

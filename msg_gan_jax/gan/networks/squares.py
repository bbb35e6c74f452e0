"""A convolution after doubling the size, a square of four pixels at a time.

Each output pixel sees only 2x2 different inputs (3x3 for a 5x5 kernel), so the
four pixels of an output square are one 2x2 convolution to four times the
channels. A window that begins a pixel outside makes rows -1 and 0 of the
output, the next one rows 1 and 2, and so on: the outermost rows are cropped.
"""
import jax
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.config.tables import Table

# How a convolution after doubling the size is computed from the small picture.
# Each pixel of the large picture sees few pixels of the small one, and a row of
# the kernel falls on one of them. Nearest neighbour, with kernel rows a, b, c
# and picture rows x1, x2: the large picture is x1 x1 x2 x2, and its two middle
# rows become
#   a x1 + b x1 + c x2 = (a + b) x1 + c x2
#   a x1 + b x2 + c x2 = a x1 + (b + c) x2.
# Written as ones and zeros these are the two rows of 'nearest' below:
# rows[s][u][k] is 1 where row k of the kernel falls on row u of the small
# picture, for row s of the large one. Columns are treated alike.
UP: Table[tuple] = Table('upsampling', 'upsampling', {
    # Nearest neighbour, then a 3x3 convolution.
    'nearest': (((1, 1, 0), (0, 0, 1)), ((1, 0, 0), (0, 1, 1))),
    # A zero after every pixel, then a 3x3 one: compare_gan's ResNets.
    'zeros': (((1, 0, 0), (0, 0, 1)), ((0, 0, 0), (0, 1, 0))),
    # A 4x4 transposed convolution of stride 2 and padding 1: DCGAN, SNDCGAN.
    'transposed': (((0, 0, 1, 0), (1, 0, 0, 0)), ((0, 0, 0, 1), (0, 1, 0, 0))),
    # A 5x5 one as TensorFlow pads it. A window has three rows of the small
    # picture: one of its two rows of the large one sees all, the other two.
    'transposed_5': (
        ((0, 0, 0, 0, 1), (0, 0, 1, 0, 0), (1, 0, 0, 0, 0)),
        ((0, 0, 0, 0, 0), (0, 0, 0, 1, 0), (0, 1, 0, 0, 0))),
})


def conv(x: jax.Array, kernel: jax.Array, up: str) -> jax.Array:
  """[B, H, W, I], [k, k, I, O] -> [B, 2 H, 2 W, O].

  Args:
    x: features.
    kernel: of a transposed convolution as it is laid over the output:
      y[o] = sum over i of x[i] kernel[o - 2 i + 1].
    up: a row of UP.
  """
  b, h, w, _ = x.shape
  rows = jnp.array(UP[up], kernel.dtype)
  out, n = kernel.shape[-1], rows.shape[1]
  k = jnp.einsum('suk,tvl,klio->uvisto', rows, rows, kernel,
                 precision=lax.Precision.HIGHEST)
  # Padded before it: on a CPU the gradient by a kernel of even size takes 80
  # times as long where the convolution itself pads.
  x = jnp.pad(x, ((0, 0), (n - 1, 1), (n - 1, 1), (0, 0)))
  y = lax.conv_general_dilated(
      x, k.reshape(n, n, -1, 4 * out).astype(x.dtype), (1, 1), 'VALID',
      dimension_numbers=('NHWC', 'HWIO', 'NHWC'))
  y = y.reshape(b, h + 1, w + 1, 2, 2, out)
  y = y.swapaxes(2, 3).reshape(b, 2 * h + 2, 2 * w + 2, out)
  return y[:, 1:-1, 1:-1]

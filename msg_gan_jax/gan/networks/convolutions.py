"""Convolutions, and those that change the size, with few products."""
import jax
import jax.numpy as jnp

from msg_gan_jax.gan.networks import forms, resized, squares


def conv(x: jax.Array, kernel: jax.Array, stride: int = 1,
         padding: str | tuple[tuple[int, int], ...] = 'SAME') -> jax.Array:
  """A convolution of [B, H, W, I] with [k, k, I, O].

  Args:
    x: features.
    kernel: cast to the dtype of x.
    stride: of height and width.
    padding: 'SAME', zeros so that the size is that of x over the stride;
      'VALID', none; or numbers of rows and columns, (before, after) each.
  """
  kernel = kernel.astype(x.dtype)
  if jax.default_backend() == 'cpu':
    size, _, channels, out = kernel.shape
    if size == stride == 1 and isinstance(padding, str):
      return forms.product(x, kernel[0, 0])
    if (stride == 1 and padding == 'SAME' and size % 2
        and forms.is_to_few(x, out)):
      return forms.to_few(x, kernel)
    if stride > 1 or channels <= forms.FEW or forms.are_everywhere():
      return forms.conv(x, kernel, stride, padding)
  return forms.plain(x, kernel, stride, padding)


def conv_down(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """A 3x3 convolution, then the 2x2 mean, in 16 / 36 of the arithmetic.

  The mean of four shifted kernels is a kernel of 4x4, used with stride 2.
  """
  wide = jnp.pad(kernel, ((1, 1), (1, 1), (0, 0), (0, 0)))
  kernel = (wide[1:, 1:] + wide[:-1, 1:] + wide[1:, :-1] + wide[:-1, :-1]) / 4
  return conv(x, kernel, 2, ((1, 1), (1, 1)))


def up_conv(x: jax.Array, kernel: jax.Array,
            up: str = 'nearest') -> jax.Array:
  """A convolution after doubling the size, with a fraction of its arithmetic.

  Where there are few rows and many channels, as `resized.conv`, and elsewhere
  as `squares.conv`.

  Args:
    x: [B, H, W, I].
    kernel: [k, k, I, O]; of a transposed convolution as it is laid over the
      output: y[o] = sum over i of x[i] kernel[o - 2 i + 1].
    up: a row of squares.UP, or 'bilinear', for a kernel of 3x3.

  Returns:
    [B, 2 H, 2 W, O].
  """
  if up in resized.RESIZES and resized.pays(x, up):
    return resized.conv(x, kernel, up)
  if up == 'bilinear':
    return conv(bilinear(x), kernel)
  return squares.conv(x, kernel, up)


def bilinear(x: jax.Array) -> jax.Array:
  """Twice as large, half-pixel centres: torch's interpolate."""
  b, h, w, c = x.shape
  return jax.image.resize(x, (b, 2 * h, 2 * w, c), 'bilinear')

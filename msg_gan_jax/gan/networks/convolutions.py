"""Convolutions, and those that change the size, with few products."""
import jax
import jax.numpy as jnp

from msg_gan_jax.config.tables import Table
from msg_gan_jax.gan.networks import forms, resized


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
    if stride > 1 or channels <= forms.FEW:
      return forms.conv(x, kernel, stride, padding)
  return forms.plain(x, kernel, stride, padding)


def conv_down(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """A 3x3 convolution, then the 2x2 mean, in 16 / 36 of the arithmetic.

  The mean of four shifted kernels is a kernel of 4x4, used with stride 2.
  """
  wide = jnp.pad(kernel, ((1, 1), (1, 1), (0, 0), (0, 0)))
  kernel = (wide[1:, 1:] + wide[:-1, 1:] + wide[1:, :-1] + wide[:-1, :-1]) / 4
  return conv(x, kernel, 2, ((1, 1), (1, 1)))


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


def up_conv(x: jax.Array, kernel: jax.Array,
            up: str = 'nearest') -> jax.Array:
  """A convolution after doubling the size, with a fraction of its arithmetic.

  Where there are few rows and many channels, as `resized.conv`. Elsewhere:
  each output pixel sees only 2x2 different inputs (3x3 for a 5x5 kernel), so
  the four pixels of an output square are one 2x2 convolution to four times the
  channels. A window that begins a pixel outside makes rows -1 and 0 of the
  output, the next one rows 1 and 2, and so on: the outermost rows are cropped.

  Args:
    x: [B, H, W, I].
    kernel: [k, k, I, O]; of a transposed convolution as it is laid over the
      output: y[o] = sum over i of x[i] kernel[o - 2 i + 1].
    up: a row of UP, or 'bilinear', for a kernel of 3x3.

  Returns:
    [B, 2 H, 2 W, O].
  """
  if up in resized.RESIZES and resized.pays(x, up):
    return resized.conv(x, kernel, up)
  if up == 'bilinear':
    return conv(bilinear(x), kernel)
  return _in_squares(x, kernel, jnp.array(UP[up], kernel.dtype))


def bilinear(x: jax.Array) -> jax.Array:
  """Twice as large, half-pixel centres: torch's interpolate."""
  b, h, w, c = x.shape
  return jax.image.resize(x, (b, 2 * h, 2 * w, c), 'bilinear')


def _in_squares(x, kernel, rows):
  """See up_conv; `rows` is a value of UP."""
  b, h, w, _ = x.shape
  out, n = kernel.shape[-1], rows.shape[1]
  k = jnp.einsum('suk,tvl,klio->uvisto', rows, rows, kernel)
  # Padded before it: on a CPU the gradient by a kernel of even size takes 80
  # times as long where the convolution itself pads.
  x = jnp.pad(x, ((0, 0), (n - 1, 1), (n - 1, 1), (0, 0)))
  y = conv(x, k.reshape(n, n, -1, 4 * out), padding='VALID')
  y = y.reshape(b, h + 1, w + 1, 2, 2, out)
  y = y.swapaxes(2, 3).reshape(b, 2 * h + 2, 2 * w + 2, out)
  return y[:, 1:-1, 1:-1]

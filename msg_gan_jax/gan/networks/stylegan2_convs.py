"""StyleGAN2's convolutions, in forms that are fast on a CPU too."""
import jax
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.gan.networks import (
  convolutions,
  filters,
  forms,
  layers,
  resized,
)

TAPS = 1, 3, 3, 1  # of the filter that smooths what changes its size
EPSILON = 1e-8  # of the demodulation, inside of the root


def modulated(x: jax.Array, kernel: jax.Array, style: jax.Array,
              up: bool = False) -> jax.Array:
  """A 3x3 convolution with kernels of each sample's own, in the fast form.

  The kernel of a sample is style_i kernel_io, over its norm for each output o.
  As a convolution is linear, its inputs are scaled instead, and its outputs
  divided by the norm: one kernel for the batch.

  Args:
    x: [B, H, W, I].
    kernel: [3, 3, I, O].
    style: [B, I], float32.
    up: whether the size is doubled: a transposed convolution, then TAPS.

  Returns:
    [B, H, W, O], or twice as large, of x's dtype.

  Source: Karras et al. 2020 (arXiv:1912.04958), sec. 2.2, eq. 1 and 2, before
  eq. 3 moves the norm into the kernel.
  """
  square = jnp.square(style) @ jnp.square(kernel).sum((0, 1))
  demodulation = lax.rsqrt(square + EPSILON)
  x = _by_maps(x, style)
  if not up:
    return _by_maps(convolutions.conv(x, kernel), demodulation)
  if resized.pays(x, 'smoothed'):
    x = resized.conv(x, kernel, 'smoothed')
  else:
    x = filters.blur(transposed(x, kernel), TAPS, (1, 0))
  return _by_maps(x, 4 * demodulation)  # 4 is the gain of the filter


def _by_maps(x, factors):
  """x [B, H, W, C] times [B, C], in x's dtype."""
  return layers.scale(x, factors[:, None, None])


def transposed(x: jax.Array, kernel: jax.Array) -> jax.Array:
  """A 3x3 transposed convolution of stride 2: [B, 2 H + 2, 2 W + 2, O].

  A zero is put after every pixel, then the kernel is applied, with zeros
  around. Row r of the result is centred on row r - 1 of the picture with zeros;
  its last row and column are zero. An output square is four products, with the
  one, two, two and four pixels that its taps meet. On a CPU the gradient of
  XLA's own form took ten times as long, that of convolutions.up_conv twice as
  long.

  Args:
    x: [B, H, W, I].
    kernel: [3, 3, I, O].
  """
  b, h, w, _ = x.shape
  x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
  kernel = kernel.astype(x.dtype)
  # (tap, which of two neighbouring pixels it meets), of odd and of even rows.
  meets = ((0, 0), (2, 1)), ((1, 1),)
  square = []
  for row in meets:
    for column in meets:
      seen = [(k, u, m, v) for k, u in row for m, v in column]
      pixels = jnp.concatenate(
          [x[:, u:u + h + 1, v:v + w + 1] for _, u, _, v in seen], -1)
      square.append(forms.product(pixels, jnp.concatenate(
          [kernel[k, m] for k, _, m, _ in seen])))
  y = jnp.stack(square, 3).reshape(b, h + 1, w + 1, 2, 2, -1)
  return y.swapaxes(2, 3).reshape(b, 2 * h + 2, 2 * w + 2, -1)

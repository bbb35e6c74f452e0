"""RESIZES: how pictures are resized before features are taken, as matrices.

Scores of one set of images under two of these differ by more than two good
GANs do (Parmar et al. 2022, arXiv:2104.11222): a score goes with its resize.
"""
import functools
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.config import tables


def resize(images: jax.Array, height: int, width: int,
           name: str) -> jax.Array:
  """Resizes images, in float and without rounding or clipping.

  Args:
    images: [B, H, W, C] of any range, float or uint8.
    height, width: wanted, in pixels.
    name: of RESIZES.

  Returns:
    float32 [B, height, width, C]: first the rows' pixels, then the columns',
    as PIL does it.

  Raises:
    ValueError: an unknown name, a size under 1, or not 4 axes.
  """
  if images.ndim != 4 or min(height, width, *images.shape[1:3]) < 1:
    raise ValueError(
        f'resize: wanted [B, H, W, C] and sizes of at least 1, found '
        f'{list(images.shape)} to {height} x {width}.')
  images = jnp.asarray(images, jnp.float32)
  highest = jax.lax.Precision.HIGHEST  # Or TF32 and bfloat16 round pixels.
  across = _matrix(name, images.shape[2], width)
  down = _matrix(name, images.shape[1], height)
  if images.shape[2] != width:  # The others are identities.
    images = jnp.einsum('xw,bhwc->bhxc', across, images, precision=highest)
  if images.shape[1] != height:
    images = jnp.einsum('yh,bhxc->byxc', down, images, precision=highest)
  return images


def resize_one(picture: np.ndarray, height: int, width: int,
               name: str) -> np.ndarray:
  """`resize` of one picture, up to rounding, and without a compiled program.

  Pictures of several sizes would otherwise need a program for each.

  Args:
    picture: [h, w, C] of any range, float or uint8.
    height, width, name: as for `resize`.

  Returns:
    float32 [height, width, C].
  """
  picture = picture.astype(np.float32)
  for axis, wanted in ((1, width), (0, height)):
    if picture.shape[axis] != wanted:
      picture = np.moveaxis(np.tensordot(
          _matrix(name, picture.shape[axis], wanted), picture, (1, axis)),
          0, axis)
  return picture


@functools.lru_cache(128)  # Of large pictures, one has a megabyte.
def _matrix(name, n_in, n_out):
  return RESIZES[name](n_in, n_out).astype(np.float32)


def tf1(n_in: int, n_out: int) -> np.ndarray:
  """Bilinear of TensorFlow 1, align_corners=False: without half pixels.

  Output i lies at i * n_in / n_out, so the image shifts up and left when it
  grows; the last pixel repeats. In float32 as the kernel computes it.

  Returns:
    float64 [n_out, n_in]; every row adds up to 1.

  Source: tensorflow/core/kernels/image/resize_bilinear_op.cc, LegacyScaler;
  torch-fidelity's interpolate_bilinear_2d_like_tensorflow1x is equal.
  """
  at = np.arange(n_out, dtype=np.float32) * np.float32(n_in / n_out)
  return _linear(at, n_in)


def half_pixel(n_in: int, n_out: int) -> np.ndarray:
  """Bilinear between pixel centres, without an antialias when it shrinks.

  Returns:
    float64 [n_out, n_in]; every row adds up to 1.

  Source: torch.nn.functional.interpolate(mode='bilinear',
  align_corners=False), which pytorch-fid calls.
  """
  at = (np.arange(n_out) + .5) * (n_in / n_out) - .5
  return _linear(np.maximum(at, 0.), n_in)


def _linear(at, n_in):
  """Positions in the input [n_out] -> [n_out, n_in], the edge repeated."""
  low = np.minimum(np.floor(at).astype(int), n_in - 1)
  rows, part = np.arange(len(at)), (at - low).astype(np.float64)
  matrix = np.zeros((len(at), n_in))
  np.add.at(matrix, (rows, low), 1 - part)
  np.add.at(matrix, (rows, np.minimum(low + 1, n_in - 1)), part)
  return matrix


def pil_bicubic(n_in: int, n_out: int) -> np.ndarray:
  """Pillow's bicubic: the cubic with a = -1/2, wider as the image shrinks.

  Returns:
    float64 [n_out, n_in]; every row adds up to 1.

  Source: Pillow's Resample.c, precompute_coeffs and bicubic_filter, for 'F'
  images, which clean-fid resizes (arXiv:2104.11222); uint8 images would be
  rounded and clipped.
  """
  scale = n_in / n_out
  wide = max(scale, 1.)
  matrix = np.zeros((n_out, n_in))
  for i, row in enumerate(matrix):
    centre = (i + .5) * scale
    first = max(int(centre - 2 * wide + .5), 0)
    last = min(int(centre + 2 * wide + .5), n_in)
    weights = cubic((np.arange(first, last) - centre + .5) / wide, -.5)
    row[first:last] = weights / weights.sum()
  return matrix


def cubic(x: np.ndarray | float, a: float) -> np.ndarray:
  """The weight of a pixel at distance x, by cubic convolution.

  Source: Keys 1981, eq. 15, where a = -1/2.
  """
  x = np.abs(x)
  near = ((a + 2) * x - (a + 3)) * x * x + 1
  far = (((x - 5) * x + 8) * x - 4) * a
  return np.where(x < 1, near, np.where(x < 2, far, 0.))


def area(n_in: int, n_out: int) -> np.ndarray:
  """Means of blocks: output i is all pixels that it touches, equally.

  Returns:
    float64 [n_out, n_in]; every row adds up to 1. For whole factors these are
    the means that StyleGAN's path length shrinks by.

  Source: torch.nn.functional.interpolate(mode='area'), which torch-fidelity's
  LPIPS calls. TensorFlow's ResizeArea weighs pixels that are touched in part
  by that part; for whole factors both agree.
  """
  matrix = np.zeros((n_out, n_in))
  for i, row in enumerate(matrix):
    first, last = i * n_in // n_out, -(-(i + 1) * n_in // n_out)
    row[first:last] = 1 / (last - first)
  return matrix


class Resize(Protocol):
  """A resize of one side, from n_in to n_out pixels, as a matrix."""

  def __call__(self, n_in: int, n_out: int) -> np.ndarray:
    """float64 [n_out, n_in]; every row adds up to 1."""


RESIZES: tables.Table[Resize] = tables.Table('resize', 'resize', {
    'tf1': tf1,
    'half_pixel': half_pixel,
    'pil_bicubic': pil_bicubic,
    'area': area,
})

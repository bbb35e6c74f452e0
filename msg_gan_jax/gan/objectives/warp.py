"""Moved pictures: an affine map for each sample, alike at all scales.

A map says for each place of the new picture where to read the old one. `move`
reads at the pixels themselves, bit for bit. `move_finely` reads between them:
it doubles the picture by the low-pass filter of an orthogonal wavelet, reads,
and halves the result by the mirrored filter. Beyond its edges a picture is
mirrored, and its last pixel repeated: the paper mirrors around the centre of
that pixel, which lies elsewhere at each scale.

Source: Karras et al. 2020 (arXiv:2006.06676), appendix B.
"""
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.gan.pyramid import Pyramid

# The low-pass filter of the wavelet sym6, scaled to a sum of 1: Daubechies
# 1992, Ten Lectures on Wavelets, table 6.3.
_TAPS = np.array([
    .015404109327027373, .0034907120842174702, -.11799011114819057,
    -.048311742585633, .4910559419267466, .787641141030194, .3379294217276218,
    -.07263752278646252, -.021060292512300564, .04472490177066578,
    .0017677118642428036, -.007800708325034148]) / 2**.5
# The place among the taps that the filter gives of a linear ramp. With the
# middle, 5.5, in its place, a mirrored picture would be off by .4 of a pixel.
_CENTRE = float(_TAPS @ np.arange(_TAPS.size))
# A doubled row goes this many pixels beyond both edges: as far as halving
# looks, so that a picture that is not moved does not change. _FIRST is where it
# begins.
_MARGIN = 3
_FIRST = 4 - 2 * _MARGIN

_HIGHEST = jax.lax.Precision.HIGHEST


def flatten(levels: Sequence[jax.Array]) -> jax.Array:
  """The pixels of all levels, [B, pixels, C].

  XLA then compiles each operation once, and not once for each level.
  """
  return jnp.concatenate(
      [x.reshape(x.shape[0], -1, x.shape[-1]) for x in levels], 1)


def unflatten(flat: jax.Array, shapes: Sequence[Sequence[int]]) -> Pyramid:
  """[B, pixels, C] of `flatten` -> the pyramid; shapes (h, w) of its levels."""
  ends = np.cumsum([h * w for h, w in shapes])[:-1]
  return tuple(x.reshape(x.shape[0], *shape, x.shape[-1]) for x, shape in zip(
      jnp.split(flat, ends, 1), shapes, strict=True))


def move(pyramid: Pyramid, source: jax.Array) -> jax.Array:
  """Reads the pixels themselves: exact where the map meets them.

  Args:
    pyramid: levels [B, H, W, C].
    source: [B, 3, 3], affine maps of (x, y, 1) from the centre of the picture,
      in pixels of the finest level: from a new place to the one that is read.

  Returns:
    [B, pixels, C], the levels as of `flatten`.
  """
  sides = [x.shape[1:3] for x in pyramid]
  grids = [[np.arange(side) - (side - 1) / 2 for side in pair]
           for pair in sides]
  return _read(pyramid, sides, grids, source, _mirrored)


def move_finely(pyramid: Pyramid, source: jax.Array) -> jax.Array:
  """Reads between the pixels of doubled pictures, and halves what it reads.

  Arguments and result are those of `move`.
  """
  sides = [x.shape[1:3] for x in pyramid]
  # Halving needs for pixel i the places 2 i + k of all taps k.
  grids = [[(np.arange(2 * side + _TAPS.size - 2) - _CENTRE - side + 1) / 2
            for side in pair] for pair in sides]
  fine = [_along_both(x, *map(_doubling, x.shape[1:3])) for x in pyramid]

  def index(place, side):
    pixel = jnp.where(abs(place) < side / 2 + _MARGIN,
                      place + (side - 1) / 2, _mirrored(place, side))
    return 2 * pixel + _CENTRE - _FIRST

  read = unflatten(_read(fine, sides, grids, source, index),
                 [[len(axis) for axis in grid] for grid in grids])
  return flatten([_along_both(x, *map(_halving, pair))
                for x, pair in zip(read, sides, strict=True)])


def _read(levels, sides, grids, source, index):
  """Reads all levels where a map points, linearly between four neighbours.

  For each place (x, y) of a grid, the map gives the place that is read, and
  `index` the pixel of the level that lies there, a number such as 2.25 where
  it lies between two. Without a shift, index(0, 4) = 1.5: the centre of a row
  of 4 pixels lies between its pixels 1 and 2.

  Args:
    levels: [B, H, W, C] each, the arrays that are read: the pictures, or
      doubled ones.
    sides: (height, width) of each picture itself.
    grids: (y [h], x [w]) for each level, the places of the result: counted from
      the centre, in pixels of the picture.
    source: map [B, 3, 3], in pixels of the finest picture.
    index: (place from the centre of a row, length of that row in pixels of the
      picture) -> pixel of the level.

  Returns:
    [B, pixels, C], the grids in order.
  """
  facts, start = [], 0
  for images, pair, (y, x) in zip(levels, sides, grids, strict=True):
    facts.append(np.stack(np.broadcast_arrays(
        y[:, None], x, pair[0] / sides[-1][0], *pair, *images.shape[1:3],
        start)).reshape(8, -1))
    start += images.shape[1] * images.shape[2]
  values: Any = np.float32(np.concatenate(facts, 1))
  y, x, factor, height, width, rows, columns, start = values
  y, x = (
      jnp.clip(index(a * x + b * y + c * factor, side), 0, count - 1)
      for (a, b, c), side, count in (
          (source[:, 1].T[..., None], height, rows),
          (source[:, 0].T[..., None], width, columns)))
  top = jnp.minimum(jnp.floor(y), rows - 2)
  left = jnp.minimum(jnp.floor(x), columns - 2)
  y, x = (y - top)[..., None], (x - left)[..., None]
  corner = (top * columns + left).astype(int) + start.astype(int)
  flat = flatten(levels)
  # Otherwise XLA computes them anew for each neighbour and channel.
  y, x, corner = jax.lax.optimization_barrier((y, x, corner))

  # Sample by sample, so that a batch on several devices stays where it is.
  @jax.vmap
  def pick(pixels, index):
    return pixels.at[index].get(mode='promise_in_bounds')

  upper, lower = (pick(flat, corner + down) * (1 - x) +
                  pick(flat, corner + down + 1) * x
                  for down in (0, columns.astype(int)))
  return jax.lax.optimization_barrier(upper * (1 - y) + lower * y)


def _mirrored(place, side):
  """A place from the centre of a row -> a pixel of the row, -.5 .. side - .5.

  Places beyond its ends are mirrored.
  """
  place = place + side / 2
  place -= 2 * side * jnp.floor(place / (2 * side))
  return side - .5 - jnp.abs(side - place)


def _doubling(side):
  """The matrix that doubles a row: [2 side + 2 + margins, side].

  The row is mirrored at its ends. Entry j of its double lies at the pixel (j +
  _FIRST - _CENTRE) / 2.
  """
  matrix = np.zeros((2 * (side + 1 + 2 * _MARGIN), side))
  for tap, value in enumerate(_TAPS):
    rows = np.arange((tap - _FIRST) % 2, len(matrix), 2)
    pixels = (rows + _FIRST - tap) // 2 % (2 * side)
    matrix[rows, np.minimum(pixels, 2 * side - 1 - pixels)] += 2 * value
  return matrix


def _halving(side):
  """The matrix that halves a doubled row: [side, 2 side + 10].

  It is the transpose of doubling, continued beyond the ends.
  """
  matrix = np.zeros((side, 2 * side + _TAPS.size - 2))
  for tap, value in enumerate(_TAPS):
    matrix[np.arange(side), 2 * np.arange(side) + tap] = value
  return matrix


def _along_both(images, rows, columns):
  return jnp.einsum('ij,kl,bjlc->bikc', jnp.float32(rows),
                    jnp.float32(columns), images, precision=_HIGHEST)

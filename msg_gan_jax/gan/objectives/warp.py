"""Pictures read elsewhere: an affine map for each sample, alike at all scales.

Read at the pixels themselves, bit for bit, or between them, after doubling by
the low-pass filter of an orthogonal wavelet and before halving by its mirror.
Beyond its edges a picture is mirrored, with its last pixel: the paper mirrors
around that pixel's centre, which lies elsewhere at each scale.

Source: Karras et al. 2020 (arXiv:2006.06676), appendix B.
"""
import jax
import jax.numpy as jnp
import numpy as np

# The low-pass filter of the wavelet sym6, its sum 1: Daubechies 1992, Ten
# Lectures on Wavelets, table 6.3.
_TAPS = np.array([
    .015404109327027373, .0034907120842174702, -.11799011114819057,
    -.048311742585633, .4910559419267466, .787641141030194, .3379294217276218,
    -.07263752278646252, -.021060292512300564, .04472490177066578,
    .0017677118642428036, -.007800708325034148]) / 2**.5
# Where it reads what is linear. At its middle, 5.5, a mirrored picture would
# be off by .4 of a pixel.
_CENTRE = float(_TAPS @ np.arange(_TAPS.size))
# A doubled row goes so many pixels beyond the edges: as far as halving looks,
# so that what is not moved is what it was. It begins with this place.
_MARGIN = 3
_FIRST = 4 - 2 * _MARGIN

_HIGHEST = jax.lax.Precision.HIGHEST


def flatten(levels):
  """The pixels of all levels, [B, pixels, C]: XLA compiles one of each op."""
  return jnp.concatenate(
      [x.reshape(x.shape[0], -1, x.shape[-1]) for x in levels], 1)


def unflatten(flat, shapes):
  """The pyramid of `flatten`; shapes (h, w) of its levels."""
  ends = np.cumsum([h * w for h, w in shapes])[:-1]
  return tuple(x.reshape(x.shape[0], *shape, x.shape[-1]) for x, shape in zip(
      jnp.split(flat, ends, 1), shapes, strict=True))


def move(pyramid, source):
  """Read at the pixels themselves; exact where the map meets them; flat."""
  sides = [x.shape[1:3] for x in pyramid]
  grids = [[np.arange(side) - (side - 1) / 2 for side in pair]
           for pair in sides]
  return _read(pyramid, sides, grids, source, _mirrored)


def move_finely(pyramid, source):
  """Read between the pixels of doubled pictures, and halved again; flat."""
  sides = [x.shape[1:3] for x in pyramid]
  # What halving needs: tap k of pixel i is place 2 i + k of the filter.
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
  """What a map finds, between four neighbours.

  Args:
    levels: [B, H, W, C] each, in which is read.
    sides: (height, width) of the pictures that they are of.
    grids: (y [h], x [w]) of each, where to read, from the centre, in pixels of
      those pictures.
    source: map [B, 3, 3], in pixels of the finest of those pictures.
    index: (place from the centre of a row, its length in pixels of the
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
  y, x, factor, height, width, rows, columns, start = np.float32(
      np.concatenate(facts, 1))
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
  # XLA would compute it anew for each neighbour and channel.
  y, x, corner = jax.lax.optimization_barrier((y, x, corner))

  # By sample, so that a batch on several devices stays where it is.
  @jax.vmap
  def pick(pixels, index):
    return pixels.at[index].get(mode='promise_in_bounds')

  upper, lower = (pick(flat, corner + down) * (1 - x) +
                  pick(flat, corner + down + 1) * x
                  for down in (0, columns.astype(int)))
  return jax.lax.optimization_barrier(upper * (1 - y) + lower * y)


def _mirrored(place, side):
  """From the centre of a row -> in its pixels, -.5 .. side - .5."""
  place = place + side / 2
  place -= 2 * side * jnp.floor(place / (2 * side))
  return side - .5 - jnp.abs(side - place)


def _doubling(side):
  """A row to its double, mirrored at its ends: [2 side + 2 + margins, side].

  Row j is the pixel (j + _FIRST - _CENTRE) / 2.
  """
  matrix = np.zeros((2 * (side + 1 + 2 * _MARGIN), side))
  for tap, value in enumerate(_TAPS):
    rows = np.arange((tap - _FIRST) % 2, len(matrix), 2)
    pixels = (rows + _FIRST - tap) // 2 % (2 * side)
    matrix[rows, np.minimum(pixels, 2 * side - 1 - pixels)] += 2 * value
  return matrix


def _halving(side):
  """The transpose, on places beyond the ends too: [side, 2 side + 10]."""
  matrix = np.zeros((side, 2 * side + _TAPS.size - 2))
  for tap, value in enumerate(_TAPS):
    matrix[np.arange(side), 2 * np.arange(side) + tap] = value
  return matrix


def _along_both(images, rows, columns):
  return jnp.einsum('ij,kl,bjlc->bikc', jnp.float32(rows),
                    jnp.float32(columns), images, precision=_HIGHEST)

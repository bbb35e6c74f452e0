"""ADA: many transformations, as likely as D's overfitting asks for.

A pipe names transformations; each is done to a sample with probability p
(`strength`), alike at all scales. Where p stays below about .8, G learns the
pictures and not the transformations.

The geometric ones are one affine map. Where only blits are drawn, it is read
at the pixels themselves, bit for bit at the finest level; otherwise between
them, after doubling by the low-pass filter of an orthogonal wavelet and before
halving by the same. Beyond its edges a picture is mirrored, with its last
pixel: the paper mirrors around that pixel's centre, which lies elsewhere at
each scale.

Not here: the filter and the noise of the paper's 'bgcfnc', which it found to
be of little use.

Source: Karras et al. 2020 (arXiv:2006.06676), sec. 2, 3 and appendix B.
"""
import functools

import jax
from jax.lax import erf_inv
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.objectives import diffaugment

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

# {transformation: (parameter that changes nothing, uniform in (-1, 1) ->
# parameter)}, in the paper's order and by its table. Angles are in radians,
# shifts and places (x, y) in sides of the picture, brightness in the unit of
# [-1, 1].
SAMPLERS = {
    'flip': (0., lambda u: jnp.floor(u + 1)),
    'turn': (0., lambda u: jnp.floor(2 * u + 2)),
    'shift': (np.zeros(2), lambda u: .125 * u),
    'scale': (1., lambda u: _log_normal(.2, u)),
    'rotate_before': (0., lambda u: np.pi * u),
    'stretch': (1., lambda u: _log_normal(.2, u)),
    'rotate_after': (0., lambda u: np.pi * u),
    'slide': (np.zeros(2), lambda u: _normal(.125, u)),
    'brightness': (0., lambda u: _normal(.2, u)),
    'contrast': (1., lambda u: _log_normal(.5, u)),
    'invert': (0., lambda u: jnp.floor(u + 1)),
    'hue': (0., lambda u: np.pi * u),
    'saturation': (1., lambda u: _log_normal(1., u)),
    # The centre of a box of half the sides; here it is outside.
    'cutout': (-np.ones(2), lambda u: (u + 1) / 2),
}
_NAMES = tuple(SAMPLERS)
BLITS, BENDS, COLOURS = _NAMES[:3], _NAMES[3:8], _NAMES[8:13]

# Pipes: {transformation: its probability in p}.
B = dict.fromkeys(BLITS, 1.)
BG = B | dict.fromkeys(BENDS, 1.)
BGC = BG | dict.fromkeys(COLOURS, 1.)
# R3GAN's code, train.py.
R3GAN = BG | dict.fromkeys(COLOURS, .5) | {'cutout': 1.}


def _normal(deviation, u):
  return deviation * 2**.5 * erf_inv(u)


def _log_normal(octaves, u):
  return jnp.exp2(_normal(octaves, u))


def draw(pipe, key, n, p):
  """What is done to n samples.

  Args:
    pipe: {name of SAMPLERS: its probability in p}.
    key: jax key; what is drawn for a name is the same in every pipe.
    n: number of samples.
    p: 0 .. 1, may be traced.

  Returns:
    ({every name of SAMPLERS: parameters [n] or [n, 2]}, bool [n]: whether any
    of BENDS is drawn). The two rotations have 1 - sqrt(1 - p) each, so that
    there is any with p.
  """
  # Without the end, whose normal is infinite.
  uniforms = jax.random.uniform(
      key, (len(SAMPLERS), 3, n), minval=np.nextafter(np.float32(-1), 0))
  found, bent = {}, jnp.zeros(n, bool)
  for name, (dice, *u) in zip(SAMPLERS, uniforms, strict=True):
    nothing, sampler = SAMPLERS[name]
    found[name] = jnp.broadcast_to(nothing, (n, *np.shape(nothing)))
    if name not in pipe:
      continue
    chance = pipe[name] * p
    if name in ('rotate_before', 'rotate_after'):
      chance = 1 - jnp.sqrt(1 - chance)
    drawn = (dice + 1) / 2 < chance
    values = sampler(jnp.stack(u[:np.size(nothing)], -1))
    found[name] = jnp.where(
        drawn.reshape(n, *[1] * np.ndim(nothing)),
        values.reshape(found[name].shape), nothing)
    if name in BENDS:
      bent |= drawn
  return found, bent


def augment(pipe, pyramid, key, strength):
  """A pyramid after a pipe.

  Args:
    pipe: {name of SAMPLERS: its probability in strength}.
    pyramid: tuple of [B, H, W, C] in [-1, 1], coarse to fine. Colours are the
      first three channels, or the first of less than three.
    key: jax key.
    strength: p, 0 .. 1, may be traced; 0 changes no bit.

  Returns:
    The pyramid, not clipped. A picture that is not square is turned by 90
    degrees in its frame, and mirrored where it does not fill it.
  """
  n, height, width = pyramid[-1].shape[:3]
  drawn, bent = draw(pipe, key, n, strength)
  blit, whole = source_maps(drawn, height, width)
  changed = _moved(pyramid, blit)
  if pipe.keys() & BENDS:
    changed = jnp.where(
        bent[:, None, None], _moved_finely(pyramid, whole), changed)
  if pipe.keys() & COLOURS:
    changed = _coloured(changed, *colour_maps(drawn))
  changed = _levels(changed, [x.shape[1:3] for x in pyramid])
  if 'cutout' in pipe:
    x, y = drawn['cutout'].T
    changed = diffaugment.cut_out(changed, *(
        tuple(jnp.round((centre + edge) * side) for edge in (-.25, .25))
        for centre, side in ((y, height), (x, width))))
  return changed


def source_maps(drawn, height, width):
  """Where the content of a point is read: by the blits alone, and by all.

  Args:
    drawn: of `draw`.
    height, width: of the finest level.

  Returns:
    Two [n, 3, 3], affine maps of (x, y, 1), counted from the centre of the
    picture in pixels of the finest level. A transformation changes the picture
    that those before it have made, so its inverse comes before theirs.
  """
  size = np.array([width, height])
  turn = drawn['turn'].astype(int)
  blit = _product(
      _affine(x=(1 - 2 * drawn['flip'], 0, 0)),
      # Of tables, so that it is exact.
      _rotation(jnp.array([1, 0, -1, 0])[turn],
                jnp.array([0, -1, 0, 1])[turn]),
      _shift(-jnp.round(drawn['shift'] * size)))
  shrink, stretch = 1 / drawn['scale'], drawn['stretch']
  before, after = -drawn['rotate_before'], -drawn['rotate_after']
  return blit, _product(
      blit,
      _affine(x=(shrink, 0, 0), y=(0, shrink, 0)),
      _rotation(jnp.cos(before), jnp.sin(before)),
      _affine(x=(1 / stretch, 0, 0), y=(0, stretch, 0)),
      _rotation(jnp.cos(after), jnp.sin(after)),
      _shift(-drawn['slide'] * size))


def _affine(x=(1, 0, 0), y=(0, 1, 0)):
  """[n, 3, 3] of its first two rows, whose entries are scalars or [n]."""
  entries = jnp.broadcast_arrays(
      *(jnp.asarray(entry, jnp.float32) for entry in (*x, *y, 0, 0, 1)))
  return jnp.stack(entries, -1).reshape(-1, 3, 3)


def _rotation(cos, sin):
  return _affine((cos, -sin, 0), (sin, cos, 0))


def _shift(by):
  return _affine((1, 0, by[:, 0]), (0, 1, by[:, 1]))


def _product(*maps):
  return functools.reduce(
      lambda a, b: jnp.matmul(a, b, precision=_HIGHEST), maps)


def _flat(levels):
  """The pixels of all levels, [B, pixels, C]: XLA compiles one of each op."""
  return jnp.concatenate(
      [x.reshape(x.shape[0], -1, x.shape[-1]) for x in levels], 1)


def _levels(flat, shapes):
  """The pyramid of `_flat`; shapes (h, w) of its levels."""
  ends = np.cumsum([h * w for h, w in shapes])[:-1]
  return tuple(x.reshape(x.shape[0], *shape, x.shape[-1]) for x, shape in zip(
      jnp.split(flat, ends, 1), shapes, strict=True))


def _moved(pyramid, source):
  """Read at the pixels themselves; exact where the map meets them; flat."""
  sides = [x.shape[1:3] for x in pyramid]
  grids = [[np.arange(side) - (side - 1) / 2 for side in pair]
           for pair in sides]
  return _read(pyramid, sides, grids, source, _mirrored)


def _moved_finely(pyramid, source):
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

  read = _levels(_read(fine, sides, grids, source, index),
                 [[len(axis) for axis in grid] for grid in grids])
  return _flat([_along_both(x, *map(_halving, pair))
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
  flat = _flat(levels)
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


def colour_maps(drawn):
  """(matrix [n, 3, 3], shift [n, 3]) of colours (r, g, b).

  In order: brightness, contrast, inversion of luma, rotation of hue around
  the axis of greys, saturation away from it.
  """
  one, grey = np.eye(3), np.full((3, 3), 1 / 3)
  quarter = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / 3**.5
  contrast, invert, hue, saturation = (
      drawn[name][:, None, None] for name in COLOURS[1:])
  matrix = _product(
      one + (saturation - 1) * (one - grey),
      one + (1 - jnp.cos(hue)) * (grey - one) + jnp.sin(hue) * quarter,
      one - 2 * invert * grey,
      one * contrast)
  return matrix, matrix.sum(-1) * drawn['brightness'][:, None]


def _coloured(flat, matrix, shift):
  """A grey picture is changed as greys among colours are; alpha stays."""
  count = diffaugment.colours(flat)
  if count == 1:
    matrix, shift = matrix.sum((1, 2), keepdims=True) / 3, shift[:, :1]
  new = jnp.einsum('bij,bpj->bpi', matrix, flat[..., :count],
                   precision=_HIGHEST) + shift[:, None]
  return jnp.concatenate([new, flat[..., count:]], -1)


BATCHES = 4  # of reals from one step of p to the next: sec. 3.1


def start(p):
  """{'p', 'signs', 'count'}: the probability, and what D said since."""
  return {'p': jnp.asarray(p, jnp.float32), 'signs': jnp.zeros(()),
          'count': jnp.zeros(())}


def observe(aux, sign, size):
  """`aux` after D has judged `size` augmented reals, of this mean sign."""
  return aux | {'signs': aux['signs'] + sign * size,
                'count': aux['count'] + size}


def adjust(aux, target, speed_images):
  """`aux` with p a step nearer to what keeps r_t at the target.

  r_t is the mean sign of D at the reals it saw since the last step: 0 where it
  guesses, 1 where it knows them all by heart. Nothing seen moves nothing.

  Args:
    aux: of `start` and `observe`.
    target: of r_t; .6 in the paper.
    speed_images: real images in which p goes from 0 to 1, 500,000 there.

  Source: sec. 3.1.
  """
  said = jnp.sign(aux['signs'] - target * aux['count'])
  return start(jnp.clip(
      aux['p'] + said * aux['count'] / speed_images, 0, 1))

"""ADA: many transformations, as likely as D's overfitting asks for.

A pipe names transformations; each is done to a sample with probability p
(`strength`), alike at all scales. Where p stays below about .8, G learns the
pictures and not the transformations.

All geometric transformations together are one affine map. Where only blits
(flips, turns by 90 degrees, shifts) are drawn, pictures are read at the pixels
themselves, bit for bit at the finest level; otherwise they are read between the
pixels: see warp.py.

The filter and the noise of the paper's 'bgcfnc', which it found to be of little
use, are not here.

Source: Karras et al. 2020 (arXiv:2006.06676), sec. 2 and appendix B.
"""
from collections.abc import Callable, Mapping
import functools
from typing import Any

import jax
from jax.lax import erf_inv
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.gan.objectives import diffaugment, warp
from msg_gan_jax.gan.pyramid import Pyramid

_HIGHEST = jax.lax.Precision.HIGHEST

# {transformation: (parameter that changes nothing, uniform in (-1, 1) ->
# parameter)}, in the paper's order and by its table. Angles are in radians,
# shifts and places (x, y) in sides of the picture, brightness in the unit of
# [-1, 1].
SAMPLERS: dict[str, tuple[Any, Callable[[Any], jax.Array]]] = {
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
# R3GAN's code, train.py, preset CIFAR10.
R3GAN = BG | dict.fromkeys(COLOURS, .5) | {'cutout': 1.}


def _normal(deviation, u):
  return deviation * 2**.5 * erf_inv(u)


def _log_normal(octaves, u):
  return jnp.exp2(_normal(octaves, u))


def draw(pipe: Mapping[str, float], key: jax.Array, n: int,
         p: float | jax.Array) -> tuple[dict[str, jax.Array], jax.Array]:
  """What is done to n samples.

  Args:
    pipe: {name of SAMPLERS: its probability in p}.
    key: jax key; what is drawn for a name is the same in every pipe.
    n: number of samples.
    p: 0 .. 1, may be traced.

  Returns:
    ({every name of SAMPLERS: parameters [n] or [n, 2]}, bool [n]: whether any
    of BENDS is drawn). Each of the two rotations has probability 1 - sqrt(1 -
    p), so that p is that of at least one.
  """
  # -1 itself is left out: its normal is infinite.
  uniforms = jax.random.uniform(
      key, (len(SAMPLERS), 3, n), minval=np.nextafter(np.float32(-1), 0))
  parameters, bent = {}, jnp.zeros(n, bool)
  for name, (dice, *u) in zip(SAMPLERS, uniforms, strict=True):
    nothing, sampler = SAMPLERS[name]
    parameters[name] = jnp.broadcast_to(nothing, (n, *np.shape(nothing)))
    if name not in pipe:
      continue
    chance = pipe[name] * p
    if name in ('rotate_before', 'rotate_after'):
      chance = 1 - jnp.sqrt(1 - chance)
    drawn = (dice + 1) / 2 < chance
    values = sampler(jnp.stack(u[:np.size(nothing)], -1))
    parameters[name] = jnp.where(
        drawn.reshape(n, *[1] * np.ndim(nothing)),
        values.reshape(parameters[name].shape), nothing)
    if name in BENDS:
      bent |= drawn
  return parameters, bent


def augment(pipe: Mapping[str, float], pyramid: Pyramid, key: jax.Array,
            strength: float | jax.Array) -> Pyramid:
  """A pyramid after a pipe.

  Args:
    pipe: {name of SAMPLERS: its probability in strength}.
    pyramid: levels [B, H, W, C] in [-1, 1], coarse to fine. Colours are the
      first three channels, or the first where there are fewer than three.
    key: of everything drawn at random.
    strength: p, 0 .. 1, may be traced; 0 changes no bit.

  Returns:
    The pyramid, not clipped. A picture that is not square is turned by 90
    degrees in its frame, and mirrored where it does not fill it.

  Source: Karras et al. 2020 (arXiv:2006.06676), appendix B.
  """
  n, height, width = pyramid[-1].shape[:3]
  drawn, bent = draw(pipe, key, n, strength)
  blit, whole = source_maps(drawn, height, width)
  changed = warp.move(pyramid, blit)
  if pipe.keys() & BENDS:
    changed = jnp.where(
        bent[:, None, None], warp.move_finely(pyramid, whole), changed)
  if pipe.keys() & COLOURS:
    changed = _coloured(changed, *colour_maps(drawn))
  levels = warp.unflatten(changed, [x.shape[1:3] for x in pyramid])
  if 'cutout' in pipe:
    x, y = drawn['cutout'].T
    levels = diffaugment.cut_out(
        levels, _half_box(y, height), _half_box(x, width))
  return levels


def _half_box(centre, side):
  """(start, stop) of half a side, [n] each, around centres in sides."""
  return tuple(jnp.round((centre + edge) * side) for edge in (-.25, .25))


def source_maps(drawn: Mapping[str, jax.Array], height: int,
                width: int) -> tuple[jax.Array, jax.Array]:
  """Where the content of a point is read: by the blits alone, and by all.

  Args:
    drawn: parameters, as `draw` gives them.
    height, width: of the finest level.

  Returns:
    Two [n, 3, 3], affine maps of (x, y, 1), counted from the centre of the
    picture in pixels of the finest level. A transformation changes the picture
    that those before it have made, so that its inverse comes before theirs.
  """
  size = np.array([width, height])
  turn = drawn['turn'].astype(int)
  blit = _product(
      _affine(x=(1 - 2 * drawn['flip'], 0, 0)),
      # From tables, so that it is exact.
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
  """[n, 3, 3] from the first two rows, whose entries are scalars or [n]."""
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


def colour_maps(
    drawn: Mapping[str, jax.Array]) -> tuple[jax.Array, jax.Array]:
  """(matrix [n, 3, 3], shift [n, 3]) that change colours (r, g, b).

  In order: brightness, contrast, inversion of luma, rotation of hue around
  the axis of greys, saturation away from it.
  """
  identity, grey = np.eye(3), np.full((3, 3), 1 / 3)
  quarter = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / 3**.5
  contrast, invert, hue, saturation = (
      drawn[name][:, None, None] for name in COLOURS[1:])
  matrix = _product(
      identity + (saturation - 1) * (identity - grey),
      identity + (1 - jnp.cos(hue)) * (grey - identity)
      + jnp.sin(hue) * quarter,
      identity - 2 * invert * grey,
      identity * contrast)
  return matrix, matrix.sum(-1) * drawn['brightness'][:, None]


def _coloured(flat, matrix, shift):
  """Pixels [B, n, C] with other colours; alpha stays.

  A grey picture is changed like the greys of a picture with colours.
  """
  count = diffaugment.colours(flat)
  if count == 1:
    matrix, shift = matrix.sum((1, 2), keepdims=True) / 3, shift[:, :1]
  new = jnp.einsum('bij,bpj->bpi', matrix, flat[..., :count],
                   precision=_HIGHEST) + shift[:, None]
  return jnp.concatenate([new, flat[..., count:]], -1)

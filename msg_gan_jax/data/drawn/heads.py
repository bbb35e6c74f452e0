"""Paints cartoon heads from their factors.

Every part is a function (canvas, head) that paints one feature; the table at
the foot names the part for each value of a factor. Lengths are in half frames:
the chin is .62 below the middle, the crown .64 above it.
"""
from collections.abc import Mapping
import types
from typing import Any

import numpy as np

from msg_gan_jax.data.drawn import hair, palette, shapes, worn

# Half width, top, bottom, square and taper of `shapes.egg`.
SHAPES = {
    'oval': (.51, .64, .62, .0, .0),
    'round': (.57, .62, .59, .2, .0),
    'square': (.52, .63, .61, .7, .0),
    'heart': (.55, .64, .66, .1, .75),
}


class Heads(types.SimpleNamespace):
  """What painting needs: codes [n], colours [n, 3], lengths [n, 1, 1]."""

  def only(self, who: np.ndarray) -> 'Heads':
    """Returns the heads `who`, int [m]."""
    return Heads(**{name: v[who] for name, v in vars(self).items()})

  def skull(self, x: np.ndarray, y: np.ndarray, wider: float = 0.,
            higher: float = 0.) -> np.ndarray:
    """Distance to the outline of the head without hair and ears."""
    return shapes.egg(x, y, self.a + wider, self.top + higher,
                      self.bottom + wider, self.square, self.taper)

  def eye_x(self, x: np.ndarray) -> np.ndarray:
    """Measures x from the middle of the nearer eye, not mirrored."""
    return x - np.where(x < 0, -1, 1).astype(np.float32) * self.eye_spacing


def paint(factors: Mapping[str, np.ndarray], resolution: int) -> np.ndarray:
  """Paints heads.

  Args:
    factors: as `avatars.factors_at` returns them, each [n].
    resolution: pixels a side.

  Returns:
    uint8 [n, resolution, resolution, 3].
  """
  # Below 32 pixels eyes are smaller than a pixel, so that a larger picture is
  # painted and averaged.
  over = -(-32 // resolution)
  head = _heads(factors)
  canvas = shapes.Canvas(
      head.background, resolution * over, factors['shift_x'],
      factors['shift_y'], factors['facing'] == 1)
  for name, parts in PARTS:
    if name is None:
      parts(canvas, head)
      continue
    code = getattr(head, name)
    for value, part in enumerate(parts.values()):
      who = np.flatnonzero(code == value)
      if part is not None and len(who):
        part(canvas.only(who), head.only(who))
  return canvas.pixels(over)


def _heads(factors):
  number = {name: v[:, None, None] for name, v in factors.items()
            if v.dtype == np.float32}
  colour = {name: rows[factors[name]] for name, rows in palette.PALETTE.items()}
  a, top, bottom, square, taper = np.asarray(
      list(SHAPES.values()), np.float32)[factors['head']].T[:, :, None, None]
  skin, hairs = colour['skin'], colour['hair_colour']
  # A beanie or a cap hides the hair above its brim; -9 is out of sight.
  brim = np.asarray([-9, -.36, -.36, -9], np.float32)[factors['hat']]
  # A line cannot be seen on a full beard or a goatee, but lips can.
  lips = np.asarray([False, True, False, True])[factors['beard']]
  return Heads(
      **colour, **number,
      **{name: factors[name] for name, _ in PARTS if name},
      a=a * number['head_width'], top=top, bottom=bottom, square=square,
      taper=taper,
      shade=skin * palette.rgb('dfb9b4')[0],
      line=skin * palette.rgb('70404a')[0],
      blush=.55 * skin + .45 * palette.rgb('f0506a')[0],
      dark_hair=hairs * np.float32(.78),
      brow=hairs * np.float32(.62),
      brim=brim[:, None, None],
      mouth_line=np.where(lips[:, None], palette.rgb('f0a196')[0],
                          skin * palette.rgb('602c3a')[0]))


# Behind the head.


def _halo(canvas, head):
  canvas.fill(head.background + (1 - head.background) * np.float32(.45),
              lambda x, y: shapes.ellipse(x, y, .86, .86))


def _body(canvas, head):
  canvas.fill(head.shirt, lambda x, y: shapes.egg(
      x, y - 1.3, .80, .56, .5, .45), (.85, .7, 1.1))

  def neck(x, y):
    return shapes.union(shapes.box(x, y - .5, .18, .38, .1),
                        shapes.ellipse(x, y - .76, .26, .14))

  frame = (.3, .4, .95)
  canvas.fill(head.skin, neck, frame)
  canvas.fill(head.shade, lambda x, y: shapes.both(
      neck(x, y), head.skull(x, y - .1)), frame)


def _ears(canvas, head):
  place = head.a - .01
  frame = (.78, -.1, .26)
  canvas.fill(head.skin, lambda x, y: shapes.ellipse(
      np.abs(x) - place, y - .08, .115, .145), frame)
  canvas.fill(head.shade, lambda x, y: shapes.ellipse(
      np.abs(x) - place - .03, y - .08, .045, .08), frame)


def _face(canvas, head):
  canvas.fill(head.skin, lambda x, y: head.skull(x, y),
              (.7, -.75, .75))


def _nose(canvas, head):
  canvas.fill(head.shade, lambda x, y: shapes.ellipse(
      x - .02 * head.gaze, y - .2, .065, .05), (.12, .1, .3))


def _cheeks(canvas, head):
  canvas.fill(head.blush, lambda x, y: shapes.ellipse(
      np.abs(x) - .31, y - .27, .1, .075), (.45, .15, .38), .75)


# The face.


_EYES = (.48, -.25, .3)


def _eyeball(canvas, head, a=.135, b=.15, iris=.095):
  def white(x, y):
    return shapes.ellipse(head.eye_x(x), y - .03, a, b)

  def ball(size, dx=0., dy=0.):
    return lambda x, y: shapes.ellipse(
        head.eye_x(x) - .035 * head.gaze - dx, y - .035 - dy, size, size)
  canvas.fill(head.line, lambda x, y: white(x, y + .02) - .018, _EYES)
  canvas.fill(palette.WHITE, white, _EYES)
  canvas.fill(head.eye_colour, ball(iris), _EYES)
  canvas.fill(palette.INK, ball(iris * .58), _EYES)
  canvas.fill(palette.WHITE, ball(.026, .03, -.035), _EYES)


def _eyes_round(canvas, head):
  _eyeball(canvas, head)


def _eyes_wide(canvas, head):
  _eyeball(canvas, head, .165, .185, .075)


def _eyes_dots(canvas, head):
  canvas.fill(palette.INK, lambda x, y: shapes.ellipse(
      head.eye_x(x) - .015 * head.gaze, y - .04, .078, .1), _EYES)
  canvas.fill(palette.WHITE, lambda x, y: shapes.ellipse(
      head.eye_x(x) - .015 * head.gaze - .02, y - .01, .022, .022), _EYES)


def _eyes_sleepy(canvas, head):
  _eyeball(canvas, head)
  canvas.fill(head.shade, lambda x, y: shapes.both(
      shapes.ellipse(head.eye_x(x), y - .03, .15, .165), y - .02), _EYES)
  canvas.line(head.line, lambda x, y: shapes.curve(
      head.eye_x(x), y - .02, .14, lambda x: 0 * x), .045, _EYES)


def _smiling_eye(x, y):
  return shapes.curve(x, y, .11, lambda x: -.03 + 7. * x * x)


def _eyes_happy(canvas, head):
  canvas.line(palette.INK, lambda x, y: _smiling_eye(head.eye_x(x), y), .07,
              _EYES)


_BROWS = (.5, -.36, -.04)


def _brow(slope, bend=0., height=0.):
  """Makes brows: slope > 0 drops outwards, bend > 0 arches."""
  def part(canvas, head):
    canvas.line(head.brow, lambda x, y: shapes.curve(
        np.abs(x) - head.eye_spacing, y + .21 + height, .125,
        lambda x: slope * x + bend * x * x), .07, _BROWS)
  return part


# The mouth.

_MOUTH = (.34, .28, .56)


def _mouth_line(bend, half_width=.19, height=.4, slope=0.):
  def part(canvas, head):
    canvas.line(head.mouth_line, lambda x, y: shapes.curve(
        x, y - height, half_width * head.mouth_width,
        lambda x: slope * x + bend * (.015 - x * x)), .07, _MOUTH)
  return part


def _grin(canvas, head):
  def mouth(x, y):
    return shapes.both(shapes.below(x, y, lambda x: .325 + .25 * x * x),
                       shapes.ellipse(x, y - .33, .25 * head.mouth_width, .19))
  canvas.fill(palette.rgb('6b1f30')[0], mouth, _MOUTH)
  canvas.fill(palette.WHITE, lambda x, y: shapes.both(
      mouth(x, y) + .018, y - .405), _MOUTH)
  canvas.fill(palette.rgb('ec6f77')[0], lambda x, y: shapes.both(
      mouth(x, y) + .018, shapes.ellipse(x, y - .52, .13, .07)), _MOUTH)


def _gasp(canvas, head):
  canvas.fill(palette.rgb('6b1f30')[0], lambda x, y: shapes.ellipse(
      x, y - .42, .1 * head.mouth_width, .115), _MOUTH)
  canvas.fill(palette.rgb('ec6f77')[0], lambda x, y: shapes.both(
      shapes.ellipse(x, y - .42, .08 * head.mouth_width, .095),
      .47 - y), _MOUTH)


# Beards, under the mouth.


def _full_beard(canvas, head):
  def edge(x):
    return .27 - .75 * shapes.ramp(np.abs(x), .16, .75)
  canvas.fill(head.dark_hair, lambda x, y: shapes.both(
      head.skull(x, y, .035), shapes.below(x, y, edge)),
              (.75, -.25, .78))


def _moustache(canvas, head):
  canvas.fill(head.dark_hair, lambda x, y: shapes.both(
      shapes.ellipse(np.abs(x) - .12, y - .3, .16, .085),
      shapes.below(x, y, lambda x: .2 + .25 * np.abs(x))),
              (.32, .15, .42))


def _goatee(canvas, head):
  canvas.fill(head.dark_hair, lambda x, y: shapes.ellipse(
      x, y - .48, .22, .22), (.3, .2, .75))


# From back to front: (factor, {value: part}), the values in the order of
# avatars.FACTORS; or (None, part) for what every head has.
PARTS: tuple[tuple[str | None, Any], ...] = (
    (None, _halo),
    ('hair_style', hair.BEHIND),
    (None, _body),
    (None, _ears),
    (None, _face),
    ('cheeks', {'plain': None, 'rosy': _cheeks}),
    (None, _nose),
    ('beard', {'none': None, 'full': _full_beard, 'moustache': _moustache,
               'goatee': _goatee}),
    ('mouth', {
        'smile': _mouth_line(2.6), 'grin': _grin,
        'flat': _mouth_line(0., .13), 'frown': _mouth_line(-2.6, height=.42),
        'gasp': _gasp, 'smirk': _mouth_line(1.5, .14, slope=-.3)}),
    ('eyes', {
        'round': _eyes_round, 'wide': _eyes_wide, 'dots': _eyes_dots,
        'sleepy': _eyes_sleepy, 'happy': _eyes_happy}),
    ('hair_style', hair.ON_TOP),
    ('brows', {
        'flat': _brow(0., 1.), 'raised': _brow(0., 4., .07),
        'angry': _brow(-.45), 'worried': _brow(.45)}),
    ('earrings', {'none': None, 'gold': worn.earrings}),
    ('glasses', {
        'none': None,
        'round': worn.glasses(lambda x, y: shapes.ellipse(x, y, .19, .19)),
        'square': worn.glasses(lambda x, y: shapes.box(x, y, .19, .155, .05)),
        'shades': worn.shades}),
    ('hat', {'none': None, 'beanie': worn.beanie, 'cap': worn.cap,
             'crown': worn.crown}),
)

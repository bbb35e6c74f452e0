"""Paints hair: what hangs behind a head, and what lies on top of it."""
from collections.abc import Callable
from typing import Any

import numpy as np

from msg_gan_jax.data.drawn import shapes


def _behind(canvas, head, shape, frame=None, colour=None):
  colour = head.dark_hair if colour is None else colour
  canvas.fill(colour, lambda x, y: shapes.both(
      shape(x, y), head.brim - y), frame)


def _on_top(canvas, head, hairline, low=.2, wider=.045, higher=.1, more=None):
  """Paints hair above y = hairline(x), with its shadow on the skin.

  Args:
    canvas, head: see heads.paint.
    hairline: x -> y.
    low: how far down the hairline comes.
    wider, higher: how far the hair stands out beyond the skull.
    more: (x, y) -> distance to hair beyond the skull.
  """
  frame = (.75, -1, low + .1)

  def shadow(x, y):
    return shapes.both(head.skull(x, y),
                       -shapes.below(x, y - .05, hairline))

  def hair(x, y):
    cap = shapes.both(head.skull(x, y, wider, higher),
                      -shapes.below(x, y, hairline))
    cap = cap if more is None else shapes.union(cap, more(x, y))
    return shapes.both(cap, head.brim - y)

  canvas.fill(head.shade, shadow, frame)
  canvas.fill(head.hair_colour, hair, frame)


def _temples(head, x, width=.1, depth=.4):
  """Returns how far a hairline comes down beside the face."""
  edge = head.a - width
  return depth * shapes.ramp(np.abs(x), edge - .06, edge + .06)


def _crop(canvas, head):
  _on_top(canvas, head, lambda x: -.38 + _temples(head, x, .09, .42), .1)


def _side(canvas, head):
  def hairline(x):
    sweep = shapes.ramp(x, -.3, .45)
    return (-.5 + .34 * sweep * (2 - sweep) + .12 * shapes.ramp(-x, .3, .5)
            + _temples(head, x, .08, .3))
  _on_top(canvas, head, hairline, .3, .06, .16)


def _bob_back(canvas, head):
  _behind(canvas, head, lambda x, y: shapes.box(
      x, y + .02, head.a + .15, .64, .42), (.9, -.8, .75))


def _bob(canvas, head):
  _on_top(canvas, head,
          lambda x: -.2 + .1 * x * x + _temples(head, x, .06, .55), .45, .1)


def _long_back(canvas, head):
  _behind(canvas, head, lambda x, y: shapes.box(
      x, y - .45, head.a + .17, 1.15, .5))


def _long(canvas, head):
  _on_top(canvas, head,
          lambda x: -.56 + 1.0 * np.abs(x) + _temples(head, x, .06, .5), .6,
          .08)


_CURLS = ((0, -.72), (.36, -.64), (.62, -.4), (.72, -.08), (.64, .2))


def _afro_back(canvas, head):
  def curls(x, y):
    ring = [shapes.ellipse(np.abs(x) - cx, y - cy, .23, .23)
            for cx, cy in _CURLS]
    return shapes.union(shapes.ellipse(x, y + .12, .68, .62), *ring)
  _behind(canvas, head, curls, (1, -1, .5), head.hair_colour)


def _afro(canvas, head):
  _on_top(canvas, head, lambda x: (
      -.4 + .06 * shapes.zigzag(x, .22) + _temples(head, x, .06, .4)), .2)


def _bun_back(canvas, head):
  _behind(canvas, head, lambda x, y: shapes.ellipse(
      x, y + .78, .24, .2), (.3, -1, -.5))


def _bun(canvas, head):
  _on_top(canvas, head, lambda x: -.48 + .9 * x * x, .1, .03, .08)


def _spiky(canvas, head):
  def spikes(x, y):
    return shapes.both(
        shapes.below(x, y, lambda x: (
            -.68 + 1. * x * x - .26 * shapes.zigzag(x + .14, .28))),
        y + .2, np.abs(x) - head.a - .06)
  _on_top(canvas, head, lambda x: (
      -.42 + .16 * shapes.zigzag(x, .25) + _temples(head, x, .07, .3)), .2,
          more=spikes)


def _pigtails_back(canvas, head):
  _behind(canvas, head, lambda x, y: shapes.ellipse(
      np.abs(x) - head.a - .2, y - .16, .2, .36), (1, -.25, .6))


def _pigtails(canvas, head):
  _on_top(canvas, head, lambda x: (
      -.52 + .75 * np.abs(x) + _temples(head, x, .04, .2)), .2)
  canvas.fill(head.accent, lambda x, y: shapes.ellipse(
      np.abs(x) - head.a - .12, y + .12, .1, .09), (.9, -.3, 0))


def _mohawk(canvas, head):
  canvas.fill(.6 * head.skin + .4 * head.dark_hair,
              lambda x, y: shapes.both(
                  head.skull(x, y),
                  y + .3 - _temples(head, x, .1, .3)), (.7, -.8, .1))
  canvas.fill(head.hair_colour, lambda x, y: shapes.both(shapes.box(
      x, y + .62, .15, .34, .12), head.brim - y), (.2, -1, -.2))


# In the order of the values of hair_style in avatars.CATEGORICAL.
Part = Callable[[shapes.Canvas, Any], None]
BEHIND: dict[str, Part | None] = {
    'bald': None, 'crop': None, 'side': None, 'bob': _bob_back,
    'long': _long_back, 'afro': _afro_back, 'bun': _bun_back, 'spiky': None,
    'pigtails': _pigtails_back, 'mohawk': None}
ON_TOP: dict[str, Part | None] = {
    'bald': None, 'crop': _crop, 'side': _side, 'bob': _bob, 'long': _long,
    'afro': _afro, 'bun': _bun, 'spiky': _spiky, 'pigtails': _pigtails,
    'mohawk': _mohawk}

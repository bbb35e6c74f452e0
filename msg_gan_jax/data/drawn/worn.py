"""Paints what a head wears: glasses, hats, earrings.

A part is a function (canvas, head) that paints on shapes.Canvas what
heads.Heads says.
"""
from collections.abc import Callable
from typing import Any

import numpy as np

from msg_gan_jax.data.drawn import palette, shapes


def glasses(lens: shapes.Shape) -> Callable[[shapes.Canvas, Any], None]:
  """Makes the part for glasses whose lenses have a shape."""
  def part(canvas, head):
    frame = (.6, -.25, .32)
    canvas.line(palette.INK, lambda x, y: lens(
        np.abs(x) - head.eye_spacing, y - .04), .05, frame)
    canvas.line(palette.INK, lambda x, y: shapes.curve(
        x, y - .01, head.eye_spacing - .19, lambda x: x * x), .05, frame)
  return part


def shades(canvas: shapes.Canvas, head: Any) -> None:
  frame = (.75, -.25, .32)

  def lens(x, y):
    return shapes.egg(np.abs(x) - head.eye_spacing, y + .06, .2, .06, .22, .4)

  def shine(x, y):
    slanted = np.abs(head.eye_x(x) + .6 * y + .05)
    return shapes.both(lens(x, y) + .04, slanted - .03)

  canvas.line(palette.INK, lambda x, y: shapes.curve(
      x, y + .06, head.a, lambda x: 0 * x), .07, frame)
  canvas.fill(palette.INK, lens, frame)
  canvas.fill(palette.WHITE, shine, frame, .35)


def _dome(canvas, head, brim, top):
  """The crown of a hat over the hair, cut off at y = brim."""
  canvas.fill(head.accent, lambda x, y: shapes.both(
      shapes.egg(x, y + .3, head.a + .07, top, .3, .35), y - brim),
              (.75, -1, brim + .05))


def beanie(canvas: shapes.Canvas, head: Any) -> None:
  canvas.fill(palette.WHITE, lambda x, y: shapes.ellipse(x, y + .82, .15, .14),
              (.2, -1, -.7))
  _dome(canvas, head, -.3, .5)
  canvas.fill(head.accent * np.float32(.72), lambda x, y: shapes.box(
      x, y + .34, head.a + .08, .1, .08), (.75, -.5, -.2))


def cap(canvas: shapes.Canvas, head: Any) -> None:
  _dome(canvas, head, -.34, .5)
  canvas.fill(head.accent * np.float32(.72), lambda x, y: shapes.both(
      shapes.ellipse(x, y + .32, head.a + .16, .17),
      shapes.below(x, y, lambda x: -.42 + .22 * x * x)),
              (.85, -.5, -.1))
  canvas.fill(palette.WHITE, lambda x, y: shapes.ellipse(x, y + .6, .11, .11),
              (.15, -.75, -.45))


def crown(canvas: shapes.Canvas, head: Any) -> None:
  canvas.fill(palette.GOLD, lambda x, y: shapes.both(
      shapes.below(x, y, lambda x: -.66 - .26 * shapes.zigzag(x + .13, .26)),
      y + .52 - .12 * x * x, np.abs(x) - .39), (.45, -1, -.45))
  canvas.fill(head.accent, lambda x, y: shapes.ellipse(
      np.abs(np.abs(x) - .13) - .13, y + .6, .05, .05), (.4, -.7, -.5))


def earrings(canvas: shapes.Canvas, head: Any) -> None:
  canvas.fill(palette.GOLD, lambda x, y: shapes.ellipse(
      np.abs(x) - head.a - .04, y - .26, .06, .06), (.85, .1, .4))

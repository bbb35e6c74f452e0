"""Computes signed distances, and paints them with smooth edges on a canvas.

A distance is negative inside. Coordinates x [n, 1, w] and y [n, h, 1] stay
apart as long as they can, since most of the arithmetic then is on rows and
columns and not on pixels. Only + - * / and sqrt touch a pixel: IEEE rounds
these exactly, so a picture is the same on every machine and in every batch.
"""
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
Length = float | np.ndarray  # In half frames, or [n, 1, 1].
Shape = Callable[[Array, Array], Array]  # (x, y) -> distance.
Graph = Callable[[Array], Array]  # x -> y.

_TINY = np.float32(1e-12)  # Keeps 0 / 0 out of the middle of a shape.


def ellipse(x: Array, y: Array, a: Length, b: Length) -> Array:
  """Distance to x²/a² + y²/b² = 1: exact for circles, else to first order."""
  u, v = (x / a)**2 + _TINY, (y / b)**2
  k = np.sqrt(u + v)
  return k * (k - 1) / np.sqrt(u / (a * a) + v / (b * b))


def egg(x: Array, y: Array, a: Length, top: Length, bottom: Length,
        square: Length = 0., taper: Length = 0.) -> Array:
  """Distance to a head: two half ovals that meet at y = 0, to first order.

  Args:
    x, y: coordinates, such as [n, 1, w] and [n, h, 1].
    a, top, bottom: half width, height above 0 and depth below it.
    square: 0 is an ellipse; 1 has flat sides and full corners (x⁴ + y⁴ = 1).
    taper: below y = 0, how much of y² becomes |y|^1.5, which makes sides that
      fall off to a narrow chin.
  """
  below = (y > 0).astype(np.float32)
  b = top + (bottom - top) * below
  taper = taper * below
  u, v = x / a, np.abs(y) / b
  root = np.sqrt(v)
  u2, v2 = u * u, v * v
  f = (1 - square) * u2 + square * u2 * u2
  g = (1 - square - taper) * v2 + taper * v * root + square * v2 * v2
  f_slope = (2 * (1 - square) * u + 4 * square * u * u2) / a
  g_slope = (2 * (1 - square - taper) * v + 1.5 * taper * root
             + 4 * square * v * v2) / b
  return (f + g - 1) / (np.sqrt(f_slope**2 + g_slope**2) + _TINY)


def box(x: Array, y: Array, a: Length, b: Length,
        radius: Length = 0.) -> Array:
  """Distance to a rectangle of half sides a and b with rounded corners."""
  u, v = np.abs(x) - (a - radius), np.abs(y) - (b - radius)
  outside = np.sqrt(np.maximum(u, 0)**2 + np.maximum(v, 0)**2)
  return outside + np.minimum(np.maximum(u, v), 0) - radius


def below(x: Array, y: Array, graph: Graph) -> Array:
  """Distance to the region under y = graph(x), where y grows downwards.

  Args:
    x, y: coordinates.
    graph: a function of x alone with moderate bends; its slope is measured.
  """
  step = np.float32(1 / 256)
  slope = (graph(x + step) - graph(x - step)) / (2 * step)
  return (graph(x) - y) / np.sqrt(1 + slope * slope)


def curve(x: Array, y: Array, half_width: Length, graph: Graph) -> Array:
  """Distance, never negative, to y = graph(x) over |x| <= half_width."""
  step = np.float32(1 / 256)
  near = np.clip(x, -half_width, half_width)
  slope = (graph(near + step) - graph(near - step)) / (2 * step)
  rise = (y - graph(near)) / np.sqrt(1 + slope * slope)
  return np.sqrt((x - near)**2 + rise * rise)


def union(*distances: Array) -> Array:
  """Distance to whatever is in any of several shapes."""
  nearest = distances[0]
  for other in distances[1:]:
    nearest = np.minimum(nearest, other)
  return nearest


def both(*distances: Array) -> Array:
  """Distance to what is in all of several shapes."""
  farthest = distances[0]
  for other in distances[1:]:
    farthest = np.maximum(farthest, other)
  return farthest


def zigzag(x: Array, period: float) -> Array:
  """Triangle wave: 0 at multiples of the period, 1 half way between."""
  turns = x / period
  return 2 * np.abs(turns - np.floor(turns + np.float32(.5)))


def ramp(x: Array, low: Length, high: Length) -> Array:
  """Returns 0 below low, 1 above high, and a straight line between."""
  return np.clip((x - low) / (high - low), 0, 1)


class Canvas:
  """Paints n square pictures at once.

  Args:
    ground: float32 [n, 3], the colours of the empty pictures in 0..1.
    resolution: pixels a side.
    x, y: float32 [n], where each picture has its origin; it spans [-1, 1]²
      with y downwards.
    mirror: bool [n], where x grows to the left.

  Attributes:
    planes: float32 [3, n, resolution, resolution].
    pixel: the side of a pixel, over which edges fade.
  """

  def __init__(self, ground: Array, resolution: int, x: Array, y: Array,
               mirror: Array) -> None:
    self.pixel = np.float32(2 / resolution)
    centres = (np.arange(resolution, dtype=np.float32) + np.float32(.5)
               ) * self.pixel - 1
    self.x = centres[None, None, :] - x[:, None, None]
    self.x *= np.where(mirror, -1, 1).astype(np.float32)[:, None, None]
    self.y = centres[None, :, None] - y[:, None, None]
    self.origin = x, y
    self.planes = np.empty((3, len(ground), resolution, resolution), np.float32)
    self.planes[...] = ground.T[:, :, None, None]
    self.who: slice | Array = slice(None)

  def only(self, who: Array) -> 'Canvas':
    """Returns a canvas of the pictures `who` (int [m]) of this one."""
    part = Canvas.__new__(Canvas)
    part.pixel, part.planes = self.pixel, self.planes
    part.x, part.y = self.x[who], self.y[who]
    part.origin = self.origin[0][who], self.origin[1][who]
    part.who = who if isinstance(self.who, slice) else self.who[who]
    return part

  def fill(self, colour: Array, shape: Shape, frame: tuple | None = None,
           opacity: Length = 1.) -> None:
    """Paints the inside of a shape.

    Args:
      colour: float32 [n, 3] or [3].
      shape: (x, y) -> distance.
      frame: (half width, top, bottom) around the shape: pixels outside are not
        computed. None is the whole picture.
      opacity: a number, or [n, 1, 1].
    """
    rows, columns = self._cut(frame)
    distance = shape(self.x[:, :, columns], self.y[:, rows])
    cover = np.clip(.5 - distance / self.pixel, 0, 1)
    self._blend(colour, cover * opacity, rows, columns)

  def line(self, colour: Array, path: Shape, width: float,
           frame: tuple | None = None) -> None:
    """Paints a line along a path.

    What lies beyond the far edge of the line is subtracted, so that lines
    thinner than a pixel get as pale as they should.

    Args:
      colour: float32 [n, 3] or [3].
      path: (x, y) -> distance, whose sign is ignored.
      width: of the line.
      frame: as for `fill`.
    """
    rows, columns = self._cut(frame)
    distance = np.abs(path(self.x[:, :, columns], self.y[:, rows])) / self.pixel
    half = width / (2 * self.pixel)
    cover = (np.clip(.5 + half - distance, 0, 1)
             - np.clip(.5 - half - distance, 0, 1))
    self._blend(colour, cover, rows, columns)

  def pixels(self, over: int = 1) -> Array:
    """Returns uint8 [n, h, w, 3], means of over² pixels of the canvas each."""
    planes: Any = sum(
        self.planes[:, :, i::over, j::over]
        for i in range(over) for j in range(over))
    return np.moveaxis(
        (planes * (255 / over**2) + np.float32(.5)).astype(np.uint8), 0, -1)

  def _cut(self, frame):
    if frame is None:
      return slice(None), slice(None)
    width, top, bottom = frame
    x, y = self.origin
    return (self._span(y.min() + top, y.max() + bottom),
            self._span(x.min() - width, x.max() + width))

  def _span(self, low, high):
    """Returns the pixels that low..high can touch, and one more."""
    first, last = (low + 1) / self.pixel - 1, (high + 1) / self.pixel + 2
    return slice(max(int(first), 0), max(int(last), 0))

  def _blend(self, colour, cover, rows, columns):
    colour = np.broadcast_to(colour, (self.x.shape[0], 3))
    for plane, value in zip(self.planes, colour.T, strict=True):
      # It is a view if `who` is a slice, and a copy if not.
      part = plane[self.who, rows, columns]
      part += cover * (value[:, None, None] - part)
      if not isinstance(self.who, slice):
        plane[self.who, rows, columns] = part

"""Signed distances, and a canvas that turns them into smooth edges.

A distance is negative inside. Coordinates x [n, 1, w] and y [n, h, 1] stay
apart as long as they can, since most of the arithmetic then is on rows and
columns and not on pixels. Only + - * / and sqrt touch a pixel: IEEE rounds
these exactly, so a picture is the same on every machine and in every batch.
"""
import numpy as np

_TINY = np.float32(1e-9)  # Keeps 0 / 0 out of the middle of a shape.


def ellipse(x, y, a, b):
  """Distance to x²/a² + y²/b² = 1; exact for circles, else to first order."""
  u, v = (x / a)**2, (y / b)**2
  k = np.sqrt(u + v)
  slope = np.sqrt(u / (a * a) + v / (b * b)) + _TINY
  return np.where(k > 0, k * (k - 1) / slope, -np.minimum(a, b))


def egg(x, y, a, top, bottom, square=0., taper=0.):
  """Distance to a head: two half ovals that meet at y = 0, to first order.

  Args:
    a, top, bottom: half width, height above 0 and depth below it.
    square: 0 is an ellipse; 1 has flat sides and full corners (x⁴ + y⁴ = 1).
    taper: below 0, how far y² gives way to |y|^1.5: sides that fall off to a
      narrow chin.
  """
  below = y > 0
  b = np.where(below, bottom, top)
  taper = np.where(below, taper, 0)
  u, v = x / a, np.abs(y) / b
  root = np.sqrt(v)
  f = (1 - square) * u**2 + square * u**4
  g = (1 - square - taper) * v**2 + taper * v * root + square * v**4
  f_slope = (2 * (1 - square) * u + 4 * square * u**3) / a
  g_slope = (2 * (1 - square - taper) * v + 1.5 * taper * root
             + 4 * square * v**3) / b
  return (f + g - 1) / (np.sqrt(f_slope**2 + g_slope**2) + _TINY)


def box(x, y, a, b, radius=0.):
  """Distance to a rectangle of half sides a, b with rounded corners."""
  u, v = np.abs(x) - (a - radius), np.abs(y) - (b - radius)
  outside = np.sqrt(np.maximum(u, 0)**2 + np.maximum(v, 0)**2)
  return outside + np.minimum(np.maximum(u, v), 0) - radius


def below(x, y, graph):
  """Distance to the region under y = graph(x); y grows downwards.

  graph: a function of x alone with moderate bends; its slope is measured.
  """
  step = np.float32(1 / 256)
  slope = (graph(x + step) - graph(x - step)) / (2 * step)
  return (graph(x) - y) / np.sqrt(1 + slope * slope)


def curve(x, y, half_width, graph):
  """Distance, never negative, to y = graph(x) over |x| <= half_width."""
  step = np.float32(1 / 256)
  near = np.clip(x, -half_width, half_width)
  slope = (graph(near + step) - graph(near - step)) / (2 * step)
  rise = (y - graph(near)) / np.sqrt(1 + slope * slope)
  return np.sqrt((x - near)**2 + rise * rise)


def union(*distances):
  """Distance to whatever is in any of them."""
  found = distances[0]
  for other in distances[1:]:
    found = np.minimum(found, other)
  return found


def both(*distances):
  """Distance to what is in all of them."""
  found = distances[0]
  for other in distances[1:]:
    found = np.maximum(found, other)
  return found


def zigzag(x, period):
  """A triangle wave: 0 at multiples of the period, 1 half way between."""
  turns = x / period
  return 2 * np.abs(turns - np.floor(turns + np.float32(.5)))


def ramp(x, low, high):
  """0 below low, 1 above high, a straight line between."""
  return np.clip((x - low) / (high - low), 0, 1)


class Canvas:
  """n square pictures in the making.

  Args:
    ground: float32 [n, 3], the colours of the empty pictures in 0..1.
    resolution: pixels a side.
    x, y: float32 [n], where each picture has its origin; the frame is
      [-1, 1]² with y downwards.

  Attributes:
    planes: float32 [3, n, resolution, resolution].
    pixel: the side of a pixel, over which edges fade.
  """

  def __init__(self, ground, resolution, x, y):
    self.pixel = np.float32(2 / resolution)
    centres = (np.arange(resolution, dtype=np.float32) + np.float32(.5)
               ) * self.pixel - 1
    self.x = centres[None, None, :] - x[:, None, None]
    self.y = centres[None, :, None] - y[:, None, None]
    self.planes = np.empty((3, len(ground), resolution, resolution), np.float32)
    self.planes[...] = ground.T[:, :, None, None]
    self.who = slice(None)

  def only(self, who):
    """A canvas that paints on the pictures `who` (int [m]) of this one."""
    part = Canvas.__new__(Canvas)
    part.pixel, part.planes = self.pixel, self.planes
    part.x, part.y = self.x[who], self.y[who]
    part.who = who if isinstance(self.who, slice) else self.who[who]
    return part

  def fill(self, colour, shape, frame=None, opacity=1.):
    """Paint the inside of a shape.

    Args:
      colour: float32 [n, 3] or [3].
      shape: (x, y) -> distance.
      frame: (left, top, right, bottom) around the shape, which saves the work
        outside of it; None is everywhere.
      opacity: a number, or [n, 1, 1].
    """
    rows, columns = self._cut(frame)
    distance = shape(self.x[:, :, columns], self.y[:, rows])
    cover = np.clip(.5 - distance / self.pixel, 0, 1)
    self._blend(colour, cover * opacity, rows, columns)

  def line(self, colour, path, width, frame=None):
    """Paint a line along a path, (x, y) -> distance to it; sign ignored.

    What lies beyond the far edge of the line is taken off, so that lines
    thinner than a pixel get as pale as they should.
    """
    rows, columns = self._cut(frame)
    distance = np.abs(path(self.x[:, :, columns], self.y[:, rows])) / self.pixel
    half = width / (2 * self.pixel)
    cover = (np.clip(.5 + half - distance, 0, 1)
             - np.clip(.5 - half - distance, 0, 1))
    self._blend(colour, cover, rows, columns)

  def pixels(self):
    """uint8 [n, resolution, resolution, 3]."""
    return np.moveaxis(
        (self.planes * 255 + np.float32(.5)).astype(np.uint8), 0, -1)

  def _cut(self, frame):
    if frame is None:
      return slice(None), slice(None)
    return (_span(self.y[:, :, 0], frame[1], frame[3], self.pixel),
            _span(self.x[:, 0, :], frame[0], frame[2], self.pixel))

  def _blend(self, colour, cover, rows, columns):
    colour = np.broadcast_to(colour, (self.x.shape[0], 3))
    for plane, value in zip(self.planes, colour.T, strict=True):
      part = plane[self.who, rows, columns]  # A view only where who is a slice.
      part += cover * (value[:, None, None] - part)
      if not isinstance(self.who, slice):
        plane[self.who, rows, columns] = part


def _span(centres, low, high, pixel):
  """The slice of pixels that low..high can touch in any of the pictures."""
  first = np.floor((low - centres[:, 0].max()) / pixel) - 1
  last = np.ceil((high - centres[:, 0].min()) / pixel) + 2
  return slice(int(max(first, 0)), int(max(last, 0)))

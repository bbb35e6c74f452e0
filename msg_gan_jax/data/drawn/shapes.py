"""Signed distances, and a canvas that turns them into smooth edges.

A distance is negative inside. Coordinates x [n, 1, w] and y [n, h, 1] stay
apart as long as they can, since most of the arithmetic then is on rows and
columns and not on pixels. Only + - * / and sqrt touch a pixel: IEEE rounds
these exactly, so a picture is the same on every machine and in every batch.
"""
import numpy as np

_TINY = np.float32(1e-12)  # Keeps 0 / 0 out of the middle of a shape.


def ellipse(x, y, a, b):
  """Distance to x²/a² + y²/b² = 1; exact for circles, else to first order."""
  u, v = (x / a)**2 + _TINY, (y / b)**2
  k = np.sqrt(u + v)
  return k * (k - 1) / np.sqrt(u / (a * a) + v / (b * b))


def egg(x, y, a, top, bottom, square=0., taper=0.):
  """Distance to a head: two half ovals that meet at y = 0, to first order.

  Args:
    a, top, bottom: half width, height above 0 and depth below it.
    square: 0 is an ellipse; 1 has flat sides and full corners (x⁴ + y⁴ = 1).
    taper: below 0, how far y² gives way to |y|^1.5: sides that fall off to a
      narrow chin.
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
    x, y: float32 [n], where each picture has its origin; it spans [-1, 1]²
      with y downwards.
    mirror: bool [n], where x grows to the left.

  Attributes:
    planes: float32 [3, n, resolution, resolution].
    pixel: the side of a pixel, over which edges fade.
  """

  def __init__(self, ground, resolution, x, y, mirror):
    self.pixel = np.float32(2 / resolution)
    centres = (np.arange(resolution, dtype=np.float32) + np.float32(.5)
               ) * self.pixel - 1
    self.x = centres[None, None, :] - x[:, None, None]
    self.x *= np.where(mirror, -1, 1).astype(np.float32)[:, None, None]
    self.y = centres[None, :, None] - y[:, None, None]
    self.origin = x, y
    self.planes = np.empty((3, len(ground), resolution, resolution), np.float32)
    self.planes[...] = ground.T[:, :, None, None]
    self.who = slice(None)

  def only(self, who):
    """A canvas that paints on the pictures `who` (int [m]) of this one."""
    part = Canvas.__new__(Canvas)
    part.pixel, part.planes = self.pixel, self.planes
    part.x, part.y = self.x[who], self.y[who]
    part.origin = self.origin[0][who], self.origin[1][who]
    part.who = who if isinstance(self.who, slice) else self.who[who]
    return part

  def fill(self, colour, shape, frame=None, opacity=1.):
    """Paint the inside of a shape.

    Args:
      colour: float32 [n, 3] or [3].
      shape: (x, y) -> distance.
      frame: (half width, top, bottom) around the shape, which saves the work
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

  def pixels(self, over=1):
    """uint8 [n, h, w, 3], each the mean of over² pixels of the canvas."""
    planes = sum(self.planes[:, :, i::over, j::over]
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
    """The pixels that low..high can touch, with one to spare."""
    first, last = (low + 1) / self.pixel - 1, (high + 1) / self.pixel + 2
    return slice(max(int(first), 0), max(int(last), 0))

  def _blend(self, colour, cover, rows, columns):
    colour = np.broadcast_to(colour, (self.x.shape[0], 3))
    for plane, value in zip(self.planes, colour.T, strict=True):
      part = plane[self.who, rows, columns]  # A view only where who is a slice.
      part += cover * (value[:, None, None] - part)
      if not isinstance(self.who, slice):
        plane[self.who, rows, columns] = part

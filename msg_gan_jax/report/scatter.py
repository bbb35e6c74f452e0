"""Points of the plane as a picture: reals pale, fakes above them."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# The picture goes from -RANGE to RANGE, so that the border of [-1, 1] is seen.
RANGE = 1.1

_PAPER = np.array([255, 255, 255], np.float32)
_FRAME = np.array([232, 233, 238], np.float32)


class Dots(NamedTuple):
  """How dots are drawn.

  Attributes:
    colour: RGB.
    opacity: how much one dot covers, 0 .. 1.
    radius: as a share of the side of the picture.
  """
  colour: tuple[int, int, int]
  opacity: float
  radius: float


# Reals are large: a halo around the fakes, a grey spot where there are none.
_REAL = Dots((198, 202, 212), .5, 1 / 130)
_FAKE = Dots((213, 94, 0), .55, 1 / 360)  # The second colour of curves.


def scatter(real: np.ndarray | Sequence, fake: np.ndarray | Sequence,
            size: int = 512) -> np.ndarray:
  """Reals as pale grey dots, fakes above them, x to the right and y upwards.

  Dots are round, smooth and a little transparent, so that many are darker than
  few. A frame and two axes show [-1, 1]. Points beyond RANGE, and those that
  are not finite, are left out.

  Args:
    real, fake: [m, 2] and [n, 2] in [-1, 1]; either may be empty.
    size: pixels of a side, at least 64.

  Returns:
    uint8 [size, size, 3].

  Raises:
    ValueError: `size` is less than 64.
  """
  if size < 64:
    raise ValueError(f'size: {size} pixels; wanted at least 64.')
  picture = np.broadcast_to(_PAPER, (size, size, 3)).copy()
  _rule(picture)
  for points, dots in (real, _REAL), (fake, _FAKE):
    cover = _ink(_pixels(points, size), size, dots)
    picture += cover[..., None] * (np.array(dots.colour, np.float32) - picture)
  return np.round(picture).astype(np.uint8)


def _pixels(points, size):
  """Points [n, 2] -> (column, row) in pixels, of those that are in range."""
  points = np.asarray(points, np.float64).reshape(-1, 2)
  points = points[(np.abs(points) <= RANGE).all(1)]  # NaN is not, either.
  return (points * (1, -1) / RANGE + 1) * (size / 2) - .5


def _ink(places, size, dots):
  """float32 [size, size]: how much dots at (column, row) cover.

  Each lets 1 - opacity of what is left through; logarithms of what gets
  through add up, in any order.
  """
  radius = max(1., dots.radius * size)
  reach = int(radius + 1.5)
  margin = reach + 1  # The border itself may round to the pixel beyond.
  passed = np.zeros((size + 2 * margin, size + 2 * margin))
  middle = np.round(places).astype(int)
  for dx in range(-reach, reach + 1):
    for dy in range(-reach, reach + 1):
      here = middle + (dx, dy)
      distance = np.sqrt(((here - places)**2).sum(1))
      cover = np.clip(radius + .5 - distance, 0, 1) * dots.opacity
      np.add.at(passed, tuple(here.T[::-1] + margin), np.log1p(-cover))
  inner = passed[margin:-margin, margin:-margin]
  return (1 - np.exp(inner)).astype(np.float32)


def _rule(picture):
  """The frame of [-1, 1] and the axes, as thin lines."""
  size = len(picture)
  low, zero, high = (
      round(x) for x in _pixels([[-1, 1], [0, 0], [1, -1]], size)[:, 0])
  for at in low, zero, high:
    picture[at, low:high + 1] = picture[low:high + 1, at] = _FRAME

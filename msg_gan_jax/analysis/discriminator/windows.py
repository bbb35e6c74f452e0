"""Parts of one size of pictures: what receptive fields see, edges and all."""
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from msg_gan_jax.analysis.discriminator.receptive_fields import Box


class Windows(NamedTuple):
  """Parts of one size of the pictures of a level.

  Attributes:
    corners: int32 [n, 2], (row, column) at which each begins.
    shape: (height, width).
  """
  corners: np.ndarray
  shape: tuple[int, int]


def of_fields(fields: Mapping[int, tuple[Sequence[Box | None], int]],
             ) -> dict[int, Windows]:
  """{height of a level: windows}, of all levels that are seen.

  Args:
    fields: {height of a level: (boxes, width of the level)}.

  Their size is that of the largest field. One that an edge cuts off keeps its
  place: what is missing lies beyond the edge.
  """
  found = {}
  for size, (fields_there, width) in fields.items():
    boxes = [box for box in fields_there if box]
    if len(boxes) < len(fields_there):
      continue
    sides = []
    for low, high, end in (('top', 'bottom', size), ('left', 'right', width)):
      begin = np.array([getattr(box, low) for box in boxes])
      stop = np.array([getattr(box, high) for box in boxes])
      full = int((stop - begin).max())
      cut = (begin == 0) & (stop < end)
      sides.append((np.where(cut, stop - full, begin), full))
    (rows, height), (columns, wide) = sides
    found[size] = Windows(
        np.stack([rows, columns], 1).astype(np.int32), (height, wide))
  return found


def crop(images: np.ndarray, corners: np.ndarray, shape: tuple[int, int],
         background: float) -> np.ndarray:
  """A part of each picture; what lies over the edge is background.

  Args:
    images: [n, H, W, C].
    corners: int [n, 2], (row, column) of each part; may be negative.
    shape: (height, width) of the parts.
    background: a value of the type of `images`.
  """
  height, width = shape
  by = max(height, width)
  padded = np.pad(images, ((0, 0), (by, by), (by, by), (0, 0)),
                  constant_values=background)
  rows = corners[:, 0, None] + by + np.arange(height)
  columns = corners[:, 1, None] + by + np.arange(width)
  return padded[np.arange(len(images))[:, None, None], rows[:, :, None],
                columns[:, None, :]]

"""A figure of pictures, each with those that are nearest to it."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from msg_gan_jax.report import figure


class Nearest(NamedTuple):
  """Pictures with their neighbours, which belong together.

  Attributes:
    title: what they are.
    pictures: uint8 [n, H, W, C].
    neighbours: uint8 [n * k, H, W, C], k of each picture, the nearest first.
    distances: [n], of the nearest.
  """
  title: str
  pictures: np.ndarray
  neighbours: np.ndarray
  distances: np.ndarray


def draw(bands: Sequence[Nearest], title: tuple[str, str],
         kind: str) -> np.ndarray:
  """uint8 [H, W, 3]: a row for each picture, its neighbours at the right.

  Args:
    bands: all with the same number of neighbours; the distance to the nearest
      is written at the left of a row.
    title: (what is shown, the rest of the line).
    kind: of the pictures, such as 'sample'.
  """
  drawn, beside, across = [], [], 0
  for band in bands:
    tiles = [figure.tile(x) for x in band.neighbours]
    across = len(tiles) // len(band.pictures)
    drawn.append(figure.Band((band.title, ''), [
        [figure.tile(picture), *tiles[i * across:(i + 1) * across]]
        for i, picture in enumerate(band.pictures)]))
    beside += [('', f'{distance:.3g}') for distance in band.distances]
  return figure.draw(
      drawn, title, (kind, *(f'{i + 1}' for i in range(across))), beside,
      aside=1)

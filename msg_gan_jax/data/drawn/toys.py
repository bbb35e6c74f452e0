"""Toys: points in the plane from a known mixture of Gaussians.

The ring and the grid are those of Unrolled GANs (Metz et al. 2017,
arXiv:1611.02163), WGAN-GP, VEEGAN (Srivastava et al. 2017, arXiv:1705.07761)
and PacGAN (Lin et al. 2018, arXiv:1712.04086), with the numbers of the code of
WGAN-GP and PacGAN. A point is a picture of one pixel and two channels, x and y.
Unlike a picture it is float32, and in [-1, 1] without conversion: the outermost
centres lie at .8, and no point lies 8.6 standard deviations from its centre,
because 53 random bits do not reach further.
"""
import hashlib
import itertools
import json
import math
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data import order
from msg_gan_jax.data.source import check_indices

# Add 1 whenever a point changes, so that digests tell old runs from new.
VERSION = 1

_REACH = .8  # Where the outermost centres lie.


class Layout(NamedTuple):
  """A mixture of equally likely round Gaussians.

  Attributes:
    centres: their (x, y), in values of the picture.
    std: standard deviation of each, in values of the picture.
  """
  centres: tuple[tuple[float, float], ...]
  std: float


def _ring(count):
  turns = [2 * math.pi * i / count for i in range(count)]
  return tuple((_REACH * math.cos(t), _REACH * math.sin(t)) for t in turns)


def _row(count):
  return tuple(_REACH * (2 * i / (count - 1) - 1) for i in range(count))


LAYOUTS: tables.Table[Layout] = tables.Table('toys', 'layout', {
    # 8 on a circle of radius 1, .01 wide; radius 2 and .02 in WGAN-GP.
    'ring': Layout(_ring(8), .01 * _REACH),
    # 25 at -4, -2, 0, 2, 4, .05 wide.
    'grid': Layout(
        tuple(itertools.product(_row(5), _row(5))), .05 / 4 * _REACH),
    # A row of the grid, because the lines of papers all differ.
    'line': Layout(tuple((x, 0.) for x in _row(5)), .05 / 4 * _REACH),
})


class Toy:
  """Points number first .. first + count - 1 of a seed; implements Source.

  Its images are float32 [n, 1, 1, 2]. Machines round logarithm and cosine
  differently: on another one a point may differ in its last bit.

  Args:
    layout: a row of LAYOUTS.
    count: how many there are.
    shape: (height, width, channels) of the settings; (1, 1, 2).
    seed: of an endless row of points.
    first: where this set begins in the row.

  Attributes:
    centres: float64 [k, 2], in values of the picture.
    std: standard deviation of each Gaussian, in values of the picture.

  Raises:
    ValueError: a setting is out of its range, or the layout is unknown.
  """

  def __init__(self, layout: str, count: int,
               shape: tuple[int, int, int] = (1, 1, 2), seed: int = 0,
               first: int = 0) -> None:
    if tuple(shape) != (1, 1, 2):
      raise ValueError(
          f'config.data: {layout!r} has points (x, y), not pictures: wanted '
          'config.data.resolution = 1, width = 0 and channels = 2, found '
          f'{shape[0]} x {shape[1]} pixels of {shape[2]}.')
    if count < 1:
      raise ValueError(
          f'config.data.count: wanted at least 1, found {count}.')
    self.name, self.shape = layout, (1, 1, 2)
    self.centres = np.array(LAYOUTS[layout].centres)
    self.std = LAYOUTS[layout].std
    self.classes: tuple[str, ...] = tuple(
        f'({x:+.2f}, {y:+.2f})' for x, y in self.centres + 0.)
    self.notes: dict[str, Any] = dict(
        version=VERSION, count=count, seed=seed, first=first,
        gaussians=len(self.centres), std=self.std)
    self._count, self._seed, self._first = count, seed, first

  def __len__(self) -> int:
    return self._count

  def images(self, indices: np.ndarray) -> np.ndarray:
    """Returns float32 [n, 1, 1, 2], in [-1, 1]."""
    points = self.centres[self.labels(indices)] + self.std * self._normals(
        indices)
    return points.astype(np.float32)[:, None, None]

  def labels(self, indices: np.ndarray) -> np.ndarray:
    """Returns which Gaussian, int32 [n], a position in `classes`."""
    bits = order.bits(self._seed, 0, self._numbers(indices))
    return (bits % np.uint64(len(self.centres))).astype(np.int32)

  def factors(self, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Returns x and y, float32 [n]."""
    x, y = self.images(indices)[:, 0, 0].T
    return {'x': x, 'y': y}

  def digest(self) -> str:
    """Hashes the definition: settings and constants, not floats."""
    text = json.dumps([self.name, self.notes, self.centres.round(9).tolist()])
    return hashlib.sha256(text.encode()).hexdigest()

  def _normals(self, indices):
    """Draws standard normals, float64 [n, 2]: Box & Muller 1958, eq. 1."""
    numbers = self._numbers(indices)
    radius, turn = (
        (order.bits(self._seed, stream, numbers) >> np.uint64(11)) * 2.**-53
        for stream in (1, 2))
    radius = np.sqrt(-2 * np.log(1 - radius))  # 1 - radius is never 0.
    return radius[:, None] * np.stack(
        [np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)], -1)

  def _numbers(self, indices):
    return check_indices(indices, self._count, self.name) + self._first

"""Toys: points in the plane, from a mixture of Gaussians that is known.

The ring and the grid are those of Unrolled GANs (Metz et al. 2017,
arXiv:1611.02163), WGAN-GP, VEEGAN (Srivastava et al. 2017, arXiv:1705.07761)
and PacGAN (Lin et al. 2018, arXiv:1712.04086), with the numbers of the code of
WGAN-GP and PacGAN. A point is a picture of one pixel and two channels, x and y.
Unlike a picture it is float32, and in [-1, 1] as it is: the outermost centres
lie at .8 and nothing lies 8.6 standard deviations from its centre, since 53
random bits do not reach further.
"""
import hashlib
import itertools
import json
import math
from typing import NamedTuple

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data import order

# Raised whenever a point changes, so that digests tell old runs from new.
VERSION = 1

_REACH = .8  # Where the outermost centres lie.


class Layout(NamedTuple):
  """A mixture of equally likely round Gaussians.

  Attributes:
    centres: their (x, y), in values of the picture.
    std: of each, in the same.
  """
  centres: tuple[tuple[float, float], ...]
  std: float


def _ring(count):
  turns = [2 * math.pi * i / count for i in range(count)]
  return tuple((_REACH * math.cos(t), _REACH * math.sin(t)) for t in turns)


def _row(count):
  return tuple(_REACH * (2 * i / (count - 1) - 1) for i in range(count))


LAYOUTS = tables.Table('toys', 'layout', {
    # 8 on a circle of radius 1, .01 wide; radius 2 and .02 in WGAN-GP.
    'ring': Layout(_ring(8), .01 * _REACH),
    # 25 at -4, -2, 0, 2, 4, .05 wide.
    'grid': Layout(
        tuple(itertools.product(_row(5), _row(5))), .05 / 4 * _REACH),
    # A row of the grid: papers have no one line, and no two the same.
    'line': Layout(tuple((x, 0.) for x in _row(5)), .05 / 4 * _REACH),
})


class Toy:
  """Points number first .. first + count - 1 of a seed: a `source.Source`.

  Its images are float32 [n, 1, 1, 2]. Logarithm and cosine are not rounded
  alike everywhere: on another machine a point may lie an ulp beside itself.

  Args:
    layout: a row of LAYOUTS.
    count: how many there are.
    shape: (height, width, channels) of the settings; (1, 1, 2).
    seed: which endless row of points.
    first: where this set begins in it.

  Attributes:
    centres: float64 [k, 2], in values of the picture.
    std: of each Gaussian, in the same.

  Raises:
    ValueError: a setting out of its range, or an unknown layout.
  """

  def __init__(self, layout, count, shape=(1, 1, 2), seed=0, first=0):
    if tuple(shape) != (1, 1, 2):
      raise ValueError(
          f'config.data: {layout!r} has points (x, y) and no pictures: wanted '
          'config.data.resolution = 1, width = 0 and channels = 2, found '
          f'{shape[0]} x {shape[1]} pixels of {shape[2]}.')
    if count < 1:
      raise ValueError(
          f'config.data.count: wanted at least 1, found {count}.')
    self.name, self.shape = layout, (1, 1, 2)
    self.centres = np.array(LAYOUTS[layout].centres)
    self.std = LAYOUTS[layout].std
    self.classes = tuple(f'({x:+.2f}, {y:+.2f})' for x, y in self.centres + 0.)
    self.notes = dict(version=VERSION, count=count, seed=seed, first=first,
                      gaussians=len(self.centres), std=self.std)
    self._count, self._seed, self._first = count, seed, first

  def __len__(self):
    return self._count

  def images(self, indices):
    """float32 [n, 1, 1, 2], in [-1, 1]."""
    points = self.centres[self.labels(indices)] + self.std * self._normals(
        indices)
    return points.astype(np.float32)[:, None, None]

  def labels(self, indices):
    """int32 [n]: which Gaussian, a position in `classes`."""
    bits = order.bits(self._seed, 0, self._numbers(indices))
    return (bits % np.uint64(len(self.centres))).astype(np.int32)

  def factors(self, indices):
    """x and y, float32 [n]."""
    x, y = self.images(indices)[:, 0, 0].T
    return {'x': x, 'y': y}

  def digest(self):
    """Hex SHA-256 of the definition: settings and constants, not floats."""
    text = json.dumps([self.name, self.notes, self.centres.round(9).tolist()])
    return hashlib.sha256(text.encode()).hexdigest()

  def _normals(self, indices):
    """float64 [n, 2], standard normals: Box & Muller 1958, eq. 1."""
    numbers = self._numbers(indices)
    radius, turn = (
        (order.bits(self._seed, stream, numbers) >> np.uint64(11)) * 2.**-53
        for stream in (1, 2))
    radius = np.sqrt(-2 * np.log(1 - radius))  # 1 - radius is never 0.
    return radius[:, None] * np.stack(
        [np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)], -1)

  def _numbers(self, indices):
    indices = np.asarray(indices, np.int64)
    if indices.size and not (
        0 <= indices.min() and indices.max() < self._count):
      raise IndexError(
          f'{self.name}: wanted indices in 0 .. {self._count - 1}, found '
          f'{indices.min()} .. {indices.max()}.')
    return indices + self._first

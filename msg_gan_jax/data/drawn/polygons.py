"""Convex polygons, white on black: pictures whose every factor is known.

After the triangles and squares of Lucic et al. 2018 (arXiv:1711.10337), sec. 5:
grey pictures of 28x28 on a manifold that is known, so that one can say how far
a sample lies from it. Their generator is not public; this is a definition of
our own. Lengths are in sides of the picture, y grows downwards.

A triangle has three corners, uniform in the middle of the picture (all but a
MARGIN on each side). A polygon of k corners is k such points, given that none
lies within the hull of the others; k is uniform in 3..8. A square has a uniform
centre, direction and, in area, size. What sticks out of the middle, or has less
than MIN_AREA, is drawn anew. A pixel is the share of it that is inside, 0..255.
"""
from collections.abc import Callable
import hashlib
import json
from typing import NamedTuple

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data import order

# Raised whenever a picture changes, so that digests tell old runs from new.
VERSION = 1

MARGIN = 1 / 14   # Two pixels at 28: no edge of the picture cuts a shape.
MIN_AREA = .04    # Of the picture: 31 pixels at 28, more than an edge's blur.

_SLOTS = 64       # Random numbers that one try may take.
_CHUNK = 2**16    # Pixels at a time, which fit the cache.
_THINNEST = np.float32(1e-3)  # Pixels; upright edges are this much aslant.


def square(unit, corners):
  """[n, _SLOTS] in [0, 1) -> corners [n, 4, 2]; most stick out."""
  del corners  # They are 4.
  centre, (x, y) = unit[:, :2], (unit[:, 2:4] - .5).T
  arms = np.stack([np.stack(p, -1) for p in (
      (x, y), (-y, x), (-x, -y), (y, -x))], 1)
  # Out of the disc there are more directions along the diagonals.
  arms[x * x + y * y > .25] = np.inf
  return centre[:, None] + arms


def convex(unit, corners):
  """[n, _SLOTS] in [0, 1) -> [n, corners, 2] in [0, 1]², in convex position.

  Uniform among such points. Source: Valtr 1995 (doi:10.1007/BF02574070),
  whose proof builds the polygon: the x and the y of its sides come from two
  chains each, are paired at random, and laid end to end by their angle.
  """
  x, y, x_coins, y_coins, keys = (
      unit[:, i * corners:(i + 1) * corners] for i in range(5))
  dx, dy = _steps(x, x_coins), _steps(y, y_coins)
  dy = np.take_along_axis(dy, np.argsort(keys, 1, kind='stable'), 1)
  turn = dx / (np.abs(dx) + np.abs(dy))  # Grows as the angle does: no arctan.
  by_angle = np.argsort(np.where(dy < 0, 3 + turn, 1 - turn), 1, kind='stable')
  places = []
  for steps, values in (dx, x), (dy, y):
    along = np.cumsum(np.take_along_axis(steps, by_angle, 1), 1)
    along += (values.min(1) - along.min(1))[:, None]
    places.append(along)
  return np.stack(places, -1)


def _steps(values, coins):
  """Steps [n, k] of two chains through the values, from the least and back."""
  values = np.sort(values, 1)
  there = back = values[:, 0]
  steps = []
  for here, coin in zip(values.T[1:-1], coins.T, strict=False):
    on_the_way = coin < .5
    steps.append(np.where(on_the_way, here - there, back - here))
    there = np.where(on_the_way, here, there)
    back = np.where(on_the_way, back, here)
  steps += [values[:, -1] - there, back - values[:, -1]]
  return np.stack(steps, 1)


class Kind(NamedTuple):
  """A distribution of polygons: how many corners, and where they are."""
  fewest: int
  most: int
  draw: Callable


DATASETS = tables.Table('config.data.dataset', 'set of polygons', {
    'triangles': Kind(3, 3, convex),
    'squares': Kind(4, 4, square),
    'convex': Kind(3, 8, convex),
})


def factors_at(dataset, seed, indices):
  """Factors of the polygons at `indices`.

  Returns:
    vertices: float32 [n, most, 2], x and y in 0..1 with y downwards, in the
      order of the clock; where there are fewer corners the last is repeated.
    area: float32 [n], share of the picture.
    corners: int32 [n].
  """
  kind, indices = DATASETS[dataset], np.asarray(indices, np.int64)
  kinds = kind.most - kind.fewest + 1
  corners = kind.fewest + (
      order.bits(seed, 0, indices) % np.uint64(kinds)).astype(np.int32)
  vertices = np.empty((len(indices), kind.most, 2))
  for k in range(kind.fewest, kind.most + 1):
    who = np.flatnonzero(corners == k)
    found = _tried(kind, k, seed, indices[who])
    vertices[who] = found[:, np.minimum(np.arange(kind.most), k - 1)]
  return {'vertices': vertices.astype(np.float32),
          'area': areas(vertices).astype(np.float32), 'corners': corners}


def _tried(kind, corners, seed, indices):
  """[n, corners, 2]: for each index the first try that is legal."""
  found = np.empty((len(indices), corners, 2))
  left, attempt = np.arange(len(indices)), 0
  while left.size:
    attempt += 1
    numbers = indices[left, None] * _SLOTS + np.arange(_SLOTS)
    bits = order.bits(seed, attempt, numbers)
    unit = (bits >> np.uint64(11)) * 2.**-53
    tried = MARGIN + (1 - 2 * MARGIN) * kind.draw(unit, corners)
    inside = (tried >= MARGIN) & (tried <= 1 - MARGIN)
    good = inside.all((1, 2))
    good[good] = areas(tried[good]) >= MIN_AREA
    found[left[good]] = tried[good]
    left = left[~good]
  return found


def areas(vertices):
  """[n, k, 2] -> [n]: areas, positive in the order of the clock."""
  first = vertices - vertices[:, :1]
  x, y = first[..., 0], first[..., 1]
  doubled = x[:, :-1] * y[:, 1:] - x[:, 1:] * y[:, :-1]
  total = doubled[:, 0]
  for term in doubled.T[1:]:  # One after another: numpy's sum has no order.
    total = total + term
  return total / 2


def draw(vertices, resolution):
  """uint8 [n, resolution, resolution, 1] of polygons as `factors_at` has them.

  Only + - * / touch a number, which IEEE rounds exactly: a picture is the same
  on every machine and in every batch.
  """
  images = np.empty((len(vertices), resolution, resolution, 1), np.uint8)
  size = max(1, _CHUNK // resolution**2)
  for start in range(0, len(vertices), size):
    inside = coverage(vertices[start:start + size], resolution)
    images[start:start + size, ..., 0] = inside * 255 + np.float32(.5)
  return images


def coverage(vertices, resolution):
  """float32 [n, h, w]: the share of each pixel that is inside.

  The area to the left of a column's border, row by row, is an integral of
  max(0, border - x) over the edges, up those on the left and down those on the
  right; a pixel is the difference of two borders.
  """
  corners = vertices.astype(np.float32) * np.float32(resolution)
  borders = np.arange(resolution + 1, dtype=np.float32)
  left = np.zeros((len(corners), resolution, resolution + 1), np.float32)
  for i in range(corners.shape[1]):
    (x0, y0), (x1, y1) = corners[:, i - 1].T[..., None], corners[:, i].T[
        ..., None]
    y = np.clip(borders, np.minimum(y0, y1), np.maximum(y0, y1))
    way = (y - y0) / np.where(y0 == y1, 1, y1 - y0)
    x = x0 + way * (x1 - x0)
    height = np.sign(y0 - y1) * np.diff(y)
    # In a row the edge runs over middle - half .. middle + half.
    middle = (x[:, 1:] + x[:, :-1]) / 2
    half = np.maximum(np.abs(np.diff(x)) / 2, _THINNEST)[..., None]
    beyond = borders - middle[..., None]
    on = np.clip(beyond, -half, half)
    mean = (on + half)**2 / (4 * half) + (beyond - on).clip(0)
    left += height[..., None] * mean
  return np.clip(np.diff(left), 0, 1)


class Polygons:
  """Polygons number first .. first + count - 1 of a seed: a `source.Source`.

  A polygon has the same factors at every resolution.

  Args:
    dataset: a row of DATASETS; '' is triangles.
    count: how many there are.
    shape: (height, width, channels): 8 to 256 pixels, a square, grey.
    seed: which endless row of polygons.
    first: where this set begins in it.

  Raises:
    ValueError: a setting out of its range, or an unknown data set.
  """
  name = 'polygons'
  classes: tuple[str, ...] = ()

  def __init__(self, dataset, count, shape=(28, 28, 1), seed=0, first=0):
    height, width, channels = shape
    if not 8 <= height <= 256:
      raise ValueError(
          'config.data.resolution: polygons are drawn at 8 to 256 pixels, '
          f'found {height}.')
    if width != height:
      raise ValueError(
          'config.data.width: polygons are drawn on squares, found '
          f'{height} x {width}; wanted 0.')
    if channels != 1:
      raise ValueError(
          f'config.data.channels: polygons are grey; wanted 1, found '
          f'{channels}.')
    if count < 1:
      raise ValueError(
          f'config.data.count: wanted at least 1, found {count}.')
    self._dataset = dataset or 'triangles'
    DATASETS[self._dataset]  # an unknown one is an error here
    self.shape = tuple(shape)
    self.notes = dict(version=VERSION, dataset=self._dataset, count=count,
                      seed=seed, first=first)
    self._count, self._seed, self._first = count, seed, first

  def __len__(self):
    return self._count

  def images(self, indices):
    """uint8 [n, H, W, 1]."""
    return draw(self.factors(indices)['vertices'], self.shape[0])

  def labels(self, indices):
    """int32 [n]: zeros."""
    return np.zeros(len(indices), np.int32)

  def factors(self, indices):
    """As `factors_at`, for indices 0 .. len - 1."""
    indices = np.asarray(indices, np.int64)
    if indices.size and not (
        0 <= indices.min() and indices.max() < self._count):
      raise IndexError(
          f'polygons: wanted indices in 0 .. {self._count - 1}, found '
          f'{indices.min()} .. {indices.max()}.')
    return factors_at(self._dataset, self._seed, indices + self._first)

  def digest(self):
    """Hex SHA-256 of the definition: settings and constants, not pixels."""
    text = json.dumps([self.name, self.shape, self.notes, MARGIN, MIN_AREA])
    return hashlib.sha256(text.encode()).hexdigest()

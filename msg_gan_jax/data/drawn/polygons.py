"""Convex polygons, white on black: pictures whose every factor is known.

They follow the triangles and squares of Lucic et al. 2018 (arXiv:1711.10337),
sec. 5: grey pictures of 28x28 on a known manifold, so that one can say how far
a sample lies from it. Their generator is not public; this definition is the
project's own. Lengths are in sides of the picture, and y grows downwards.

A triangle has three corners, uniform in the middle of the picture (all but a
MARGIN on each side). A polygon of k corners is k such points, on condition that
none lies within the hull of the others; k is uniform in 3..8. A square has a
uniform centre and direction, and a size that is uniform in area. A shape that
sticks out of the middle, or has less than MIN_AREA, is drawn again. The value
of a pixel is the share of it that is inside, 0..255.
"""
from collections.abc import Callable
import hashlib
import json
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data import order
from msg_gan_jax.data.source import check_indices

# Add 1 whenever a picture changes, so that digests tell old runs from new.
VERSION = 1

MARGIN = 1 / 14   # Two pixels at 28: no edge of the picture cuts a shape.
MIN_AREA = .04    # Of the picture: 31 pixels at 28, more than an edge's blur.

_SLOTS = 64       # Random numbers that one try may take.
_CHUNK = 2**16    # Pixels that are drawn at a time: they fit the cache.
_THINNEST = np.float32(1e-3)  # Upright edges lean by as many pixels.


def square(unit: np.ndarray, corners: int) -> np.ndarray:
  """Draws squares, most of which stick out.

  Args:
    unit: [n, _SLOTS], uniform in [0, 1).
    corners: 4.

  Returns:
    Corners [n, 4, 2] in [0, 1]², inf if they surely stick out.

  Source: this project's own.
  """
  del corners
  centre, (x, y) = unit[:, :2], (unit[:, 2:4] - .5).T
  arms = np.stack([np.stack(p, -1) for p in (
      (x, y), (-y, x), (-x, -y), (y, -x))], 1)
  # Beyond the disc, diagonal directions would be more likely than others.
  arms[x * x + y * y > .25] = np.inf
  return centre[:, None] + arms


def convex(unit: np.ndarray, corners: int) -> np.ndarray:
  """Draws corners of convex polygons, uniform among all such points.

  The x and the y of the sides come from two chains each, are paired at random,
  and laid end to end in the order of their angles.

  Args:
    unit: [n, _SLOTS], uniform in [0, 1).
    corners: how many corners each polygon has.

  Returns:
    Corners [n, corners, 2] in [0, 1]².

  Source: the proof of Valtr 1995 (doi:10.1007/BF02574070).
  """
  x, y, x_coins, y_coins, keys = (
      unit[:, i * corners:(i + 1) * corners] for i in range(5))
  dx, dy = _steps(x, x_coins), _steps(y, y_coins)
  dy = np.take_along_axis(dy, np.argsort(keys, 1, kind='stable'), 1)
  # It has the order of the angles, without an arctan.
  turn = dx / (np.abs(dx) + np.abs(dy))
  by_angle = np.argsort(np.where(dy < 0, 3 + turn, 1 - turn), 1, kind='stable')
  places = []
  for steps, values in (dx, x), (dy, y):
    along = np.cumsum(np.take_along_axis(steps, by_angle, 1), 1)
    along += (values.min(1) - along.min(1))[:, None]
    places.append(along)
  return np.stack(places, -1)


def _steps(values, coins):
  """Returns steps [n, k] of two chains from the least value to the most."""
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
  """A distribution of polygons.

  Attributes:
    fewest, most: corners; their number is uniform.
    draw: (unit [n, _SLOTS], corners) -> [n, corners, 2] in [0, 1]².
  """
  fewest: int
  most: int
  draw: Callable[[np.ndarray, int], np.ndarray]


DATASETS: tables.Table[Kind] = tables.Table(
    'config.data.dataset', 'set of polygons', {
        'triangles': Kind(3, 3, convex),
        'squares': Kind(4, 4, square),
        'convex': Kind(3, 8, convex),
    })


def factors_at(dataset: str, seed: int, indices: np.ndarray,
               ) -> dict[str, np.ndarray]:
  """Draws the factors of the polygons at `indices`, int [n].

  Returns:
    vertices: float32 [n, most, 2], x and y in 0..1 with y downwards, clockwise;
      if there are fewer corners, the last is repeated.
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
    drawn = _draw_until_legal(kind, k, seed, indices[who])
    vertices[who] = drawn[:, np.minimum(np.arange(kind.most), k - 1)]
  return {'vertices': vertices.astype(np.float32),
          'area': areas(vertices).astype(np.float32), 'corners': corners}


def _draw_until_legal(kind, corners, seed, indices):
  """Returns for each index the first try that is legal, [n, corners, 2]."""
  legal = np.empty((len(indices), corners, 2))
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
    legal[left[good]] = tried[good]
    left = left[~good]
  return legal


def areas(vertices: np.ndarray) -> np.ndarray:
  """Returns areas [n] of polygons [n, k, 2], positive if clockwise."""
  first = vertices - vertices[:, :1]
  x, y = first[..., 0], first[..., 1]
  doubled = x[:, :-1] * y[:, 1:] - x[:, 1:] * y[:, :-1]
  total = doubled[:, 0]
  # They are added one after another, because numpy's sum has no fixed order.
  for term in doubled.T[1:]:
    total = total + term
  return total / 2


def draw(vertices: np.ndarray, resolution: int) -> np.ndarray:
  """Draws polygons.

  Only + - * / touch a number, and IEEE rounds these exactly: a picture is the
  same on every machine and in every batch.

  Args:
    vertices: [n, k, 2], as in `factors_at`.
    resolution: pixels a side.

  Returns:
    uint8 [n, resolution, resolution, 1].
  """
  images = np.empty((len(vertices), resolution, resolution, 1), np.uint8)
  size = max(1, _CHUNK // resolution**2)
  for start in range(0, len(vertices), size):
    inside = coverage(vertices[start:start + size], resolution)
    images[start:start + size, ..., 0] = inside * 255 + np.float32(.5)
  return images


def coverage(vertices: np.ndarray, resolution: int) -> np.ndarray:
  """Computes the share of each pixel that is inside, float32 [n, h, w].

  In each row of pixels, the area inside and to the left of a column's border is
  an integral of max(0, border - x) over the edges: up those on the left side,
  and down those on the right. A pixel is the difference of two borders.

  Args:
    vertices: [n, k, 2], as in `factors_at`.
    resolution: pixels a side.
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
  """Polygons number first .. first + count - 1 of a seed; implements Source.

  A polygon has the same factors at every resolution.

  Args:
    dataset: a row of DATASETS; '' is triangles.
    count: how many there are.
    shape: (height, width, channels): 8 to 256 pixels, a square, grey.
    seed: of an endless row of polygons.
    first: where this set begins in the row.

  Raises:
    ValueError: a setting is out of its range, or the data set is unknown.
  """
  name = 'polygons'
  classes: tuple[str, ...] = ()

  def __init__(self, dataset: str, count: int,
               shape: tuple[int, int, int] = (28, 28, 1), seed: int = 0,
               first: int = 0) -> None:
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
    DATASETS.check(self._dataset)
    self.shape = (height, width, channels)
    self.notes: dict[str, Any] = dict(
        version=VERSION, dataset=self._dataset, count=count, seed=seed,
        first=first)
    self._count, self._seed, self._first = count, seed, first

  def __len__(self) -> int:
    return self._count

  def images(self, indices: np.ndarray) -> np.ndarray:
    """Draws uint8 [n, H, W, 1]."""
    return draw(self.factors(indices)['vertices'], self.shape[0])

  def labels(self, indices: np.ndarray) -> np.ndarray:
    """Returns zeros, int32 [n]."""
    return np.zeros(len(indices), np.int32)

  def factors(self, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Returns what `factors_at` does, for indices 0 .. len - 1."""
    indices = check_indices(indices, self._count, self.name)
    return factors_at(self._dataset, self._seed, indices + self._first)

  def digest(self) -> str:
    """Hashes the definition: settings and constants, not pixels."""
    text = json.dumps([self.name, self.shape, self.notes, MARGIN, MIN_AREA])
    return hashlib.sha256(text.encode()).hexdigest()

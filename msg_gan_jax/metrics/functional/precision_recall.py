"""Precision, recall, density and coverage, by nearest neighbours."""
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.metrics.functional import checks

_BLOCK = 2048  # Rows and columns of a tile of distances: 16 MB of float32.
_SHORT = 64  # Features of a row.


class PrecisionRecall(NamedTuple):
  """Shares of points that lie on the manifold of the other set.

  Attributes:
    precision: the share of fakes on the reals' manifold, 0 .. 1.
    recall: the share of reals on the fakes' manifold, 0 .. 1.
    k: neighbours.
    n_real, n_fake: rows of the sets.
    warnings: sentences; none where nothing is wrong.
  """

  precision: float
  recall: float
  k: int
  n_real: int
  n_fake: int
  warnings: tuple[str, ...]


class DensityCoverage(NamedTuple):
  """How many of the reals' balls hold a fake.

  Attributes:
    density: how many balls a fake lies in, over k: from 0, in the mean 1 for
      equal distributions, and beyond for fakes crowded where reals are.
    coverage: the share of balls that hold a fake, 0 .. 1.
    k: neighbours.
    n_real, n_fake: rows of the sets.
    warnings: sentences; none where nothing is wrong.
  """

  density: float
  coverage: float
  k: int
  n_real: int
  n_fake: int
  warnings: tuple[str, ...]


def precision_recall(real: np.ndarray, fake: np.ndarray, k: int = 3,
                     closed: bool = True) -> PrecisionRecall:
  """Shares of fakes on the reals' manifold, and of reals on the fakes'.

  A set's manifold is the union of balls about its points, out to the k-th
  nearest other point. Memory grows with n, not with its square.

  Args:
    real, fake: [n, d], more than k rows each. Two float64 sets are measured in
      float64, others in float32 about the reals' mean.
    k: 3 in the paper and in torch-fidelity, 5 in prdc.
    closed: whether a ball's surface belongs to it (<=), as in the paper,
      torch-fidelity and StyleGAN2-ADA; prdc and StudioGAN have <. It matters
      for copies only: identical sets have 1 and 1 if closed.

  Raises:
    ValueError: as `checks.sets`, with k + 1 rows at least.

  Source: Kynkaanniemi et al. 2019 (arXiv:1904.06991), eqs. 1 to 3.
  """
  tally, warnings = _measure('precision_recall', real, fake, k, closed, True)
  return PrecisionRecall(
      float(tally.within.mean()), float(tally.holds.mean()), k, len(real),
      len(fake), warnings)


def density_coverage(real: np.ndarray, fake: np.ndarray, k: int = 5,
                     closed: bool = False) -> DensityCoverage:
  """How many of the reals' balls hold a fake, and how many reals are near one.

  Args:
    real, fake, k: as in `precision_recall`; only the reals have balls.
    closed: whether a ball's surface belongs to it; the peers' codes have <.
      Identical sets without copies then have density and coverage 1, and a
      real with k copies, whose ball is empty, counts for none.

  Raises:
    ValueError: as `checks.sets`, with k + 1 rows at least.

  Source: Naeem et al. 2020 (arXiv:2002.09797), eqs. 4 and 5; prdc.
  """
  tally, warnings = _measure('density_coverage', real, fake, k, closed, False)
  return DensityCoverage(
      float(tally.balls.mean() / k), float(tally.held.mean()), k, len(real),
      len(fake), warnings)


def nearest(train: np.ndarray, fake: np.ndarray,
            count: int = 1) -> tuple[np.ndarray, np.ndarray]:
  """The nearest training rows of every fake.

  Args:
    train: [m, d], at least `count` rows.
    fake: [n, d].

  Returns:
    (distances [n, count] float64, ascending; indices [n, count] into train).
    The distances are taken anew from the rows, so that a copy has exactly 0.
  """
  train, fake = checks.sets('nearest', 1, train=train, fake=fake)
  if len(train) < count:
    raise ValueError(
        f'nearest: wanted {count} neighbours among {len(train)} rows.')
  with _precision(train, fake):
    centres, points = _tiles(train, fake)
    indices = _smallest(points, centres, count)[1]
  distances = np.empty(indices.shape)
  for column in range(count):
    for i in range(0, len(fake), _BLOCK):
      block = slice(i, i + _BLOCK)
      gap = fake[block].astype(np.float64) - train[indices[block, column]]
      distances[block, column] = np.linalg.norm(gap, axis=1)
  order = np.argsort(distances, axis=1, kind='stable')
  return (np.take_along_axis(distances, order, 1),
          np.take_along_axis(indices, order, 1))


def _measure(place, real, fake, k, closed, of_fakes):
  """(_Tally, warnings); `of_fakes`: whether fakes have balls too."""
  real, fake = checks.sets(place, 1, real=real, fake=fake)
  for name, x in (('real', real), ('fake', fake)):
    if k < 1 or len(x) <= k:
      raise ValueError(
          f'{place}: wanted k of at least 1 and more than k rows, {k + 1} or '
          f'more for k = {k}, found {len(x)} rows of {name}.')
  with _precision(real, fake):
    reals, fakes = _tiles(real, fake)
    radii = {'real': _smallest(reals, reals, k + 1)[0][:, k],
             'fake': np.full(len(fake), -1.)}  # Holds nothing: not asked for.
    if of_fakes:
      radii['fake'] = _smallest(fakes, fakes, k + 1)[0][:, k]
    tally = _tally(fakes, reals, radii['fake'], radii['real'], closed)
  return tally, tuple(
      f'{name}: {(radius == 0).sum()} of {len(radius)} rows have {k} '
      'copies or more, and so a ball of radius 0.'
      for name, radius in radii.items() if (radius == 0).any())


def _precision(*sets):
  """The context in which distances of these sets are taken.

  float64 where all have it, or where rows are short: it costs nothing there,
  and near neighbours in the plane are too near for a float32 product.
  """
  wide = all(x.dtype == np.float64 for x in sets)
  return jax.enable_x64(wide or sets[0].shape[1] <= _SHORT)


class _Tiles(NamedTuple):
  """A set in blocks of one size on the device; the last one is filled up."""

  blocks: list
  n: int


def _tiles(first, second):
  """Both sets about the first one's mean, which distances do not see."""
  mean = first.mean(axis=0, dtype=np.float64)
  dtype = jnp.zeros(()).dtype  # float64 where jax has it switched on.
  return tuple(_blocks(x, mean, dtype) for x in (first, second))


def _blocks(x, mean, dtype):
  size = min(_BLOCK, -(-len(x) // 256) * 256)
  blocks = []
  for start in range(0, len(x), size):
    rows = (x[start:start + size] - mean).astype(dtype)
    blocks.append(jnp.asarray(
        np.pad(rows, ((0, size - len(rows)), (0, 0)))))
  return _Tiles(blocks, len(x))


def _smallest(points, centres, count):
  """Squared distances [n, count], ascending, and which centres [n, count]."""
  blocks = []
  for x in points.blocks:
    best = (jnp.full((len(x), count), jnp.inf, x.dtype),
            jnp.zeros((len(x), count), jnp.int32))
    start = 0
    for y in centres.blocks:
      best = _merge(*best, x, y, start, centres.n)
      start += len(y)
    blocks.append(best)
  return tuple(_join(each, points.n) for each in zip(*blocks, strict=True))


@jit
def _merge(best, where, x, y, start, n):
  """The smallest of those known and of a tile's."""
  index = start + jnp.arange(len(y), dtype=jnp.int32)
  square = jnp.where(index < n, _squares(x, y), jnp.inf)
  count = best.shape[1]
  new, column = jax.lax.top_k(-square, min(count, len(y)))
  both = jnp.concatenate([-best, new], axis=1)
  negative, place = jax.lax.top_k(both, count)
  return -negative, jnp.take_along_axis(
      jnp.concatenate([where, index[column]], axis=1), place, axis=1)


class _Tally(NamedTuple):
  """Of points and centres, each with balls.

  Attributes:
    within: bool [points], in a centre's ball.
    balls: int [points], in how many.
    holds: bool [centres], in a point's ball.
    held: bool [centres], whether its ball has a point.
  """

  within: np.ndarray
  balls: np.ndarray
  holds: np.ndarray
  held: np.ndarray


def _tally(points, centres, of_points, of_centres, closed):
  """_Tally of squared radii; `closed`: whether a surface is in its ball."""
  within, count = [], []
  holds, held = [0] * len(centres.blocks), [0] * len(centres.blocks)
  of_points = _spread(of_points, points)
  of_centres = _spread(of_centres, centres)
  for i, x in enumerate(points.blocks):
    row_within = row_count = 0
    for j, y in enumerate(centres.blocks):
      a, b, c, d = _tile_tally(
          x, y, of_points[i], of_centres[j], i * len(x), points.n, closed)
      row_within, row_count = row_within | a, row_count + b
      holds[j], held[j] = holds[j] | c, held[j] | d
    within.append(row_within)
    count.append(row_count)
  return _Tally(_join(within, points.n), _join(count, points.n),
                _join(holds, centres.n), _join(held, centres.n))


def _join(blocks, n):
  return np.concatenate([np.asarray(x) for x in blocks])[:n]


def _spread(radii, tiles):
  """Radii by block; what fills the last block up has a ball without a point."""
  size = len(tiles.blocks[0])
  radii = np.pad(radii, (0, len(tiles.blocks) * size - tiles.n),
                 constant_values=-1)
  return jnp.asarray(radii.reshape(-1, size), tiles.blocks[0].dtype)


@jit
def _tile_tally(x, y, of_x, of_y, start, n, closed):
  real_rows = start + jnp.arange(len(x)) < n
  square = jnp.where(real_rows[:, None], _squares(x, y), jnp.inf)

  def inside(radii):
    return jnp.where(closed, square <= radii, square < radii)

  within = inside(of_y)
  return (within.any(1), within.sum(1, dtype=jnp.int32),
          inside(of_x[:, None]).any(0), within.any(0))


def _squares(x, y):
  """Squared distances [n, m]; what is less than the rounding is 0."""
  of_x, of_y = (jnp.square(z).sum(1) for z in (x, y))
  norms = of_x[:, None] + of_y
  square = norms - 2 * jnp.matmul(x, y.T, precision='highest')
  # Copies then have distance 0, and their balls radius 0, on every device.
  tiny = max(16, x.shape[1]**.5) * jnp.finfo(x.dtype).eps
  return jnp.where(square < tiny * norms, 0, square)

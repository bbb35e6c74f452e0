"""How far pictures lie from the nearest polygon, which is known to exist."""
import numpy as np

from msg_gan_jax.data.drawn import polygons
from msg_gan_jax.metrics.pair import Pair
from msg_gan_jax.metrics.score import Score, error_of_share

WITHIN = .75  # Euclidean distance of pictures in [0, 1]: Lucic et al. 2018.
MOST = 1000  # Fakes whose nearest polygon is looked for.
_CANDIDATES = 10_000  # Polygons that the search begins at.
_STARTS = 4  # The nearest of them, each of which leads somewhere else.
_ROUNDS = 16
_STEP = 1e-3  # Of a corner, in sides of the picture: a thirtieth of a pixel.


def distances(images: np.ndarray, dataset: str, seed: int = 1) -> np.ndarray:
  """Distances of pictures to the nearest polygon of a kind.

  The nearest of many that are drawn, and from there the corners are moved by
  Levenberg and Marquardt's steps; a bound from above, for the nearest polygon
  may lie elsewhere.

  Args:
    images: uint8 [n, H, H, 1].
    dataset: a row of data.drawn.polygons.DATASETS.
    seed: of the polygons that are drawn.

  Returns:
    float64 [n]: Euclidean, of pictures in [0, 1].
  """
  size = images.shape[1]
  target = _flat(images)
  corners = polygons.factors_at(
      dataset, seed, np.arange(_CANDIDATES))['vertices']
  near, _ = nearest(target, _flat(polygons.draw(corners, size)), _STARTS)
  return np.min([_descend(target, corners[start], size) for start in near.T], 0)


def _descend(target, corners, size):
  """[n]: distances to the pictures of polygons, once they have been moved."""
  v = corners.astype(np.float64)
  residual = _pictures(v, size) - target
  square, damping = (residual**2).sum(1), np.full(len(v), 1.)
  for _ in range(_ROUNDS):
    slope = np.stack([
        (_pictures(v + step, size) - residual - target) / _STEP
        for step in _steps(v.shape[1])], -1)  # [n, pixels, 2 corners]
    normal = np.einsum('npi,npj->nij', slope, slope)
    normal += damping[:, None, None] * np.eye(normal.shape[-1])
    right = -np.einsum('npi,np->ni', slope, residual)
    moved = v + np.linalg.solve(normal, right[..., None]).reshape(v.shape)
    after = _pictures(moved, size) - target
    better = (after**2).sum(1) < square
    v[better], residual[better] = moved[better], after[better]
    square = np.where(better, (after**2).sum(1), square)
    damping *= np.where(better, .3, 10)
  return np.sqrt(square)


def nearest(points: np.ndarray, among: np.ndarray,
            count: int = 1) -> tuple[np.ndarray, np.ndarray]:
  """(indices [n, count], distances) of the nearest of `among`, [m, d]."""
  square = ((points**2).sum(1)[:, None] + (among**2).sum(1)
            - 2 * points @ among.T)
  indices = np.argpartition(square, count - 1)[:, :count]
  return indices, np.sqrt(
      np.maximum(np.take_along_axis(square, indices, 1), 0))


def polygon_scores(pair: Pair) -> list[Score]:
  """Precision and recall of polygons, as Scores.

  Precision is the share of samples at most WITHIN from the manifold. Recall is
  the share of reals at most WITHIN from the nearest sample: without the
  generator, which could look for a better latent, it grows with their number.

  Raises:
    ValueError: the reals are not polygons.

  Source: Lucic et al. 2018 (arXiv:1711.10337), sec. 5; recall there inverts G.
  """
  source = pair.real.source
  dataset = source.notes.get('dataset')
  if source.name != 'polygons' or dataset not in polygons.DATASETS:
    raise ValueError(
        'metrics: polygons measures against a manifold that is known, and '
        f'{source.name} has none; wanted pictures of the source polygons.')
  fake, real = pair.fake.images(MOST), pair.real.images(MOST)
  away = distances(fake, dataset)
  _, near = nearest(_flat(real), _flat(pair.fake.images()))
  others = _flat(pair.real.images())[MOST:]
  floor = float((nearest(_flat(real), others)[1] <= WITHIN).mean()) if (
      len(others)) else None
  precision = float((away <= WITHIN).mean())
  recall = float((near <= WITHIN).mean())
  about = {'within': WITHIN, 'mean_distance': float(away.mean())}
  return [
      Score('polygon_precision', precision,
            error_of_share(precision, len(fake)), about=about),
      Score('polygon_recall', recall, error_of_share(recall, len(real)),
            reals=floor, about=about)]


def _steps(corners):
  for i in range(2 * corners):
    step = np.zeros(2 * corners)
    step[i] = _STEP
    yield step.reshape(corners, 2)


def _pictures(vertices, size):
  # Not rounded to bytes, or a small step would change nothing.
  return polygons.coverage(vertices, size).reshape(
      len(vertices), -1).astype(np.float64)


def _flat(images):
  return images.reshape(len(images), -1) / 255.

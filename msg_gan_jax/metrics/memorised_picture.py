"""The samples nearest to training pictures, beside those pictures."""
import numpy as np

from msg_gan_jax.arrays.indices import evenly
from msg_gan_jax.metrics.functional import precision_recall
from msg_gan_jax.metrics.pair import Pair
from msg_gan_jax.report import grids, neighbours

ROWS = 6  # Of the nearest samples, and of others.
NEIGHBOURS = 6


def draw(pair: Pair, path: str) -> str:
  """Writes a picture: samples, and the training pictures nearest to each.

  Above the samples nearest to any training picture, below samples as they
  come: what copies a training picture stands in the first rows.

  Args:
    pair: features are those of precision and recall.
    path: where to, a .png.

  Returns:
    The path.
  """
  spec = pair.manifold_spec
  train = pair.train or pair.real
  distances, indices = precision_recall.nearest(
      train.features(spec), pair.fake.features(spec),
      min(NEIGHBOURS, len(train)))
  order = np.argsort(distances[:, 0], kind='stable')
  count = min(ROWS, len(order) // 2)
  others = order[evenly(len(order), count + 1)[1:]]
  grids.save(path, neighbours.draw(
      [neighbours.Nearest(
          title, pair.fake.images_of(rows),
          train.images_of(indices[rows].ravel()), distances[rows, 0])
       for title, rows in (('nearest to training', order[:count]),
                           ('others, by distance', others))],
      ('Samples', f'and the training pictures nearest to each, by {spec}'
       f'; their distances at the left'), 'sample'))
  return path

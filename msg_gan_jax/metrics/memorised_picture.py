"""The samples nearest to training pictures, beside those pictures."""
import numpy as np

from msg_gan_jax.metrics.functional import precision_recall
from msg_gan_jax.report import figure, grids

ROWS = 6  # Of the nearest samples, and of others.
NEIGHBOURS = 6


def draw(pair, path):
  """Writes a picture: samples, and the training pictures nearest to each.

  Above the samples nearest to any training picture, below samples as they
  come: what copies a training picture stands in the first rows.

  Args:
    pair: pair.Pair; features are those of precision and recall.
    path: where to, a .png.

  Returns:
    The path.
  """
  spec = pair.manifold_spec
  side = 'train' if pair.options.train else 'real'
  distances, indices = precision_recall.nearest(
      pair.features(side, spec), pair.features('fake', spec),
      min(NEIGHBOURS, pair.n(side)))
  order = np.argsort(distances[:, 0], kind='stable')
  rows = min(ROWS, len(order) // 2)
  others = order[np.linspace(0, len(order) - 1, rows + 1).astype(int)[1:]]
  bands, beside = [], []
  for title, some in (('nearest to training', order[:rows]),
                      ('others, by distance', others)):
    fakes = pair.picked_images('fake', some)
    reals = pair.picked_images(side, indices[some].ravel())
    tiles = [figure.tile(x) for x in reals]
    count = indices.shape[1]
    bands.append(figure.Band((title, ''), [
        [figure.tile(fake), *tiles[i * count:(i + 1) * count]]
        for i, fake in enumerate(fakes)]))
    beside += [('', f'{distances[i, 0]:.3g}') for i in some]
  grids.save(path, figure.draw(
      bands, ('Samples', f'and the training pictures nearest to each, by {spec}'
              f'; their distances at the left'),
      ('sample', *(f'{i + 1}' for i in range(indices.shape[1]))), beside,
      aside=1))
  return path

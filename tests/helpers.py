"""What tests of several rooms share."""
import io
import pathlib

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent


def picture(seed, width=8, height=8, channels=3):
  """Noise, uint8 [height, width, channels], or [height, width] of one."""
  shape = (height, width, channels)[:2 if channels == 1 else 3]
  return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def save(path, pixels, **options):
  """Writes pixels, or an Image of PIL, into folders that may be new."""
  path.parent.mkdir(parents=True, exist_ok=True)
  image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
  image.save(path, **options)


def png(pixels):
  """The bytes of a .png."""
  file = io.BytesIO()
  Image.fromarray(pixels).save(file, 'PNG')
  return file.getvalue()


def save_classes(root, cats, dogs):
  """A folder of two classes, cat and dog, of different pictures; its path."""
  for i in range(cats + dogs):
    save(root / ('cat' if i < cats else 'dog') / f'{i:02}.png', picture(i))
  return root


def whole(source):
  """All pictures of a source."""
  return source.images(np.arange(len(source)))


class Drawn:
  """A source of given arrays, which counts what it is asked for."""
  name, notes = 'drawn', {}

  def __init__(self, images, labels=None, classes=()):
    self._images, self.classes = images, classes
    self._labels = np.zeros(len(images), np.int32) if labels is None else (
        np.array(labels, np.int32))
    self.shape = images.shape[1:]
    self.asked = []

  def __len__(self):
    return len(self._images)

  def images(self, indices):
    self.asked.append(len(indices))
    return self._images[indices]

  def labels(self, indices):
    return self._labels[indices]

  def factors(self, indices):
    return {'number': np.asarray(indices) % 2}

  def digest(self):
    return 'd' * 64


def batch(config, seed=0):
  """A Batch for one step of a Config, of noise and of any labels."""
  import jax.numpy as jnp

  from msg_gan_jax.data.batches import Batch
  rng = np.random.default_rng(seed)
  rows = config.train.n_dis + (config.train.g_reals == 'new')
  shape = rows, config.train.batch
  return Batch(
      jnp.asarray(rng.integers(0, 256, (*shape, *config.data.shape), np.uint8)),
      jnp.asarray(rng.integers(
          0, max(1, config.networks.classes), shape), jnp.int32))


def count(tree):
  """How many numbers a tree of arrays, or of their shapes, has."""
  import jax
  return sum(int(np.prod(x.shape)) for x in jax.tree.leaves(tree))


def equations(jaxpr, inside=''):
  """(names around it, equation) of all, those inside of others too."""
  import jax
  for eqn in jaxpr.eqns:
    path = f'{inside}/{eqn.source_info.name_stack}'
    yield path, eqn
    for value in jax.tree.leaves(tuple(eqn.params.values()), is_leaf=lambda x: (
        hasattr(x, 'eqns'))):
      if hasattr(value, 'eqns'):  # a Jaxpr or a ClosedJaxpr
        yield from equations(getattr(value, 'jaxpr', value), path)


def products(jaxpr):
  """(path, equation) of each convolution and product.

  Those that repeat or add up rows (layers.over_rows, squares.conv) are none:
  they are exact, which is how they are known.
  """
  for path, eqn in equations(jaxpr):
    if (eqn.primitive.name in ('conv_general_dilated', 'dot_general')
        and eqn.params['precision'] is None):
      yield path, eqn

"""The first GAN's networks of dense layers."""
from typing import NamedTuple

from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.gan.networks import plain
from msg_gan_jax.gan.networks.norms import PassInfo
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition, Verdict


class Architecture(NamedTuple):
  """What its layers have.

  Attributes:
    g: units of G's hidden layers.
    d: units of D's hidden layers.
    pieces: linear functions of which a maxout unit of D takes the largest.
    dropout: shares of units that D forgets: of the image, of hidden layers.
    settings: how D's layers are made; norms are those of a Config.
  """
  g: tuple[int, ...] = (1200, 1200)
  d: tuple[int, ...] = (240, 240)
  pieces: int = 5
  dropout: tuple[float, float] = (.2, .5)
  # The code draws G's weights ten times as wide, U(-.05, .05).
  settings: plain.LayerSettings = plain.LayerSettings(
      deviation='.005', law='uniform')

  def narrowed(self, most: int) -> 'Architecture':
    """The same with at most `most` units in a layer: for small runs."""
    return self._replace(
        g=tuple(min(most, w) for w in self.g),
        d=tuple(min(most, w) for w in self.d))


class Generator(nn.Module):
  """z [B, latent] -> pyramid of one level, in [-1, 1] (a sigmoid's range).

  Source: Goodfellow et al. 2014 (arXiv:1406.2661), mnist.yaml of its code:
  two hidden layers of ReLUs.
  """
  arch: Architecture
  image: tuple[int, int, int]
  settings: plain.LayerSettings

  @nn.compact
  def __call__(self, z: jax.Array, condition: Condition = NOTHING,
               train: bool = False) -> Pyramid:
    settings, info = self.settings, PassInfo(train, condition.labels)
    x = settings.cast(z)
    for i, width in enumerate(self.arch.g):
      x = plain.Dense(settings, width, bias=settings.before_batch_norm,
                      name=f'hidden_{i}')(x)
      x = nn.relu(settings.normalize(f'norm_{i}')(x, info))
    *grid, channels = self.image
    x = plain.Dense(settings, channels, tuple(grid), name='image')(x)
    return (jnp.tanh(x.astype(jnp.float32) / 2),)


class Discriminator(nn.Module):
  """Pyramid of one level -> Verdict: maxout units with dropout.

  Source: as Generator; maxout is Goodfellow et al. 2013 (arXiv:1302.4389).
  """
  arch: Architecture
  settings: plain.LayerSettings
  head: plain.Head

  @nn.compact
  def __call__(self, images: Pyramid, condition: Condition = NOTHING,
               train: bool = False) -> Verdict:
    settings, info = self.settings, PassInfo(train, condition.labels)
    of_image, of_hidden = self.arch.dropout
    x = settings.cast((images[-1] + 1) / 2)
    x = x.reshape(x.shape[0], -1)
    for i, width in enumerate(self.arch.d):
      x = nn.Dropout(of_hidden if i else of_image)(x, deterministic=not train)
      x = plain.Dense(settings, width * self.arch.pieces, name=f'hidden_{i}',
                      bias=settings.before_batch_norm)(x)
      x = settings.normalize(f'norm_{i}', conditional=False)(x, info)
      x = _maxout(x.reshape(-1, width, self.arch.pieces))
    x = nn.Dropout(of_hidden)(x, deterministic=not train)
    return self.head(x, condition.labels, settings=settings)


def _maxout(x):
  """The largest of each unit's pieces: [B, units, pieces] -> [B, units].

  Not x.max(-1), whose gradient divides by the number of pieces that equal the
  largest: where XLA fuses the norm before it, it may compute them anew, round
  them otherwise and find none, and the gradient is NaN.
  """
  largest = jax.nn.one_hot(x.argmax(-1), x.shape[-1], dtype=x.dtype)
  return (x * largest).sum(-1)

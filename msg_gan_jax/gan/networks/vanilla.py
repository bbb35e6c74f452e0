"""The first GAN's networks of dense layers."""
from typing import NamedTuple

from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.gan.networks import plain
from msg_gan_jax.gan.networks.norms import Way
from msg_gan_jax.gan.state import NOTHING


class Plan(NamedTuple):
  """Widths of the hidden layers.

  Attributes:
    g: of G.
    d: of D.
    pieces: of D's maxout units.
    dropout: shares of units that D forgets: of the image, of hidden layers.
  """
  g: tuple[int, ...] = (1200, 1200)
  d: tuple[int, ...] = (240, 240)
  pieces: int = 5
  dropout: tuple[float, float] = (.2, .5)
  # Its code draws G's weights ten times as wide, U(-.05, .05).
  kit: plain.Kit = plain.Kit(deviation='.005', law='uniform')

  def scaled(self, most):
    """The same with at most `most` units in a layer: for small runs."""
    return self._replace(
        g=tuple(min(most, w) for w in self.g),
        d=tuple(min(most, w) for w in self.d))


class Generator(nn.Module):
  """z [B, latent] -> pyramid of one level, in [-1, 1] (a sigmoid's range).

  Source: Goodfellow et al. 2014 (arXiv:1406.2661), mnist.yaml of its code:
  two hidden layers of ReLUs.
  """
  plan: Plan
  image: tuple[int, int, int]
  kit: plain.Kit

  @nn.compact
  def __call__(self, z, condition=NOTHING, train=False):
    kit, way = self.kit, Way(train, condition.labels)
    x = kit.cast(z)
    for i, width in enumerate(self.plan.g):
      x = plain.Dense(kit, width, bias=kit.before_batch_norm,
                      name=f'hidden_{i}')(x)
      x = nn.relu(kit.normalize(f'norm_{i}')(x, way))
    *grid, channels = self.image
    x = plain.Dense(kit, channels, tuple(grid), name='image')(x)
    return (jnp.tanh(x.astype(jnp.float32) / 2),)


class Discriminator(nn.Module):
  """Pyramid of one level -> Verdict: maxout units with dropout.

  Source: as Generator; maxout is Goodfellow et al. 2013 (arXiv:1302.4389).
  """
  plan: Plan
  kit: plain.Kit
  head: plain.Head

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    kit, way = self.kit, Way(train, condition.labels)
    of_image, of_hidden = self.plan.dropout
    x = kit.cast((images[-1] + 1) / 2)
    x = x.reshape(x.shape[0], -1)
    for i, width in enumerate(self.plan.d):
      x = nn.Dropout(of_hidden if i else of_image)(x, deterministic=not train)
      x = plain.Dense(kit, width * self.plan.pieces, name=f'hidden_{i}',
                      bias=kit.before_batch_norm)(x)
      x = kit.normalize(f'norm_{i}', conditional=False)(x, way)
      x = _maxout(x.reshape(-1, width, self.plan.pieces))
    x = nn.Dropout(of_hidden)(x, deterministic=not train)
    return self.head(x, condition.labels, kit=kit)


def _maxout(x):
  """The largest of each unit's pieces: [B, units, pieces] -> [B, units].

  Not x.max(-1), whose gradient divides by the number of pieces that equal the
  largest: where XLA fuses the norm before it, it may compute them anew, round
  them otherwise and find none, and the gradient is NaN.
  """
  largest = jax.nn.one_hot(x.argmax(-1), x.shape[-1], dtype=x.dtype)
  return (x * largest).sum(-1)

"""InfoGAN's networks for small pictures."""
from typing import NamedTuple

from flax import linen as nn
import jax.numpy as jnp

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import plain
from msg_gan_jax.gan.networks.norms import Way
from msg_gan_jax.gan.state import NOTHING


class InfoPlan(NamedTuple):
  """InfoGAN's layers: two dense and two that double the size.

  Attributes:
    g: units of G's first layer, maps of its grid and after one doubling.
    d: maps of D's two convolutions, units of its dense layer.
  """
  g: tuple[int, int, int] = (1024, 128, 64)
  d: tuple[int, int, int] = (64, 128, 1024)
  kit: plain.Kit = plain.Kit(decay=.999, epsilon=1e-3, law='truncated')

  def scaled(self, most):
    """The same with at most `most` of anything: for small runs."""
    return self._replace(g=tuple(min(most, w) for w in self.g),
                         d=tuple(min(most, w) for w in self.d))


class InfoGenerator(nn.Module):
  """z [B, latent] -> pyramid of one level, in [-1, 1] (a sigmoid's range).

  Source: Chen et al. 2016 (arXiv:1606.03657), table 1, as Lucic et al. 2018
  (arXiv:1711.10337) take it for all GANs: compare_gan, infogan.py.
  """
  plan: InfoPlan
  image: tuple[int, int, int]
  kit: plain.Kit

  @nn.compact
  def __call__(self, z, condition=NOTHING, train=False):
    kit, way = self.kit, Way(train, condition.labels)
    bias, (height, width, channels) = kit.before_batch_norm, self.image
    units, maps, last = self.plan.g
    x = plain.Dense(kit, units, bias=bias, name='start')(kit.cast(z))
    x = nn.leaky_relu(kit.normalize('norm_start')(x, way), .2)
    x = plain.Dense(
        kit, maps, (height // 4, width // 4), bias=bias, name='grid')(x)
    norm = kit.normalize('norm_grid')
    if kit.norm == 'batch':  # of every number
      x = norm(x.reshape(x.shape[0], -1), way).reshape(x.shape)
    else:
      x = norm(x, way)
    x = plain.Conv(kit, last, 4, up='transposed', bias=bias, name='conv')(
        nn.leaky_relu(x, .2))
    x = nn.leaky_relu(kit.normalize('norm_conv')(x, way), .2)
    x = plain.Conv(kit, channels, 4, up='transposed', name='image')(x)
    return (jnp.tanh(x.astype(jnp.float32) / 2),)


class InfoDiscriminator(nn.Module):
  """Pyramid of one level -> Verdict.

  Source: as InfoGenerator.
  """
  plan: InfoPlan
  kit: plain.Kit
  head: plain.Head
  shown: tuple[int, ...]

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    pyramid.check(images, self.shown)
    kit, way = self.kit, Way(train, condition.labels)
    first, second, units = self.plan.d
    dead = kit.before_batch_norm

    def norm(x, name):
      return nn.leaky_relu(
          kit.normalize(name, conditional=False)(x, way), .2)

    x = kit.cast((images[-1] + 1) / 2)
    x = nn.leaky_relu(plain.Conv(kit, first, 4, 2, name='conv_1')(x), .2)
    x = plain.Conv(kit, second, 4, 2, bias=dead, name='conv_2')(x)
    x = norm(x, 'norm_2')
    x = norm(plain.Dense(kit, units, bias=dead, name='dense')(x), 'norm_3')
    return self.head(x, condition.labels, kit=kit)

"""InfoGAN's networks for small pictures."""
from typing import NamedTuple

from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import plain
from msg_gan_jax.gan.networks.norms import PassInfo
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition, Verdict

DOUBLINGS = 2  # of G, and as many halvings of D


class Architecture(NamedTuple):
  """InfoGAN's layers: two dense and two that double the size.

  Attributes:
    g: units of G's first layer, maps of its grid and after one doubling.
    d: maps of D's two convolutions, units of its dense layer.
    settings: how layers are made; norms are those of a Config.
  """
  g: tuple[int, ...] = (1024, 128, 64)
  d: tuple[int, ...] = (64, 128, 1024)
  settings: plain.LayerSettings = plain.LayerSettings(
      decay=.999, epsilon=1e-3, law='truncated')

  def narrowed(self, most: int) -> 'Architecture':
    """The same with at most `most` units or maps: for small runs."""
    return self._replace(g=tuple(min(most, w) for w in self.g),
                         d=tuple(min(most, w) for w in self.d))


class Generator(nn.Module):
  """z [B, latent] -> pyramid of one level, in [-1, 1] (a sigmoid's range).

  Source: Chen et al. 2016 (arXiv:1606.03657), table 1, as Lucic et al. 2018
  (arXiv:1711.10337) take it for all GANs: compare_gan, infogan.py.
  """
  arch: Architecture
  image: tuple[int, int, int]
  settings: plain.LayerSettings

  @nn.compact
  def __call__(self, z: jax.Array, condition: Condition = NOTHING,
               train: bool = False) -> Pyramid:
    settings, info = self.settings, PassInfo(train, condition.labels)
    bias, (height, width, channels) = settings.before_batch_norm, self.image
    units, maps, last = self.arch.g
    x = plain.Dense(settings, units, bias=bias, name='start')(settings.cast(z))
    x = nn.leaky_relu(settings.normalize('norm_start')(x, info), .2)
    x = plain.Dense(
        settings, maps, (height // 4, width // 4), bias=bias, name='grid')(x)
    norm = settings.normalize('norm_grid')
    if settings.norm == 'batch':  # of every number
      x = norm(x.reshape(x.shape[0], -1), info).reshape(x.shape)
    else:
      x = norm(x, info)
    x = plain.Conv(settings, last, 4, up='transposed', bias=bias, name='conv')(
        nn.leaky_relu(x, .2))
    x = nn.leaky_relu(settings.normalize('norm_conv')(x, info), .2)
    x = plain.Conv(settings, channels, 4, up='transposed', name='image')(x)
    return (jnp.tanh(x.astype(jnp.float32) / 2),)


class Discriminator(nn.Module):
  """Pyramid of one level -> Verdict.

  Source: as Generator.
  """
  arch: Architecture
  settings: plain.LayerSettings
  head: plain.Head
  shown: tuple[int, ...]

  @nn.compact
  def __call__(self, images: Pyramid, condition: Condition = NOTHING,
               train: bool = False) -> Verdict:
    pyramid.check(images, self.shown)
    settings, info = self.settings, PassInfo(train, condition.labels)
    first, second, units = self.arch.d
    dead = settings.before_batch_norm

    def norm(x, name):
      return nn.leaky_relu(
          settings.normalize(name, conditional=False)(x, info), .2)

    x = settings.cast((images[-1] + 1) / 2)
    x = nn.leaky_relu(plain.Conv(settings, first, 4, 2, name='conv_1')(x), .2)
    x = plain.Conv(settings, second, 4, 2, bias=dead, name='conv_2')(x)
    x = norm(x, 'norm_2')
    x = norm(plain.Dense(settings, units, bias=dead, name='dense')(x), 'norm_3')
    return self.head(x, condition.labels, settings=settings)

"""A small fully connected G and D, for toys and pictures of any one shape.

Source: the toy networks of WGAN-GP, Gulrajani et al. 2017 (arXiv:1704.00028),
gan_toy.py of its code: three hidden layers of ReLU in each, He's
initialization, linear outputs. Here the weights are equalized, so that they
begin alike, and a learning rate of Adam means something else.
"""
from typing import Any

from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import layers, plain
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition, Verdict

HIDDEN = 3


class Generator(nn.Module):
  """z [B, latent] -> pyramid of one level, not bounded.

  Attributes:
    shape: (height, width, channels) of a picture.
    width: of the hidden layers.
    dtype: of features; images are float32.
  """
  shape: tuple[int, int, int]
  width: int
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, z: jax.Array, condition: Condition = NOTHING,
               train: bool = False) -> Pyramid:
    del condition, train
    height, width, channels = self.shape
    x = hidden(z.astype(self.dtype), self.width)
    x = layers.EqualDense(
        channels, grid=(height, width), gain=1., name='image')(x)
    return (x.astype(jnp.float32),)


class Discriminator(nn.Module):
  """Pyramid of one level -> Verdict.

  Attributes:
    shape, width: as Generator's.
    head: from features to Verdict.
    dtype: of features.
  """
  shape: tuple[int, int, int]
  width: int
  head: plain.Head = plain.Head()
  dtype: Any = jnp.float32

  @nn.compact
  def __call__(self, images: Pyramid, condition: Condition = NOTHING,
               train: bool = False) -> Verdict:
    del train
    pyramid.check(images, self.shape[:1])
    x = hidden(images[-1].astype(self.dtype), self.width)
    return self.head(
        x, condition.labels, lambda features, name, use_bias: (
            layers.EqualDense(
                features, gain=1., use_bias=use_bias, name=name)))


def hidden(x: jax.Array, width: int) -> jax.Array:
  """The hidden layers of the module that calls: [B, ...] -> [B, width]."""
  for i in range(HIDDEN):
    x = nn.relu(layers.EqualDense(width, name=f'hidden_{i + 1}')(x))
  return x

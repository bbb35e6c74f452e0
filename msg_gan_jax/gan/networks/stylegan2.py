"""StyleGAN2's generator and discriminator, with one image or a pyramid.

Source: Karras et al. 2020 (arXiv:1912.04958); widths, labels and the plain D
for CIFAR-10 are those of StyleGAN2-ADA (Karras et al. 2020, arXiv:2006.06676).
"""
import math
from typing import Any

from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.config.tables import Table
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import (
  convolutions,
  filters,
  forms,
  layers,
  mapping,
  noise,
  phi,
  plain,
)
from msg_gan_jax.gan.networks import stylegan2_convs as convs
from msg_gan_jax.gan.networks.ladder import Ladder
from msg_gan_jax.gan.networks.mapping import activate
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition, Verdict


def clamped(x: jax.Array, most: float) -> jax.Array:
  """x within -most .. most; 0 sets no bound.

  Source: the code of Karras et al. 2020 (arXiv:2006.06676), conv_clamp 256,
  against overflow of float16; it moves what other types compute too.
  """
  return jnp.clip(x, -most, most) if most else x


class StyledConv(nn.Module):
  """Modulated 3x3 convolution, noise, bias, activation.

  Attributes:
    features: output channels.
    layer: its number, for the noise.
    up: whether it doubles the size.
    noise: whether there is any; its strength is learned, and begins at 0.
    clamp: see clamped.
  """
  features: int
  layer: int
  up: bool = False
  noise: bool = True
  clamp: float = 0.

  @nn.compact
  def __call__(self, x: jax.Array, w: jax.Array) -> jax.Array:
    """x [B, H, W, I], w [B, W] float32 -> [B, H, W, features], or larger."""
    style = mapping.Dense(x.shape[-1], start=1., name='style')(w)
    kernel, bias = layers.equal_weights(
        self, (3, 3, x.shape[-1], self.features), 9 * x.shape[-1], gain=1.)
    x = self.linear(x, kernel, style)
    if self.noise:
      strength = self.param('noise', nn.initializers.zeros, ())
      x = layers.add_bias(
          x, strength * noise.for_layer(self, self.layer, x.shape[:-1]))
    return clamped(activate(layers.add_bias(x, bias)), self.clamp)

  def linear(self, x: jax.Array, kernel: jax.Array,
             style: jax.Array) -> jax.Array:
    """The layer as a linear map of x: see gan.layer_operators."""
    return convs.modulated(x, kernel, style, self.up)


class ToRGB(nn.Module):
  """A modulated 1x1 convolution without demodulation -> float32."""
  features: int
  clamp: float = 0.

  @nn.compact
  def __call__(self, x: jax.Array, w: jax.Array) -> jax.Array:
    style = mapping.Dense(x.shape[-1], start=1., name='style')(w)
    kernel, bias = layers.equal_weights(
        self, (x.shape[-1], self.features), x.shape[-1], gain=1.)
    x = layers.add_bias(self.linear(x, kernel, style), bias)
    return clamped(x, self.clamp).astype(jnp.float32)

  def linear(self, x: jax.Array, kernel: jax.Array,
             style: jax.Array) -> jax.Array:
    """The layer as a linear map of x: see gan.layer_operators."""
    return forms.product(layers.scale(x, style[:, None, None]), kernel)


class Constant(nn.Module):
  """Learned maps [H, W, C], normal at the start."""
  shape: tuple[int, ...]

  @nn.compact
  def __call__(self) -> jax.Array:
    return self.param('kernel', nn.initializers.ones, self.shape)


class Synthesis(nn.Module):
  """Styles [B, layers, W] -> pyramid, a sum of images from every level.

  Level i has two convolutions, with styles 2 i - 1 and 2 i, and a layer that
  makes an image, with style 2 i + 1; the next level begins with that style too.
  The coarsest level has only the second convolution.

  Attributes: those of Generator.
  """
  ladder: Ladder
  noise: bool = True
  clamp: float = 0.
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.compact
  def __call__(self, w: jax.Array) -> Pyramid:
    images: list[jax.Array] = []
    image = x = None
    for i, size in enumerate(self.ladder.heights):
      x, added = layers.remat(self.remat, lambda module, x, w, i=i: (
          module.block(i, x, w)))(self, x, w[:, max(0, 2 * i - 1):2 * i + 2])
      image = added if image is None else filters.up(image, convs.TAPS) + added
      if size in self.ladder.shown:
        images.append(image)
    return tuple(images)

  @nn.nowrap
  def block(self, i: int, x: jax.Array | None,
            w: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The layers of level i.

    Args:
      i: its number, from the coarsest.
      x: [B, H / 2, W / 2, I] of the level before; None at the coarsest.
      w: [B, 2 or 3, width], its styles.

    Returns:
      (maps [B, H, W, O], what it adds to the image, [B, H, W, C]).
    """
    size = self.ladder.heights[i]
    width = self.ladder.width(size)

    if x is None:
      x = Constant((*self.ladder.grid(), width), name='constant')()
      x = jnp.broadcast_to(x, (len(w), *x.shape)).astype(self.dtype)
    else:
      x = StyledConv(width, 2 * i - 1, True, self.noise, self.clamp,
                     name=f'block_{size}_conv_1')(x, w[:, 0])
    x = StyledConv(width, 2 * i, False, self.noise, self.clamp,
                   name=f'block_{size}_conv_2')(x, w[:, -2])
    return x, ToRGB(self.ladder.image[-1], self.clamp,
                    name=f'rgb_{size}')(x, w[:, -1])


class Generator(mapping.Styled):
  """z [B, latent] -> pyramid of the shown sizes, in about [-1, 1].

  The image of a level is the sum of what it and the coarser levels add.

  Attributes, beside those of mapping.Styled:
    noise: whether layers have any.
    clamp: see clamped.
    dtype: of activations.
    remat: whether blocks are computed again in the backward pass.
  """
  noise: bool = True
  clamp: float = 0.
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.nowrap
  def networks(self) -> tuple[mapping.Mapping, nn.Module]:
    """See mapping.Styled."""
    return (mapping.Mapping(self.depth, self.width, classes=self.classes),
            Synthesis(self.ladder, self.noise, self.clamp, self.dtype,
                      self.remat))

  def style_layers(self) -> int:
    """Two of every level: see Synthesis."""
    return 2 * len(self.ladder.heights)

  def synthesize(self, w: jax.Array, condition: Condition = NOTHING,
                 train: bool = False) -> Pyramid:
    """w [B, layers, width] -> pyramid."""
    del condition, train
    return self.synthesis(w)


class ConvDown(nn.Module):
  """convs.TAPS, then a 3x3 convolution of stride 2: half the size; bias."""
  features: int

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    kernel, bias = layers.equal_weights(
        self, (3, 3, x.shape[-1], self.features), 9 * x.shape[-1], gain=1.)
    x = filters.blur(x, convs.TAPS, (2, 2))
    return layers.add_bias(
        convolutions.conv(x, kernel, 2, padding='VALID'), bias)


class Discriminator(nn.Module):
  """Pyramid of the shown sizes -> Verdict.

  Attributes:
    ladder: see ladder.Ladder.
    architecture: a row of ARCHITECTURES.
    phi: a row of PHI: how images of coarser levels are joined to the path.
    stddev: where D sees the minibatch standard deviation: 'every' level,
      'last', 'none'.
    stddev_group: see layers.minibatch_stddev.
    head: from features to Verdict. With the condition 'mapped_projection' the
      score is <features, Mapping(label)> / sqrt(width): StyleGAN2-ADA's.
    clamp: see clamped; of all convolutions but shortcuts.
    dtype: of activations.
    remat: whether blocks are computed again in the backward pass.
  """
  ladder: Ladder
  architecture: str = 'residual'
  phi: str = 'simple'
  stddev: str = 'last'
  stddev_group: int = 4
  head: plain.Head = plain.Head()
  clamp: float = 0.
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.compact
  def __call__(self, images: Pyramid, condition: Condition = NOTHING,
               train: bool = False) -> Verdict:
    del train
    pyramid.check(images, self.ladder.shown)
    images = tuple(x.astype(self.dtype) for x in images)
    *finer, base = reversed(self.ladder.heights)
    x: Any = None
    for size in finer:
      x = self.entering(images, x, size, self.stddev == 'every')
      x = layers.remat(self.remat, lambda module, x, size=size: (
          module.block(x, size)))(self, x)
    x = self.entering(images, x, base, self.stddev != 'none')
    width = self.ladder.width(base)
    x = self.active(layers.EqualConv(
        width, gain=1., name=f'block_{base}_conv_1')(x))
    x = activate(layers.EqualDense(
        width, gain=1., name=f'block_{base}_conv_2')(x))
    return self.verdict(x.astype(jnp.float32), condition.labels)

  @nn.nowrap
  def entering(self, images: Pyramid, x: jax.Array | None,
               size: int, stddev: bool) -> jax.Array:
    """What enters a level: the first layer, or the path x with its image.

    Args:
      images: the pyramid, coarse to fine.
      x: [B, H, W, C] from the level above; None at the finest.
      size: height of the level.
      stddev: whether the minibatch standard deviation is added.
    """
    width = self.ladder.width(size)
    if x is None:
      x = self.active(layers.EqualConv(
          width, size=1, gain=1., name='from_rgb')(images[-1]))
    else:
      x = phi.join_image(
          self.phi, None, width, self.ladder.shown, images, x)
    return layers.minibatch_stddev(x, self.stddev_group) if stddev else x

  @nn.nowrap
  def block(self, x: jax.Array, size: int) -> jax.Array:
    """The layers of a level: [B, H, W, I] -> [B, H / 2, W / 2, O]."""
    out, name = self.path_width(size // 2), f'block_{size}'
    y = self.active(layers.EqualConv(
        self.ladder.width(size), gain=1., name=f'{name}_conv_1')(x))
    y = self.active(ConvDown(out, name=f'{name}_conv_2')(y))
    if not ARCHITECTURES[self.architecture]:
      return y
    shortcut = layers.EqualConv(
        out, size=1, gain=1., use_bias=False, name=f'{name}_shortcut')
    return (y + shortcut(filters.down(x, convs.TAPS))) * math.sqrt(.5)

  @nn.nowrap
  def active(self, x: jax.Array) -> jax.Array:
    """What follows a convolution: the rectifier and, if any, the bound."""
    return clamped(activate(x), self.clamp)

  @nn.nowrap
  def path_width(self, size: int) -> int:
    """Channels that the block above gives to the level of `size` pixels."""
    return phi.path_width(
        self.phi, self.ladder.width(size), size, self.ladder.shown)

  @nn.nowrap
  def verdict(self, x: jax.Array, labels: jax.Array | None) -> Verdict:
    """Features [B, C] float32 -> Verdict."""
    def dense(features, name, use_bias):
      return layers.EqualDense(
          features, gain=1., use_bias=use_bias, name=name)

    if self.head.condition != 'mapped_projection':
      return self.head(x, labels, dense)
    width = x.shape[-1]
    label = mapping.Mapping(
        width=width, classes=self.head.classes, name='mapping')(labels=labels)
    score = dense(width, 'score', True)(x)
    return Verdict((score * label).sum(-1) / math.sqrt(width))


# Whether the blocks of D have shortcuts.
ARCHITECTURES: Table[bool] = Table('architecture', 'architecture', {
    'residual': True,  # Karras et al. 2020, sec. 4.1
    'plain': False,  # StyleGAN2-ADA on CIFAR-10, there called 'orig'
})

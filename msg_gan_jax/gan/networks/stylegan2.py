"""StyleGAN2's generator and discriminator, with one image or a pyramid.

Source: Karras et al. 2020 (arXiv:1912.04958); widths, labels and the plain D
for CIFAR-10 are those of StyleGAN2-ADA (Karras et al. 2020, arXiv:2006.06676).
"""
import math
from typing import Any

from flax import linen as nn
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.config import tables
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import (
  filters,
  ladder,
  layers,
  mapping,
  plain,
)
from msg_gan_jax.gan.networks import (
  phi as combine,
)
from msg_gan_jax.gan.networks.mapping import activate
from msg_gan_jax.gan.state import NOTHING, Verdict

TAPS = 1, 3, 3, 1
EPSILON = 1e-8  # of the demodulation, inside of the root

# Whether the blocks of D have shortcuts.
ARCHITECTURES = tables.Table('architecture', 'architecture', {
    'residual': True,  # Karras et al. 2020, sec. 4.1
    'plain': False,  # StyleGAN2-ADA on CIFAR-10, there called 'orig'
})


def modulated(x, kernel, style, up=False):
  """A 3x3 convolution with kernels of each sample's own, in the fast form.

  The kernel of a sample is style_i kernel_io, over its norm for each output o.
  As a convolution is linear, its inputs are scaled instead, and its outputs
  divided by the norm: one kernel for the batch.

  Args:
    x: [B, H, W, I].
    kernel: [3, 3, I, O].
    style: [B, I], float32.
    up: whether the size is doubled: a transposed convolution, then TAPS.

  Returns:
    [B, H, W, O], or twice as large, of x's dtype.

  Source: sec. 2.2, eq. 1 and 2, before eq. 3 moves the norm into the kernel.
  """
  norm = jnp.square(style) @ jnp.square(kernel).sum((0, 1))
  scale = lax.rsqrt(norm + EPSILON)
  x = _by_maps(x, style)
  if not up:
    return _by_maps(layers.conv(x, kernel), scale)
  x = filters.blur(transposed(x, kernel), TAPS, (1, 0))
  return _by_maps(x, 4 * scale)  # 4 is the gain of the filter


def _by_maps(x, factors):
  """x [B, H, W, C] times [B, C], in x's dtype."""
  return layers.scaled(x, factors[:, None, None])


def transposed(x, kernel):
  """A 3x3 transposed convolution of stride 2: [B, 2 H + 2, 2 W + 2, O].

  A zero after every pixel, then the convolution, with zeros around. Row r of
  the result is centred on row r - 1 of the picture with zeros; its last row and
  column are zero. An output square is four products with the one, two, two and
  four pixels that its taps meet. On a CPU the gradient of XLA's own form took
  ten times as long, that of layers.up_conv twice as long.

  Args:
    x: [B, H, W, I].
    kernel: [3, 3, I, O].
  """
  b, h, w, _ = x.shape
  x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
  kernel = kernel.astype(x.dtype)
  # (tap, which of two neighbouring pixels it meets), of odd and of even rows.
  meets = ((0, 0), (2, 1)), ((1, 1),)
  square = []
  for row in meets:
    for column in meets:
      seen = [(k, u, m, v) for k, u in row for m, v in column]
      pixels = jnp.concatenate(
          [x[:, u:u + h + 1, v:v + w + 1] for _, u, _, v in seen], -1)
      square.append(pixels @ jnp.concatenate(
          [kernel[k, m] for k, _, m, _ in seen]))
  y = jnp.stack(square, 3).reshape(b, h + 1, w + 1, 2, 2, -1)
  return y.swapaxes(2, 3).reshape(b, 2 * h + 2, 2 * w + 2, -1)


def strided(x, kernel):
  """A 3x3 convolution of stride 2 without padding, as one product.

  On a CPU the gradient of D's slope (R1) takes XLA's own form six times as
  long, and its gradient alone as long.

  Args:
    x: [B, 2 H + 1, 2 W + 1, I].
    kernel: [3, 3, I, O].

  Returns:
    [B, H, W, O].
  """
  _, h, w, _ = x.shape
  x = jnp.concatenate([
      x[:, k:k + h - 2:2, m:m + w - 2:2] for k in range(3) for m in range(3)],
      -1)
  return x @ kernel.reshape(-1, kernel.shape[-1]).astype(x.dtype)


class StyledConv(nn.Module):
  """Modulated 3x3 convolution, noise, bias, activation.

  Attributes:
    features: output channels.
    layer: its number, for the noise.
    up: whether it doubles the size.
    noise: whether there is any; its strength is learned, from 0.
  """
  features: int
  layer: int
  up: bool = False
  noise: bool = True

  @nn.compact
  def __call__(self, x, w):
    """x [B, H, W, I], w [B, W] float32 -> [B, H, W, features], or larger."""
    style = mapping.Dense(x.shape[-1], start=1., name='style')(w)
    kernel, bias = layers.equal_weights(
        self, (3, 3, x.shape[-1], self.features), 9 * x.shape[-1], gain=1.)
    x = modulated(x, kernel, style, self.up)
    if self.noise:
      strength = self.param('noise', nn.initializers.zeros, ())
      drawn = mapping.noise(self, self.layer, x.shape[:-1])
      x = layers.added(x, strength * drawn)
    return activate(layers.added(x, bias))


class ToRGB(nn.Module):
  """A modulated 1x1 convolution without demodulation -> float32."""
  features: int

  @nn.compact
  def __call__(self, x, w):
    style = mapping.Dense(x.shape[-1], start=1., name='style')(w)
    kernel, bias = layers.equal_weights(
        self, (x.shape[-1], self.features), x.shape[-1], gain=1.)
    x = _by_maps(x, style) @ kernel.astype(x.dtype)
    return layers.added(x, bias).astype(jnp.float32)


class Constant(nn.Module):
  """Learned maps [H, W, C], normal at the start."""
  shape: tuple[int, ...]

  @nn.compact
  def __call__(self):
    return self.param('kernel', nn.initializers.ones, self.shape)


class Synthesis(nn.Module):
  """Styles [B, layers, W] -> pyramid, a sum of images from every level.

  Level i has two convolutions (the coarsest one), of styles 2 i - 1 and 2 i,
  and a layer to an image, of style 2 i + 1, which the next level begins with.

  Attributes: see Generator.
  """
  shape: ladder.Ladder
  noise: bool = True
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.compact
  def __call__(self, w):
    images, image, x = [], None, None
    for i, size in enumerate(self.shape.ladder):
      x, seen = layers.recomputed(self.remat, lambda module, x, w, i=i: (
          module.block(i, x, w)))(self, x, w[:, max(0, 2 * i - 1):2 * i + 2])
      image = seen if image is None else filters.up(image, TAPS) + seen
      if size in self.shape.shown:
        images.append(image)
    return tuple(images)

  @nn.nowrap
  def block(self, i, x, w):
    """Level i: ([B, H / 2, W / 2, I], styles) -> ([B, H, W, C], image)."""
    size = self.shape.ladder[i]
    width = self.shape.width(size)

    def conv(number, **settings):
      return StyledConv(width, noise=self.noise, **settings,
                        name=f'block_{size}_conv_{number}')

    if i == 0:
      x = Constant((*self.shape.grid(), width), name='constant')()
      x = jnp.broadcast_to(x, (len(w), *x.shape)).astype(self.dtype)
    else:
      x = conv(1, layer=2 * i - 1, up=True)(x, w[:, 0])
    x = conv(2, layer=2 * i)(x, w[:, -2])
    return x, ToRGB(self.shape.image[-1], name=f'rgb_{size}')(x, w[:, -1])


class Generator(mapping.Styled):
  """z [B, latent] -> pyramid of the shown sizes, in about [-1, 1].

  Attributes:
    shape: see ladder.Ladder. The image of a level is the sum of what it and the
      coarser levels add.
    width: features of a style.
    depth: layers of the mapping.
    classes: how many labels the mapping is told; 0 is none.
    mixing: probability that a batch in training has its styles mixed.
    noise: whether layers have any.
    dtype: of activations.
    remat: whether blocks are computed again in the backward pass.
  """
  shape: ladder.Ladder
  width: int = 512
  depth: int = 8
  classes: int = 0
  mixing: float = .9
  noise: bool = True
  dtype: Any = jnp.float32
  remat: bool = False

  def setup(self):
    self.mapping = mapping.Mapping(self.depth, self.width, classes=self.classes)
    self.synthesis = Synthesis(self.shape, self.noise, self.dtype, self.remat)

  def style_layers(self):
    return 2 * len(self.shape.ladder)

  def synthesize(self, w, condition=NOTHING, train=False):
    """w [B, layers, width] -> pyramid."""
    del condition, train
    return self.synthesis(w)


class ConvDown(nn.Module):
  """TAPS, then a 3x3 convolution of stride 2: half the size; bias."""
  features: int

  @nn.compact
  def __call__(self, x):
    kernel, bias = layers.equal_weights(
        self, (3, 3, x.shape[-1], self.features), 9 * x.shape[-1], gain=1.)
    return layers.added(
        strided(filters.blur(x, TAPS, (2, 2)), kernel), bias)


class Discriminator(nn.Module):
  """Pyramid of the shown sizes -> Verdict.

  Attributes:
    shape: see ladder.Ladder.
    architecture: a row of ARCHITECTURES.
    phi: a row of PHI: how images of coarser levels are joined to the path.
    stddev: where D sees the minibatch standard deviation: 'every' level,
      'last', 'none'.
    stddev_group: see layers.minibatch_stddev.
    head: from features to Verdict. With the condition 'mapped_projection' the
      score is <features, Mapping(label)> / sqrt(width): StyleGAN2-ADA's.
    dtype: of activations.
    remat: whether blocks are computed again in the backward pass.
  """
  shape: ladder.Ladder
  architecture: str = 'residual'
  phi: str = 'simple'
  stddev: str = 'last'
  stddev_group: int = 4
  head: plain.Head = plain.Head()
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    del train
    pyramid.check(images, self.shape.shown)
    images = tuple(x.astype(self.dtype) for x in images)
    *finer, base = reversed(self.shape.ladder)
    x = None
    for size in finer:
      x = self.entered(images, x, size, self.stddev == 'every')
      x = layers.recomputed(self.remat, lambda module, x, size=size: (
          module.block(x, size)))(self, x)
    x = self.entered(images, x, base, self.stddev != 'none')
    width = self.shape.width(base)
    x = activate(layers.EqualConv(
        width, gain=1., name=f'block_{base}_conv_1')(x))
    x = activate(layers.EqualDense(
        width, gain=1., name=f'block_{base}_conv_2')(x))
    return self.judged(x.astype(jnp.float32), condition.labels)

  @nn.nowrap
  def entered(self, images, x, size, stddev):
    """What enters a level: the first layer, or the path with its image."""
    width = self.shape.width(size)
    if x is None:
      x = activate(layers.EqualConv(
          width, size=1, gain=1., name='from_rgb')(images[-1]))
    elif size in self.shape.shown:
      seen = images[self.shape.shown.index(size):]
      x = layers.join(
          combine.Join(self.phi, width, name=f'join_{size}')(seen, x))
    return layers.minibatch_stddev(x, self.stddev_group) if stddev else x

  @nn.nowrap
  def block(self, x, size):
    """The layers of a level: [B, H, W, I] -> [B, H / 2, W / 2, O]."""
    out, name = self.path_width(size // 2), f'block_{size}'
    y = activate(layers.EqualConv(
        self.shape.width(size), gain=1., name=f'{name}_conv_1')(x))
    y = activate(ConvDown(out, name=f'{name}_conv_2')(y))
    if not ARCHITECTURES[self.architecture]:
      return y
    shortcut = layers.EqualConv(
        out, size=1, gain=1., use_bias=False, name=f'{name}_shortcut')
    return (y + shortcut(filters.down(x, TAPS))) * math.sqrt(.5)

  @nn.nowrap
  def path_width(self, size):
    """Channels that the block above gives to the level of `size` pixels."""
    width = self.shape.width(size)
    if size in self.shape.shown:
      return combine.PHI[self.phi].path(width)
    return width

  @nn.nowrap
  def judged(self, x, labels):
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

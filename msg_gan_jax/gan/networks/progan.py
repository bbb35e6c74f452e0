"""ProGAN's blocks on a ladder: MSG-ProGAN shows all rungs, ProGAN one.

Source: Karras et al. 2018 (arXiv:1710.10196), table 2, and its code; Karnewar &
Wang 2020 (arXiv:1903.06048), tables 6 and 7; `bmsg` switches to what the
popular akanimax/BMSG-GAN does instead.
"""
from collections.abc import Sequence
from typing import Any

from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import filters, layers, phi, plain
from msg_gan_jax.gan.networks.ladder import Ladder, blend, shown_pyramid
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition, Verdict


class Generator(nn.Module):
  """z [B, latent] -> pyramid of the shown sizes, in about [-1, 1].

  A block at the coarsest level, then upsample and two 3x3 convolutions a
  level, each with pixel norm; a linear 1x1 convolution to each image.

  Attributes:
    ladder: see ladder.Ladder.
    bmsg: BMSG-GAN's gains: sqrt(2) for the image layers too (ProGAN: 1), and
      a first layer scaled by its latent inputs alone (ProGAN: as many times
      more as it has output pixels, as if it were a 4x4 convolution).
    norm_first: whether the very first layer has pixel norm too (ProGAN's code).
    level: which rung of the ladder is the finest open one, its image alone
      being shown; None opens all and shows those of `ladder`.
    dtype: of activations.
    remat: whether blocks are computed again in the backward pass.
  """
  ladder: Ladder
  bmsg: bool = False
  norm_first: bool = False
  level: int | None = None
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.compact
  def __call__(self, z: jax.Array, condition: Condition = NOTHING,
               train: bool = False) -> Pyramid:
    del train
    images, x = {}, z.astype(self.dtype)
    rungs = self.ladder.rungs(None if self.is_initializing() else self.level)
    for size in rungs:
      x = layers.remat(self.remat, lambda module, x, size=size: (
          module.block(x, size)))(self, x)
      if size in (self.ladder.shown if self.level is None or
                  self.is_initializing() else rungs[-2:]):
        gain = layers.HE if self.bmsg else 1.
        images[size] = layers.EqualConv(
            self.ladder.image[-1], size=1, gain=gain, name=f'rgb_{size}')(x)
    return shown_pyramid(images, self.ladder, self.level, condition.alpha)

  @nn.nowrap
  def block(self, x: jax.Array, size: int) -> jax.Array:
    """The layers of one rung: [B, latent] or [B, H, W, C] -> maps of `size`."""
    width = self.ladder.width(size)
    h, w = self.ladder.grid()
    if size == h:
      x = layers.EqualDense(
          width, grid=(h, w), name=f'block_{h}_conv_1',
          fan_in=x.shape[-1] * (1 if self.bmsg else h * w))(x)
    else:
      x = layers.EqualConv(
          width, upsample=True, name=f'block_{size}_conv_1')(x)
    x = layers.leaky_relu(x)
    if size > h or self.norm_first:
      x = layers.pixel_norm(x)
    x = layers.EqualConv(width, name=f'block_{size}_conv_2')(x)
    return layers.pixel_norm(layers.leaky_relu(x))


class Discriminator(nn.Module):
  """Pyramid of the shown sizes -> Verdict.

  From the finest level down: φ joins the level's image to the path, then the
  minibatch standard deviation, two 3x3 convolutions, and a 2x2 mean. The
  coarsest level ends in a dense layer and the score.

  Attributes:
    ladder: see ladder.Ladder.
    phi: a row of PHI.
    stddev: 'every' level (the paper), 'last' (ProGAN, BMSG-GAN), 'none'.
    stddev_group: see layers.minibatch_stddev.
    bmsg: BMSG-GAN's choices: no leaky ReLU after the first 1x1 convolution,
      and gain sqrt(2) for the score (ProGAN: 1).
    head: from features to Verdict.
    mean_first: whether the 2x2 mean comes before bias and rectifier, in one
      convolution of stride 2 (StyleGAN's code, and ProGAN's in TensorFlow); in
      ProGAN's paper, and its code in Theano, it comes after them.
    blur: whether it is blurred before that one (StyleGAN).
    level: which rung is the finest open one; its image, [B, h, w, C], is the
      only one seen. Each rung then has its first layer. None opens all.
    dtype: of activations.
    remat: whether blocks are computed again in the backward pass.
  """
  ladder: Ladder
  phi: str = 'simple'
  stddev: str = 'every'
  stddev_group: int = 4
  bmsg: bool = False
  head: plain.Head = plain.Head()
  mean_first: bool = False
  blur: bool = False
  level: int | None = None
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.compact
  def __call__(self, images: Pyramid, condition: Condition = NOTHING,
               train: bool = False) -> Verdict:
    del train
    images = tuple(x.astype(self.dtype) for x in images)
    rungs = self.ladder.rungs(self.level)
    if self.level is None:
      pyramid.check(images, self.ladder.shown)
    else:
      pyramid.check(images, rungs[-1:])
    base = rungs[0]
    x: Any = None
    for size in reversed(rungs):
      parts = self.entering(images, condition.alpha, x, size)
      x = layers.remat(self.remat, lambda module, *parts, size=size: (
          module.block(parts, size)))(self, *parts)
    x = layers.EqualDense(
        self.ladder.width(base), name=f'block_{base}_conv_2')(x)
    gain = layers.HE if self.bmsg else 1.
    return self.head(
        layers.leaky_relu(x), condition.labels,
        lambda features, name, use_bias: layers.EqualDense(
            features, gain=gain, use_bias=use_bias, name=name))

  @nn.nowrap
  def entering(self, images: Pyramid, alpha: jax.Array | None,
               x: jax.Array | None, size: int) -> tuple[layers.Part, ...]:
    """What enters a rung: the path x, and images.

    Args:
      images: the pyramid, coarse to fine.
      alpha: how far the finest open rung has faded in, [B] or None.
      x: [B, H, W, C] from the rung above; None at the finest.
      size: height of the rung.
    """
    if x is None:
      return self.from_rgb(images[-1], size)
    if self.level is not None:
      coarser = images[-1].shape[1] // size
      is_next = coarser == 2 and alpha is not None
      if is_next or self.is_initializing():
        image: Any = pyramid.down(images[-1], coarser)
        first, = self.from_rgb(image, size)
        x = blend(first, x, alpha if is_next else None)
      return (x,)
    if size not in self.ladder.shown:
      return (x,)
    place = self.ladder.shown.index(size)
    return phi.Join(self.phi, self.ladder.width(size), name=f'join_{size}')(
        images[place:], x)

  @nn.nowrap
  def block(self, parts: Sequence[layers.Part], size: int) -> jax.Array:
    """The layers of one rung, without the dense layers of the coarsest."""
    base = self.ladder.heights[0]
    if self.stddev == 'every' or (self.stddev == 'last' and size == base):
      parts = (layers.minibatch_stddev(
          layers.concat(parts), self.stddev_group),)
    x = layers.leaky_relu(layers.EqualConv(
        self.ladder.width(size), name=f'block_{size}_conv_1')(*parts))
    if size == base:
      return x
    if self.blur:
      x = filters.blur(x, (1, 2, 1))
    x = layers.leaky_relu(layers.EqualConv(
        self.path_width(size // 2), downsample=self.mean_first,
        name=f'block_{size}_conv_2')(x))
    coarser: Any = x if self.mean_first else pyramid.down(x)
    return coarser

  @nn.nowrap
  def from_rgb(self, image: jax.Array, size: int) -> tuple[Any, ...]:
    """The first layer: ProGAN's has a leaky ReLU, BMSG-GAN's has none."""
    name = 'from_rgb' if self.level is None else f'from_rgb_{size}'
    width = self.ladder.width(size)
    if self.bmsg:
      return (layers.LazyEqualConv1x1(width, name=name)(image),)
    return (layers.leaky_relu(
        layers.EqualConv(width, size=1, name=name)(image)),)

  @nn.nowrap
  def path_width(self, size: int) -> int:
    """Channels that the block above gives to the level of `size` pixels."""
    return phi.path_width(
        self.phi, self.ladder.width(size), size,
        self.ladder.shown if self.level is None else ())

"""StyleGAN's generator: a learned constant, and a style for every layer.

Source: Karras et al. 2019 (arXiv:1812.04948), sec. 2 and appendix B. With an
image at every level and no mixing it is the G of MSG-StyleGAN: Karnewar & Wang
2020 (arXiv:1903.06048), and akanimax/msg-stylegan-tf.
"""
from collections.abc import Sequence
from typing import Any

import chex
from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import filters, layers, mapping, noise, norms
from msg_gan_jax.gan.networks.ladder import Ladder, shown_pyramid
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition

EPSILON = 1e-8  # inside the root of the instance norm
TAPS = 1, 2, 1
PER_LEVEL = 2  # layers, each with a style


def adain(x: jax.Array, style: jax.Array) -> jax.Array:
  """Gives each map the mean `shift` and the deviation `scale` + 1.

  Args:
    x: [B, H, W, C]; its own moments are taken in float32.
    style: [B, 2 C] float32, scales and then shifts.

  Returns:
    [B, H, W, C] of x's dtype.

  Source: Huang & Belongie 2017 (arXiv:1703.06868), eq. 8; the 1 is of
  StyleGAN's code, whose styles begin with biases of 0.
  """
  scale, shift = jnp.split(style[:, None, None], 2, -1)
  y = norms.instance_norm(x.astype(jnp.float32), EPSILON)
  return (y * (scale + 1) + shift).astype(x.dtype)


class Epilogue(nn.Module):
  """What follows each convolution: noise, bias, leaky ReLU, style."""

  @nn.compact
  def __call__(self, x: jax.Array, w: jax.Array,
               noise: jax.Array | None = None) -> jax.Array:
    """[B, H, W, C] -> the same shape.

    Args:
      x: [B, H, W, C].
      w: [B, width] float32.
      noise: [B or 1, H, W, 1], one map for all channels, or None.
    """
    maps = x.shape[-1:]
    if noise is not None:
      weight = self.param('noise', nn.initializers.zeros, maps)
      x = layers.add_bias(x, weight * noise)
    bias = self.param('bias', nn.initializers.zeros, maps)
    x = layers.leaky_relu(layers.add_bias(x, bias))
    style = layers.EqualDense(2 * maps[0], gain=1., name='style')(w)
    return adain(x, style)


class Synthesis(nn.Module):
  """Styles [B, layers, width] -> pyramid.

  Attributes: those of Generator.
  """
  ladder: Ladder
  level: int | None = None
  noise: bool = True
  blur: bool = True
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.compact
  def __call__(self, w: jax.Array,
               condition: Condition = NOTHING) -> Pyramid:
    images: dict[int, jax.Array] = {}
    x, level = None, self.level
    if self.is_initializing():  # all levels are made, whichever are open
      level = None
      w = jnp.repeat(w[:, :1], PER_LEVEL * len(self.ladder.heights), 1)
    rungs = self.ladder.rungs(level)
    chex.assert_axis_dimension_gteq(w, 1, PER_LEVEL * len(rungs))
    maps: list[Any] = [None] * (PER_LEVEL * len(rungs))
    if self.noise:
      maps = noise.for_layers(self, len(w), [
          shape[:2] for shape in pyramid.shapes(rungs, self.ladder.image)
          for _ in range(PER_LEVEL)])
    for i, size in enumerate(rungs):
      here = slice(PER_LEVEL * i, PER_LEVEL * (i + 1))
      x = layers.remat(self.remat, lambda module, *arrays, size=size: (
          module.block(size, *arrays)))(self, x, w[:, here], maps[here])
      if size in (self.ladder.shown if level is None else rungs[-2:]):
        images[size] = layers.EqualConv(
            self.ladder.image[-1], size=1, gain=1., name=f'rgb_{size}')(x)
    return shown_pyramid(images, self.ladder, self.level, condition.alpha)

  @nn.nowrap
  def block(self, size: int, x: jax.Array | None, styles: jax.Array,
            noise: Sequence[jax.Array | None]) -> jax.Array:
    """The layers of one level.

    Args:
      size: its height; the coarsest begins with the learned constant.
      x: [B, H, W, C] of the level before; None at the coarsest.
      styles: [B, 2, width].
      noise: of its two layers.
    """
    width, name = self.ladder.width(size), f'block_{size}'
    if x is None:
      constant = self.param(
          f'{name}_constant', nn.initializers.ones,
          (*self.ladder.grid(), width))
      x = jnp.broadcast_to(
          constant, (len(styles), *constant.shape)).astype(self.dtype)
    else:
      x = layers.EqualConv(
          width, use_bias=False, upsample=True, name=f'{name}_conv_1')(x)
      x = filters.blur(x, TAPS) if self.blur else x
    x = Epilogue(name=f'{name}_epilogue_1')(x, styles[:, 0], noise[0])
    x = layers.EqualConv(width, use_bias=False, name=f'{name}_conv_2')(x)
    return Epilogue(name=f'{name}_epilogue_2')(x, styles[:, 1], noise[1])


class Mapping(mapping.Mapping):
  """z [B, latent] and labels [B] -> w [B, width], as StyleGAN's code maps them.

  A label becomes a vector as long as z, of normals that are learned and not
  scaled; z and it are normalized as one.

  Attributes: those of mapping.Mapping.
  """

  @nn.nowrap
  def inputs(self, z: jax.Array | None,
             labels: jax.Array | None) -> list[jax.Array]:
    """z and the vector of its label, normalized as one."""
    assert z is not None
    z = z.astype(jnp.float32)
    if self.classes:
      assert labels is not None
      rows = Rows(self.classes, z.shape[-1], name='labels')
      z = jnp.concatenate([z, rows(labels)], -1)
    return [layers.pixel_norm(z) if self.normalize else z]


class Rows(nn.Module):
  """labels -> [B, features], a row of N(0, 1) for each of the classes."""
  classes: int
  features: int

  @nn.compact
  def __call__(self, labels: jax.Array) -> jax.Array:
    return layers.rows_of(self.param('kernel', nn.initializers.ones, (
        self.classes, self.features)), labels)


class Generator(mapping.Styled):
  """z [B, latent] -> pyramid of the shown sizes, in about [-1, 1].

  `depth` dense layers make w of z. A level is [nearest up-sampling, 3x3
  convolution, blur], epilogue, 3x3 convolution, epilogue; the brackets are a
  learned constant at the coarsest. A linear 1x1 convolution makes each image.

  Attributes, beside those of mapping.Styled:
    level: which rung of the ladder is the finest open one, its image alone
      being shown; None opens all and shows those of `ladder`, which shows all
      where G grows.
    noise: whether layers have any.
    blur: whether (1, 2, 1) follows each up-sampling.
    dtype: of activations; w and styles are float32.
    remat: whether blocks are computed again in the backward pass.
  """
  level: int | None = None
  noise: bool = True
  blur: bool = True
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.nowrap
  def networks(self) -> tuple[mapping.Mapping, nn.Module]:
    """See mapping.Styled."""
    return Mapping(self.depth, self.width, classes=self.classes), Synthesis(
        self.ladder, self.level, self.noise, self.blur, self.dtype, self.remat)

  def style_layers(self) -> int:
    """How many layers of the open levels take a style."""
    return PER_LEVEL * len(self.ladder.rungs(self.level))

  def synthesize(self, w: jax.Array, condition: Condition = NOTHING,
                 train: bool = False) -> Pyramid:
    """Styles [B, layers, width] -> pyramid; closed rungs use none."""
    del train
    return self.synthesis(w, condition)

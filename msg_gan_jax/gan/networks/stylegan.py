"""StyleGAN's generator: a learned constant, and a style for every layer.

Source: Karras et al. 2019 (arXiv:1812.04948), sec. 2 and appendix B. With an
image at every level and no mixing it is the G of MSG-StyleGAN: Karnewar & Wang
2020 (arXiv:1903.06048), and akanimax/msg-stylegan-tf.
"""
import itertools
from typing import Any

import chex
from flax import linen as nn
import jax
import jax.numpy as jnp

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import (
  filters,
  ladder,
  layers,
  mapping,
  norms,
)
from msg_gan_jax.gan.state import NOTHING

EPSILON = 1e-8  # inside the root of the instance norm
TAPS = 1, 2, 1
PER_LEVEL = 2  # layers, each with a style


def adain(x, style):
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
  y = norms.NORMS['instance'].whiten(x.astype(jnp.float32), EPSILON)
  return (y * (scale + 1) + shift).astype(x.dtype)


class Epilogue(nn.Module):
  """What follows each convolution: noise, bias, leaky ReLU, style."""

  @nn.compact
  def __call__(self, x, w, noise=None):
    """A pass.

    Args:
      x: [B, H, W, C].
      w: [B, width] float32.
      noise: [B or 1, H, W, 1], one map for all channels, or None.
    """
    maps = x.shape[-1:]
    if noise is not None:
      weight = self.param('noise', nn.initializers.zeros, maps)
      x = layers.added(x, weight * noise)
    bias = self.param('bias', nn.initializers.zeros, maps)
    x = layers.leaky_relu(layers.added(x, bias))
    style = layers.EqualDense(2 * maps[0], gain=1., name='style')(w)
    return adain(x, style)


def draw(module, batch, shapes):
  """Noise for layers, N(0, 1): [B, H, W, 1] each.

  Without a key of the name 'noise' it is [1, H, W, 1] and always the same: G
  is a function of its latents then. One sampler draws for all layers, since XLA
  compiles each by itself, a quarter of the time that G and its gradient take.

  Args:
    module: whose key it is.
    batch: B.
    shapes: (H, W) of the layers, the coarsest first: more of them at the end
      do not change what is fixed for those before, as G grows.
  """
  if module.has_rng('noise'):
    key = module.make_rng('noise')
  else:
    key, batch = jax.random.key(0), 1
  ends = list(itertools.accumulate(h * w for h, w in shapes))
  drawn = jnp.split(jax.random.normal(key, (batch, ends[-1])), ends[:-1], 1)
  return [x.reshape(batch, *shape, 1)
          for x, shape in zip(drawn, shapes, strict=True)]


class Synthesis(nn.Module):
  """Styles [B, layers, width] -> pyramid.

  Attributes: those of Generator.
  """
  shape: ladder.Ladder
  level: int | None = None
  noise: bool = True
  blur: bool = True
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.compact
  def __call__(self, w, condition=NOTHING):
    images, x, level = {}, None, self.level
    if self.is_initializing():  # all levels are made, whichever are open
      level = None
      w = jnp.repeat(w[:, :1], PER_LEVEL * len(self.shape.ladder), 1)
    rungs = self.shape.rungs(level)
    chex.assert_axis_dimension_gteq(w, 1, PER_LEVEL * len(rungs))
    noise = [None] * (PER_LEVEL * len(rungs))
    if self.noise:
      noise = draw(self, len(w), [
          shape[:2] for shape in pyramid.shapes(rungs, self.shape.image)
          for _ in range(PER_LEVEL)])
    for i, size in enumerate(rungs):
      own = slice(PER_LEVEL * i, PER_LEVEL * (i + 1))
      x = layers.recomputed(self.remat, lambda module, *arrays, size=size: (
          module.block(size, *arrays)))(self, x, w[:, own], noise[own])
      if size in (self.shape.shown if level is None else rungs[-2:]):
        images[size] = layers.EqualConv(
            self.shape.image[-1], size=1, gain=1., name=f'rgb_{size}')(x)
    return ladder.shown_pyramid(images, self.shape, self.level, condition.alpha)

  @nn.nowrap
  def block(self, size, x, styles, noise):
    """The layers of one level.

    Args:
      size: its height; the coarsest begins with the learned constant.
      x: [B, H, W, C] of the level before; None at the coarsest.
      styles: [B, 2, width].
      noise: of its two layers.
    """
    maps, name = self.shape.width(size), f'block_{size}'
    if x is None:
      constant = self.param(
          f'{name}_constant', nn.initializers.ones, (*self.shape.grid(), maps))
      x = jnp.broadcast_to(
          constant, (len(styles), *constant.shape)).astype(self.dtype)
    else:
      x = layers.EqualConv(
          maps, use_bias=False, upsample=True, name=f'{name}_conv_1')(x)
      x = filters.blur(x, TAPS) if self.blur else x
    x = Epilogue(name=f'{name}_epilogue_1')(x, styles[:, 0], noise[0])
    x = layers.EqualConv(maps, use_bias=False, name=f'{name}_conv_2')(x)
    return Epilogue(name=f'{name}_epilogue_2')(x, styles[:, 1], noise[1])


class Mapping(mapping.Mapping):
  """z [B, latent] and labels [B] -> w [B, width], as StyleGAN's code maps them.

  A label becomes a vector as long as z, of normals that are learned and not
  scaled; z and it are normalized as one.

  Attributes:
    joined: how many labels there are; 0 looks at none. (`classes`, which
      normalizes them apart, stays 0.)
  """
  joined: int = 0

  @nn.compact
  def __call__(self, z, labels=None, train=False):
    if self.joined:
      rows = Rows(self.joined, z.shape[-1], name='labels')
      z = jnp.concatenate([z.astype(jnp.float32), rows(labels)], -1)
    return super().__call__(z, None, train)


class Rows(nn.Module):
  """labels [B] -> [B, features], a row of N(0, 1) for each of the classes."""
  classes: int
  features: int

  @nn.compact
  def __call__(self, labels):
    return self.param('kernel', nn.initializers.ones, (
        self.classes, self.features))[labels]


class Generator(mapping.Styled):
  """z [B, latent] -> pyramid of the shown sizes, in about [-1, 1].

  `depth` dense layers make w of z. A level is [nearest up-sampling, 3x3
  convolution, blur], epilogue, 3x3 convolution, epilogue; the brackets are a
  learned constant at the coarsest. A linear 1x1 convolution makes each image.

  Attributes:
    shape: see ladder.Ladder.
    width: features of w.
    depth: layers of the mapping.
    classes: how many labels the mapping is told; 0 is none.
    mixing: the probability with which, in training, the finer layers have the
      styles of a second latent; 0 for MSG-StyleGAN.
    level: which rung of the ladder is the finest open one, its image alone
      being shown; None opens all and shows those of `shape`, which lists the
      whole ladder where G grows.
    noise: whether layers have any.
    blur: whether (1, 2, 1) follows each up-sampling.
    dtype: of activations; w and styles are float32.
    remat: whether blocks are computed again in the backward pass.
  """
  shape: ladder.Ladder
  width: int = 512
  depth: int = 8
  classes: int = 0
  mixing: float = .9
  level: int | None = None
  noise: bool = True
  blur: bool = True
  dtype: Any = jnp.float32
  remat: bool = False

  def setup(self):
    self.mapping = Mapping(self.depth, self.width, joined=self.classes)
    self.synthesis = Synthesis(
        self.shape, self.level, self.noise, self.blur, self.dtype, self.remat)

  def style_layers(self):
    """How many layers of the open levels take a style."""
    return PER_LEVEL * len(self.shape.rungs(self.level))

  def synthesize(self, w, condition=NOTHING, train=False):
    """Styles [B, layers, width] -> pyramid; finer layers' are not used."""
    del train
    return self.synthesis(w, condition)

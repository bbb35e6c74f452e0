"""R3GAN: residual blocks of grouped convolutions, and no norm anywhere.

With several shown sizes G has an image at each of them, and D joins it to its
path: the multi-scale connections of MSG-GAN.

Source: Huang et al. 2024 (arXiv:2501.05441), config E, and its authors' code
(brownvc/R3GAN) where the paper gives no numbers.
"""
import math
from typing import Any, NamedTuple

from flax import linen as nn
import jax
from jax import lax
import jax.numpy as jnp

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import (
  convolutions,
  filters,
  forms,
  layers,
  phi,
)
from msg_gan_jax.gan.networks.ladder import Ladder
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition, Verdict

# He et al. 2015 (arXiv:1502.01852), eq. 15: keeps the second moment through
# the leaky rectifier.
GAIN = math.sqrt(2 / (1 + layers.SLOPE**2))
FEW_GROUPS = 16  # Convolutions in a layer; each adds to the compile time.
TAPS = 1, 3, 3, 1  # [1, 2, 1] after each pixel became two


class Architecture(NamedTuple):
  """What G and D have in common.

  Attributes:
    blocks: residual blocks of a stage.
    expansion: a block's inner maps, as a multiple of its outer ones.
    per_group: a stage of n maps has n / per_group groups (the cardinality):
      8 in the authors' presets of 768 maps, 16 in those of 1536.
  """
  blocks: int = 2
  expansion: int = 2
  per_group: int = 8

  def groups(self, width: int) -> int:
    """The most groups, up to width / per_group, that divide the inner maps."""
    inner = self.expansion * width
    return max(n for n in range(1, max(1, width // self.per_group) + 1)
               if inner % n == 0)

  def gain(self, stages: int) -> float:
    """The gain of a block's first two layers; the third begins at 0.

    Each of the L blocks then adds 1 / L of the variance once the third has gain
    1.

    Source: Zhang et al. 2019 (arXiv:1901.09321), sec. 3, m = 3.
    """
    return GAIN * (self.blocks * stages)**-.25


def grouped_conv(x: jax.Array, kernel: jax.Array, groups: int) -> jax.Array:
  """A 3x3 convolution to as many maps, each group of maps by itself.

  XLA's CPU takes 50 times as long for the gradient of a grouped convolution,
  and 70 times for a gradient of that (64 maps in 8 groups). There a few groups
  are convolutions of their own; many, which would take long to compile, are
  products with nine shifted copies, at twice the time. Elsewhere nine copies
  would take too much memory.

  Args:
    x: [B, H, W, C] -> the same shape.
    kernel: [3, 3, C / groups, C], the outputs group by group.
    groups: a divisor of C.
  """
  kernel = kernel.astype(x.dtype)
  if jax.default_backend() != 'cpu':
    return lax.conv_general_dilated(
        x, kernel, (1, 1), 'SAME', feature_group_count=groups,
        dimension_numbers=('NHWC', 'HWIO', 'NHWC'))
  if groups <= FEW_GROUPS:
    return jnp.concatenate([
        convolutions.conv(*group) for group in zip(
            jnp.split(x, groups, -1), jnp.split(kernel, groups, -1),
            strict=True)], -1)
  b, h, w, c = x.shape
  x = x.reshape(b, h, w, groups, -1).transpose(3, 0, 1, 2, 4)
  x = jnp.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1), (0, 0)))
  x = jnp.concatenate([
      x[:, :, i:i + h, j:j + w] for i in range(3) for j in range(3)], -1)
  kernel = kernel.reshape(x.shape[-1], groups, -1).swapaxes(0, 1)
  y = (x.reshape(groups, b * h * w, -1) @ kernel).reshape(groups, b, h, w, -1)
  return y.transpose(1, 2, 3, 0, 4).reshape(b, h, w, c)


class Conv(nn.Module):
  """A 1x1 convolution (or one of a vector), or a grouped 3x3 one.

  Weights are N(0, gain^2 / inputs of one output) at the start, not equalized.

  Attributes:
    features: output channels; with groups, as many as inputs.
    size, groups: 1 and 1, or 3 and any.
    gain: see above.
    use_bias: whether there is a bias.
  """
  features: int
  size: int = 1
  groups: int = 1
  gain: float = 1.
  use_bias: bool = False

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    channels = x.shape[-1] // self.groups
    std = self.gain / (self.size * math.sqrt(channels))
    kernel = self.param(
        'kernel', nn.initializers.constant(std),
        (self.size, self.size, channels, self.features))
    bias = self.param('bias', nn.initializers.zeros, (
        self.features,)) if self.use_bias else None
    y = forms.product(x, kernel[0, 0]) if self.size == 1 else (
        grouped_conv(x, kernel, self.groups))
    return layers.add_bias(y, bias)


class Weights(nn.Module):
  """A learned tensor that is N(0, std^2) at the start."""
  shape: tuple[int, ...]
  std: float = 1.

  @nn.compact
  def __call__(self) -> jax.Array:
    return self.param('kernel', nn.initializers.constant(self.std), self.shape)


class Block(nn.Module):
  """x + 1x1(rectified 3x3(rectified 1x1(x))), the identity at the start.

  The 1x1 layers widen and narrow, the 3x3 one is grouped; leaky rectifiers
  have a bias, the last layer has none. `gain` is that of the first two layers.
  """
  arch: Architecture
  gain: float

  @nn.compact
  def __call__(self, x: jax.Array) -> jax.Array:
    width = x.shape[-1]
    inner, groups = self.arch.expansion * width, self.arch.groups(width)
    y = Conv(inner, 1, 1, self.gain, True, name='conv_1')(x)
    y = Conv(inner, 3, groups, self.gain, True, name='conv_2')(
        layers.leaky_relu(y))
    y = layers.leaky_relu(y)
    return x + Conv(width, gain=0., name='conv_3')(y)


def _blocks(module, x, size):
  """A stage's residual blocks, parameters of G or D."""
  arch, gain = module.arch, module.arch.gain(len(module.ladder.heights))
  for i in range(arch.blocks):
    x = Block(arch, gain, name=f'block_{size}_{i + 1}')(x)
  return x


class Generator(nn.Module):
  """z [B, latent] -> pyramid of the shown sizes, in about [-1, 1].

  Learned maps of the coarsest level, each times a linear function of z; at
  finer ones a 1x1 convolution where the number of maps changes, and bilinear
  up-sampling; then residual blocks. A linear 1x1 convolution makes an image.

  Attributes:
    ladder: see ladder.Ladder. fmap_max 768 and fmap_base 12288 are the authors'
      widths for CIFAR-10 and FFHQ; 1536 and 49152 those for ImageNet.
    arch: Architecture.
    classes: how many labels G is told, in a vector as long as z beside it; 0
      leaves them out.
    dtype: of activations; the authors keep the coarsest level in float32.
    remat: whether stages are computed again in the backward pass.
  """
  ladder: Ladder
  arch: Architecture = Architecture()
  classes: int = 0
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.compact
  def __call__(self, z: jax.Array, condition: Condition = NOTHING,
               train: bool = False) -> Pyramid:
    del train
    images, x = [], z.astype(self.dtype)
    if self.classes:
      assert condition.labels is not None
      label = layers.class_shares(condition.labels, self.classes, self.dtype)
      embedded = Conv(z.shape[-1], name='embedding')(label)
      x = jnp.concatenate([x, embedded], -1)
    for size in self.ladder.heights:
      x = layers.remat(self.remat, lambda module, x, size=size: (
          module.stage(x, size)))(self, x)
      if size in self.ladder.shown:
        image = Conv(self.ladder.image[-1], name=f'rgb_{size}')(x)
        images.append(image.astype(jnp.float32))
    return tuple(images)

  @nn.nowrap
  def stage(self, x: jax.Array, size: int) -> jax.Array:
    """The layers of one level."""
    width = self.ladder.width(size)
    if size == self.ladder.heights[0]:
      basis = Weights((*self.ladder.grid(), width), name='basis')()
      x = layers.scale(Conv(width, name='linear')(x)[:, None, None], basis)
    else:
      if x.shape[-1] != width:
        x = Conv(width, name=f'mix_{size}')(x)
      x = filters.up(x, TAPS)
    return _blocks(self, x, size)


class Discriminator(nn.Module):
  """Pyramid of the shown sizes -> Verdict.

  The mirror of G: a 1x1 convolution of the finest image; residual blocks,
  low-pass down-sampling, and a 1x1 convolution where the number of maps
  changes; at the coarsest level a weighted sum of each map, and a weighted sum
  of these or, with labels, their linear function times the label's vector.
  φ joins a coarser image; a 1x1 convolution follows if it gives other than the
  level's number of maps.

  Attributes:
    ladder, arch, dtype, remat: as Generator's.
    classes: how many labels D is told; 0 leaves them out.
    phi: a row of PHI.
  """
  ladder: Ladder
  arch: Architecture = Architecture()
  classes: int = 0
  phi: str = 'simple'
  dtype: Any = jnp.float32
  remat: bool = False

  @nn.compact
  def __call__(self, images: Pyramid, condition: Condition = NOTHING,
               train: bool = False) -> Verdict:
    del train
    pyramid.check(images, self.ladder.shown)
    images = tuple(x.astype(self.dtype) for x in images)
    top, x = self.ladder.heights[-1], images[-1]
    x = Conv(self.ladder.width(top), name='from_rgb')(x)
    for size in reversed(self.ladder.heights):
      if size < top and size in self.ladder.shown:
        x = self.join(images, x, size)
      x = layers.remat(self.remat, lambda module, x, size=size: (
          module.stage(x, size)))(self, x)
    return Verdict(self.score(x, condition.labels))

  @nn.nowrap
  def join(self, images: Pyramid, x: jax.Array,
           size: int) -> jax.Array:
    """The path x with the image of `size` pixels."""
    width = self.ladder.width(size)

    def r(features, use_bias=True, is_part=False):
      """r' of φ: as all of R3GAN's 1x1 convolutions, without a bias."""
      del use_bias, is_part
      conv = Conv(features, name=f'join_{size}')
      return lambda *parts: conv(layers.concat(parts))

    x = layers.concat(phi.PHI[self.phi].join(
        images[self.ladder.shown.index(size):], x, width, r))
    return x if x.shape[-1] == width else Conv(width, name=f'mix_{size}')(x)

  @nn.nowrap
  def stage(self, x: jax.Array, size: int) -> jax.Array:
    """The layers of one level, to the maps of the next coarser one."""
    x = _blocks(self, x, size)
    if size == self.ladder.heights[0]:
      return x
    x, coarser = filters.down(x, TAPS), size // 2
    width = phi.path_width(
        self.phi, self.ladder.width(coarser), coarser, self.ladder.shown)
    return x if x.shape[-1] == width else Conv(
        width, name=f'path_{coarser}')(x)

  @nn.nowrap
  def score(self, x: jax.Array, labels: jax.Array | None) -> jax.Array:
    """Maps of the coarsest level -> logits [B].

    The last sum is in float32: the relativistic loss does not see a constant
    that all logits have in common, and nothing keeps it small.
    """
    grid, width = x.shape[1:-1], x.shape[-1]
    basis = Weights(
        x.shape[1:], 1 / math.sqrt(math.prod(grid)), name='basis')()
    features = (x.astype(jnp.float32) * basis).sum((1, 2))
    if not self.classes:
      weights = Weights((width,), 1 / math.sqrt(width), name='linear')()
      return (features * weights).sum(-1)
    features = Conv(width, name='linear')(features.astype(x.dtype))
    label = jax.nn.one_hot(labels, self.classes, dtype=x.dtype)
    embedded = Conv(width, gain=1 / math.sqrt(width), name='embedding')(label)
    return (features.astype(jnp.float32) * embedded.astype(jnp.float32)).sum(-1)

"""LAPGAN: a chain of GANs over the Laplacian pyramid, each of one level.

The coarsest level is a GAN of dense layers. At every finer one G draws the
residual that the doubled picture of the level below lacks, and D judges their
sum. The levels are trained one after another, each on reals alone, and sampled
from coarse to fine.

Source: Denton et al. 2015 (arXiv:1506.05751) and its code, facebook/eyescream,
cifar/. From the code: the finer levels, the noise map, that D sees the sum and
not the coarse picture beside it, dropout, the deviations of the weights. From
recollection of the paper: ReLUs 1200 wide in the coarsest G, 600 in its D; the
code has the widths as options, and a sigmoid in G's second layer. Other than
there, pictures are in [-1, 1], not standardized pixel by pixel, biases begin at
0, the coarsest weights are uniform, and D sees labels as one map a class.
"""
from typing import NamedTuple

from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import plain
from msg_gan_jax.gan.state import NOTHING, Condition

COARSEST = 8  # px
HEIGHTS = 16, 32, 64, 128  # at 256 px a latent would have 87,396 numbers


class Plan(NamedTuple):
  """Widths of the layers.

  Attributes:
    latent: numbers of the coarsest G's z.
    g, d: units of the hidden layers of the coarsest G and D.
    maps: of the convolutions of the finer ones.
    dropout: share of units that D forgets.
    kit: how the layers are made, but for weight norms.
  """
  latent: int = 100
  g: tuple[int, ...] = (1200, 1200)
  d: tuple[int, ...] = (600, 600)
  maps: int = 64
  dropout: float = .5
  kit: plain.Kit = plain.Kit(deviation='torch', law='uniform')

  def scaled(self, most):
    """The same with at most `most` units or maps: for small runs."""
    return self._replace(
        g=tuple(min(most, w) for w in self.g),
        d=tuple(min(most, w) for w in self.d), maps=min(most, self.maps))


class Chain(NamedTuple):
  """The levels, and what is whose of one z for all of them.

  Attributes:
    plan: Plan.
    shapes: (height, width, channels) of each level, coarse to fine.
  """
  plan: Plan
  shapes: tuple[tuple[int, int, int], ...]

  @property
  def names(self):
    """Of the levels, and of their subtrees of parameters."""
    return tuple(f'level_{height}' for height, _, _ in self.shapes)

  @property
  def latents(self):
    """Numbers of z a level: a vector, then a noise map each."""
    return self.plan.latent, *(h * w for h, w, _ in self.shapes[1:])

  def own(self, z, level):
    """(noise of a level, one-hot labels at the end of z or nothing)."""
    *starts, end = np.cumsum((0, *self.latents))
    start = starts[level]
    return z[:, start:start + self.latents[level]], z[:, end:]


def chain(config):
  """The Chain of a Config.

  Raises:
    ValueError: a size that is not 8 px doubled, or another latent.
  """
  settings, (height, width, channels) = config.networks, config.data.shape
  if height not in HEIGHTS:
    near = min(HEIGHTS, key=lambda size: abs(size - height))
    raise ValueError(
        f"config.data.resolution: {height}, but config.networks.name = "
        f"'lapgan' doubles {COARSEST} px; wanted "
        f'{", ".join(map(str, HEIGHTS[:-1]))} or {HEIGHTS[-1]}, as {near}.')
  unit = height // COARSEST
  if width % unit or width < 5 * unit:  # D's kernels want 9 px at level 16
    raise ValueError(
        f"config.data.width: {width}, but config.networks.name = 'lapgan' "
        f'doubles a size {unit.bit_length() - 1} times; wanted a multiple of '
        f'{unit}, as {max(5, round(width / unit)) * unit}.')
  sizes = tuple(COARSEST << i for i in range(unit.bit_length()))
  found = Chain(Plan().scaled(settings.fmap_max), pyramid.shapes(
      sizes, (height, width, channels)))
  if settings.latent != (wanted := sum(found.latents)):
    raise ValueError(
        f'config.networks.latent: {settings.latent}, but config.networks.name '
        f"= 'lapgan' wants {wanted} at this size: "
        f'{" + ".join(map(str, found.latents))}, a vector for {COARSEST} px '
        'and a map of noise for each finer level.')
  return found


def double(images):
  """[B, H, W, C] at twice the size: linear, the corners' centres stay.

  Source: torch's image.scale, which takes steps of (n - 1) / (2 n - 1) pixels.
  `jax.image.resize` aligns edges instead.
  """
  rows, columns = (_doubling(size) for size in images.shape[1:3])
  return jnp.einsum('ih,bhwc,jw->bijc', rows, images, columns,
                    precision='highest')


def _doubling(size):
  """[2 size, size], the weights of the inputs for each output."""
  at = np.arange(2 * size) * (size - 1) / (2 * size - 1)
  distance = np.abs(at[:, None] - np.arange(size))
  return jnp.asarray(np.maximum(0, 1 - distance), jnp.float32)


def look(sizes, level, images, alpha=None):
  """(what D of a level sees of reals, the coarse picture both are told)."""
  del alpha
  real = pyramid.build(images, sizes)
  return real[level:level + 1], double(real[level - 1]) if level else None


class CoarsestGenerator(nn.Module):
  """z [B, latent] -> pyramid of the coarsest level; no squashing at its end.

  Attributes:
    chain: Chain.
    kit: of its layers.
    level: which of the chain.
  """
  chain: Chain
  kit: plain.Kit
  level: int

  @nn.compact
  def __call__(self, z, condition=NOTHING, train=False):
    kit = self.kit._replace(deviation='lapgan_g')
    x = kit.cast(jnp.concatenate(self.chain.own(z, self.level), -1))
    for i, width in enumerate(self.chain.plan.g):
      x = nn.relu(plain.Dense(kit, width, name=f'hidden_{i}')(x))
    *grid, channels = self.chain.shapes[self.level]
    x = plain.Dense(kit, channels, tuple(grid), name='image')(x)
    return (x.astype(jnp.float32),)


class FineGenerator(nn.Module):
  """z, with condition.coarse -> pyramid of one level: coarse + residual.

  Attributes: as CoarsestGenerator's.
  """
  chain: Chain
  kit: plain.Kit
  level: int

  @nn.compact
  def __call__(self, z, condition=NOTHING, train=False):
    kit, maps = self.kit, self.chain.plan.maps
    height, width, channels = self.chain.shapes[self.level]
    noise, one_hot = kit.cast(self.chain.own(z, self.level))
    seen = [noise.reshape(-1, height, width, 1), kit.cast(condition.coarse)]
    if one_hot.shape[-1]:
      seen.append(nn.relu(plain.Dense(
          kit, 1, (height, width), name='class_map')(one_hot)))
    x = jnp.concatenate(seen, -1)
    x = nn.relu(plain.Conv(kit, maps, 7, name='conv_0')(x))
    x = nn.relu(plain.Conv(kit, maps, 7, name='conv_1')(x))
    x = plain.Conv(kit, channels, 5, name='residual')(x)
    return (condition.coarse + x.astype(jnp.float32),)


class CoarsestDiscriminator(nn.Module):
  """Pyramid of the coarsest level -> Verdict.

  Attributes:
    chain, kit, level: as CoarsestGenerator's.
    head: plain.Head.
  """
  chain: Chain
  kit: plain.Kit
  level: int
  head: plain.Head

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    kit, plan = self.kit._replace(deviation='lapgan_d'), self.chain.plan
    x = kit.cast(images[-1])
    for i, width in enumerate(plan.d):
      x = nn.relu(plain.Dense(kit, width, name=f'hidden_{i}')(x))
      x = nn.Dropout(plan.dropout)(x, deterministic=not train)
    return self.head(x, condition.labels, kit=kit)


class FineDiscriminator(nn.Module):
  """Pyramid of one level -> Verdict; it sees no coarse picture, only the sum.

  Attributes: as CoarsestDiscriminator's.
  """
  chain: Chain
  kit: plain.Kit
  level: int
  head: plain.Head

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    kit, plan = self.kit, self.chain.plan
    x = kit.cast(images[-1])
    for i, stride in enumerate((1, 2)):
      x = nn.relu(plain.Conv(
          kit, plan.maps, 5, stride, padding='VALID', name=f'conv_{i}')(x))
    x = nn.Dropout(plan.dropout)(x, deterministic=not train)
    return self.head(x, condition.labels, kit=kit)


def g_level(chain, kit, level, name=None):
  """G of one level."""
  kind = FineGenerator if level else CoarsestGenerator
  return kind(chain, kit, level, name=name)


def d_level(chain, kit, level, head, name=None):
  """D of one level."""
  kind = FineDiscriminator if level else CoarsestDiscriminator
  return kind(chain, kit, level, head, name=name)


class Generator(nn.Module):
  """z [B, latent] -> pyramid of all levels, each drawn on the one below.

  Attributes:
    chain, kit: as CoarsestGenerator's.
  """
  chain: Chain
  kit: plain.Kit

  @nn.compact
  def __call__(self, z, condition=NOTHING, train=False):
    images = ()
    for level, name in enumerate(self.chain.names):
      coarse = double(images[-1]) if level else None
      images += g_level(self.chain, self.kit, level, name)(
          z, Condition(condition.labels, coarse), train)
    return images


class Discriminator(nn.Module):
  """Pyramid of all levels -> Verdict, the mean of theirs; not for training.

  Attributes:
    chain, kit, head: as CoarsestDiscriminator's.
  """
  chain: Chain
  kit: plain.Kit
  head: plain.Head

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    pyramid.check(images, [height for height, _, _ in self.chain.shapes])
    verdicts = [
        d_level(self.chain, self.kit, level, self.head, name)(
            images[level:level + 1], condition, train)
        for level, name in enumerate(self.chain.names)]
    return jax.tree.map(lambda *x: sum(x) / len(x), *verdicts)

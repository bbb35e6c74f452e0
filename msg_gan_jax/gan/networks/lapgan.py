"""LAPGAN: a chain of GANs over the Laplacian pyramid, each of one level.

The coarsest level is a GAN of dense layers. At every finer one G draws the
residual that the doubled picture of the level below lacks, and D judges their
sum. The levels are trained one after another, each on reals alone, and sampled
from coarse to fine.

Source: Denton et al. 2015 (arXiv:1506.05751) and its code, facebook/eyescream,
cifar/. From the code: the finer levels, the noise map, that D sees the sum and
not the coarse picture beside it, dropout, the deviations of the weights. From
recollection of the paper: ReLUs 1200 wide in the coarsest G, 600 in its D; the
code has the widths as options, and a sigmoid in G's second layer. Unlike
there, pictures are in [-1, 1], not standardized pixel by pixel, biases begin at
0, the coarsest weights are uniform, and D sees labels as one map a class.
"""
from typing import NamedTuple

from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.config.schema import Config
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import plain
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import NOTHING, Condition, Verdict

COARSEST = 8  # px
HEIGHTS = 16, 32, 64, 128  # at 256 px a latent would have 87,396 numbers


class Architecture(NamedTuple):
  """What its layers have.

  Attributes:
    latent: numbers of the coarsest G's z.
    g, d: units of the hidden layers of the coarsest G and D.
    maps: feature maps of the convolutions of the finer G and D.
    dropout: share of units that D forgets.
    settings: how layers are made; weight norms are those of a Config.
  """
  latent: int = 100
  g: tuple[int, ...] = (1200, 1200)
  d: tuple[int, ...] = (600, 600)
  maps: int = 64
  dropout: float = .5
  settings: plain.LayerSettings = plain.LayerSettings(
      deviation='torch', law='uniform')

  def narrowed(self, most: int) -> 'Architecture':
    """The same with at most `most` units or maps: for small runs."""
    return self._replace(
        g=tuple(min(most, w) for w in self.g),
        d=tuple(min(most, w) for w in self.d), maps=min(most, self.maps))


class Chain(NamedTuple):
  """The levels of a GAN, and which numbers of z belong to which level.

  Attributes:
    arch: Architecture.
    shapes: (height, width, channels) of each level, coarse to fine.
  """
  arch: Architecture
  shapes: tuple[tuple[int, int, int], ...]

  @property
  def names(self) -> tuple[str, ...]:
    """Names of the levels, and of their subtrees of parameters."""
    return tuple(f'level_{height}' for height, _, _ in self.shapes)

  @property
  def latents(self) -> tuple[int, ...]:
    """Numbers of z that each level takes: a vector, then a noise map each."""
    return self.arch.latent, *(h * w for h, w, _ in self.shapes[1:])

  def noise_and_labels(self, z: jax.Array,
                       level: int) -> tuple[jax.Array, jax.Array]:
    """What a level takes of z [B, latent].

    Returns:
      (its noise, [B, latents[level]]; the one-hot labels at the end of z,
      [B, classes], or [B, 0]).
    """
    *starts, end = np.cumsum((0, *self.latents))
    start = starts[level]
    return z[:, start:start + self.latents[level]], z[:, end:]


def chain(config: Config) -> Chain:
  """The Chain of a Config.

  Raises:
    ValueError: a size that is not 8 px doubled, or a latent of another size
      than the levels take.
  """
  settings, (height, width, channels) = config.networks, config.data.shape
  if height not in HEIGHTS:
    near = min(HEIGHTS, key=lambda size: abs(size - height))
    raise ValueError(
        f"config.data.resolution: {height}, but config.networks.name = "
        f"'lapgan' doubles {COARSEST} px; wanted "
        f'{", ".join(map(str, HEIGHTS[:-1]))} or {HEIGHTS[-1]}, such as '
        f'{near}.')
  unit = height // COARSEST
  if width % unit or width < 5 * unit:  # D's kernels want 9 px at level 16
    raise ValueError(
        f"config.data.width: {width}, but config.networks.name = 'lapgan' "
        f'doubles a size {unit.bit_length() - 1} times; wanted a multiple of '
        f'{unit}, such as {max(5, round(width / unit)) * unit}.')
  sizes = tuple(COARSEST << i for i in range(unit.bit_length()))
  levels = Chain(Architecture().narrowed(settings.fmap_max), pyramid.shapes(
      sizes, (height, width, channels)))
  if settings.latent != (wanted := sum(levels.latents)):
    raise ValueError(
        f'config.networks.latent: {settings.latent}, but config.networks.name '
        f"= 'lapgan' wants {wanted} at this size: "
        f'{" + ".join(map(str, levels.latents))}, a vector for {COARSEST} px '
        'and a map of noise for each finer level.')
  return levels


def double(images: jax.Array) -> jax.Array:
  """Twice the size by linear interpolation: the corners' centres stay.

  [B, H, W, C] -> [B, 2 H, 2 W, C].

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


def level_reals(sizes: tuple[int, ...], level: int, images: jax.Array,
                alpha: jax.Array | None = None
                ) -> tuple[Pyramid, jax.Array | None]:
  """What D of a level sees of reals, and what both players are told.

  Args:
    sizes: heights of all levels, coarse to fine.
    level: which of them.
    images: [B, H, W, C] of the finest size, uint8 or floats.
    alpha: nothing fades in here.

  Returns:
    (a pyramid of that one level, the doubled picture of the level below or
    None): see Players.reals_for.
  """
  del alpha
  real = pyramid.build(images, sizes)
  return real[level:level + 1], double(real[level - 1]) if level else None


class CoarsestGenerator(nn.Module):
  """z [B, latent] -> pyramid of the coarsest level; no squashing at its end.

  Attributes:
    chain: Chain.
    settings: of its layers.
    level: its number in the chain.
  """
  chain: Chain
  settings: plain.LayerSettings
  level: int

  @nn.compact
  def __call__(self, z: jax.Array, condition: Condition = NOTHING,
               train: bool = False) -> Pyramid:
    settings = self.settings._replace(deviation='lapgan_g')
    x = settings.cast(jnp.concatenate(
        self.chain.noise_and_labels(z, self.level), -1))
    for i, width in enumerate(self.chain.arch.g):
      x = nn.relu(plain.Dense(settings, width, name=f'hidden_{i}')(x))
    *grid, channels = self.chain.shapes[self.level]
    x = plain.Dense(settings, channels, tuple(grid), name='image')(x)
    return (x.astype(jnp.float32),)


class FineGenerator(nn.Module):
  """z, with condition.coarse -> pyramid of one level: coarse + residual.

  Attributes: as CoarsestGenerator's.
  """
  chain: Chain
  settings: plain.LayerSettings
  level: int

  @nn.compact
  def __call__(self, z: jax.Array, condition: Condition = NOTHING,
               train: bool = False) -> Pyramid:
    settings, maps = self.settings, self.chain.arch.maps
    height, width, channels = self.chain.shapes[self.level]
    noise, one_hot = settings.cast(
        self.chain.noise_and_labels(z, self.level))
    coarse = condition.coarse
    assert coarse is not None
    seen = [noise.reshape(-1, height, width, 1), settings.cast(coarse)]
    if one_hot.shape[-1]:
      seen.append(nn.relu(plain.Dense(
          settings, 1, (height, width), name='class_map')(one_hot)))
    x = jnp.concatenate(seen, -1)
    x = nn.relu(plain.Conv(settings, maps, 7, name='conv_0')(x))
    x = nn.relu(plain.Conv(settings, maps, 7, name='conv_1')(x))
    x = plain.Conv(settings, channels, 5, name='residual')(x)
    return (coarse + x.astype(jnp.float32),)


class CoarsestDiscriminator(nn.Module):
  """Pyramid of the coarsest level -> Verdict.

  Attributes:
    chain, settings, level: as CoarsestGenerator's.
    head: from features to Verdict.
  """
  chain: Chain
  settings: plain.LayerSettings
  level: int
  head: plain.Head

  @nn.compact
  def __call__(self, images: Pyramid, condition: Condition = NOTHING,
               train: bool = False) -> Verdict:
    settings = self.settings._replace(deviation='lapgan_d')
    arch = self.chain.arch
    x = settings.cast(images[-1])
    for i, width in enumerate(arch.d):
      x = nn.relu(plain.Dense(settings, width, name=f'hidden_{i}')(x))
      x = nn.Dropout(arch.dropout)(x, deterministic=not train)
    return self.head(x, condition.labels, settings=settings)


class FineDiscriminator(nn.Module):
  """Pyramid of one level -> Verdict; it sees no coarse picture, only the sum.

  Attributes: as CoarsestDiscriminator's.
  """
  chain: Chain
  settings: plain.LayerSettings
  level: int
  head: plain.Head

  @nn.compact
  def __call__(self, images: Pyramid, condition: Condition = NOTHING,
               train: bool = False) -> Verdict:
    settings, arch = self.settings, self.chain.arch
    x = settings.cast(images[-1])
    for i, stride in enumerate((1, 2)):
      x = nn.relu(plain.Conv(
          settings, arch.maps, 5, stride, padding='VALID', name=f'conv_{i}')(x))
    x = nn.Dropout(arch.dropout)(x, deterministic=not train)
    return self.head(x, condition.labels, settings=settings)


def g_level(chain: Chain, settings: plain.LayerSettings, level: int,
            name: str | None = None) -> nn.Module:
  """G of one level."""
  kind = FineGenerator if level else CoarsestGenerator
  return kind(chain, settings, level, name=name)


def d_level(chain: Chain, settings: plain.LayerSettings, level: int,
            head: plain.Head, name: str | None = None) -> nn.Module:
  """D of one level."""
  kind = FineDiscriminator if level else CoarsestDiscriminator
  return kind(chain, settings, level, head, name=name)


class Generator(nn.Module):
  """z [B, latent] -> pyramid of all levels, each drawn on the one below.

  Attributes:
    chain, settings: as CoarsestGenerator's.
  """
  chain: Chain
  settings: plain.LayerSettings

  @nn.compact
  def __call__(self, z: jax.Array, condition: Condition = NOTHING,
               train: bool = False) -> Pyramid:
    images: Pyramid = ()
    for level, name in enumerate(self.chain.names):
      coarse = double(images[-1]) if level else None
      images += g_level(self.chain, self.settings, level, name)(
          z, Condition(condition.labels, coarse), train)
    return images


class Discriminator(nn.Module):
  """Pyramid of all levels -> Verdict, the mean of theirs; not for training.

  Attributes:
    chain, settings, head: as CoarsestDiscriminator's.
  """
  chain: Chain
  settings: plain.LayerSettings
  head: plain.Head

  @nn.compact
  def __call__(self, images: Pyramid, condition: Condition = NOTHING,
               train: bool = False) -> Verdict:
    pyramid.check(images, tuple(
        height for height, _, _ in self.chain.shapes))
    verdicts = [
        d_level(self.chain, self.settings, level, self.head, name)(
            images[level:level + 1], condition, train)
        for level, name in enumerate(self.chain.names)]
    return jax.tree.map(lambda *x: sum(x) / len(x), *verdicts)

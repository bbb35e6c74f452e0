"""Images are a pyramid everywhere: a tuple of [B, H, W, C], coarse to fine.

A single-scale GAN sees a 1-tuple. Values are float32 in [-1, 1].
"""
import chex
import jax.numpy as jnp

from msg_gan_jax import tables

# The groups of the paper's ablation on FFHQ at 1024 px (table 4).
GROUPS = tables.Table('config.networks.scales', 'group of scales', {
    'none': lambda size: False,
    'coarse': lambda size: size <= 8,
    'middle': lambda size: 16 <= size <= 32,
    'fine': lambda size: size >= 64,
    'all': lambda size: True,
})


def ladder(resolution):
  """Every size from 4 to `resolution`: 32 -> (4, 8, 16, 32).

  Raises:
    ValueError: where `resolution` is not 4 times a power of two, at least 8.
  """
  sizes = [4]
  while sizes[-1] < resolution:
    sizes.append(2 * sizes[-1])
  if sizes[-1] != resolution or resolution < 8:
    near = max(8, sizes[-2] if len(sizes) > 1 else 8), max(8, sizes[-1])
    raise ValueError(
        f'config.data.resolution: the ladder 4, 8, 16, ... does not reach '
        f'{resolution}; the nearest that it reaches: '
        f'{" or ".join(str(n) for n in sorted(set(near)))}.')
  return tuple(sizes)


def shown(resolution, scales):
  """The sizes that G shows to D, coarse to fine; the finest always.

  Args:
    resolution: of the finest level, in pixels.
    scales: a row of GROUPS, or sizes as '8,16'.

  Raises:
    ValueError: an unknown group, a size that is not on the ladder, or a
      group that is empty at this resolution.
  """
  sizes = ladder(resolution)
  if scales[:1].isdigit():
    try:
      wanted = {int(size) for size in scales.split(',')}
    except ValueError as e:
      raise ValueError(
          f'config.networks.scales: wanted sizes as {"8,16"!r}, found '
          f'{scales!r}.') from e
    if lost := wanted - set(sizes):
      raise ValueError(
          f'config.networks.scales: no level of {min(lost)} px; the ladder '
          f'of {resolution} px has {", ".join(map(str, sizes))}.')
  else:
    wanted = {size for size in sizes if GROUPS[scales](size)}
    if not wanted and scales != 'none':
      raise ValueError(
          f'config.networks.scales: {scales!r} is empty at {resolution} px, '
          f'whose ladder is {", ".join(map(str, sizes))}; list the sizes '
          "instead, as '8,16'.")
  return tuple(size for size in sizes if size in wanted or size == sizes[-1])


def down(images, factor=2):
  """Mean of each factor x factor square: [..., H, W, C], both divided."""
  *batch, h, w, c = images.shape
  return images.reshape(
      *batch, h // factor, factor, w // factor, factor, c).mean((-4, -2))


def up(images, factor=2):
  """Each pixel becomes a factor x factor square (nearest neighbour)."""
  return jnp.repeat(jnp.repeat(images, factor, axis=-3), factor, axis=-2)


def build(images, sizes):
  """uint8 [B, H, W, C] -> pyramid in [-1, 1] with a level for each size.

  A coarser level is the 2x2 mean of the next finer one, repeatedly, as in
  the paper (sec. 3) and in both public implementations.
  """
  level = images.astype(jnp.float32) / 127.5 - 1
  levels = {level.shape[-3]: level}
  while level.shape[-3] > sizes[0]:
    level = down(level)
    levels[level.shape[-3]] = level
  return tuple(levels[size] for size in sizes)


def check(pyramid, sizes, channels):
  """A promise between our own functions: levels, sizes and channels agree."""
  chex.assert_equal(tuple(x.shape[-3] for x in pyramid), tuple(sizes))
  for level, size in zip(pyramid, sizes, strict=True):
    chex.assert_shape(level, (None, size, size, channels))


def to_uint8(images):
  """[-1, 1] -> uint8, rounded and clipped: the inverse of `build`'s scaling.

  Nothing is stretched to the range of the picture at hand, as BMSG-GAN's
  sheets are: a person should see the colours that D sees. NaN becomes 0, so
  that a broken run has pictures.
  """
  images = jnp.nan_to_num(images, nan=-1.)
  return jnp.clip(jnp.round(images * 127.5 + 127.5), 0, 255).astype(jnp.uint8)

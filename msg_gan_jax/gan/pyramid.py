"""Images are a pyramid everywhere: a tuple of [B, H, W, C], coarse to fine.

A GAN of a single scale has a 1-tuple. Values are float32 in [-1, 1]. A level is
called by its height; all have the width-to-height ratio of the finest.
"""
from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp

from msg_gan_jax.arrays.pixels import down, from_uint8
from msg_gan_jax.config import tables

Pyramid = tuple[jax.Array, ...]


def ladder(height: int, width: int) -> tuple[int, ...]:
  """Every height from the coarsest, whose shorter side is 4 to 7 px.

  (32, 32) -> (4, 8, 16, 32); (48, 48) -> (6, 12, 24, 48);
  (64, 96) -> (4, 8, 16, 32, 64), the coarsest 4 px high and 6 px wide.

  Raises:
    ValueError: halving does not get there, or the shorter side has fewer than
      8 px.
  """
  halvings = _halvings(height, width)
  unit = 2**halvings
  if min(height, width) < 8 or height % unit or width % unit:
    square = height == width
    near = dict.fromkeys(
        _legal(height, width, up) for up in (False, True))
    raise ValueError(
        f'config.data.resolution{"" if square else " and width"}: '
        f'{_name(height, width)} cannot be reached by doubling 4, 5, 6 or 7 px;'
        f' the nearest that can: {" or ".join(_name(*size) for size in near)}.')
  return tuple(height // 2**i for i in range(halvings, -1, -1))


def _halvings(height, width):
  return max(1, (min(height, width) // 4).bit_length() - 1)


def _legal(height, width, up):
  """The nearest (height, width) with a ladder, above or below."""
  height, width = max(8, height), max(8, width)
  while True:
    unit = 2**_halvings(height, width)
    rounded = tuple((side + (unit - 1) * up) // unit * unit
                    for side in (height, width))
    if rounded == (height, width):
      return rounded
    height, width = rounded


def _name(height, width):
  return f'{height}' if height == width else f'{height} x {width}'


def shown(shape: tuple[int, ...], scales: str,
          sizes: tuple[int, ...] | None = None) -> tuple[int, ...]:
  """The heights that G shows to D, coarse to fine; the finest always.

  Args:
    shape: (height, width, ...) of the finest level, in pixels.
    scales: a row of GROUPS, or heights such as '8,16'.
    sizes: the heights to choose from, coarse to fine; None is `ladder`.

  Raises:
    ValueError: an unknown group, a height that is not on the ladder, or a
      group that is empty at this resolution.
  """
  sizes = sizes or ladder(*shape[:2])
  if scales[:1].isdigit():
    try:
      wanted = {int(size) for size in scales.split(',')}
    except ValueError as e:
      raise ValueError(
          f"config.networks.scales: wanted sizes such as '8,16', found "
          f'{scales!r}.') from e
    if unknown := wanted - set(sizes):
      raise ValueError(
          f'config.networks.scales: {scales!r}, but there is no level of '
          f'{min(unknown)} px; wanted some of '
          f'{", ".join(map(str, sizes))}.')
  else:
    in_group = GROUPS.look_up(scales)
    wanted = {size for size in sizes if in_group(size)}
    if not wanted and scales != 'none':
      raise ValueError(
          f'config.networks.scales: {scales!r} is empty at {sizes[-1]} px, '
          f'which has the levels {", ".join(map(str, sizes))}; wanted some of '
          "them, such as '8,16'.")
  return tuple(size for size in sizes if size in wanted or size == sizes[-1])


def shapes(sizes: tuple[int, ...], shape: tuple[int, int, int]
           ) -> tuple[tuple[int, int, int], ...]:
  """(height, width, channels) of the levels with heights `sizes`.

  `shape` is that of the finest. Sizes need not lie on a ladder, so that a GAN
  of one scale may have pictures of any shape.
  """
  height, width, channels = shape
  return tuple((size, size * width // height, channels) for size in sizes)


def up(images: jax.Array, factor: int = 2) -> jax.Array:
  """Each pixel becomes a factor x factor square: [..., H, W, C]."""
  return jnp.repeat(jnp.repeat(images, factor, axis=-3), factor, axis=-2)


def build(images: jax.Array, sizes: tuple[int, ...]) -> Pyramid:
  """Images [B, H, W, C] -> pyramid in [-1, 1] with a level for each height.

  uint8 is scaled, and floats are taken to be in [-1, 1]. A coarser level is the
  2x2 mean of the next finer one, repeatedly.

  Source: Karnewar & Wang 2020 (arXiv:1903.06048), sec. 3, and both public
  implementations.
  """
  level = from_uint8(images) if images.dtype == jnp.uint8 else (
      images.astype(jnp.float32))
  levels = {level.shape[-3]: level}
  while level.shape[-3] > sizes[0]:
    level = down(level)
    levels[level.shape[-3]] = level
  return tuple(levels[size] for size in sizes)


def are_points(shape: tuple[int, ...]) -> bool:
  """Whether pictures of this shape are points (x, y): floats, not colours."""
  return tuple(shape) == (1, 1, 2)


def check(pyramid: Pyramid, sizes: tuple[int, ...]) -> None:
  """A promise between our own functions: every level has its height."""
  chex.assert_equal(tuple(x.shape[1] for x in pyramid), tuple(sizes))


# Which heights in pixels a group has: those of the paper's ablation on FFHQ at
# 1024 px (table 4).
GROUPS: tables.Table[Callable[[int], bool]] = tables.Table(
    'config.networks.scales', 'group of scales', {
        'none': lambda size: False,
        'coarse': lambda size: size < 16,
        'middle': lambda size: 16 <= size < 64,
        'fine': lambda size: size >= 64,
        'all': lambda size: True,
    })

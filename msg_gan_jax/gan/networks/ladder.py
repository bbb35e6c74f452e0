"""The ladder of resolutions that G and D climb together."""
from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.pyramid import Pyramid


class Ladder(NamedTuple):
  """What G and D must agree on.

  Attributes:
    heights: every height from the coarsest, 4 px where the resolution is a
      power of two, to the resolution.
    shown: those at which G shows an image to D, the finest among them.
    image: (height, width, channels) of the finest image.
    fmap_max, fmap_base: a level of r pixels has min(fmap_max,
      2 fmap_base / r) feature maps.
  """
  heights: tuple[int, ...]
  shown: tuple[int, ...]
  image: tuple[int, int, int]
  fmap_max: int
  fmap_base: int

  def grid(self) -> tuple[int, int]:
    """(height, width) of the coarsest level."""
    height, width, _ = pyramid.shapes(self.heights[:1], self.image)[0]
    return height, width

  def width(self, size: int) -> int:
    """Feature maps of the level of `size` pixels."""
    return max(1, min(self.fmap_max, 2 * self.fmap_base // size))

  def rungs(self, level: int | None) -> tuple[int, ...]:
    """The rungs that are climbed: up to heights[level], or all if None."""
    return self.heights if level is None else self.heights[:level + 1]


def blend(old: jax.Array, new: jax.Array,
          alpha: jax.Array | None) -> jax.Array:
  """(1 - alpha) old + alpha new, exactly `old` at 0 and `new` at 1.

  Args:
    old, new: [B, H, W, C].
    alpha: [B], or None, which is 1.
  """
  if alpha is None:
    return new
  alpha = alpha[:, None, None, None].astype(new.dtype)
  return (1 - alpha) * old + alpha * new


def shown_pyramid(images: Mapping[int, jax.Array], ladder: Ladder,
                  level: int | None,
                  alpha: jax.Array | None) -> Pyramid:
  """The float32 pyramid of a ladder's G.

  Args:
    images: {size: [B, H, W, C]} of the rungs that are needed.
    ladder: Ladder.
    level: the finest open rung: only its image is shown. None shows those of
      `ladder.shown`.
    alpha: how far heights[level] has faded in, [B] or None.
  """
  if level is None:
    levels = [images[size] for size in ladder.shown]
  else:
    image = images[ladder.heights[level]]
    if alpha is not None and level:
      old = images[ladder.heights[level - 1]]
      image = blend(pyramid.up(old), image, alpha)
    levels = [image]
  return tuple(x.astype(jnp.float32) for x in levels)


def faded_reals(size: int, images: jax.Array, alpha: jax.Array | None
                ) -> tuple[Pyramid, None]:
  """Reals of a resolution, faded in as far as the fakes are.

  Args:
    size: height of the finest open rung.
    images: [B, H, W, C] of the finest size, uint8 or floats.
    alpha: [B], or None, which is 1.

  Returns:
    (a pyramid of that one level, None): see Players.reals_for.

  Source: Karras et al. 2018 (arXiv:1710.10196), appendix A.1.
  """
  real, = pyramid.build(images, (size,))
  if not size % 2:  # The coarsest rung may be odd, and never fades in.
    real = blend(pyramid.up(pyramid.down(real)), real, alpha)
  return (real,), None

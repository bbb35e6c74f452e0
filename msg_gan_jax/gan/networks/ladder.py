"""The ladder of resolutions that G and D climb together."""
from typing import NamedTuple

import jax.numpy as jnp

from msg_gan_jax.gan import pyramid


class Ladder(NamedTuple):
  """What G and D must agree on.

  Attributes:
    ladder: every height from the coarsest, 4 px where the resolution is a
      power of two, to the resolution.
    shown: those at which G shows an image to D, the finest among them.
    image: (height, width, channels) of the finest image.
    fmap_max, fmap_base: a level of r pixels has min(fmap_max,
      2 fmap_base / r) feature maps.
  """
  ladder: tuple[int, ...]
  shown: tuple[int, ...]
  image: tuple[int, int, int]
  fmap_max: int
  fmap_base: int

  def grid(self):
    """(height, width) of the coarsest level."""
    return pyramid.shapes(self.ladder[:1], self.image)[0][:2]

  def width(self, size):
    """Feature maps of the level of `size` pixels."""
    return max(1, min(self.fmap_max, 2 * self.fmap_base // size))

  def rungs(self, level):
    """The rungs that are climbed: up to ladder[level], or all if None."""
    return self.ladder if level is None else self.ladder[:level + 1]


def blend(old, new, alpha):
  """(1 - alpha) old + alpha new, exactly `old` at 0 and `new` at 1.

  Args:
    old, new: [B, H, W, C].
    alpha: [B], or None, which is 1.
  """
  if alpha is None:
    return new
  alpha = alpha[:, None, None, None].astype(new.dtype)
  return (1 - alpha) * old + alpha * new


def shown_pyramid(images, shape, level, alpha):
  """The float32 pyramid of a ladder's G.

  Args:
    images: {size: [B, H, W, C]} of the rungs that are needed.
    shape: Ladder.
    level: as Generator's.
    alpha: how far ladder[level] has faded in, [B] or None.
  """
  if level is None:
    found = [images[size] for size in shape.shown]
  else:
    image = images[shape.ladder[level]]
    if alpha is not None and level:
      old = images[shape.ladder[level - 1]]
      image = blend(pyramid.up(old), image, alpha)
    found = [image]
  return tuple(x.astype(jnp.float32) for x in found)

"""Bytes of pictures and the numbers in [-1, 1] that networks see."""
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

Images = TypeVar('Images', jax.Array, np.ndarray)


def from_uint8(images: Images, dtype: Any = np.float32) -> Images:
  """uint8 0 .. 255 -> floats in [-1, 1]; numpy stays numpy."""
  return images.astype(dtype) / 127.5 - 1


def to_uint8(images: Images) -> Images:
  """[-1, 1] -> uint8, rounded and clipped: the inverse of `from_uint8`.

  Nothing is stretched to the range of the picture at hand, as BMSG-GAN's
  sheets are: a person should see the colours that D sees. NaN becomes 0, so
  that a broken run has pictures. numpy stays numpy.
  """
  xp: Any = np if isinstance(images, np.ndarray) else jnp
  images = xp.nan_to_num(images, nan=-1.)
  return xp.clip(xp.round(images * 127.5 + 127.5), 0, 255).astype(np.uint8)


def down(images: Images, factor: int = 2) -> Images:
  """Mean of each factor x factor square: [..., H, W, C], both divided."""
  *batch, h, w, c = images.shape
  return images.reshape(
      *batch, h // factor, factor, w // factor, factor, c).mean((-4, -2))

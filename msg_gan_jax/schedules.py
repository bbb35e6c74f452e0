"""What changes from step to step, as a function of the images shown."""
from typing import NamedTuple

import jax.numpy as jnp


class Phase(NamedTuple):
  """Static facts of one step; each different Phase is one compilation.

  Attributes:
    penalties: for each D update of the step, whether it has the penalty.
  """
  penalties: tuple[bool, ...]


def phase(images, batch, n_dis, penalty_every):
  """The Phase of the step that begins after `images` real images.

  Args:
    images: real images shown so far, a Python int.
    batch: real images in one D update.
    n_dis: D updates in one step.
    penalty_every: D updates between two penalties; 0 is never.
  """
  first = images // batch
  return Phase(tuple(
      bool(penalty_every) and (first + i) % penalty_every == 0
      for i in range(n_dis)))


def crossed(before, after, every):
  """Whether a multiple of `every` lies in (before, after]."""
  return after // every > before // every


def fall(images, until):
  """1 at the first image, 0 from `until` on, linearly; 1 where until is 0.

  Args:
    images: real images shown so far; may be traced.
    until: images, a Python number.
  """
  if not until:
    return jnp.float32(1.)
  return jnp.maximum(0., 1. - images / until)

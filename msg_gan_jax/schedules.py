"""What changes from step to step, as a function of the images shown."""
import bisect
from typing import NamedTuple

import jax.numpy as jnp


class Phase(NamedTuple):
  """Static facts of one step; each different Phase is one compilation.

  Attributes:
    penalties: for each D update of the step, whether it has the penalty.
    update_g: whether G is updated after them.
    level: which part of the players is in training, where there are several.
  """
  penalties: tuple[bool, ...]
  update_g: bool = True
  level: int = 0


def phase(images, train, penalty_every, levels=1):
  """The Phase of the step that begins after `images` real images.

  Args:
    images: real images shown so far, a Python int.
    train: config.Train.
    penalty_every: D updates between two penalties; 0 is never.
    levels: parts of the players that are trained one after another.
  """
  first = images // train.batch
  level = min(images // train.level_images, levels - 1) if levels > 1 else 0
  return Phase(
      tuple(bool(penalty_every) and (first + i) % penalty_every == 0
            for i in range(train.n_dis)),
      updates_g(first // train.n_dis, train), level)


def updates_g(step, train):
  """Whether step `step` of n_dis D updates ends with an update of G.

  WGAN's code gives D 100 updates instead of n_dis before each of the first 25
  updates of G, and before every 500th: those are 100 / n_dis steps, of which
  the last alone updates G.
  """
  if not train.n_dis_more:
    return True
  more = train.n_dis_more // train.n_dis
  every, begin = train.more_every_g_steps, train.more_first_g_steps

  def begins(g_step):
    """The step with which the work for G's update `g_step` begins."""
    long = min(g_step, begin)
    if every and g_step > begin:
      long += (g_step - 1) // every - (begin - 1) // every
    return g_step + (more - 1) * long

  # The last g_step that begins at or before `step`.
  g_step = bisect.bisect_right(range(step + 1), step, key=begins) - 1
  return begins(g_step + 1) == step + 1


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

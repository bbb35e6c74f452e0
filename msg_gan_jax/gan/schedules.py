"""What changes from step to step, as a function of the images shown."""
import bisect
from typing import NamedTuple

import jax.numpy as jnp


class Phase(NamedTuple):
  """Static facts of one step; each different Phase is one compilation.

  Attributes:
    penalties: for each D update of the step, whether it has the penalty.
    update_g: whether G is updated after them.
    level: which part of the players is in training, where there are several;
      of players that grow, the finest open rung of the ladder.
    batch: real images in one D update.
    penalize_g: whether G's update has its penalty.
  """
  penalties: tuple[bool, ...]
  update_g: bool = True
  level: int = 0
  batch: int = 1
  penalize_g: bool = False

  @property
  def images(self):
    """Real images that the step shows."""
    return len(self.penalties) * self.batch


class Growth(NamedTuple):
  """Progressive growing: each resolution fades in, and then is stable.

  Attributes:
    first, last: rungs of the ladder at the begin and at the end.
    stable, fade: real images that a rung is trained for before the next one
      fades in, and over which that one does.
    batches: real images in one D update, for each rung of the ladder.
    rates: what the rates are multiplied by, likewise.

  Source: Karras et al. 2018 (arXiv:1710.10196), sec. 2 and appendix A.1; its
  code begins with a stable phase, too.
  """
  first: int
  last: int
  stable: int
  fade: int
  batches: tuple[int, ...]
  rates: tuple[float, ...]

  def level(self, images):
    """The finest rung that is open after so many images, a Python int."""
    grown, rest = divmod(images, self.stable + self.fade)
    fades = bool(self.fade) and rest >= self.stable
    return min(self.first + grown + fades, self.last)

  def traced_level(self, images):
    """`level` of traced images, int32."""
    grown, rest = jnp.divmod(images, self.stable + self.fade)
    fades = (rest >= self.stable) & bool(self.fade)
    return jnp.minimum(self.first + grown + fades, self.last)

  def alpha(self, images, level):
    """How far a rung has faded in, 0 .. 1, float32; `images` may be traced."""
    if level == self.first or not self.fade:
      return jnp.float32(1.)
    grown = level - self.first
    begin = grown * self.stable + (grown - 1) * self.fade
    return jnp.clip((images - begin) / self.fade, 0., 1.).astype(jnp.float32)


def phase(images, train, penalty_every, levels=1, growth=None,
          g_penalty_every=0):
  """The Phase of the step that begins after `images` real images.

  Args:
    images: real images shown so far, a Python int.
    train: config.Train.
    penalty_every: D updates between two penalties; 0 is never.
    levels: parts of the players that are trained one after another.
    growth: Growth, or None.
    g_penalty_every: G updates between two penalties of G; 0 is never.
  """
  level = min(images // train.level_images, levels - 1) if levels > 1 else 0
  batch = train.batch
  if growth:
    level = growth.level(images)
    batch = growth.batches[level]
  first = images // batch
  step = first // train.n_dis
  return Phase(
      tuple(bool(penalty_every) and (first + i) % penalty_every == 0
            for i in range(train.n_dis)),
      updates_g(step, train), level, batch,
      bool(g_penalty_every) and step % g_penalty_every == 0)


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


def towards(start, end, images, until):
  """`start` at the first image, `end` from `until` on, along half a cosine.

  Args:
    start: number; may be traced, as `images`.
    end: Python number; -1 keeps the start.
    images: real images shown so far.
    until: images, a Python number; 0 keeps the start.

  Source: Huang et al. 2024 (arXiv:2501.05441), the schedules of R3GAN's code.
  """
  if not until or end == -1:
    return start
  share = .5 - .5 * jnp.cos(jnp.pi * jnp.minimum(images / until, 1.))
  return start + share * (end - start)

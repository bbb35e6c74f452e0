"""What changes from step to step, as a function of the images shown."""
import bisect
from typing import NamedTuple

import jax
import jax.numpy as jnp

from msg_gan_jax.config import schema


class Phase(NamedTuple):
  """Static facts of one step; each different Phase is one compilation.

  Attributes:
    penalties: for each D update of the step, whether it has the penalty.
    update_g: whether G is updated after them.
    level: which part of the players is in training, where there are several;
      of players that grow, the finest open rung of the ladder.
    batch: real images in one D update.
    penalize_g: whether G's update has its penalty.
    new_reals: whether G's update has a batch of reals of its own.
  """
  penalties: tuple[bool, ...]
  update_g: bool = True
  level: int = 0
  batch: int = 1
  penalize_g: bool = False
  new_reals: bool = False

  @property
  def images(self) -> int:
    """Real images that the step shows to D in D's updates."""
    return len(self.penalties) * self.batch

  @property
  def batches(self) -> int:
    """Batches of real images that the step reads."""
    return len(self.penalties) + self.new_reals

  def reads(self, images: int, steps: int) -> tuple[int, tuple[int, int]]:
    """What steps that begin after `images` images ask Batches.at for.

    Returns:
      (images read before, (number of batches, their size)). Batches that G
      alone sees come from the same order as D's, between them.
    """
    return (images // len(self.penalties) * self.batches,
            (steps * self.batches, self.batch))


class Growth(NamedTuple):
  """Progressive growing: each resolution fades in, and then is stable.

  Attributes:
    first, last: rungs of the ladder at the beginning and at the end.
    stable: real images that a rung is trained for before the next one fades in.
    fade: real images over which a rung fades in.
    batches: real images in one D update, for each rung of the ladder.
    rates: what the learning rates are multiplied by, for each rung.

  Source: Karras et al. 2018 (arXiv:1710.10196), sec. 2 and appendix A.1; its
  code begins with a stable phase, too.
  """
  first: int
  last: int
  stable: int
  fade: int
  batches: tuple[int, ...]
  rates: tuple[float, ...]

  def level(self, images: int) -> int:
    """The finest rung that is open after `images` images, a Python int."""
    grown, rest = divmod(images, self.stable + self.fade)
    fades = bool(self.fade) and rest >= self.stable
    return min(self.first + grown + fades, self.last)

  def traced_level(self, images: jax.Array) -> jax.Array:
    """`level` of traced images, int32."""
    grown, rest = jnp.divmod(images, self.stable + self.fade)
    fades = (rest >= self.stable) & bool(self.fade)
    return jnp.minimum(self.first + grown + fades, self.last)

  def alpha(self, images: int | jax.Array, level: int) -> jax.Array:
    """How far a rung has faded in, 0 .. 1, float32; `images` may be traced."""
    if level == self.first or not self.fade:
      return jnp.float32(1.)
    grown = level - self.first
    begin = grown * self.stable + (grown - 1) * self.fade
    return jnp.clip((images - begin) / self.fade, 0., 1.).astype(jnp.float32)


def phase(images: int, train: schema.Train, penalty_every: int,
          levels: int = 1, growth: Growth | None = None,
          g_penalty_every: int = 0) -> Phase:
  """The Phase of the step that begins after `images` real images.

  Args:
    images: real images shown so far, a Python int.
    train: settings of the section `train`.
    penalty_every: D updates between two penalties; 0 is never.
    levels: parts of the players that are trained one after another.
    growth: None where nothing grows.
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
      bool(g_penalty_every) and step % g_penalty_every == 0,
      train.g_reals == 'new')


def averages(config: schema.Config) -> bool:
  """Whether G is averaged at any time of training.

  Without it, `state.ema` is G itself after every step.
  """
  later = config.schedule.images and config.schedule.ema_half_life_images
  return config.train.ema_half_life_images > 0 or later > 0


def updates_g(step: int, train: schema.Train) -> bool:
  """Whether a step, n_dis updates of D, ends with an update of G.

  Most updates of G come after n_dis updates of D, which is one step. Some come
  after n_dis_more of them: the first `more_first_g_steps` updates of G, and
  then one in `more_every_g_steps`. Such an update of G takes n_dis_more / n_dis
  steps, and only the last of them updates G. With n_dis = 5, n_dis_more = 15,
  more_first_g_steps = 2 and more_every_g_steps = 0:

    step       0  1  2  3  4  5  6  7
    updates G        x        x  x  x

  Args:
    step: its number, from 0.
    train: settings of the section `train`.

  Source: the code of WGAN (Arjovsky et al. 2017, arXiv:1701.07875): 100 updates
  of D before each of the first 25 of G and before every 500th.
  """
  return g_updates(step + 1, train) > g_updates(step, train)


def g_updates(steps: int, train: schema.Train) -> int:
  """How many of the first steps, of n_dis updates of D each, update G.

  Args:
    steps: how many, from the first on.
    train: settings of the section `train`; see `updates_g`.
  """
  if not train.n_dis_more:
    return steps
  more = train.n_dis_more // train.n_dis
  every, first = train.more_every_g_steps, train.more_first_g_steps

  def begins(g_step):
    """The step with which the work for G's update `g_step` begins."""
    long = min(g_step, first)
    if every and g_step > first:
      long += (g_step - 1) // every - (first - 1) // every
    return g_step + (more - 1) * long

  # The last one that begins after these steps has all before it behind it.
  return bisect.bisect_right(range(steps + 1), steps, key=begins) - 1


def crossed(before: int, after: int, every: int) -> bool:
  """Whether a multiple of `every` lies in (before, after]."""
  return after // every > before // every


def fall(images: int | jax.Array, until: int) -> jax.Array:
  """1 at the first image, 0 from `until` on, linearly; 1 where until is 0.

  Args:
    images: real images shown so far; may be traced.
    until: images, a Python number.
  """
  if not until:
    return jnp.float32(1.)
  return jnp.maximum(0., 1. - images / until)


def towards(start: float | jax.Array, end: float, images: int | jax.Array,
            until: int) -> float | jax.Array:
  """`start` at the first image, `end` from `until` on, along half a cosine.

  Args:
    start: a number; it may be traced.
    end: a Python number; -1 keeps the start.
    images: real images shown so far; may be traced.
    until: images, a Python number; 0 keeps the start.

  Source: Huang et al. 2024 (arXiv:2501.05441), the schedules of R3GAN's code.
  """
  if not until or end == -1:
    return start
  share = .5 - .5 * jnp.cos(jnp.pi * jnp.minimum(images / until, 1.))
  return start + share * (end - start)

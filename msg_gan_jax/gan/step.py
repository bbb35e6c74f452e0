"""One step of every GAN: n_dis updates of D, one of G, the average of G.

What differs from GAN to GAN are the Components that a Config names, and the
Phase of the step. `step` is all of it. `update_d` and `update_g` are its parts,
for callers that compile one update of D and call it n_dis times.
"""
from collections.abc import Callable
import dataclasses
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from msg_gan_jax.gan import schedules, updates
from msg_gan_jax.gan.components import Components
from msg_gan_jax.gan.context import StepContext, context_of, part_of
from msg_gan_jax.gan.objective import Logs
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import Condition, Player, RealBatch, State, Tree


def step(components: Components, state: State, batch: RealBatch,
         key: jax.Array, phase: schedules.Phase,
         split: jax.sharding.Sharding | None = None) -> tuple[State, Logs]:
  """(State, logs) after n_dis updates of D and, by `phase`, one of G.

  Args:
    components: what the Config names.
    state, batch, key: see build.Gan.step.
    phase: static facts of the step.
    split: the sharding of latents, or None.
  """
  context, state = _begin(components, state, phase, split)
  key = jax.random.fold_in(key, state.images)
  logs, first_d, fakes = _logs_of(context), state.d, None
  for i, penalized in enumerate(phase.penalties):
    keep = components.every_pass or not i
    state, d_logs, fakes = _update_d(
        context, state, batch, key, i, penalized, keep)
    logs |= d_logs
  joint = components.config.train.update_order == 'joint'
  state, g_logs = _update_g(
      context, state, batch, key, first_d if joint else state.d, fakes)
  return state, logs | g_logs


def in_parts(components: Components) -> bool:
  """Whether a step is the same in parts: no part needs more of another."""
  train = components.config.train
  return (train.n_dis > 1 and train.update_order != 'joint'
          and not components.config.objective.augment_target)


def update_d(components: Components, state: State, batch: RealBatch,
             key: jax.Array, i: int | jax.Array, phase: schedules.Phase,
             keep: bool, split: jax.sharding.Sharding | None = None
             ) -> tuple[State, Logs]:
  """The i-th update of D in a step; it leaves `state.images` as it is.

  Args:
    components, state, batch, key, split: as of `step`.
    i: its number, which may be traced.
    phase: its one entry in `penalties` is that of this update.
    keep: whether G's pass may change G's statistics.
  """
  context, state = _begin(components, state, phase, split)
  state, logs, _ = _update_d(
      context, state, batch, jax.random.fold_in(key, state.images), i,
      phase.penalties[0], keep)
  return state, logs


def update_g(components: Components, state: State, batch: RealBatch,
             key: jax.Array, phase: schedules.Phase,
             split: jax.sharding.Sharding | None = None) -> tuple[State, Logs]:
  """What a step does after its updates of D; arguments as of `step`."""
  context, state = _begin(components, state, phase, split)
  state, logs = _update_g(
      context, state, batch, jax.random.fold_in(key, state.images), state.d)
  return state, _logs_of(context) | logs


class _Fakes(NamedTuple):
  """Fakes of an update of D, and their gradient's way to G's parameters."""
  images: Pyramid
  pull_back: Callable[[Pyramid], tuple[Tree, ...]]


def _begin(components, state, phase, split):
  """(StepContext, State with the moments of the stage that is in training)."""
  context = context_of(components, phase, state, split)
  return context, _forget_moments(context, state)


def _drawn(context: StepContext, batch: RealBatch, key: jax.Array,
           i: int | jax.Array) -> tuple[
               jax.Array, Pyramid, Condition, jax.Array, jax.Array]:
  """(z, reals, their condition, keys of G and of D) of an update of D."""
  z_key, d_key = jax.random.split(jax.random.fold_in(key, i))
  z = context.latents(z_key, context.phase.batch)
  return z, *context.see(batch, i, d_key), z_key, d_key


def _reals_of_g(context, batch, key):
  """(pyramid, Condition) of the batch of reals that D was not updated on."""
  n_dis = context.components.config.train.n_dis
  if len(batch.images) != n_dis + 1:
    raise ValueError(
        f"batch: {len(batch.images)} batches of reals, but config.train.g_reals"
        f" = 'new' has one for G too; wanted {n_dis + 1}.")
  return context.see(batch, n_dis, jax.random.fold_in(key, n_dis + 2))


def _update_d(context, state, batch, key, i, penalized, keep):
  """(State, logs, _Fakes) after an update of D."""
  context = dataclasses.replace(context, update=i)
  context.look('setting', '', context.hyper | {
      'rate_scale': context.rate_scale})
  z, real, condition, z_key, d_key = _drawn(context, batch, key, i)
  part = context.part
  g, d = part_of(state.g, part), part_of(state.d, part)
  fakes, g_stats = _run_g(context, g, z, condition, z_key, keep)
  d, logs = updates.update_d(
      context, d, real, fakes.images, condition, d_key, penalized)
  aux = updates.adapt_augmentation(context, state.aux, logs)
  context.look('statistics', 'g', g_stats)
  context.look('feedback', '', aux)
  return state.replace(
      g=_with_part(state.g, part, g.replace(stats=g_stats)),
      d=_with_part(state.d, part, d), aux=aux), logs, fakes


def _run_g(context, g, z, condition, key, keep):
  """(_Fakes of an update of D, G's statistics)."""
  # Where no gradient is pulled through it, this is only a forward pass.
  images, pull_back, stats = jax.vjp(
      functools.partial(context.run_g, keep=keep), g.params, g.stats, z,
      condition, jax.random.fold_in(key, 0), has_aux=True)
  return _Fakes(images, pull_back), stats


def _update_g(context, state, batch, key, judge, fakes=None):
  """(State, logs) after the update of G, if one is due, and the average.

  Args:
    context, state, batch, key: of the step.
    judge: the D, a Player, that judges G's fakes.
    fakes: _Fakes of the last update of D, whose pass G's may share; None
      makes them once more.
  """
  components, phase = context.components, context.phase
  train = components.config.train
  part = context.part
  g, d = part_of(state.g, part), part_of(state.d, part)
  logs: Logs = {}
  judge, aux = part_of(judge, part), state.aux
  if phase.update_g:
    z, real, condition, z_key, _ = _drawn(context, batch, key, train.n_dis - 1)
    if phase.new_reals:
      real, condition = _reals_of_g(context, batch, key)
    g_key = jax.random.fold_in(key, train.n_dis + 1)
    if train.reuse_latents and train.accumulate == 1:
      # Statistics are those that the first pass left: it is the same one.
      fakes = fakes or _run_g(context, g, z, condition, z_key, False)[0]
      g, d_stats, logs = updates.update_g_from_fakes(
          context, g, judge, real, fakes.images,
          lambda by_fake: fakes.pull_back(by_fake)[0], condition, g_key)
    else:
      if not train.reuse_latents:
        z = context.latents(jax.random.fold_in(key, train.n_dis),
                            phase.batch * train.g_batches)
      g, d_stats, logs = updates.update_g(
          context, g, judge, real, z, condition, g_key)
    d = d if train.update_order == 'joint' else d.replace(stats=d_stats)
    if phase.penalize_g:
      aux = aux | {'path_mean': logs['path_mean']}
  new_g = _with_part(state.g, part, g)
  ema = _averaged(components, state, new_g, phase)
  context.look('statistics', 'd', d.stats)
  context.look('average', 'g', {'params': ema.params, 'stats': ema.stats})
  return state.replace(
      images=state.images + phase.images, g=new_g,
      d=_with_part(state.d, part, d), ema=ema, aux=aux), logs


def _logs_of(context):
  """What the context itself tells."""
  logs = {'augment_strength': context.augment_strength, 'alpha': context.alpha}
  return {name: value for name, value in logs.items() if value is not None}


def _forget_moments(context, state):
  """State whose optimizers start anew, where a stage of growing has begun.

  A stage is the time in which a resolution fades in, or in which it is stable.
  """
  if not (context.components.growth
          and context.components.config.train.grow_resets):
    return state
  stage = 2 * context.phase.level + (context.alpha == 1)
  begins = state.aux['stage'] != stage

  def forget(player):
    start = context.components.optimizer(0., 0., 0.).init(player.params)
    return player.replace(opt=jax.tree.map(
        lambda first, now: jnp.where(begins, first, now), start, player.opt))

  return state.replace(g=forget(state.g), d=forget(state.d),
                       aux=state.aux | {'stage': stage})


def _averaged(components, state, g, phase):
  """The average of G after the step."""
  keep = _kept_share(components.config, state.images, phase.images)
  ema = jax.tree.map(lambda mean, now: keep * mean + (1 - keep) * now,
                     state.ema, g.replace(opt=()))
  if components.players.mapped:  # The mean of w is an average already.
    ema = ema.replace(stats=g.stats)
  return ema


def _kept_share(config, images, step_images):
  """How much the average of G keeps of itself in a step, 0 .. 1."""
  train, schedule = config.train, config.schedule
  half_life = train.ema_half_life_images
  if not schedule.images and not train.ema_rampup:
    return .5 ** (step_images / half_life) if half_life else 0.
  half_life = schedules.towards(
      half_life, schedule.ema_half_life_images, images, schedule.images)
  if train.ema_rampup:
    half_life = jnp.minimum(half_life, images * train.ema_rampup)
  return .5 ** (step_images / jnp.maximum(half_life, 1e-8))


def _with_part(player, name, new):
  """A player with a part replaced."""
  if name is None:
    return new
  return Player(*(
      {**old, name: now} if name in old else old for old, now in zip(
          (player.params, player.stats, player.opt),
          (new.params, new.stats, new.opt), strict=True)))

"""One step of every GAN: n_dis updates of D, one of G, the average of G.

What differs from GAN to GAN are the Components that a Config names, and the
Phase of the step.
"""
import functools

import jax
import jax.numpy as jnp

from msg_gan_jax.gan import schedules, updates
from msg_gan_jax.gan.components import Components
from msg_gan_jax.gan.context import context_of
from msg_gan_jax.gan.objective import Logs
from msg_gan_jax.gan.state import Player, RealBatch, State


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
  config, players = components.config, components.players
  train = config.train
  key = jax.random.fold_in(key, state.images)
  context = context_of(components, phase, state, split)
  logs, state = _logs_of(context), _forget_moments(context, state)
  part = players.levels[phase.level] if players.levels else None
  g, d = first_g, first_d = _part(state.g, part), _part(state.d, part)
  aux = state.aux

  for i in range(train.n_dis):
    z_key, d_key = jax.random.split(jax.random.fold_in(key, i))
    z = context.latents(z_key, phase.batch)
    real, condition = context.see(batch, i, d_key)
    run_g = functools.partial(
        context.run_g, keep=components.every_pass or not i)
    # Where no gradient is pulled through it, this is only a forward pass.
    fake, pull_back, g_stats = jax.vjp(
        run_g, first_g.params, g.stats, z, condition,
        jax.random.fold_in(z_key, 0), has_aux=True)
    g = g.replace(stats=g_stats)
    d, d_logs = updates.update_d(
        context, d, real, fake, condition, d_key, phase.penalties[i])
    logs |= d_logs
    aux = updates.adapt_augmentation(context, aux, d_logs)

  if phase.update_g:
    joint = train.update == 'joint'
    judge = first_d if joint else d
    g_key = jax.random.fold_in(key, train.n_dis + 1)
    if train.reuse_latents and train.accumulate == 1:
      g, d_stats, g_logs = updates.update_g_from_fakes(
          context, g, judge, real, fake,
          lambda by_fake: pull_back(by_fake)[0], condition, g_key)
    else:
      if not train.reuse_latents:
        z = context.latents(jax.random.fold_in(key, train.n_dis),
                            phase.batch * train.g_batches)
      g, d_stats, g_logs = updates.update_g(
          context, g, judge, real, z, condition, g_key)
    d = d if joint else d.replace(stats=d_stats)
    logs |= g_logs
    if phase.penalize_g:
      aux |= {'path_mean': g_logs['path_mean']}

  new_g, new_d = (_with_part(old, part, new) for old, new in (
      (state.g, g), (state.d, d)))
  ema = _averaged(components, state, new_g, phase)
  return state.replace(images=state.images + phase.images, g=new_g, d=new_d,
                       ema=ema, aux=aux), logs


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


def _part(player, name):
  """A player's part that is in training, or all of it."""
  if name is None:
    return player
  return Player(*(tree.get(name, {}) for tree in (
      player.params, player.stats, player.opt)))


def _with_part(player, name, new):
  """A player with a part replaced."""
  if name is None:
    return new
  return Player(*(
      {**old, name: now} if name in old else old for old, now in zip(
          (player.params, player.stats, player.opt),
          (new.params, new.stats, new.opt), strict=True)))

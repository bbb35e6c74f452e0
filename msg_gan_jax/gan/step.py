"""One step of every GAN: n_dis updates of D, one of G, the average of G.

What differs from GAN to GAN are the rows that a Config names, and the Phase of
the step. `gan.build` looks the rows up.
"""
import jax
import jax.numpy as jnp

from msg_gan_jax.gan import schedules, updates
from msg_gan_jax.gan.state import Condition, Player


def step(rows, state, batch, key, phase, split=None):
  """(State, logs) after n_dis updates of D and, by `phase`, one of G.

  Args:
    rows, state, batch, key: see updates.Rows and gan.Gan.
    phase: schedules.Phase.
    split: the sharding of latents, or None.
  """
  config, players = rows.config, rows.players
  train = config.train
  key = jax.random.fold_in(key, state.images)
  part = players.levels[phase.level] if players.levels else None
  turn, logs, state = _turn(rows, phase, state, split)
  g, d = first_g, first_d = _part(state.g, part), _part(state.d, part)
  aux = state.aux
  for i in range(train.n_dis):
    z_key, part_key = jax.random.split(jax.random.fold_in(key, i))
    z = turn.latents(z_key, phase.batch)
    real, condition = _see(turn, batch, i, part_key)
    # Where nobody pulls a gradient through it, this is only a forward pass.
    fake, pull, g_stats = jax.vjp(
        lambda params, *seen, keeps=rows.every_pass or not i: updates.make(
            turn, params, *seen, keeps), first_g.params, g.stats, z, condition,
        jax.random.fold_in(z_key, 0), has_aux=True)
    g = g.replace(stats=g_stats)
    d, d_logs = updates.update_d(
        turn, d, real, fake, condition, part_key, phase.penalties[i])
    logs |= d_logs
    aux = updates.observed(turn, aux, d_logs)
  if phase.update_g:
    joint = train.update == 'joint'
    judge = first_d if joint else d
    g_key = jax.random.fold_in(key, train.n_dis + 1)
    if train.reuse_latents and train.accumulate == 1:
      made = fake, lambda by_fake: pull(by_fake)[0]
      g, d_stats, g_logs = updates.update_g_of(
          turn, g, judge, real, made, condition, g_key)
    else:
      if not train.reuse_latents:
        z = turn.latents(jax.random.fold_in(key, train.n_dis),
                         phase.batch * train.g_batches)
      g, d_stats, g_logs = updates.update_g(
          turn, g, judge, real, z, condition, g_key)
    d = d if joint else d.replace(stats=d_stats)
    logs |= g_logs
    if phase.penalize_g:
      aux |= {'path_mean': g_logs['path_mean']}
  new_g = _with_part(state.g, part, g)
  keep = _kept(config, state.images, phase.images)
  ema = jax.tree.map(lambda mean, now: keep * mean + (1 - keep) * now,
                     state.ema, new_g.replace(opt=()))
  if players.mapped:  # The mean of w is an average already.
    ema = ema.replace(stats=new_g.stats)
  return state.replace(
      images=state.images + phase.images, g=new_g,
      d=_with_part(state.d, part, d), ema=ema, aux=aux), logs


def _turn(rows, phase, state, split):
  """(updates.Turn, its logs, State with moments as they are for the phase)."""
  config, images, logs = rows.config, state.images, {}
  objective, schedule = config.objective, config.schedule

  def towards(start, name):
    return schedules.towards(
        start, getattr(schedule, name), images, schedule.images)

  hyper = state.hyper | {
      name: towards(state.hyper[name], name)
      for name in ('beta2', 'penalty_weight')}
  scale = schedules.fall(images, config.optimizer.fall_until_images) * (
      towards(1., 'rates'))
  strength = alpha = None
  if objective.augment_target:
    strength = state.aux['augment']['p']
  elif rows.augment:
    strength = schedules.fall(images, objective.augment_until_images) * (
        towards(hyper['augment_strength'], 'augment_strength'))
  if strength is not None:
    logs['augment_strength'] = strength
  if growth := rows.growth:
    alpha = growth.alpha(images, phase.level)
    scale *= growth.rates[phase.level]
    logs['alpha'] = alpha
    if config.train.grow_resets:
      state = _fresh_moments(rows, state, 2 * phase.level + (alpha == 1))
  return updates.Turn(
      rows, rows.players.at(phase.level), phase, hyper, strength, scale, alpha,
      state.aux.get('path_mean'), split), logs, state


def _fresh_moments(rows, state, stage):
  """State whose optimizers forget, where this stage has just begun."""
  new = state.aux['stage'] != stage

  def fresh(player):
    start = rows.rule(0., 0., 0.).init(player.params)
    return player.replace(opt=jax.tree.map(
        lambda first, now: jnp.where(new, first, now), start, player.opt))

  return state.replace(
      g=fresh(state.g), d=fresh(state.d), aux=state.aux | {'stage': stage})


def _kept(config, images, step_images):
  """How much the average of G keeps of itself in a step."""
  train, schedule = config.train, config.schedule
  half_life = train.ema_half_life_images
  if not schedule.images and not train.ema_rampup:
    return .5 ** (step_images / half_life) if half_life else 0.
  half_life = schedules.towards(
      half_life, schedule.ema_half_life_images, images, schedule.images)
  if train.ema_rampup:
    half_life = jnp.minimum(half_life, images * train.ema_rampup)
  return .5 ** (step_images / jnp.maximum(half_life, 1e-8))


def _see(turn, batch, i, key):
  """(pyramid of reals, Condition) of the i-th update of D."""
  config = turn.rows.config
  images = batch.images[i]
  if config.data.dequantize:
    images = _dequantized(images, jax.random.fold_in(key, 0))
  alpha = None if turn.alpha is None else jnp.broadcast_to(
      turn.alpha, len(images))
  real, coarse = turn.level.see(images, alpha)
  labels = batch.labels[i] if config.networks.classes else None
  return real, Condition(labels, coarse, alpha)


def _dequantized(images, key):
  """uint8 -> float32 in [-1, 1]: x / 128 - 1 and less than a step of noise.

  As improved_wgan_training and sngan_projection do.
  """
  return images / 128. - 1 + jax.random.uniform(
      key, images.shape, maxval=1 / 128)


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

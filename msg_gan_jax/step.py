"""One step of every GAN: n_dis updates of D, one of G, the average of G.

What differs from GAN to GAN are the rows that a Config names, and the Phase of
the step. `gan.build` looks the rows up.
"""
import jax

from msg_gan_jax import pyramid, schedules, updates
from msg_gan_jax.state import Condition, Player


def step(rows, state, batch, key, phase):
  """(State, logs) after n_dis updates of D and, by `phase`, one of G."""
  config, players = rows.config, rows.players
  train = config.train
  key = jax.random.fold_in(key, state.images)
  part = players.levels[phase.level] if players.levels else None
  g, d = first_g, first_d = _part(state.g, part), _part(state.d, part)
  turn, logs = _turn(rows, players.at(phase.level), state)
  for i in range(train.n_dis):
    z_key, part_key = jax.random.split(jax.random.fold_in(key, i))
    z = updates.draw(rows, z_key, train.batch)
    real, condition = _see(turn, batch, i, part_key)
    # Where nobody pulls a gradient through it, this is only a forward pass.
    fake, pull, g_stats = jax.vjp(
        lambda params, *seen, keeps=rows.every_pass or not i: updates.make(
            turn, params, *seen, keeps), first_g.params, g.stats, z, condition,
        has_aux=True)
    g = g.replace(stats=g_stats)
    d, d_logs = updates.update_d(
        turn, d, real, fake, condition, part_key, phase.penalties[i])
    logs |= d_logs
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
        z = updates.draw(rows, jax.random.fold_in(key, train.n_dis),
                 train.batch * train.g_batches)
      g, d_stats, g_logs = updates.update_g(
          turn, g, judge, real, z, condition, g_key)
    d = d if joint else d.replace(stats=d_stats)
    logs |= g_logs
  new_g = _with_part(state.g, part, g)
  step_images = train.n_dis * train.batch
  half_life = train.ema_half_life_images
  keep = .5 ** (step_images / half_life) if half_life else 0.
  ema = jax.tree.map(lambda mean, now: keep * mean + (1 - keep) * now,
                     state.ema, new_g.replace(opt=()))
  return state.replace(
      images=state.images + step_images, g=new_g,
      d=_with_part(state.d, part, d), ema=ema), logs


def _turn(rows, level, state):
  """(updates.Turn, its logs)."""
  objective, logs, strength = rows.config.objective, {}, None
  if rows.augment:
    strength = state.hyper['augment_strength'] * schedules.fall(
        state.images, objective.augment_until_images)
    logs['augment_strength'] = strength
  fall = schedules.fall(
      state.images, rows.config.optimizer.fall_until_images)
  return updates.Turn(rows, level, state.hyper, strength, fall), logs


def _see(turn, batch, i, key):
  """(pyramid of reals, Condition) of the i-th update of D."""
  config = turn.rows.config
  images = batch.images[i]
  if config.data.dequantize:
    images = _dequantized(images, jax.random.fold_in(key, 0))
  real, coarse = turn.level.see(
      pyramid.build(images, turn.rows.players.sizes))
  labels = batch.labels[i] if config.networks.classes else None
  return real, Condition(labels, coarse)


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

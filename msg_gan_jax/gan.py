"""A GAN as pure functions: networks and objectives meet here, and nowhere else.

In a notebook three lines are the whole library:

  gan = build(config)
  state = gan.init(key)
  state, logs = gan.step(state, batch, key)
"""
from collections.abc import Callable
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from msg_gan_jax import config as config_lib
from msg_gan_jax import legal, pyramid, schedules, tables, updates
from msg_gan_jax import step as step_lib
from msg_gan_jax.networks import layers, norms
from msg_gan_jax.networks.build import NETWORKS
from msg_gan_jax.objectives.augment import AUGMENTATIONS
from msg_gan_jax.objectives.losses import LOSSES
from msg_gan_jax.objectives.penalties import PENALTIES
from msg_gan_jax.objectives.weights import CONSTRAINTS, WEIGHT_PENALTIES
from msg_gan_jax.state import NOTHING, Condition, Player, State


class Gan(NamedTuple):
  """What `build` makes of a Config; all functions are pure.

  Attributes:
    init: key -> State.
    step: (state, batch, key, phase=None) -> (state, logs): n_dis D updates,
      one G update, the average of G. `key` is the same in every step: the
      images shown are folded in. `phase` is static; None is phase(0). `logs`
      are float32 scalars: d_loss, g_loss, d_real and d_fake (mean logits),
      drift and penalty (both unweighted), weight penalties, d_classes and
      g_classes (of a classifier) and augment_strength where there are any,
      d_grad_norm and g_grad_norm.
    sample: (state, z, labels=None, *, weights='ema') -> pyramid for z
      [B, latent] and labels int32 [B], if G is told of any; weights 'raw' are
      those in training.
    settle: state -> state, for samples: with networks.statistics =
      'accumulated', both G's have the moments of many batches.
    draw: (key, n) -> z [n, latent], of the law networks.latent_law; 'sphere'
      is Karras et al. 2018, appendix A.1.
    g: (params, z, condition=NOTHING, stats={}) -> pyramid, not in training.
    d: (params, pyramid, condition=NOTHING, stats={}) -> Verdict, likewise.
    phase: images -> the Phase of the step that begins there.
    sizes: heights of the pyramid's levels, coarse to fine.
    shapes: (height, width, channels) of each.
    classes: how many the players are told of, 0 for none.
    step_images: real images that one step shows to D.
  """
  init: Callable
  step: Callable
  sample: Callable
  settle: Callable
  draw: Callable
  g: Callable
  d: Callable
  phase: Callable
  sizes: tuple[int, ...]
  shapes: tuple[tuple[int, int, int], ...]
  classes: int
  step_images: int


# Rules that turn a gradient into a direction; the rate multiplies it.
OPTIMIZERS = tables.Table('config.optimizer.name', 'optimizer', {
    'adam': lambda beta1, beta2, epsilon: optax.scale_by_adam(
        beta1, beta2, epsilon),
    # Tieleman & Hinton 2012, with epsilon outside of the root as in Adam.
    'rmsprop': lambda beta1, beta2, epsilon: optax.scale_by_rms(
        beta2, epsilon, eps_in_sqrt=False),
    # With momentum beta1: Polyak 1964.
    'sgd': lambda beta1, beta2, epsilon: optax.trace(beta1),
})


def build(config):
  """Config (or what `parse` takes) -> Gan.

  Raises:
    ValueError: an unknown name, or settings that do not go together.
  """
  config = config_lib.parse(config)
  rows = _rows(config)
  networks, players = config.networks, rows.players
  legal.check(config, players, rows.loss, rows.penalty)
  shapes = pyramid.shapes(players.sizes, config.data.shape)

  def g(params, z, condition=NOTHING, stats=None):
    return players.g.apply(
        updates.variables(params, stats or {}),
        updates.tell(rows, 'g', z, condition), condition)

  def d(params, images, condition=NOTHING, stats=None):
    return players.d.apply(
        updates.variables(params, stats or {}),
        updates.tell(rows, 'd', images, condition), condition)

  def phase(images):
    every = config.objective.penalty_every_d_steps if rows.penalty else 0
    return schedules.phase(
        int(images), config.train, every, len(players.levels))

  @functools.partial(jax.jit, static_argnames='weights')
  def drawn(state, z, labels, weights):
    player = state.ema if weights == 'ema' else state.g
    return g(player.params, z, Condition(labels), player.stats)

  def sample(state, z, labels=None, *, weights='ema'):
    if weights not in ('ema', 'raw'):
      raise ValueError(f"weights: wanted 'ema' or 'raw', found {weights!r}.")
    _check_labels(labels, networks.classes)
    return drawn(state, z, labels if networks.classes else None, weights)

  step = jax.jit(
      lambda state, batch, key, phase: step_lib.step(
          rows, state, batch, key, phase), static_argnames='phase')
  first = phase(0)
  return Gan(
      init=jax.jit(lambda key: _init(rows, shapes, key)),
      step=lambda state, batch, key, phase=first: step(
          state, batch, key, phase=phase),
      sample=sample,
      settle=jax.jit(lambda state: _settle(rows, state)) if (
          networks.statistics == 'accumulated') else lambda state: state,
      draw=lambda key, n: updates.draw(rows, key, n),
      g=g, d=d, phase=phase, sizes=players.sizes, shapes=shapes,
      classes=networks.classes,
      step_images=config.train.n_dis * config.train.batch)


def _rows(config):
  """Looks up what a Config names."""
  objective = config.objective
  return updates.Rows(
      config=config, loss=LOSSES[objective.loss],
      penalty=PENALTIES[objective.penalty],
      augment=AUGMENTATIONS[objective.augment],
      constraint=CONSTRAINTS[objective.constraint],
      weight_penalties={
          'g': WEIGHT_PENALTIES[objective.g_weight_penalty],
          'd': WEIGHT_PENALTIES[objective.d_weight_penalty]},
      rule=OPTIMIZERS[config.optimizer.name],
      players=NETWORKS[config.networks.name](config))


def _check_labels(labels, classes):
  """Refuses labels that a GAN cannot draw; traced ones have no values yet."""
  if not classes:
    return
  wanted = f'wanted an int32 of 0 .. {classes - 1} for each z'
  if labels is None:
    raise ValueError(
        f'labels: this GAN draws {classes} classes; {wanted}, found none.')
  if isinstance(labels, jax.core.Tracer) or not np.size(labels):
    return
  labels = np.asarray(labels)
  if labels.min() < 0 or labels.max() >= classes:
    raise ValueError(
        f'labels: {wanted}, found {labels.min()} .. {labels.max()}.')


def _init(rows, shapes, key):
  """A new State."""
  networks, players = rows.config.networks, rows.players
  g_key, d_key = jax.random.split(key)
  one = Condition(jnp.zeros(1, jnp.int32) if networks.classes else None)
  inputs = {'g': jnp.zeros((1, networks.latent)),
            'd': tuple(jnp.zeros((1, *shape)) for shape in shapes)}
  direction = rows.rule(0., 0., 0.)

  def player(key, name, module, law):
    params, stats = _draw(
        key, module, updates.tell(rows, name, inputs[name], one), one, law)
    opt = {level: direction.init(params[level]) for level in players.levels}
    return Player(params, stats, opt or direction.init(params))

  g = player(g_key, 'g', players.g, players.laws[0])
  d = player(d_key, 'd', players.d, players.laws[1])
  ema = jax.tree.map(jnp.copy, g.replace(opt=()))
  return State(images=jnp.int32(0), g=g, d=d, ema=ema,
               hyper=jax.tree.map(jnp.float32, _hyper(rows)), aux={})


def _hyper(rows):
  """The settings that a study varies continuously, those that are in use."""
  objective, optimizer = rows.config.objective, rows.config.optimizer
  hyper = {name: getattr(optimizer, name) for name in (
      'g_rate', 'd_rate', 'beta1', 'beta2')}
  names = ['penalty_weight', *(['augment_strength'] if rows.augment else ()),
           *(['clip'] if rows.constraint else ()),
           *(f'{player}_weight_penalty_weight' for player, penalty in
             rows.weight_penalties.items() if penalty)]
  return hyper | {name: getattr(objective, name) for name in names}


def _draw(key, module, inputs, condition, law):
  """(parameters, statistics) of a linen module for example inputs."""
  values = dict(module.init(key, inputs, condition))
  values.pop('moments', None)
  values = layers.draw(key, values, law)
  # The first power iteration: later passes may only look at its vectors.
  _, stats = module.apply(values, inputs, condition, mutable=['stats'])
  return values['params'], stats.get('stats', {})


def _settle(rows, state):
  """State with the moments of many batches in both G's batch norms."""
  networks, batch = rows.config.networks, rows.config.train.batch
  key = jax.random.fold_in(jax.random.key(0), state.images)

  def moments(player, i):
    z_key, label_key = jax.random.split(jax.random.fold_in(key, i))
    labels = jax.random.randint(
        label_key, (batch,), 0, networks.classes) if networks.classes else None
    condition = Condition(labels)
    z = updates.draw(rows, z_key, batch)
    _, found = rows.players.g.apply(
        updates.variables(player.params, player.stats),
        updates.tell(rows, 'g', z, condition), condition, True,
        mutable=['moments'])
    return found['moments']

  def settled(player):
    def one(total, i):
      return jax.tree.map(jnp.add, total, moments(player, i)), None

    n = networks.statistics_batches
    total, _ = jax.lax.scan(one, moments(player, 0), jnp.arange(1, n))
    return player.replace(stats=norms.replace(
        player.stats, jax.tree.map(lambda x: x / n, total)))

  return state.replace(g=settled(state.g), ema=settled(state.ema))

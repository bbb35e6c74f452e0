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

from msg_gan_jax.config import schema, tables
from msg_gan_jax.gan import compatibility, pyramid, schedules, updates
from msg_gan_jax.gan import step as step_lib
from msg_gan_jax.gan.networks import layers, mapping, norms
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.objectives import adaptive
from msg_gan_jax.gan.objectives.augmentations import AUGMENTATIONS
from msg_gan_jax.gan.objectives.losses import LOSSES
from msg_gan_jax.gan.objectives.path_length import G_PENALTIES
from msg_gan_jax.gan.objectives.penalties import PENALTIES
from msg_gan_jax.gan.objectives.weight_penalties import (
  CONSTRAINTS,
  WEIGHT_PENALTIES,
)
from msg_gan_jax.gan.state import NOTHING, Condition, Player, State


class Gan(NamedTuple):
  """What `build` makes of a Config; all functions are pure.

  Attributes:
    init: key -> State.
    step: (state, batch, key, phase=None, split=None) -> (state, logs): n_dis D
      updates, one G update, the average of G. `key` is the same in every step:
      the images shown are folded in. `phase` is static; None is phase(0). So is
      `split`, the sharding of latents on several devices. `logs` are
      float32 scalars: d_loss, g_loss, d_real and d_fake (mean logits), drift
      and penalty (both unweighted), weight penalties, d_classes and g_classes
      (of a classifier), g_penalty, path_length and path_mean, augment_strength
      and d_sign (the mean sign of D(real)), alpha (how far the resolution in
      training has faded in) where there are any, d_grad_norm and g_grad_norm.
    sample: (state, z, labels=None, *, weights='ema', psi=1., cutoff=None,
      key=None) -> pyramid for z [B, latent] and labels int32 [B], if G is told
      of any; weights 'raw' are those in training. Where there is a mapping
      network, styles are drawn to their mean by psi, in the first `cutoff`
      layers or all, and noise is drawn from `key`, or always the same without.
      A GAN that grows gives the picture of its present resolution, scaled up.
    settle: state -> state, for samples: with networks.statistics =
      'accumulated', both G's have the moments of many batches.
    draw: (key, n) -> z [n, latent], of the law networks.latent_law; 'sphere'
      is Karras et al. 2018, appendix A.1.
    g: (params, z, condition=NOTHING, stats={}) -> pyramid, not in training; of
      a GAN that grows, at its finest resolution, as `d`.
    d: (params, pyramid, condition=NOTHING, stats={}) -> Verdict, likewise.
    latents: (state, z, labels=None, *, weights='ema', psi=1., cutoff=None) -> w
      [B, layers, w], what `synthesize` draws; without a mapping network z, with
      labels where G is told of them so.
    synthesize: (state, w, labels=None, *, weights='ema', key=None) -> pyramid.
    phase: images -> the Phase of the step that begins there.
    sizes: heights of the pyramid's levels, coarse to fine.
    shapes: (height, width, channels) of each.
    classes: how many the players are told of, 0 for none.
    step_images: real images that the first step shows to D; of any other,
      phase(images).images.
    layers: how many layers take a style of their own; 0 without a mapping.
  """
  init: Callable
  step: Callable
  sample: Callable
  settle: Callable
  draw: Callable
  g: Callable
  d: Callable
  latents: Callable
  synthesize: Callable
  phase: Callable
  sizes: tuple[int, ...]
  shapes: tuple[tuple[int, int, int], ...]
  classes: int
  step_images: int
  layers: int


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
  config = schema.parse(config)
  rows = _rows(config)
  networks, players = config.networks, rows.players
  compatibility.check(config, rows)
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
    objective = config.objective
    return schedules.phase(
        int(images), config.train,
        objective.penalty_every_d_steps if rows.penalty else 0,
        len(players.levels), rows.growth,
        objective.g_penalty_every_g_steps if rows.g_penalty else 0)

  def checked(labels, weights):
    if weights not in ('ema', 'raw'):
      raise ValueError(f"weights: wanted 'ema' or 'raw', found {weights!r}.")
    _check_labels(labels, networks.classes)
    return Condition(labels if networks.classes else None)

  @functools.partial(jax.jit, static_argnames=('weights', 'cutoff'))
  def mapped(state, z, condition, psi, weights, cutoff):
    return _map(rows, _player(state, weights), z, condition, psi, cutoff)

  @functools.partial(jax.jit, static_argnames='weights')
  def drawn(state, w, condition, key, weights):
    return _synthesize(
        rows, _player(state, weights), state.images, w, condition, key)

  def latents(state, z, labels=None, *, weights='ema', psi=1., cutoff=None):
    condition = checked(labels, weights)
    if not players.mapped and (psi != 1. or cutoff is not None):
      raise ValueError(
          f'psi: {psi}, but config.networks.name = {networks.name!r} has no '
          'mapping network whose mean styles could be drawn to; wanted 1.')
    return mapped(state, z, condition, psi, weights, cutoff)

  def synthesize(state, w, labels=None, *, weights='ema', key=None):
    return drawn(state, w, checked(labels, weights), key, weights)

  def sample(state, z, labels=None, *, weights='ema', psi=1., cutoff=None,
             key=None):
    w = latents(state, z, labels, weights=weights, psi=psi, cutoff=cutoff)
    return synthesize(state, w, labels, weights=weights, key=key)

  step = jax.jit(
      lambda state, batch, key, phase, split: step_lib.step(
          rows, state, batch, key, phase, split),
      static_argnames=('phase', 'split'))
  first = phase(0)
  return Gan(
      init=jax.jit(lambda key: _init(rows, shapes, key)),
      step=lambda state, batch, key, phase=first, split=None: step(
          state, batch, key, phase=phase, split=split),
      sample=sample,
      settle=jax.jit(lambda state: _settle(rows, state)) if (
          networks.statistics == 'accumulated') else lambda state: state,
      draw=lambda key, n: updates.draw(rows, key, n),
      g=g, d=d, latents=latents, synthesize=synthesize, phase=phase,
      sizes=players.sizes, shapes=shapes, classes=networks.classes,
      step_images=first.images,
      layers=players.g.style_layers() if players.mapped else 0)


def _player(state, weights):
  return state.ema if weights == 'ema' else state.g


def _map(rows, player, z, condition, psi, cutoff):
  """w of latents, or what G is told where it has no mapping network."""
  if not rows.players.mapped:
    return updates.tell(rows, 'g', z, condition)
  w = rows.players.g.apply(
      updates.variables(player.params, player.stats), z, condition,
      method='map')
  return mapping.truncate(
      w, player.stats['mapping']['w_mean'], psi, cutoff)


def _synthesize(rows, player, images, w, condition, key):
  """The pyramid of w, after so many images of training."""
  players, growth = rows.players, rows.growth

  def drawn(players, condition):
    return players.g.apply(
        updates.variables(player.params, player.stats), w, condition,
        rngs=None if key is None else {'noise': key},
        method='synthesize' if rows.players.mapped else None)

  if not growth:
    return drawn(players, condition)
  top = players.sizes[-1]

  def at(level):
    alpha = jnp.broadcast_to(growth.alpha(images, level), len(w))
    image, = drawn(players.at(level), condition._replace(alpha=alpha))
    return (pyramid.up(image, top // players.ladder[level]),)

  # Forward passes alone may stand in a branch: see WORKSPACE.md, Decisions.
  return jax.lax.switch(
      growth.traced_level(images) - growth.first,
      [functools.partial(at, level)
       for level in range(growth.first, growth.last + 1)])


def _rows(config):
  """Looks up what a Config names."""
  objective = config.objective
  return updates.Rows(
      config=config, loss=LOSSES[objective.loss],
      penalty=PENALTIES[objective.penalty],
      g_penalty=G_PENALTIES[objective.g_penalty],
      augment=AUGMENTATIONS[objective.augment],
      constraint=CONSTRAINTS[objective.constraint],
      weight_penalties={
          'g': WEIGHT_PENALTIES[objective.g_weight_penalty],
          'd': WEIGHT_PENALTIES[objective.d_weight_penalty]},
      rule=OPTIMIZERS[config.optimizer.name],
      players=(players := NETWORKS[config.networks.name](config)),
      growth=_growth(config.train, players.ladder))


def _growth(train, ladder):
  """schedules.Growth of the settings, or None."""
  if not ladder:
    return None
  batches = schema.by_size(train.grow_batches, int)
  rates = schema.by_size(train.grow_rates, float)
  return schedules.Growth(
      ladder.index(train.grow_from), len(ladder) - 1,
      train.grow_stable_images, train.grow_fade_images,
      tuple(schema.at_size(batches, size, train.batch) for size in ladder),
      tuple(schema.at_size(rates, size, 1.) for size in ladder))


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
               hyper=jax.tree.map(jnp.float32, _hyper(rows)), aux=_aux(rows))


def _aux(rows):
  """What feedback between steps needs, at the start."""
  objective, aux = rows.config.objective, {}
  if rows.growth and rows.config.train.grow_resets:
    aux['stage'] = jnp.int32(2 * rows.growth.first + 1)
  if rows.g_penalty:
    aux['path_mean'] = jnp.float32(0.)
  if objective.augment_target:
    aux['augment'] = adaptive.start(objective.augment_strength)
  return aux


def _hyper(rows):
  """The settings that a study varies continuously, those that are in use."""
  objective, optimizer = rows.config.objective, rows.config.optimizer
  hyper = {name: getattr(optimizer, name) for name in (
      'g_rate', 'd_rate', 'beta1', 'beta2')}
  names = ['penalty_weight', *(['augment_strength'] if rows.augment else ()),
           *(['g_penalty_weight'] if rows.g_penalty else ()),
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

"""A new State: parameters, statistics, moments of the optimizers."""
from typing import Any

import jax
import jax.numpy as jnp

from msg_gan_jax.gan import hyper
from msg_gan_jax.gan.components import Components
from msg_gan_jax.gan.networks.initialization import initialize
from msg_gan_jax.gan.objectives import adaptive
from msg_gan_jax.gan.state import Condition, Player, State


def new_state(components: Components,
              shapes: tuple[tuple[int, int, int], ...],
              key: jax.Array) -> State:
  """A State that has seen no image.

  Args:
    components: what the Config names.
    shapes: (height, width, channels) of the pyramid's levels.
    key: of the parameters.
  """
  networks, players = components.config.networks, components.players
  g_key, d_key = jax.random.split(key)
  condition = Condition(jnp.zeros(1, jnp.int32) if networks.classes else None)
  inputs = {'g': jnp.zeros((1, networks.latent)),
            'd': tuple(jnp.zeros((1, *shape)) for shape in shapes)}
  rule = components.optimizer(0., 0., 0.)

  def player(key, name, module, law):
    params, stats = _parameters(
        key, module, components.with_labels(name, inputs[name], condition),
        condition, law)
    opt = {level: rule.init(params[level]) for level in players.levels}
    return Player(params, stats, opt or rule.init(params))

  g = player(g_key, 'g', players.g, players.laws[0])
  d = player(d_key, 'd', players.d, players.laws[1])
  ema = jax.tree.map(jnp.copy, g.replace(opt=()))
  return State(images=jnp.int32(0), g=g, d=d, ema=ema,
               hyper=hyper.start(components.config), aux=_aux(components))


def _aux(components: Components) -> dict[str, Any]:
  """State.aux at the start."""
  config = components.config
  aux: dict[str, Any] = {}
  if components.growth and config.train.grow_resets:
    aux['stage'] = jnp.int32(2 * components.growth.first + 1)
  if components.g_penalty:
    aux['path_mean'] = jnp.float32(0.)
  if config.objective.augment_target:
    aux['augment'] = adaptive.start(config.objective.augment_strength)
  return aux


def _parameters(key, module, inputs, condition, law):
  """(parameters, statistics) of a linen module for example inputs."""
  values = dict(module.init(key, inputs, condition))
  values.pop('moments', None)
  values = initialize(key, values, law)
  # The first power iteration: later passes may only look at its vectors.
  _, stats = module.apply(values, inputs, condition, mutable=['stats'])
  return values['params'], stats.get('stats', {})

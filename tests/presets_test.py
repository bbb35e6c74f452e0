"""Every preset at its start: no layer is silent, loud or saturated."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax import config as config_lib
from msg_gan_jax import pyramid
from msg_gan_jax.gan import build
from msg_gan_jax.networks import layers, plain
from msg_gan_jax.networks.build import (
  D_CONDITIONS,
  G_CONDITIONS,
  NETWORKS,
  told,
)
from msg_gan_jax.presets import PRESETS
from msg_gan_jax.state import Condition

# lapgan_test.py has the laws of the chain.
ROWS = [name for name in PRESETS if name != 'lapgan']
KINDS = plain.Conv, plain.Dense, layers.EqualConv, layers.EqualDense
# Their sources' sizes, where they are not 32 px (resnet19: half of them).
PIXELS = {'vanilla': 28, 'infogan': 28, 'dcgan': 64, 'wgan': 64,
          'landscape_resnet19': 64}
BATCH = 8


def spreads(module, player, inputs, condition):
  """(outputs of a pass in training, deviation of each layer's outputs)."""
  @jax.jit
  def run(player, inputs, condition):
    out, found = module.apply(
        {'params': player.params, 'stats': player.stats}, inputs, condition,
        True, rngs={'dropout': jax.random.key(5)}, mutable=['intermediates'],
        capture_intermediates=lambda layer, name: isinstance(layer, KINDS))
    return out, jax.tree.map(jnp.std, found['intermediates'])

  out, found = run(player, inputs, condition)
  return out, {'/'.join(str(key.key) for key in path[:-2]): float(x)
               for path, x in jax.tree_util.tree_flatten_with_path(found)[0]}


def at_start(preset):
  """(images, spreads in G, Verdict, spreads in D) of a preset at its widths."""
  config = config_lib.template(preset)
  config.data.resolution = PIXELS.get(preset, 32)
  config = config_lib.parse(config)
  settings, players = config.networks, NETWORKS[config.networks.name](config)
  gan = build(config)
  state = gan.init(jax.random.key(0))
  labels = jnp.arange(BATCH) % settings.classes if settings.classes else None
  condition = Condition(labels)

  def shown(condition, inputs):
    return told(condition, inputs, labels, settings.classes)

  images, in_g = spreads(
      players.g, state.g, shown(G_CONDITIONS[settings.g_condition], gan.draw(
          jax.random.key(1), BATCH)), condition)
  real = pyramid.build(jax.random.uniform(
      jax.random.key(2), (BATCH, *config.data.shape), minval=-1.), gan.sizes)
  verdict, in_d = spreads(
      players.d, state.d, shown(D_CONDITIONS[settings.d_condition], real),
      condition)
  return images, in_g, verdict, in_d


def within(found, low, high):
  return {name: x for name, x in found.items() if not low < x < high}

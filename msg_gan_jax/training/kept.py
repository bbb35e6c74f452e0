"""Programs that runs of one process share: a study's, one after the other.

Runs that differ in rates, betas, weights and seeds alone have the same programs
(gan.hyper). To trace and load them anew takes longer than a short run. Who
trains several gives `gan_of` to each: programs of the last Gan are kept.
"""
import functools

import jax
from jax.sharding import Mesh, Sharding

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.config import Config
from msg_gan_jax.gan import hyper
from msg_gan_jax.gan.build import Gan
from msg_gan_jax.gan.components import look_up
from msg_gan_jax.gan.devices import ShardedStep
from msg_gan_jax.gan.inside import Inside
from msg_gan_jax.gan.sampling import Renderer, renderer
from msg_gan_jax.gan.state import State
from msg_gan_jax.training import monitor


def gan_of(config: Config) -> Gan:
  """The Gan of a Config that `build` has accepted, or the last one again.

  Its own Config has other rates and seeds: states are those of `new_state`.
  """
  return _gan(hyper.untraced(config))


@functools.lru_cache(maxsize=1)
def _gan(config):
  return Gan(look_up(config))


def new_state(gan: Gan, config: Config, key: jax.Array,
              sharding: Sharding) -> State:
  """A State that has seen no image, with the rates and weights of a Config."""
  state = _init(gan, sharding)(key)
  return state.replace(hyper=jax.device_put(hyper.start(config), sharding))


@functools.lru_cache(maxsize=1)
def _init(gan, sharding):
  return jit(gan.init, out_shardings=sharding)


@functools.lru_cache(maxsize=1)
def step_of(gan: Gan, mesh: Mesh) -> ShardedStep:
  """Its step on these devices."""
  return ShardedStep(gan, mesh)


@functools.lru_cache(maxsize=1)
def renderer_of(gan: Gan, mesh: Mesh) -> Renderer:
  """What draws its pictures."""
  return renderer(gan, mesh)


@functools.lru_cache(maxsize=1)
def inside_of(gan: Gan, mesh: Mesh) -> Inside:
  """What looks into its step."""
  return Inside(gan, mesh)


attention_of = functools.lru_cache(maxsize=1)(monitor.attention_of_d)

"""Whether the players of a new GAN answer to their inputs at all.

Where weights begin with a deviation that no width changes, such as .02, each
layer of a narrow network makes less of what it gets, and little is left after
some of them. Equalized layers, and norms between layers, have no such trouble.
"""
from typing import NamedTuple

import jax
import jax.numpy as jnp

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.components import Components
from msg_gan_jax.gan.context import context_of, part_of
from msg_gan_jax.gan.state import State

# At 32 maps D of DRAGAN begins with 2e-6, and G ends in one pattern; at 128 it
# learns. LAPGAN begins with 2e-5 there, and the vanilla GAN with 4e-5 and a G
# of 6e-4: the least of what learns.
LEAST_D = 7e-6
LEAST_G = 1e-4
COUNT = 4  # Pictures of each kind, and latents.


class Liveliness(NamedTuple):
  """How far outputs differ where inputs do.

  Attributes:
    d: deviation of D's logits over COUNT pictures of noise and COUNT of flat
      colours, between which pictures lie.
    g: deviation over COUNT latents of the pixels of the level that moves most,
      in [-1, 1], the mean over its pixels.
  """
  d: jax.Array
  g: jax.Array


def of(components: Components, state: State, key: jax.Array) -> Liveliness:
  """Liveliness of the players in training.

  Args:
    components: what the Config names.
    state: that training begins with; passes are those of training.
    key: of the pictures and latents.
  """
  context = context_of(components, components.phase(0), state)
  g, d = (part_of(x, context.part) for x in (state.g, state.d))
  keys = jax.random.split(key, 4)
  images = _pictures(keys[0], components.config.data.shape)
  shown, condition = context.shown(
      images, jnp.zeros(len(images), jnp.int32))
  logits = context.run_d(
      d.params, d.stats, shown, condition, keys[1], False)[0].logits
  first = jax.tree.map(lambda x: x[:COUNT], condition)
  fakes, _ = context.run_g(
      g.params, g.stats, context.latents(keys[2], COUNT), first, keys[3], False)
  return Liveliness(
      logits.std(), jnp.stack([x.std(0).mean() for x in fakes]).max())


def _pictures(key, shape):
  """[2 * COUNT, H, W, C]: noise, then flat colours; points are normal."""
  if pyramid.are_points(shape):
    return jax.random.normal(key, (2 * COUNT, *shape))
  flat = (1, 1, shape[-1])
  noise, colours = (
      jax.random.randint(k, (COUNT, *x), 0, 256).astype(jnp.uint8)
      for k, x in zip(jax.random.split(key), (shape, flat), strict=True))
  return jnp.concatenate([noise, jnp.broadcast_to(colours, noise.shape)])

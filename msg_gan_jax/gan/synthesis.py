"""Samples: latents to styles, styles to pictures, and what may be asked."""
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from msg_gan_jax.gan import passes, pyramid
from msg_gan_jax.gan.components import Components
from msg_gan_jax.gan.networks import mapping
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import Condition, Player, State


def to_styles(components: Components, state: State, z: jax.Array,
              condition: Condition, psi: float, weights: str,
              cutoff: int | None) -> jax.Array:
  """Latents [B, latent] -> what `to_images` draws.

  That is w [B, layers, w] where there is a mapping network, elsewhere z, which
  has labels beside it if networks.g_condition puts them there. Arguments are
  those of Gan.latents.
  """
  player = _player(state, weights)
  if not components.players.mapped:
    return components.with_labels('g', z, condition)
  w: Any = components.players.g.apply(
      passes.variables(player.params, player.stats), z, condition,
      method='map')
  return mapping.truncate(w, player.stats['mapping']['w_mean'], psi, cutoff)


def to_images(components: Components, state: State, w: jax.Array,
              condition: Condition, key: jax.Array | None,
              weights: str) -> Pyramid:
  """What `to_styles` gives -> pyramid of [B, H, W, C].

  Of a GAN that grows it has one level, the picture of the resolution in
  training, scaled up to the finest. Arguments are those of Gan.synthesize.
  """
  player, growth = _player(state, weights), components.growth

  def run(players, condition):
    return players.g.apply(
        passes.variables(player.params, player.stats), w, condition,
        rngs=None if key is None else {'noise': key},
        method='synthesize' if components.players.mapped else None)

  players = components.players
  if not growth:
    return run(players, condition)
  top = players.sizes[-1]

  def at(level):
    alpha = jnp.broadcast_to(growth.alpha(state.images, level), len(w))
    image, = run(players.stage(level), condition._replace(alpha=alpha))
    return (pyramid.up(image, top // players.ladder[level]),)

  # Forward passes alone may stand in a branch: see WORKSPACE.md, Decisions.
  return jax.lax.switch(
      growth.traced_level(state.images) - growth.first,
      [functools.partial(at, level)
       for level in range(growth.first, growth.last + 1)])


def _player(state: State, weights: str) -> Player:
  return state.ema if weights == 'ema' else state.g


def check_weights(weights: str) -> None:
  """Refuses what names no G of a State.

  Raises:
    ValueError: names both that there are.
  """
  if weights not in ('ema', 'raw'):
    raise ValueError(f"weights: wanted 'ema' or 'raw', found {weights!r}.")


def check_z(z: jax.Array | np.ndarray, latent: int) -> None:
  """Refuses latents of another shape.

  Raises:
    ValueError: z is not [B, latent].
  """
  shape = np.shape(z)
  if len(shape) != 2 or shape[1] != latent:
    raise ValueError(f'z: wanted [B, {latent}], found {[*shape]}.')


def check_psi(components: Components, psi: float, cutoff: int | None) -> None:
  """Refuses truncation of a GAN without a mapping network.

  Raises:
    ValueError: psi is not 1, or there is a cutoff.
  """
  if not components.players.mapped and (psi != 1. or cutoff is not None):
    raise ValueError(
        f'psi: {psi:g}, but truncation needs a mapping network, which '
        f'config.networks.name = {components.config.networks.name!r} does not '
        'have; wanted 1, and no cutoff.')


def check_labels(labels: jax.Array | np.ndarray | None, classes: int) -> None:
  """Refuses labels that a GAN cannot draw; traced ones have no values yet.

  Raises:
    ValueError: labels are missing or outside of 0 .. classes - 1, shares are of
      another number of classes or do not add up to 1, or the GAN has no
      classes.
  """
  if not classes:
    if labels is not None:
      raise ValueError('labels: given, but this GAN has no classes '
                       '(config.networks.classes = 0); wanted None.')
    return
  wanted = f'wanted an int32 of 0 .. {classes - 1} for each z'
  if labels is None:
    raise ValueError(
        f'labels: this GAN draws {classes} classes; {wanted}, found none.')
  if isinstance(labels, jax.core.Tracer) or not np.size(labels):
    return
  labels = np.asarray(labels)
  if labels.dtype.kind == 'f':
    if labels.ndim != 2 or labels.shape[1] != classes or not np.allclose(
        labels.sum(-1), 1, atol=1e-4):
      raise ValueError(
          f'labels: {wanted}, or float shares [B, {classes}] that add up to 1, '
          f'found {labels.dtype} {[*labels.shape]}.')
    return
  if labels.min() < 0 or labels.max() >= classes:
    raise ValueError(
        f'labels: {wanted}, found {labels.min()} .. {labels.max()}.')

"""What holds in one step: its phase, and settings as they are by then."""
import dataclasses
import functools
from typing import Any

import jax
import jax.numpy as jnp

from msg_gan_jax.gan import hyper, latents, passes, schedules
from msg_gan_jax.gan.components import Components
from msg_gan_jax.gan.networks.players import Players
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import (
  Condition,
  Player,
  RealBatch,
  State,
  Tree,
  Verdict,
)


@dataclasses.dataclass(frozen=True)
class StepContext:
  """What the updates of one step have in common, and their passes.

  Attributes:
    components: what the Config names.
    players: the Players in training.
    phase: static facts of the step.
    hyper: State.hyper as the schedule has moved it, float32 scalars.
    rate_scale: what both learning rates are multiplied by, a scalar.
    augment_strength: a scalar, or None without an augmentation.
    alpha: how far the finest level has faded in, 0 .. 1, or None.
    path_mean: the running mean that G's penalty needs, or None.
    split: the sharding of latents, or None; without one each device would draw
      the pictures of all.
    update: which of D's updates it is, from 0; -1 is that of G.
  """
  components: Components
  players: Players
  phase: schedules.Phase
  hyper: dict[str, Any]
  rate_scale: jax.Array
  augment_strength: Any = None
  alpha: jax.Array | None = None
  path_mean: Any = None
  split: jax.sharding.Sharding | None = None
  update: int | jax.Array = -1

  def look(self, kind: str, player: str, tree: Any) -> None:
    """Tells what is computed, if anybody looks; see gan.inside.

    Args:
      kind: one of inside.KINDS.
      player: whose it is, 'g', 'd' or ''.
      tree: of arrays.
    """
    if self.components.look:
      self.components.look(kind, player, tree, self.update)

  @property
  def part(self) -> str | None:
    """The name of the part of both players that is in training, or None."""
    levels = self.components.players.levels
    return levels[self.phase.level] if levels else None

  def latents(self, key: jax.Array, n: int) -> jax.Array:
    """z [n, latent]."""
    z = latents.draw(self.components.config.networks, key, n)
    return z if self.split is None else jax.lax.with_sharding_constraint(
        z, self.split)

  def see(self, batch: RealBatch, i: int | jax.Array,
          key: jax.Array) -> tuple[Pyramid, Condition]:
    """(pyramid of reals, what both players are told) of the i-th update of D.

    `key` is that of the noise between bytes, where data.dequantize adds some.
    """
    config = self.components.config
    images = batch.images[i]
    if config.data.dequantize:
      images = dequantize(images, jax.random.fold_in(key, 0))
    return self.shown(images, batch.labels[i])

  def shown(self, images: jax.Array,
            labels: jax.Array) -> tuple[Pyramid, Condition]:
    """(pyramid, what both players are told) of pictures.

    Args:
      images: [B, H, W, C] of the finest size, uint8 or floats.
      labels: int32 [B]; of a GAN without classes they are ignored.
    """
    alpha = None if self.alpha is None else jnp.broadcast_to(
        self.alpha, len(images))
    real, coarse = self.players.reals_for(images, alpha)
    self.look('data', '', real)
    classes = self.components.config.networks.classes
    return real, Condition(labels if classes else None, coarse, alpha)

  def for_fakes_of_g(self, condition: Condition) -> Condition:
    """The condition of a batch, for all fakes of an update of G."""
    times = self.components.config.train.g_batches
    return jax.tree.map(lambda x: jnp.concatenate([x] * times), condition)

  def augment(self, images: Pyramid, key: jax.Array) -> Pyramid:
    """What D is shown of pictures."""
    if not self.components.augment:
      return images
    strength = self.augment_strength
    if self.components.config.objective.augment_most != 1:
      strength = jnp.minimum(strength, 1.)  # A probability again.
    augmented = self.components.augment(images, key, strength)
    self.look('augmented', '', augmented)
    return augmented

  def run_g(self, params: Tree, stats: Tree, z: jax.Array,
            condition: Condition, key: jax.Array,
            keep: bool) -> tuple[Pyramid, Tree]:
    """(fakes, G's statistics) of a pass in training; see passes.in_training."""
    fakes, stats = self._run('g', params, stats, z, condition, key, keep)
    self.look('fakes', 'g', fakes)
    return fakes, stats

  def run_d(self, params: Tree, stats: Tree, images: Pyramid,
            condition: Condition, key: jax.Array,
            keep: bool) -> tuple[Verdict, Tree]:
    """(Verdict, D's statistics) of a pass in training; see run_g."""
    return self._run('d', params, stats, images, condition, key, keep)

  def _run(self, player, params, stats, inputs, condition, key, keep):
    """(output, statistics) of a pass of 'g' or 'd' in training."""
    return passes.in_training(
        getattr(self.players, player), params, stats,
        self.components.with_labels(player, inputs, condition), condition, key,
        keep, functools.partial(self.look, 'layer', player) if (
            self.components.look) else None)


def context_of(components: Components, phase: schedules.Phase, state: State,
               split: jax.sharding.Sharding | None = None) -> StepContext:
  """The StepContext of the step that begins at a State."""
  config, images = components.config, state.images
  objective, schedule = config.objective, config.schedule
  values = hyper.now(config, state.hyper, images)
  rate_scale = schedules.fall(images, config.optimizer.fall_until_images) * (
      schedules.towards(1., schedule.rates, images, schedule.images))
  strength = alpha = None
  if objective.augment_target:
    strength = state.aux['augment']['p']
  elif components.augment:
    strength = schedules.fall(images, objective.augment_until_images) * (
        values['augment_strength'])
  if growth := components.growth:
    alpha = growth.alpha(images, phase.level)
    rate_scale *= growth.rates[phase.level]
  return StepContext(
      components, components.players.stage(phase.level), phase, values,
      rate_scale, strength, alpha, state.aux.get('path_mean'), split)


def part_of(player: Player, name: str | None) -> Player:
  """A player's part that is in training, or all of it, if `name` is None."""
  if name is None:
    return player
  return Player(*(tree.get(name, {}) for tree in (
      player.params, player.stats, player.opt)))


def dequantize(images: jax.Array, key: jax.Array) -> jax.Array:
  """uint8 -> float32 in [-1, 1]: x / 128 - 1 and less than a step of noise.

  Source: the code of improved_wgan_training and of sngan_projection.
  """
  return images / 128. - 1 + jax.random.uniform(
      key, images.shape, maxval=1 / 128)

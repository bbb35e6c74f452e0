"""A GAN as pure functions: networks and objectives meet in its Components.

In a notebook three lines are the whole library:

  gan = build(config)
  state = gan.init(key)
  state, logs = gan.step(state, batch, key)
"""
import dataclasses
import functools
from typing import Any

import jax
import numpy as np

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.config import schema
from msg_gan_jax.gan import (
  compatibility,
  latents,
  moments,
  passes,
  pyramid,
  schedules,
  settings_of_networks,
  synthesis,
)
from msg_gan_jax.gan.ablation import change
from msg_gan_jax.gan.components import Components, look_up
from msg_gan_jax.gan.new_state import new_state
from msg_gan_jax.gan.pyramid import Pyramid
from msg_gan_jax.gan.state import (
  NOTHING,
  Condition,
  RealBatch,
  State,
  Tree,
  Verdict,
)
from msg_gan_jax.gan.step import step


def build(config: schema.Settings, **changes: Any) -> 'Gan':
  """Makes a GAN of settings.

  Args:
    config: Config, or what `parse` takes: a ConfigDict or a nested dict.
    changes: other values of some settings, such as objective__augment='none'.
      What `config` sets and they leave without a meaning goes back to its
      default: see `change`, which gives the Config alone.

  Raises:
    ValueError: an unknown name, settings that do not go together, or, all in
      one text, settings that would do nothing.
  """
  config = change(config, changes) if changes else schema.parse(config)
  settings_of_networks.check(config)
  components = look_up(config)
  compatibility.check(components)
  return Gan(components)


def build_to_draw(config: schema.Config) -> 'Gan':
  """Makes a GAN of a run's settings, whose pictures need no objective.

  Rows of losses, penalties, constraints and augmentations may be missing; what
  needs one of them raises, as `Gan.step` does.

  Raises:
    ValueError: an unknown name of all else.
  """
  settings_of_networks.check(config)
  components = look_up(config, drawing=True)
  if components.whole:  # Of rows that are missing no rule can ask.
    compatibility.check(components)
  return Gan(components)


@dataclasses.dataclass(frozen=True, eq=False)
class Gan:
  """What `build` makes of a Config: pure functions, compiled once for each Gan.

  Attributes:
    components: what the Config names, looked up.
  """
  components: Components

  def init(self, key: jax.Array) -> State:
    """A State that has seen no image."""
    return self._init(key)

  def step(self, state: State, batch: RealBatch, key: jax.Array,
           phase: schedules.Phase | None = None,
           split: jax.sharding.Sharding | None = None
           ) -> tuple[State, dict[str, jax.Array]]:
    """n_dis updates of D, one of G, and the average of G.

    Args:
      state: of `init` or of the step before.
      batch: images uint8 (points: float32) [n_dis, B, H, W, C], and labels
        int32 [n_dis, B]; n_dis + 1 with train.g_reals = 'new'.
      key: the same in every step: the images shown are folded in.
      phase: static facts of the step, `self.phase(images shown)`; None is
        phase(0). Each different one is a compilation.
      split: the sharding of latents on several devices; static, too.

    Returns:
      (State, logs). Logs are float32 scalars, each where there is such a thing:
      d_loss, g_loss, d_real and d_fake (mean logits), drift and penalty (both
      unweighted), d_weight_penalty and g_weight_penalty, d_classes and
      g_classes (of a classifier), g_penalty, path_length and path_mean,
      augment_strength and d_sign (the mean sign of D(real)), alpha (how far the
      resolution in training has faded in), d_grad_norm and g_grad_norm.
    """
    phase = self.phase(0) if phase is None else phase
    return self._step(state, batch, key, phase=phase, split=split)

  def phase(self, images: int) -> schedules.Phase:
    """The Phase of the step that begins at this number of real images."""
    return self.components.phase(images)

  def sample(self, state: State, z: jax.Array | np.ndarray,
             labels: jax.Array | np.ndarray | None = None, *,
             weights: str = 'ema', psi: float = 1., cutoff: int | None = None,
             key: jax.Array | None = None) -> Pyramid:
    """Pictures of latents.

    Args:
      state: of `init` or of a step; settled, see `settle`.
      z: [B, latent].
      labels: if the players are told classes: int32 [B]; or, for pictures
        between classes, their shares, float32 [B, classes], by which what G
        has learned of each (its vector, or its scales and shifts) is averaged.
      weights: 'ema' for the average of G, 'raw' for G as it is in training.
      psi: truncation, for networks with a mapping network: 1 leaves the styles
        as they are, 0 replaces them by their mean.
      cutoff: how many of the first layers are truncated; None is all.
      key: of the noise that some networks add; None is always the same noise.

    Returns:
      A pyramid of float32 [B, H, W, C] in about [-1, 1]. A GAN that grows gives
      the picture of the resolution in training, scaled up.

    Raises:
      ValueError: z of another shape, labels that are missing, out of range, or
        of a GAN without classes, an unknown `weights`, or psi without a mapping
        network.
    """
    w = self.latents(state, z, labels, weights=weights, psi=psi, cutoff=cutoff)
    return self.synthesize(state, w, labels, weights=weights, key=key)

  def latents(self, state: State, z: jax.Array | np.ndarray,
              labels: jax.Array | np.ndarray | None = None, *,
              weights: str = 'ema', psi: float = 1.,
              cutoff: int | None = None) -> jax.Array:
    """The input of `synthesize`; arguments as of `sample`.

    With a mapping network it is the styles w [B, layers, w]. Without one it is
    z, which has labels beside it if networks.g_condition puts them there.
    """
    condition = self._condition(labels, weights)
    synthesis.check_z(z, self.components.config.networks.latent)
    synthesis.check_psi(self.components, psi, cutoff)
    return self._to_styles(state, z, condition, psi, weights, cutoff)

  def synthesize(self, state: State, w: jax.Array | np.ndarray,
                 labels: jax.Array | np.ndarray | None = None, *,
                 weights: str = 'ema', key: jax.Array | None = None) -> Pyramid:
    """What `latents` gives -> pyramid, arguments as of `sample`."""
    return self._to_images(
        state, w, self._condition(labels, weights), key, weights)

  def settle(self, state: State) -> State:
    """State for samples.

    With networks.statistics = 'accumulated', both G's have the moments of many
    batches; otherwise it is the same.
    """
    if self.components.config.networks.statistics != 'accumulated':
      return state
    return self._settle(state)

  def draw(self, key: jax.Array, n: int) -> jax.Array:
    """z [n, latent], drawn from the law networks.latent_law."""
    return latents.draw(self.components.config.networks, key, n)

  def g(self, params: Tree, z: jax.Array, condition: Condition = NOTHING,
        stats: Tree = None) -> Pyramid:
    """G outside of training: z [B, latent] -> pyramid.

    Args:
      params: such as state.g.params.
      z: latents.
      condition: with labels int32 [B], if the players are told classes.
      stats: such as state.g.stats; None is {}.

    Returns:
      Pyramid; of a GAN that grows, its finest resolution.
    """
    return self._run(self.components.players.g, 'g', params, z, condition,
                     stats)

  def d(self, params: Tree, images: Pyramid, condition: Condition = NOTHING,
        stats: Tree = None) -> Verdict:
    """D outside of training: pyramid -> Verdict, arguments as of `g`."""
    return self._run(self.components.players.d, 'd', params, images, condition,
                     stats)

  @property
  def sizes(self) -> tuple[int, ...]:
    """Heights of the pyramid's levels, coarse to fine."""
    return self.components.players.sizes

  @property
  def shapes(self) -> tuple[tuple[int, int, int], ...]:
    """(height, width, channels) of each level."""
    return pyramid.shapes(self.sizes, self.components.config.data.shape)

  @property
  def classes(self) -> int:
    """How many classes the players are told; 0 without any."""
    return self.components.config.networks.classes

  @property
  def step_images(self) -> int:
    """Real images that the first step shows to D; of others, Phase.images."""
    return self.phase(0).images

  @property
  def layers(self) -> int:
    """How many layers take a style of their own; 0 without a mapping."""
    players = self.components.players
    return players.g.style_layers() if players.mapped else 0

  def _condition(self, labels, weights):
    synthesis.check_weights(weights)
    synthesis.check_labels(labels, self.classes)
    return Condition(labels if self.classes else None)

  def _run(self, module, player, params, inputs, condition, stats):
    return module.apply(
        passes.variables(params, stats or {}),
        self.components.with_labels(player, inputs, condition), condition)

  # Each Gan has programs of its own, which go with it.

  @functools.cached_property
  def _init(self):
    return jit(functools.partial(new_state, self.components, self.shapes))

  @functools.cached_property
  def _step(self):
    return jit(functools.partial(step, self.components),
                   static_argnames=('phase', 'split'))

  @functools.cached_property
  def _settle(self):
    return jit(functools.partial(moments.settle, self.components))

  @functools.cached_property
  def _to_styles(self):
    return jit(functools.partial(synthesis.to_styles, self.components),
                   static_argnames=('weights', 'cutoff'))

  @functools.cached_property
  def _to_images(self):
    return jit(functools.partial(synthesis.to_images, self.components),
                   static_argnames='weights')

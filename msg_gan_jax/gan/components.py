"""What a Config names, looked up in the tables."""
from collections.abc import Mapping
import dataclasses
from typing import Any, Protocol

import jax

from msg_gan_jax.config import schema
from msg_gan_jax.config.tables import MissingRowError, Table
from msg_gan_jax.gan import schedules
from msg_gan_jax.gan.networks.players import (
  D_CONDITIONS,
  G_CONDITIONS,
  Players,
  with_labels,
)
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.objectives.augmentations import (
  AUGMENTATIONS,
  Augmentation,
  unchosen,
)
from msg_gan_jax.gan.objectives.losses import LOSSES, Loss
from msg_gan_jax.gan.objectives.path_length import G_PENALTIES, GPenalty
from msg_gan_jax.gan.objectives.penalties import PENALTIES, Penalty
from msg_gan_jax.gan.objectives.weight_penalties import (
  CONSTRAINTS,
  WEIGHT_PENALTIES,
  Constraint,
  WeightPenalty,
)
from msg_gan_jax.gan.optimizers import OPTIMIZERS, Optimizer
from msg_gan_jax.gan.state import Condition


class Look(Protocol):
  """Sees what a step computes; see gan.inside."""

  def __call__(self, kind: str, player: str, tree: Any,
               update: int | jax.Array, /) -> None:
    """Takes a tree of arrays, what it is, whose, and in which update."""


@dataclasses.dataclass(frozen=True, eq=False)
class Components:
  """What a Config names, and the Config; None where it names 'none'.

  Attributes:
    config: all settings.
    players: G and D, linen modules.
    loss, penalty, g_penalty: rows of LOSSES, PENALTIES and G_PENALTIES.
    augment, constraint: rows of AUGMENTATIONS and CONSTRAINTS.
    weight_penalties: {'g': ..., 'd': ...}, rows of WEIGHT_PENALTIES.
    optimizer: a row of OPTIMIZERS.
    growth: lengths and batches of progressive growing.
    look: who is told what a step computes on its way; nobody, as a rule.
  """
  config: schema.Config
  players: Players
  loss: Loss
  penalty: Penalty | None
  g_penalty: GPenalty | None
  augment: Augmentation | None
  constraint: Constraint | None
  weight_penalties: Mapping[str, WeightPenalty | None]
  optimizer: Optimizer
  growth: schedules.Growth | None
  look: Look | None = None

  @property
  def whole(self) -> bool:
    """Whether no row is `Missing`."""
    rows = (self.loss, self.penalty, self.g_penalty, self.augment,
            self.constraint, *self.weight_penalties.values())
    return not any(isinstance(row, Missing) for row in rows)

  @property
  def every_pass(self) -> bool:
    """Whether each pass in training may change statistics, or the first."""
    return self.config.networks.power_update == 'pass'

  def with_labels(self, player: str, inputs: Any, condition: Condition) -> Any:
    """What a player is given: labels beside its inputs, if they go there.

    Args:
      player: 'g' or 'd'.
      inputs: z [B, latent] of 'g', the pyramid of 'd'.
      condition: with labels int32 [B], where the GAN has classes.
    """
    networks = self.config.networks
    row = (G_CONDITIONS[networks.g_condition] if player == 'g' else
           D_CONDITIONS[networks.d_condition])
    return with_labels(row, inputs, condition.labels, networks.classes)

  def phase(self, images: int) -> schedules.Phase:
    """The Phase of the step that begins at this number of real images."""
    objective = self.config.objective
    return schedules.phase(
        int(images), self.config.train,
        objective.penalty_every_d_steps if self.penalty else 0,
        len(self.players.levels), self.growth,
        objective.g_penalty_every_g_steps if self.g_penalty else 0)


class Missing:
  """Stands for a row that is not there, and raises where it is used.

  Args:
    error: what says so.
  """

  def __init__(self, error: MissingRowError) -> None:
    self.error = error

  def __getattr__(self, name: str) -> Any:
    return self()

  def __call__(self, *unused: Any) -> Any:
    raise ValueError(
        f'{self.error} Pictures are drawn without it; for all else import the '
        'module that registers it, and load the run again.')


def look_up(config: schema.Config, drawing: bool = False) -> Components:
  """The Components that a Config names.

  Its networks must be able to have its settings: see settings_of_networks.

  Args:
    config: all settings.
    drawing: whether rows that drawing does not need may be `Missing`.

  Raises:
    ValueError: an unknown name.
  """
  find = _or_missing if drawing else Table.look_up
  objective = config.objective
  players = NETWORKS.look_up(config.networks.name)(config)
  G_CONDITIONS.check(config.networks.g_condition)
  D_CONDITIONS.check(config.networks.d_condition)
  return Components(
      config=config,
      players=players,
      loss=find(LOSSES, objective.loss),
      penalty=find(PENALTIES, objective.penalty),
      g_penalty=find(G_PENALTIES, objective.g_penalty),
      augment=unchosen if objective.augment == schema.AUTO else find(
          AUGMENTATIONS, objective.augment),
      constraint=find(CONSTRAINTS, objective.constraint),
      weight_penalties={
          player: find(
              WEIGHT_PENALTIES, getattr(objective, name),
              f'config.objective.{name}')
          for player, name in (('g', 'g_weight_penalty'),
                               ('d', 'd_weight_penalty'))},
      optimizer=OPTIMIZERS.look_up(config.optimizer.name),
      growth=_growth(config.train, players.ladder))


def _or_missing(table, name, place=''):
  """The row that a setting names, or what stands for it."""
  try:
    return table.look_up(name, place)
  except MissingRowError as error:
    return Missing(error)


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

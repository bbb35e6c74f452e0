"""Settings that would do nothing: they are refused, or a typo goes unseen.

`unused` finds them all. What an experiment sets and somebody's change leaves
without a meaning goes back by itself: see `ablation`.
"""
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any, NamedTuple

from msg_gan_jax.config import schema
from msg_gan_jax.gan.components import Components
from msg_gan_jax.gan.networks import dcgan, resnet
from msg_gan_jax.gan.networks.norms import NORMS, sees_batch
from msg_gan_jax.gan.networks.players import Players
from msg_gan_jax.gan.objectives.losses import LOSSES
from msg_gan_jax.gan.objectives.penalties import PENALTIES


class Idle(NamedTuple):
  """Settings that do nothing while others are off.

  Attributes:
    switches: settings that give a meaning to the others.
    off: whether the value of a switch gives them none.
    names: settings that mean nothing where all switches are off.
  """
  switches: tuple[str, ...]
  off: Callable[[Any], bool]
  names: tuple[str, ...]


class Follower(NamedTuple):
  """A setting that should have another value beside that of a second one.

  Attributes:
    name: such as 'objective.augment_target'.
    switch: the second, such as 'objective.augment'.
    value: what the first should be.
  """
  name: str
  switch: str
  value: Any


def check(components: Components) -> None:
  """Refuses settings that would do nothing, all in one text.

  Raises:
    ValueError: a line for each of them.
  """
  if lines := told(components.config, unused(
      components.config, components.players)):
    raise ValueError(lines)


def told(config: schema.Config, followers: Iterable[Follower]) -> str:
  """A line for each setting that would do nothing; '' of none."""
  settings = schema.flatten(config)
  return '\n'.join(
      f'config.{name}: {settings[name]!r} means nothing to config.{switch} = '
      f'{settings[switch]!r}; wanted {usual!r}'
      f'{", the default," if usual == USUAL[name] else ""} or another '
      f'config.{switch}.' for name, switch, usual in followers)


def unused(config: schema.Config, players: Players | None = None,
           free: bool = False) -> list[Follower]:
  """The settings of a Config that would do nothing, each once.

  Args:
    config: all settings.
    players: what its network makes of it; None looks at settings alone.
    free: whether those of FREE count, too.
  """
  settings = schema.flatten(config)
  found: dict[str, Follower] = {}
  for name, switch, usual in (
      *_idle(settings, IDLE + FREE * free), *_of_rows(config),
      *_of_networks(config, players)):
    if settings[name] != usual:
      found.setdefault(name, Follower(name, switch, usual))
  return [*found.values()]


def _idle(settings, table):
  """What a table as IDLE has."""
  for switches, off, names in table:
    if all(off(settings[switch]) for switch in switches):
      yield from (Follower(name, switches[0], USUAL[name]) for name in names)


def _of_rows(config: schema.Config) -> Iterator[Follower]:
  """What rows of tables have no use for; of unknown rows nothing is known."""
  objective, networks = config.objective, config.networks
  penalty, loss = PENALTIES.get(objective.penalty), LOSSES.get(objective.loss)
  if objective.penalty in PENALTIES and not (penalty and penalty.has_target):
    yield Follower('objective.penalty_target', 'objective.penalty', 1.)
  if networks.g_norm in NORMS and not sees_batch(networks.g_norm):
    yield Follower('networks.statistics', 'networks.g_norm', 'moving')
  if loss and not loss.compares:
    yield Follower('train.g_reals', 'objective.loss', 'same')


def _of_networks(config, players):
  """What only other networks have."""
  name = config.networks.name
  settings = [setting for setting, rows in OWN.items() if name not in rows]
  if players and not players.mapped:
    settings += ['w', 'mapping_layers', 'mixing']
  if players and not players.supports_remat:
    settings += ['remat']
  for setting in settings:
    yield Follower(f'networks.{setting}', 'networks.name',
                 USUAL[f'networks.{setting}'])
  for setting, rows in LACKING.items():
    if name in rows:
      yield Follower(f'networks.{setting}', 'networks.name', 'none')


def _is_none(value):
  return value == 'none'


def _is_not_above_0(value):
  return value <= 0


USUAL = schema.flatten(schema.Config())
# Settings of config.networks that only these networks have.
OWN: dict[str, Container[str]] = {
    'deviation': (*dcgan.ARCHITECTURES, *resnet.ARCHITECTURES, 'infogan'),
    'd_slope': dcgan.ARCHITECTURES, 'd_shortcut': resnet.ARCHITECTURES,
    'd_mean': ('progan',), 'conv_clamp': ('stylegan2', 'stylegan2_plain')}
# Settings of config.networks that all networks but these have.
LACKING: dict[str, Container[str]] = {
    'stddev': ('r3gan', 'mlp', 'vanilla', 'infogan', 'lapgan',
               *dcgan.ARCHITECTURES, *resnet.ARCHITECTURES),
    'g_norm': ('lapgan',), 'd_norm': ('lapgan',)}
# These may differ from the default though they do nothing, as in earlier runs,
# and so may a network's own settings. Only a change moves them.
FREE = (
    Idle(('objective.penalty',), _is_none, ('objective.penalty_weight',)),
    Idle(('train.ema_half_life_images',), _is_not_above_0, (
        'train.ema_rampup',)),
    Idle(('networks.stddev',), _is_none, ('networks.stddev_group',)),
)
IDLE = (
    Idle(('objective.augment',), _is_none, (
        'objective.augment_strength', 'objective.augment_until_images',
        'objective.augment_target', 'schedule.augment_strength')),
    Idle(('objective.augment_target',), _is_not_above_0, (
        'objective.augment_speed_images', 'objective.augment_most')),
    Idle(('objective.g_penalty',), _is_none, (
        'objective.g_penalty_weight', 'objective.g_penalty_every_g_steps',
        'objective.g_penalty_shrink')),
    Idle(('train.grow_from',), _is_not_above_0, (
        'train.grow_stable_images', 'train.grow_fade_images',
        'train.grow_batches', 'train.grow_rates', 'train.grow_resets')),
    Idle(('schedule.images',), _is_not_above_0, (
        'schedule.rates', 'schedule.beta2', 'schedule.penalty_weight',
        'schedule.augment_strength', 'schedule.ema_half_life_images')),
    Idle(('objective.penalty',), _is_none, (
        'objective.penalty_every_d_steps', 'schedule.penalty_weight')),
    Idle(('objective.constraint',), _is_none, ('objective.clip',)),
    Idle(('objective.d_weight_penalty',), _is_none, (
        'objective.d_weight_penalty_weight',)),
    Idle(('objective.g_weight_penalty',), _is_none, (
        'objective.g_weight_penalty_weight',)),
    Idle(('networks.d_condition',), lambda row: row != 'classifier', (
        'objective.d_classes_weight', 'objective.g_classes_weight',
        'objective.classify_fakes')),
    Idle(('networks.d_weight_norm', 'networks.g_weight_norm'), _is_none, (
        'networks.power_iterations', 'networks.power_update')),
    Idle(('networks.d_weight_norm', 'networks.g_weight_norm'),
         lambda row: row != 'stable_rank', ('networks.stable_rank',)),
    Idle(('networks.d_norm', 'networks.g_norm'),
         lambda row: row in ('none', 'pixel'), ('networks.norm_epsilon',)),
    Idle(('networks.d_norm',), lambda row: row != 'none', (
        'networks.d_shortcut',)),
    Idle(('networks.statistics',), lambda row: row != 'accumulated', (
        'networks.statistics_batches',)),
    Idle(('train.on_divergence',), lambda row: row == 'stop', (
        'train.rollbacks', 'train.rollback_rate')),
    Idle(('train.n_dis_more',), _is_not_above_0, (
        'train.more_first_g_steps', 'train.more_every_g_steps')),
)

"""Settings that would do nothing: they are refused, or a typo goes unseen."""
from collections.abc import Callable, Container
from typing import Any, NamedTuple

from msg_gan_jax.config import schema
from msg_gan_jax.gan.components import Components
from msg_gan_jax.gan.networks import dcgan, resnet
from msg_gan_jax.gan.networks.norms import sees_batch


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


def of_other_networks(components: Components) -> None:
  """Refuses settings that only other networks have."""
  networks, players = components.config.networks, components.players
  names = [*(() if players.mapped else ('w', 'mapping_layers', 'mixing')),
           *(() if players.supports_remat else ('remat',)),
           *(name for name, rows in OWN.items() if networks.name not in rows)]
  for name in names:
    value, usual = getattr(networks, name), USUAL[f'networks.{name}']
    if value != usual:
      raise ValueError(
          f'config.networks.{name}: {value!r} means nothing to config.networks.'
          f'name = {networks.name!r}; wanted {usual!r}, the default.')


def new_reals(components: Components) -> None:
  """Reals of G's own, where G does not look at any or D's fakes are its."""
  config = components.config
  if config.train.g_reals == 'same':
    return
  if not components.loss.compares:
    raise ValueError(
        "config.train.g_reals: 'new' means nothing to config.objective.loss = "
        f'{config.objective.loss!r}, which does not compare fakes with reals; '
        "wanted 'same', the default.")
  if config.train.reuse_latents:
    raise ValueError(
        "config.train.g_reals: 'new', but with config.train.reuse_latents G "
        "has the fakes of D's update, and their labels; wanted 'same', or "
        'reuse_latents=False.')


def _target(components):
  """A target of a penalty that has none."""
  objective, penalty = components.config.objective, components.penalty
  if objective.penalty_target != 1 and not (penalty and penalty.has_target):
    raise ValueError(
        f'config.objective.penalty_target: wanted 1.0, found '
        f'{objective.penalty_target}: config.objective.penalty = '
        f'{objective.penalty!r} has no target.')


def _idle(components):
  """Settings that would do nothing beside the others."""
  settings = schema.flatten(components.config)
  for switches, off, names in IDLE:
    if all(off(settings[switch]) for switch in switches):
      for name in names:
        if settings[name] != USUAL[name]:
          raise ValueError(
              f'config.{name}: {settings[name]} means nothing to config.'
              f'{switches[0]} = {settings[switches[0]]!r}. Wanted '
              f'{USUAL[name]}, the default, or another '
              f'{switches[0].partition(".")[2]}.')


def _statistics(components):
  """Moments of a batch norm that G does not have."""
  networks = components.config.networks
  if networks.statistics != 'moving' and not sees_batch(networks.g_norm):
    raise ValueError(
        f'config.networks.statistics: {networks.statistics!r} means nothing '
        f'to config.networks.g_norm = {networks.g_norm!r}; '
        "wanted 'moving', the default.")


def _is_none(value):
  return value == 'none'


USUAL = schema.flatten(schema.Config())
# Settings of config.networks that only these networks have.
OWN: dict[str, Container[str]] = {
    'd_slope': dcgan.ARCHITECTURES, 'd_shortcut': resnet.ARCHITECTURES,
    'd_mean': ('progan',), 'conv_clamp': ('stylegan2', 'stylegan2_plain')}
# A network's own settings, and traced weights of a penalty that is off, are
# free: they may differ from the default though they do nothing.
IDLE = (
    Idle(('objective.augment',), _is_none, (
        'objective.augment_strength', 'objective.augment_until_images',
        'objective.augment_target', 'schedule.augment_strength')),
    Idle(('objective.augment_target',), lambda target: not target, (
        'objective.augment_speed_images', 'objective.augment_most')),
    Idle(('objective.g_penalty',), _is_none, (
        'objective.g_penalty_weight', 'objective.g_penalty_every_g_steps',
        'objective.g_penalty_shrink')),
    Idle(('train.grow_from',), lambda height: not height, (
        'train.grow_stable_images', 'train.grow_fade_images',
        'train.grow_batches', 'train.grow_rates', 'train.grow_resets')),
    Idle(('schedule.images',), lambda images: not images, (
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
    Idle(('train.n_dis_more',), lambda updates: not updates, (
        'train.more_first_g_steps', 'train.more_every_g_steps')),
)
BESIDE_OTHERS: tuple[Callable[[Components], None], ...] = (
    _target, _idle, _statistics)

"""Changes of an experiment: what they leave without a meaning goes back.

People switch one thing off, and the rest of it should follow: the target of an
augmentation that is no more, the weight of a penalty. What somebody asked for
is left as it is, and `build` refuses it if it would do nothing.
"""
from collections.abc import Callable, Container, Iterator, Mapping
import dataclasses
import itertools
from typing import Any

from msg_gan_jax.config import schema, tables
from msg_gan_jax.gan import idle_settings, settings_of_networks
from msg_gan_jax.gan.idle_settings import Follower
from msg_gan_jax.gan.networks.table import NETWORKS


def change(config: schema.Settings, changes: Mapping[str, Any],
           say: Callable[[str], Any] | None = None) -> schema.Config:
  """The Config with other values of some settings, and what they entail.

  What `config` sets without a meaning, or the changes leave without one, goes
  back to its default: with {'objective.augment': 'none'} so do the strength and
  the target of the augmentation. What `changes` asks for in vain is refused.

  Args:
    config: Config, or what `parse` takes.
    changes: {'objective.augment': 'none'}; '__' may stand for the dot, and
      earlier names of settings are understood.
    say: gets a line about what went back, if anything did.

  Raises:
    ValueError: a setting that there is not, a value that it cannot have, or,
      all in one text, settings of `changes` that would do nothing.
  """
  begin = schema.parse(config)
  given = _named(changes)
  now = _with(begin, given)
  settled = {*given, *_free(begin)}
  moved: dict[str, list[str]] = {}
  while found := next(_followers(begin, now, given, settled), None):
    name, switch, value = found
    settings = schema.flatten(now)
    moved.setdefault(f'config.{switch} = {settings[switch]!r}', []).append(
        f'config.{name} = {value!r} in place of {settings[name]!r}')
    settled.add(name)
    now = _with(now, {name: value})
  if moved and say:
    say('note: ' + '; '.join(f'{", ".join(names)}, since {why}'
                             for why, names in moved.items()) + '.')
  if lines := idle_settings.told(now, (
      follower for follower in _unused(now) if follower.name in given)):
    raise ValueError(lines)
  return now


def _named(changes):
  """The changes by the present names of settings, with dots."""
  given: dict[str, Any] = {}
  for word, value in changes.items():
    name = schema.present_name(word.replace('__', '.'))
    if name in given:
      raise ValueError(f'config.{name}: given twice; wanted one value.')
    given[name] = value
  return given


def _followers(begin: schema.Config, now: schema.Config,
               given: Mapping[str, Any], settled: Container[str]
               ) -> Iterator[Follower]:
  """What should have another value, without what is settled.

  Args:
    begin, now: before the changes, and with those that were found so far.
    given: the changes.
    settled: names that keep their values.
  """
  settings = schema.flatten(now)
  for follower in itertools.chain(
      _classes(given), _norm(begin, now), _average(given), _styles(begin, now),
      _unused(now)):
    name, _, value = follower
    if name not in settled and settings[name] != value:
      yield follower


def _classes(given):
  """Who switches off one end of the labels wants none at all."""
  off = {'networks.classes': 0, 'networks.g_condition': 'none',
         'networks.d_condition': 'none'}
  for switch, value in off.items():
    if given.get(switch, ...) == value:
      yield from (Follower(name, switch, none) for name, none in off.items())


def _norm(begin, now):
  """Labels in a batch norm that is no more stand beside z."""
  if now.networks.g_condition == 'batch_norm' and (
      begin.networks.g_norm != now.networks.g_norm != 'batch'):
    yield Follower('networks.g_condition', 'networks.g_norm', 'concat')


def _average(given):
  """An average that is switched off does not come later, nor warms up."""
  switch = 'train.ema_half_life_images'
  if given.get(switch, ...) == 0:
    yield Follower('schedule.ema_half_life_images', switch, -1.)
    yield Follower('train.ema_rampup', switch, 0.)


def _styles(begin, now):
  """A path length of styles, where another network has none."""
  players = begin.networks.name != now.networks.name and _players(now)
  if players and not players.mapped:
    yield Follower('objective.g_penalty', 'networks.name', 'none')


def _unused(config):
  return idle_settings.unused(config, _players(config), free=True)


def _free(config):
  """What already does nothing, and may: see idle_settings.FREE."""
  refused = {name for name, *_ in idle_settings.unused(config)}
  return {name for name, *_ in idle_settings.unused(config, free=True)
          } - refused


def _players(config):
  """What the network makes of a Config; None where `build` would refuse it."""
  try:
    settings_of_networks.check(config)
    return NETWORKS.look_up(config.networks.name)(config)
  except ValueError:
    return None


def _with(config, values):
  """The Config with other values of some settings, checked."""
  nested: dict[str, Any] = dataclasses.asdict(config)
  for name, value in values.items():
    section, dot, field = name.partition('.')
    group = nested.get(section) if dot else nested
    if not dot and isinstance(nested.get(name), dict):
      raise ValueError(
          f'config.{name}: a group of settings; wanted one of them, such as '
          f'config.{name}.{next(iter(nested[name]))}.')
    if not isinstance(group, dict):
      raise ValueError(
          f'config.{name}: no such setting; '
          f'{tables.nearest(name, schema.metadata())}')
    group[field if dot else section] = value
  return schema.parse(nested)

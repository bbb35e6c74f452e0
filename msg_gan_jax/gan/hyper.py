"""HYPER: the settings that a study varies continuously.

They are traced scalars in `State.hyper`, so that other values of them need no
second compilation.
"""
import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from msg_gan_jax.config import schema
from msg_gan_jax.gan import schedules


class Hyper(NamedTuple):
  """Where the value of a scalar in State.hyper comes from.

  Attributes:
    start: the setting that it has at the start, such as 'optimizer.beta2'.
    end: the setting that it has at the end of the schedule; '' keeps the start.
    used: the setting that must not be 'none' for this scalar to be used, such
      as 'objective.augment'; '' where it is always used.
  """
  start: str
  end: str = ''
  used: str = ''


def start(config: schema.Config) -> dict[str, jax.Array]:
  """{name: float32 scalar} of the settings that are in use."""
  settings = schema.flatten(config)
  return {name: jnp.float32(settings[row.start]) for name, row in HYPER.items()
          if not row.used or settings[row.used] != 'none'}


def untraced(config: schema.Config) -> schema.Config:
  """The Config with usual values of what no program holds: these, and the seed.

  Runs that differ in nothing else have the same programs.
  """
  starts = {row.start for row in HYPER.values()}
  if config.objective.augment_target:  # It begins in State.aux as well.
    starts.discard('objective.augment_strength')
  values = dataclasses.asdict(config)
  usual = schema.flatten(schema.Config())
  for name in starts:
    group, _, field = name.partition('.')
    values[group][field] = usual[name]
  return schema.parse({**values, 'seed': usual['seed']})


def held(config: schema.Config) -> dict[str, Any]:
  """{name: value} of the settings that decide how a step is compiled.

  Those are what `untraced` leaves, without what says which pictures are read,
  and when something is measured or written.
  """
  return {name: value for name, value in schema.flatten(
      untraced(config)).items() if name in OF_DATA or not (
          name.startswith(('data.', 'evaluate.')) or name in OF_LOOP)}


def now(config: schema.Config, values: dict[str, jax.Array],
        images: jax.Array) -> dict[str, Any]:
  """State.hyper as the schedule has moved it after `images` real images."""
  settings = schema.flatten(config)
  return values | {
      name: schedules.towards(
          values[name], settings[row.end], images, config.schedule.images)
      for name, row in HYPER.items() if row.end and name in values}


RATES = 'g_rate', 'd_rate'  # Those of learning.
# What a step knows of its pictures.
OF_DATA = ('data.resolution', 'data.width', 'data.channels', 'data.dequantize')
# Settings of config.train that are the loop's alone.
OF_LOOP = tuple(f'train.{name}' for name in (
    'total_images', 'log_every_images', 'sample_every_images',
    'measure_every_images', 'dynamics_every_images', 'checkpoint_every_images',
    'keep_checkpoints', 'keep_every_images', 'on_divergence', 'rollbacks',
    'rollback_rate', 'first_cause', 'failed_pictures', 'tensorboard',
    'init_from', 'init_parts', 'init_images', 'check_disk'))
HYPER = {
    'g_rate': Hyper('optimizer.g_rate'),
    'd_rate': Hyper('optimizer.d_rate'),
    'beta1': Hyper('optimizer.beta1'),
    'beta2': Hyper('optimizer.beta2', 'schedule.beta2'),
    'penalty_weight': Hyper(
        'objective.penalty_weight', 'schedule.penalty_weight'),
    'g_penalty_weight': Hyper(
        'objective.g_penalty_weight', used='objective.g_penalty'),
    'd_weight_penalty_weight': Hyper(
        'objective.d_weight_penalty_weight', used='objective.d_weight_penalty'),
    'g_weight_penalty_weight': Hyper(
        'objective.g_weight_penalty_weight', used='objective.g_weight_penalty'),
    'clip': Hyper('objective.clip', used='objective.constraint'),
    'augment_strength': Hyper(
        'objective.augment_strength', 'schedule.augment_strength',
        used='objective.augment'),
}

"""Whether runs that are scored together differ in what makes that unfair."""
from collections.abc import Sequence
from typing import Any, NamedTuple

from msg_gan_jax.config import Config, schema
from msg_gan_jax.gan import schedules

# What moves a score whatever is compared: the task, how long and on how many
# pictures at once a GAN learns, and how its samples are drawn.
SETTINGS = (
    'data.name', 'data.resolution', 'data.width', 'data.channels',
    'data.mirror', 'data.dequantize', 'data.resize', 'data.filter',
    'networks.classes', 'networks.statistics', 'train.batch', 'train.n_dis',
    'train.ema_half_life_images', 'train.ema_rampup',
    'schedule.ema_half_life_images', 'train.init_from')


class Compared(NamedTuple):
  """What is known of a run.

  Attributes:
    config: its settings.
    images: real images shown before its checkpoints that are scored.
    trained_on: digest of the pictures that it learns from.
  """
  config: Config
  images: Sequence[int]
  trained_on: str = ''


def differences(runs: Sequence[Compared]) -> list[str]:
  """A line for each thing that differs, with a value for each run, in order.

  'differ: data.mirror yes | no'; none for one run, or for runs that are alike.
  """
  rows: dict[str, list[Any]] = {
      'images shown': [', '.join(f'{x:,}' for x in run.images) for run in runs],
      'training pictures': [run.trained_on[:8] for run in runs],
      'average': [schedules.averages(run.config) for run in runs]}
  flat = [schema.flatten(run.config) for run in runs]
  rows |= {name: [settings[name] for settings in flat] for name in SETTINGS}
  return [f'differ: {name} {" | ".join(map(_plain, values))}'
          for name, values in rows.items() if len(set(values)) > 1]


def _plain(value):
  if isinstance(value, bool):
    return 'yes' if value else 'no'
  if isinstance(value, str):
    return value or 'none'
  return f'{value:,.10g}'

"""A run's config.json, read under the settings of this version."""
from collections.abc import Callable
import dataclasses
import json
import os
import pathlib
from typing import Any

from msg_gan_jax.config import schema, tables
from msg_gan_jax.files import plain


def load_config(
    path: str | os.PathLike, say: Callable[[str], None] | None = None
) -> schema.Config:
  """The Config of the run in a folder.

  A setting that did not exist when the run began has the value that it then
  had in fact: see `before` in schema.setting.

  Args:
    path: the folder.
    say: gets a line about such settings; None says nothing.

  Raises:
    ValueError: no such folder, a folder that is not a run, a config.json that
      is damaged or of another schema; the message names the nearest thing
      that there is.
  """
  config, lacking = read_config(absolute(path))
  if lacking and say:
    say(f'{path}: {describe(lacking)}')
  return config


def read_config(
    path: pathlib.Path) -> tuple[schema.Config, dict[str, Any]]:
  """(Config, {name: value} of the settings that the file lacks)."""
  file = path / 'config.json'
  if not path.is_dir():
    raise ValueError(f'workdir {path}: no such folder. {_neighbours(path)}')
  if not file.is_file():
    raise ValueError(
        f'workdir {path}: not a run, it has no config.json. '
        f'{_neighbours(path)}')
  about = schema.metadata()
  try:
    values = schema.present_names(json.loads(
        plain.read(file, plain.MOST_JSON)))
    names = _names(values, about)
  except (OSError, ValueError, RecursionError) as error:
    raise ValueError(
        f'{file}: damaged ({error}). Restore it from a copy; with the same '
        'settings and another workdir=FOLDER, the run can begin again.'
    ) from error
  other = f'the file is of another version of msg_gan_jax{_written_by(path)}.'
  for name in sorted(names - about.keys()):
    raise ValueError(
        f'{file}: no setting {name!r} in this version; {_close(name, about)}'
        f'{other}')
  before = schema.before()
  lacking = {name: before[name] for name in about if name not in names}
  for name, value in lacking.items():
    *sections, field = name.split('.')
    place = values
    for section in sections:
      place = place.setdefault(section, {})
    place[field] = value
  try:
    return schema.parse(values), lacking
  except ValueError as error:
    raise ValueError(f'{file}: {error}') from error


def as_begun(config: schema.Config, path: str | os.PathLike) -> schema.Config:
  """The config with what the first start of a run decided.

  That is the share of the pictures that is held out, and the augmentation,
  where the config leaves them open.

  Args:
    config: the Config that the run shall go on under.
    path: the folder of the run; where there is none yet, nothing is decided.

  Raises:
    ValueError: a config.json that is damaged or of another schema.
  """
  place = absolute(path)
  share_is_open = config.data.held_out_share == schema.OPEN_SHARE
  augment_is_open = config.objective.augment == schema.AUTO
  if not (share_is_open or augment_is_open) or not (
      place / 'config.json').is_file():
    return config
  begun, _ = read_config(place)
  if share_is_open:
    config = dataclasses.replace(config, data=dataclasses.replace(
        config.data, held_out_share=begun.data.held_out_share))
  if augment_is_open:
    config = dataclasses.replace(config, objective=dataclasses.replace(
        config.objective, augment=begun.objective.augment,
        augment_strength=begun.objective.augment_strength))
  return config


def describe(lacking: dict[str, Any]) -> str:
  """A line about settings that a config.json lacks."""
  return ('settings that did not exist when this run began are read as before: '
          + ', '.join(f'{k} = {v!r}' for k, v in lacking.items()))


def absolute(path: str | os.PathLike) -> pathlib.Path:
  """The absolute path of a run's folder; ValueError for what is not one."""
  path = os.fspath(path)
  if not path:
    raise ValueError("workdir: wanted a folder, found ''.")
  if '://' in path:
    raise ValueError(
        f'workdir {path}: wanted a folder in the file system, such as one on a '
        'disk or an NFS share. A bucket that is mounted has no locks; '
        'docs/guide/shared_folders.md says what a run needs.')
  return pathlib.Path(os.path.abspath(os.path.expanduser(path)))


def _names(values, about):
  """Dotted names of the settings in the values of a config.json."""
  if not isinstance(values, dict):
    raise ValueError(
        f'wanted a group of settings, found {type(values).__name__}')
  names = set()
  for name, value in values.items():
    if isinstance(value, dict) and name not in about:
      names |= {f'{name}.{field}' for field in value}
    elif any(known.startswith(f'{name}.') for known in about):
      raise ValueError(f'config.{name}: wanted a group of settings, found '
                       f'{type(value).__name__} {value!r}')
    else:
      names.add(name)
  return names


def _neighbours(path):
  """A sentence about the runs in a folder, or else beside it."""
  place, runs = path, _runs(path)
  if not runs:
    place, runs = path.parent, _runs(path.parent)
  if not runs:
    return f'There are no runs in {place}.'
  close = tables.closest(path.name, runs)
  hint = f'Did you mean {close!r}? ' if close else ''
  names = ', '.join(runs[:8]) + (', ...' if len(runs) > 8 else '')
  return f'{hint}Runs in {place}: {names}.'


def near_run(path: str | os.PathLike) -> str:
  """' Did you mean PATH?' of a run beside a path, with a like name, or ''."""
  place = absolute(path)
  close = tables.closest(place.name, _runs(place.parent))
  return f' Did you mean {os.path.join(os.path.dirname(path), close)}?' if (
      close) else ''


def _runs(path):
  if not path.is_dir():
    return []
  return sorted(x.parent.name for x in path.glob('*/config.json'))


def _close(name, known):
  close = tables.closest(name, known)
  return f'the nearest is {close!r}; ' if close else ''


def _written_by(path):
  """' (0.1.0)' of the last start, where that is on record."""
  file = path / 'versions.json'
  try:
    if not file.is_file():
      return ''
    entries = json.loads(plain.read(file, plain.MOST_JSON))
    return f' ({entries[-1]["packages"]["msg_gan_jax"]})'
  except (OSError, ValueError, LookupError, TypeError):
    return ''

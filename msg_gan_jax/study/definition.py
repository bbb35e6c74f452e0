"""What a study is, as plain JSON in its storage.

Whoever joins a study is checked against it, and whoever reads one needs no
study file. A study may grow: more seeds, values, axes or points are added to
what stands there, and what was trained stays.
"""
from collections.abc import Mapping
import dataclasses
import json
from typing import Any

from msg_gan_jax.config import Config, schema
from msg_gan_jax.study.space import Axis, Choices, Range, Study, nested

Json = dict[str, Any]


def dump(name: str, base: Config, study: Study) -> Json:
  """Plain JSON of a study.

  Args:
    name: of its file, such as 'landscape_small'.
    base: all settings that it does not vary.
    study: Study.
  """
  fields = {field.name: getattr(study, field.name)
            for field in dataclasses.fields(study)}
  return json.loads(json.dumps({
      **fields, 'name': name, 'base': schema.flatten(base),
      'axes': {k: _dump_axis(axis) for k, axis in study.axes.items()},
      'seeds': [*study.seeds],
      'first': [dict(point) for point in study.first]}))


def load(written: Mapping[str, Any]) -> tuple[str, Config, Study]:
  """The reverse of `dump`: its name, its base and the Study."""
  fields = {k: v for k, v in written.items() if k not in ('name', 'base')}
  study = Study(**{
      **fields, 'apart': tuple(fields['apart']),
      'axes': {k: _load_axis(v) for k, v in fields['axes'].items()}})
  return written['name'], schema.parse(nested(filled(written['base']))), study


def filled(settings: Mapping[str, Any]) -> dict[str, Any]:
  """All settings, of those that a storage has from an earlier version.

  Args:
    settings: {name: value}; a setting that did not exist then gets what runs
      had before it.
  """
  return {**schema.before(), **{
      schema.present_name(name): value for name, value in settings.items()}}


def _dump_axis(axis: Axis) -> Json:
  if isinstance(axis, Range):
    return dataclasses.asdict(axis)
  # Names may be numbers, which keys of JSON cannot be.
  return {'rows': [[name, dict(row)] for name, row in axis.rows.items()]}


def _load_axis(written: Mapping[str, Any]) -> Axis:
  if 'rows' in written:
    return Choices({name: row for name, row in written['rows']})
  return Range(**{**written, 'settings': tuple(written['settings'])})


def joined(old: Mapping[str, Any], new: Mapping[str, Any]) -> Json:
  """A study with what another command adds to it.

  Args:
    old: what `dump` made of the study as it is in the storage.
    new: of the study that joins.

  Raises:
    ValueError: they are not one study: another base, metric or sampler, or one
      name for unlike values.
  """
  for place in ('metric', 'value', 'sampler', 'at_once', 'apart'):
    if old[place] != new[place]:
      raise _another(new, f'its {place} is {old[place]!r}, and here '
                          f'{new[place]!r}')
  varied = {*_settings(old), *_settings(new), *schema.ELSEWHERE}
  of_old, of_new = filled(old['base']), filled(new['base'])
  for name in of_old:
    there, here = of_old[name], of_new.get(name)
    if there != here and name not in varied:
      raise _another(new, f'its config.{name} is {there!r}, and here {here!r}')
  axes = dict(old['axes'])
  for name, axis in new['axes'].items():
    axes[name] = _with(axes[name], axis, name, new) if name in axes else axis
  # Where data lie is each machine's own: the first one's stands.
  base = {**of_new, **{k: of_old[k] for k in schema.ELSEWHERE}}
  return {
      **new, 'base': base, 'axes': axes,
      'points': max(old['points'], new['points']),
      'seeds': sorted({*old['seeds'], *new['seeds']}),
      'first': old['first'] + [x for x in new['first']
                               if x not in old['first']]}


def _settings(written):
  for axis in written['axes'].values():
    if 'rows' in axis:
      for _, row in axis['rows']:
        yield from row
    else:
      yield from axis['settings']


def _with(old, new, name, study):
  """An axis with the values of another of the same name."""
  if 'rows' not in old or 'rows' not in new:
    if old != new:
      raise _another(study, f'its axis {name!r} is {old}, and here {new}')
    return old
  rows = [*old['rows']]
  known = {value: row for value, row in rows}
  for value, row in new['rows']:
    if known.setdefault(value, row) != row:
      raise _another(study, f'{value!r} of its axis {name!r} is '
                            f'{known[value]}, and here {row}')
    if [value, row] not in rows:
      rows.append([value, row])
  return {'rows': rows}


def _another(study, why):
  return ValueError(
      f'workdir: another study {study["name"]!r} is there: {why}. Seeds, '
      'values, axes and points can be added to a study, and nothing else be '
      'changed; wanted another folder, or another name in the storage.')


def completed(point: Mapping[str, Any], settings: Mapping[str, Any],
              study: Study) -> dict[str, Any]:
  """A point with the axes that were added to the study after it was trained.

  Args:
    point: {axis: value}.
    settings: {name: value}, all those of its run.
    study: as it is now.

  Returns:
    {axis: value}, in the order of the study's axes; '-' where a run has none of
    an axis' values.
  """
  return {name: point[name] if name in point else _found(axis, settings)
          for name, axis in study.axes.items()}


def _found(axis, settings):
  if isinstance(axis, Range):
    return settings[axis.settings[0]]
  for name, row in axis.rows.items():
    if all(settings[setting] == value for setting, value in row.items()):
      return name
  return '-'

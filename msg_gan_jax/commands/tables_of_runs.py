"""Runs as tables: settings that differ, scores, seeds, starts."""
import os
from typing import Any

import numpy as np

from msg_gan_jax.analysis import seeds
from msg_gan_jax.commands import charts_of_runs
from msg_gan_jax.report.tables import Around, Cell, PlusMinus, Table
from msg_gan_jax.report.text import duration
from msg_gan_jax.runs.together import Together

MOST_ACROSS = 4  # Runs that are columns.
# What may tell runs apart whose scores cannot be compared.
FACTS = ('data', 'size', 'digest of the pictures', 'protocol', 'samples')


def settings(runs: Together) -> Table:
  """A row for each setting that differs, a column for each run.

  Many runs that differ in few settings are rows, so that their names have room.
  """
  rows = [[name, *values] for name, values in runs.settings.items()]
  if not rows or len(runs.names) <= max(MOST_ACROSS, len(rows)):
    return Table(('setting', *runs.names), rows)
  names, *by_run = zip(*rows, strict=True)
  return Table(('run', *names), [
      [name, *values] for name, values in zip(runs.names, by_run, strict=True)])


def measured_alike(runs: Together) -> list[tuple[str, Together]]:
  """Runs in parts that share no column of scores, such as of unlike data.

  Args:
    runs: any number of them.

  Returns:
    (what tells a part from the others, its runs) of each that has any score;
    nothing is told of a single one.
  """
  parts: list[set[int]] = []
  for column in runs.scores:
    having = {i for i, x in enumerate(column.runs) if x}
    for part in [x for x in parts if x & having]:
      parts.remove(part)
      having |= part
    parts.append(having)
  for group in runs.groups:  # Seeds without a score are of their group.
    unmeasured = {*group}.difference(*parts)
    for part in parts:
      if part & {*group}:
        part |= unmeasured
  places = sorted(map(sorted, parts))
  facts = [{name: {fact[name] for fact in (
      _facts(runs.runs[i]) for i in part)} for name in FACTS}
           for part in places]
  unlike = [name for name in FACTS if any(x[name] != facts[0][name]
                                          for x in facts)]
  return [('; '.join(f'{name}: {", ".join(sorted(x[name]))}'
                     for name in unlike), _part(runs, part))
          for part, x in zip(places, facts, strict=True)]


def _facts(run):
  """{one of FACTS: text} of what a run is measured on."""
  data, asked = run.config.data, run.config.evaluate
  newest = run.versions[-1] if run.versions else {}
  return dict(zip(FACTS, (
      data.name + (f' ({os.path.basename(data.path)})' if data.path else ''),
      f'{data.resolution} px', str(newest.get('data_digest', ''))[:8],
      asked.protocol, f'{asked.count or "all"}'), strict=True))


def _part(runs, places):
  """Some runs, their groups, and their columns of scores."""
  at = {i: new for new, i in enumerate(places)}
  return runs._replace(
      runs=tuple(runs.runs[i] for i in places),
      names=tuple(runs.names[i] for i in places),
      groups=tuple(some for group in runs.groups if (
          some := tuple(at[i] for i in group if i in at))),
      scores=tuple(column._replace(runs=tuple(
          column.runs[i] for i in places)) for column in runs.scores
          if any(column.runs[i] for i in places)))


def scores(runs: Together, caption: str = '') -> Table:
  """A row for each run, a column for each score; the newest of each.

  Args:
    runs: such as a part of `measured_alike`.
    caption: of the table.
  """
  rows: list[list[Cell]] = []
  for i, name in enumerate(runs.names):
    newest = [column.newest[i] for column in runs.scores]
    if any(newest):
      rows.append([name, *(None if x is None or np.isnan(x.value) else
                           PlusMinus(x.value, x.error) for x in newest)])
  reals = [_of_reals(column) for column in runs.scores]
  if rows and any(x is not None for x in reals):
    rows.append(['the reals', *reals])
  return Table(('run', *_headings(runs.scores)), rows, caption, [
      '± is the standard error over samples, where it is known. "The reals" is '
      'one half of them against the other, or what they have themselves. A '
      'column has one protocol.'])


def over_seeds(runs: Together, caption: str = '') -> Table:
  """A row for each group of runs that differ in their seed alone.

  What fewer than two of them have is not there.

  Args:
    runs: such as a part of `measured_alike`.
    caption: of the table.
  """
  rows: list[list[Cell]] = []
  apart, fewer = [], []
  headings = _headings(runs.scores)
  for group in runs.groups:
    found = [x if x and x.over.n > 1 else None for x in (
        seeds.spread(column, group) for column in runs.scores)]
    if any(found):
      name = charts_of_runs.group_name(runs, group)
      rows.append([name, *(
          None if x is None else Around(x.over.mean, x.over.low, x.over.high)
          for x in found)])
      apart += [f'{heading} of {name}' for heading, x in zip(
          headings, found, strict=True) if x and x.images is None]
      fewer += [f'{heading} of {name}: {x.over.n} of {len(group)} seeds'
                for heading, x in zip(headings, found, strict=True)
                if x and x.over.n < len(group)]
  notes = [
      "The mean of runs that differ in their seed alone, with Student's 95 % "
      'interval: of the most images at which all of them were measured.']
  if apart:
    notes.append('Not measured at one known number of images, so that each run '
                 f'counts with its newest: {", ".join(apart)}.')
  if fewer:
    notes.append(f'Not all seeds have it: {"; ".join(fewer)}.')
  return Table(('over seeds', *headings), rows, caption, notes)


def _headings(columns):
  """A name for each column; with its id where others are called so."""
  names = [x.name + (f' ({x.protocol})' if x.protocol else '') for x in columns]
  return [f'{name} [{column.id}]' if names.count(name) > 1 else name
          for name, column in zip(names, columns, strict=True)]


def _of_reals(column):
  known = [x.reals for x in column.newest if x and np.isfinite(x.reals)]
  return float(np.median(known)) if known else None


def starts(runs: Together) -> Table:
  """A row for each start of each run."""
  rows: list[list[Cell]] = []
  for name, run in zip(runs.names, runs.runs, strict=True):
    changes: dict[Any, list[str]] = {}
    for x in run.changes:
      images = x.get('images')
      place = images if isinstance(images, int) else None
      changes.setdefault(place, []).append('; '.join(map(str, x['changed'])))
    for start in run.starts:
      rows.append([
          name, start.date, start.images,
          None if start.seconds is None else duration(start.seconds),
          start.version, start.devices, (start.commit or '')[:10]
          + (' with changes' if start.dirty else ''),
          '; '.join(changes.get(start.images, []))])
  return Table(('run', 'began', 'images before', 'trained for', 'version',
                'devices', 'commit', 'settings changed'), rows)

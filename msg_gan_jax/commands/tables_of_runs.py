"""Runs as tables: settings that differ, scores, seeds, starts."""
from typing import Any

import numpy as np

from msg_gan_jax.analysis import seeds
from msg_gan_jax.commands import charts_of_runs
from msg_gan_jax.report.tables import Around, Cell, PlusMinus, Table
from msg_gan_jax.report.text import duration
from msg_gan_jax.runs.together import Together

MOST_ACROSS = 4  # Runs that are columns.


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


def scores(runs: Together) -> Table:
  """A row for each run, a column for each score; the newest of each."""
  rows: list[list[Cell]] = []
  for i, name in enumerate(runs.names):
    newest = [column.newest[i] for column in runs.scores]
    if any(newest):
      rows.append([name, *(None if x is None or np.isnan(x.value) else
                           PlusMinus(x.value, x.error) for x in newest)])
  reals = [_of_reals(column) for column in runs.scores]
  if rows and any(x is not None for x in reals):
    rows.append(['the reals', *reals])
  return Table(('run', *_headings(runs.scores)), rows, notes=[
      '± is the standard error over samples, where it is known. "The reals" is '
      'one half of them against the other, or what they have themselves. A '
      'column has one protocol.'])


def over_seeds(runs: Together) -> Table:
  """A row for each group of runs that differ in their seed alone."""
  rows: list[list[Cell]] = []
  apart = []
  headings = _headings(runs.scores)
  for group in runs.groups:
    found = [seeds.spread(column, group) for column in runs.scores]
    if len(group) > 1 and any(found):
      name = charts_of_runs.group_name(runs, group)
      rows.append([name, *(
          None if x is None else Around(x.over.mean, x.over.low, x.over.high)
          for x in found)])
      apart += [f'{heading} of {name}' for heading, x in zip(
          headings, found, strict=True) if x and x.images is None]
  notes = [
      "The mean of runs that differ in their seed alone, with Student's 95 % "
      'interval: of the most images at which all of them were measured.']
  if apart:
    notes.append('Not measured at one known number of images, so that each run '
                 f'counts with its newest: {", ".join(apart)}.')
  return Table(('over seeds', *headings), rows, notes=notes)


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
      changes.setdefault(x.get('images'), []).append(
          '; '.join(map(str, x['changed'])))
    for start in run.starts:
      rows.append([
          name, start.date, start.images,
          None if start.seconds is None else duration(start.seconds),
          start.version, start.devices, (start.commit or '')[:10]
          + (' with changes' if start.dirty else ''),
          '; '.join(changes.get(start.images, []))])
  return Table(('run', 'began', 'images before', 'trained for', 'version',
                'devices', 'commit', 'settings changed'), rows)

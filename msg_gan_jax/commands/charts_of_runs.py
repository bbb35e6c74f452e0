"""Lines of runs over images, over updates and seconds; of seeds, their band."""
from collections.abc import Collection, Iterator, Mapping, Sequence
import os
from typing import NamedTuple

import numpy as np

from msg_gan_jax.analysis import dynamics, seeds
from msg_gan_jax.report.plots import Curve
from msg_gan_jax.report.text import plural
from msg_gan_jax.runs import cost
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.read import Written
from msg_gan_jax.runs.together import Together

UNITS = {'images': 'real images', 'd_steps': 'updates of D',
         'g_steps': 'updates of G', 'seconds': 'seconds'}


class Line(NamedTuple):
  """A curve over each unit.

  Attributes:
    name: of the run, of its value, or of the seeds together.
    place: which of them it is, the same one in every chart.
    over: {unit: Curve}.
    interpolated: see analysis.seeds.SeedBand.
    notes: sentences on what the seeds together do not have, or on how sure a
      value is.
  """
  name: str
  place: int
  over: Mapping[str, Curve]
  interpolated: bool = False
  notes: Sequence[str] = ()


def costs_of(run: Written) -> Columns:
  """What a run had cost at each record; without updates if it cannot be built.

  A row of its own may be wanted, and a page runs no code of a run.
  """
  try:
    return cost.costs(run)
  except ValueError:
    return cost.without_updates(run)


def shapes_of(run: Written) -> tuple[tuple[int, int], ...]:
  """(height, width) of its scales, coarse to fine; () where they are not known.

  They are not those of a run that cannot be built, and points have none.
  """
  from msg_gan_jax.gan import pyramid
  from msg_gan_jax.gan.build import build_to_draw
  try:
    shapes = build_to_draw(run.config).shapes
  except ValueError:
    return ()
  return () if pyramid.are_points(shapes[-1]) else tuple(
      (height, width) for height, width, _ in shapes)


def units_of(costs: Sequence[Columns]) -> dict[str, str]:
  """{unit: in words} of those that all runs know; like ones are one."""
  known = [unit for unit in UNITS if all(
      unit in x and (not len(x[unit]) or np.isfinite(x[unit]).any())
      for x in costs)]
  units = {unit: UNITS[unit] for unit in known}
  if {'d_steps', 'g_steps'} <= units.keys() and all(
      np.array_equal(x['d_steps'], x['g_steps'], equal_nan=True)
      for x in costs):
    del units['g_steps']
    units = {k: 'updates of D, and of G' if k == 'd_steps' else v
             for k, v in units.items()}
  return units


def at(columns: Columns, unit: str,
       images: Sequence[float] | np.ndarray) -> np.ndarray:
  """What a run had cost when it had seen so many images.

  Args:
    columns: see `costs_of`.
    unit: one of UNITS.
    images: [n].

  Returns:
    [n] float64.
  """
  images = np.asarray(images, np.float64)
  if unit == 'images':
    return images
  known = np.isfinite(columns[unit])
  return np.interp(images, np.r_[0., columns['images'][known]],
                   np.r_[0., columns[unit][known]])


def group_name(runs: Together, group: Sequence[int]) -> str:
  """What the names of the seeds of a group begin with, or the first two."""
  names = [runs.names[i] for i in group]
  common = os.path.commonprefix(names)
  common = common.removesuffix('seed ').rstrip(' ,_-./=')
  words = common if len(common) > 2 else ', '.join(names[:2]) + (
      ', …' if len(names) > 2 else '')
  return f'{words} ({plural(len(group), "seed")})'


def having(runs: Together, name: str) -> list[int]:
  """Places of the runs whose records have any number of a value."""
  return [i for i, run in enumerate(runs.runs)
          if name in run.records and (np.isfinite(run.records[name])
                                      & np.isfinite(run.records['images'])
                                      ).any()]


def of_groups(runs: Together, costs: Sequence[Columns],
              units: Mapping[str, str], name: str,
              among: Collection[int]) -> Iterator[Line]:
  """A line for each group of seeds, or for a run that has no others.

  Args:
    runs: to show.
    costs: of each run, see `costs_of`.
    units: see `units_of`.
    name: of a value in records.
    among: places of the runs that may stand in one chart, which have it.
  """
  for place, group in enumerate(runs.groups):
    some = [i for i in group if i in among]
    if some and len(group) == 1:
      yield of_value(runs.runs[some[0]], costs[some[0]], units, name,
                     runs.names[some[0]], place)
    elif some:
      yield _of_seeds(runs, costs, units, name, group, some)._replace(
          place=place)


def of_value(run: Written, columns: Columns, units: Mapping[str, str],
             name: str, label: str, place: int) -> Line:
  """A line of one run, whose records have the value."""
  known = np.isfinite(run.records[name])
  note = dynamics.note([run.records], name)
  return Line(label, place, {
      unit: Curve(columns[unit][known], run.records[name][known])
      for unit in units}, notes=[f'{label}: {note}'] if note else [])


def _of_seeds(runs, costs, units, name, group, some):
  """The line of seeds, of which `some` have the value."""
  label = group_name(runs, group)
  found = seeds.band([runs.runs[i].records for i in some], name)
  rests = [(i, rows) for i in some for rows in _outside(
      runs.runs[i].records, name, found.images)]
  over_seeds = found.columns
  several = len(some) > 1  # One has no band.
  with np.errstate(over='ignore'):  # Of seconds such as 1e308.
    x = {unit: np.mean([at(costs[i], unit, found.images) for i in some], axis=0)
         for unit in units}
  over = {unit: Curve(
      x[unit], over_seeds['mean'], over_seeds['low'] if several else None,
      over_seeds['high'] if several else None,
      [(costs[i][unit][rows], runs.runs[i].records[name][rows])
       for i, rows in rests]) for unit in units}
  note = dynamics.note([runs.runs[i].records for i in some], name)
  notes = [f'{label}: {note}'] if note else []
  if len(some) < len(group):
    notes.append(f'{label}: {len(some)} of {len(group)} seeds recorded it.')
  if not len(found.images):
    notes.append(f'The seeds of {label} share no record: thin lines are each '
                 'of them.')
  elif rests:
    notes.append(_ends(runs, name, label, some, found.images))
  return Line(label, 0, over, found.interpolated, notes)


def _outside(records, name, images):
  """Rows of a run before a band and after it, with the ones that it meets."""
  at_rows, known = records['images'], np.isfinite(records[name])
  if not len(images):
    return [known]
  return [known & rows for rows, beyond in (
      (at_rows <= images[0], at_rows < images[0]),
      (at_rows >= images[-1], at_rows > images[-1])) if (known & beyond).any()]


def _ends(runs, name, label, some, images):
  """A sentence: from where to where a band goes, and why not further."""
  rows = {}
  for i in some:
    at_rows, values = (runs.runs[i].records[x] for x in ('images', name))
    rows[i] = at_rows[np.isfinite(at_rows) & np.isfinite(values)]
  parts = []
  for verb, end, far in (('begins', images[0], np.min),
                         ('ends', images[-1], np.max)):
    ends = {i: far(x) for i, x in rows.items()}
    if any(x != end for x in ends.values()):
      at_end = [f'{runs.runs[i].config.seed}' for i, x in ends.items()
                if x == end]
      why = 'at a record that all share' if not at_end else (
          f'where seed {at_end[0]} does' if len(at_end) == 1 else
          f'where seeds {", ".join(at_end)} do')
      parts.append(f'{verb} at {end:,.0f} images, {why}')
  return (f'{label} {" and ".join(parts)}; thin lines are single seeds beyond '
          'it.')

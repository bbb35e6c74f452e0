"""Curves of runs as charts over images, over updates and over seconds."""
from collections.abc import Iterator, Mapping, Sequence
import os
from typing import NamedTuple

import numpy as np

from msg_gan_jax.analysis import dynamics, seeds
from msg_gan_jax.report import charts, curves
from msg_gan_jax.report.page import Block, Chart, Charts, Text
from msg_gan_jax.report.plots import Curve
from msg_gan_jax.report.text import plural
from msg_gan_jax.runs import cost
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.read import Written
from msg_gan_jax.runs.together import Together

UNITS = {'images': 'real images', 'd_steps': 'updates of D',
         'g_steps': 'updates of G', 'seconds': 'seconds'}
MOST_CHARTS = 18  # Of several runs, which have one for each value.


class Line(NamedTuple):
  """A curve over each unit.

  Attributes:
    name: of the run, of its value, or of the seeds together.
    place: which of them it is, the same one in every chart.
    over: {unit: Curve}.
  """
  name: str
  place: int
  over: Mapping[str, Curve]


def costs_of(run: Written) -> Columns:
  """What a run had cost at each record; without updates if it cannot be built.

  A row of its own may be wanted, and a page runs no code of a run.
  """
  from msg_gan_jax.gan.build import build_to_draw
  try:
    return cost.costs(run, build_to_draw(run.config))
  except ValueError:
    return cost.without_updates(run)


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


def at(columns: Columns, unit: str, images: float) -> float:
  """What a run had cost when it had seen so many images."""
  if unit == 'images':
    return float(images)
  known = np.isfinite(columns[unit])
  if not known.any():
    return 0.
  return float(np.interp(images, np.r_[0., columns['images'][known]],
                         np.r_[0., columns[unit][known]]))


def group_name(runs: Together, group: Sequence[int]) -> str:
  """What the names of the seeds of a group begin with, or the first two."""
  names = [runs.names[i] for i in group]
  common = os.path.commonprefix(names)
  common = common.removesuffix('seed ').rstrip(' ,_-./=')
  words = common if len(common) > 2 else ', '.join(names[:2]) + (
      ', …' if len(names) > 2 else '')
  return f'{words} ({plural(len(group), "seed")})'


def blocks(runs: Together, costs: Sequence[Columns],
           units: Mapping[str, str]) -> Iterator[Block]:
  """The charts of a page.

  Args:
    runs: to show.
    costs: of each run, see `costs_of`.
    units: see `units_of`.
  """
  every = [*panels(runs, costs, units)]
  found = []
  for panel in every[:MOST_CHARTS]:
    places = {line.name: line.place for line in panel.lines}
    found.append(Chart(panel.title, places, {
        unit: charts.chart(
            {line.name: line.over[unit] for line in panel.lines}, words,
            panel.title, panel.log, panel.marks, places)
        for unit, words in units.items()}, _explained(panel.marks)))
  if not found:
    return
  if any(len(group) > 1 for group in runs.groups):
    yield Text("A band is Student's 95 % interval of the mean over seeds.")
  yield Charts(found)
  if left := len(every) - len(found):
    yield Text(f'{plural(left, "value")} more: --mode=compare draws all.')


class Panel(NamedTuple):
  """What one chart shows.

  Attributes:
    title: what its values are.
    log: whether y is logarithmic.
    lines: at least one.
    marks: {a row of curves.REFERENCES: y}.
  """
  title: str
  log: bool
  lines: Sequence[Line]
  marks: Mapping[str, float]


def panels(runs: Together, costs: Sequence[Columns],
           units: Mapping[str, str]) -> Iterator[Panel]:
  """All that records can show; the arguments are those of `blocks`.

  One run has values that belong together in a panel. Of several runs each
  value has a panel, with a line for each run, or for those that differ in their
  seed alone.
  """
  names = [x for x in dict.fromkeys(
      name for run in runs.runs for name in run.records) if _is_shown(x)]
  of_one = len(runs.runs) == 1
  for title, log, parts in (
      _of_one(runs.runs[0], names) if of_one else _of_each(runs, names)):
    lines = [line for i, (label, name) in enumerate(parts) for line in (
        _of_value(runs.runs[0], costs[0], units, name, label, i) if of_one
        else _of_groups(runs, costs, units, name))]
    if lines:
      yield Panel(title, log, lines, _marks(runs.runs, parts))


def _is_shown(name):
  return not name.startswith(
      ('references.', 'spread.', 'clock.', *dynamics.INSIDE)) and (
          name not in ('images', 'epoch', 'steps'))


def _of_one(run, names):
  """[(title, log, [(label, name)])]: values that belong together."""
  names = [x for x in names if np.isfinite(run.records[x]).sum() > 1]
  return [(title, log, [(curves.label(x, title), x) for x in some])
          for (title, log), some in curves.panels(names).items()]


def _of_each(runs, names):
  """The same with a chart for each value, first what reals have too.

  Of values that there are of several sizes it is that of the largest.
  """
  compared = {name for run in runs.runs for name in run.records
              if f'references.reals.{name}' in run.records}
  found = []
  for (title, log), some in curves.panels(names).items():
    sizes = [int(x.rpartition('_')[2]) for x in some
             if x.rpartition('_')[2].isdigit()]
    for name in some:
      size = name.rpartition('_')[2]
      if size.isdigit() and int(size) < max(sizes):
        continue
      found.append((name if title.startswith(name.split('_')[0]) else
                    f'{name}: {title}', log, [(name, name)]))
  return sorted(found, key=lambda x: x[2][0][0] not in compared)


def _of_groups(runs, costs, units, name) -> Iterator[Line]:
  """A line for each group of seeds, or for a run that has no others."""
  for place, group in enumerate(runs.groups):
    if len(group) == 1:
      i = group[0]
      yield from _of_value(
          runs.runs[i], costs[i], units, name, runs.names[i], place)
    elif over := _band([runs.runs[i].records for i in group],
                       [costs[i] for i in group], units, name):
      yield Line(group_name(runs, group), place, over)


def _of_value(run, columns, units, name, label, place) -> Iterator[Line]:
  """A line of one run; none where it does not have the value."""
  y = run.records.get(name, np.empty(0))
  known = np.isfinite(y)
  if known.any():
    yield Line(label, place, {
        unit: Curve(columns[unit][known], y[known]) for unit in units})


def _band(records, costs, units, name):
  """{unit: Curve} of a mean over seeds; {} where they share nothing."""
  found = seeds.band(records, name)
  if found.over is None or not len(found.images):
    return {}
  over = {}
  for unit in units:
    x = np.mean([[at(columns, unit, images) for images in found.images]
                 for columns in costs], axis=0)
    over[unit] = Curve(x, found.over.mean, found.over.low, found.over.high)
  return over


def _marks(runs, parts):
  """{a row of curves.REFERENCES: y} of a chart with one value, or its mean."""
  names = [name for _, name in parts]
  name = names[0] if len(names) == 1 else next(
      (x for x in names if x.endswith('_mean')), '')
  marks = {}
  for row in curves.REFERENCES:
    for run in runs:
      column = run.records.get(f'references.{row}.{name}')
      if column is not None and np.isfinite(column).any():
        marks[row] = float(column[np.isfinite(column)][-1])
  return marks


def _explained(marks):
  """A sentence of what dashed lines are."""
  words = [f'{curves.REFERENCES[row][1]} {y:.4g}' for row, y in marks.items()]
  return f'Grey lines: {", ".join(words)}.' if words else ''

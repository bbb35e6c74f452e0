"""Curves of runs: which there are, over images, over updates and seconds."""
from collections.abc import Iterator, Mapping, Sequence
import os
from typing import NamedTuple

import numpy as np

from msg_gan_jax.analysis import seeds
from msg_gan_jax.report import curves
from msg_gan_jax.report.plots import Curve
from msg_gan_jax.report.text import plural
from msg_gan_jax.runs import cost
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.read import Written
from msg_gan_jax.runs.together import Together

BAND = "A band is Student's 95 % interval of the mean over seeds."
UNITS = {'images': 'real images', 'd_steps': 'updates of D',
         'g_steps': 'updates of G', 'seconds': 'seconds'}


class Topic(NamedTuple):
  """A section of charts.

  Attributes:
    heading: of it.
    kinds: {what names of its values begin with, before '_' and a scale's
      pixels: what is seen, in sentences}.
  """
  heading: str
  kinds: Mapping[str, str]


TOPICS = (
    Topic('Stability', {
        'stability': (
            'How far the pictures of fixed latents moved in an epoch, by the '
            'pixels of a scale: the mean squared difference, as in figure 6 of '
            'the MSG-GAN paper (Karnewar & Wang 2020); here by the averaged '
            'weights. It falls where a scale has settled.')}),
    Topic('Consistency of scales, and what D listens to', {
        'consistency': (
            'Disagreement: the mean squared difference of a scale from the '
            'next finer one made as small, 0 where all scales are one '
            'picture.'),
        'share': (
            "Share: how much of the gradient of D's output belongs to the "
            'pixels of a scale; those of all scales add up to 1.')}))


class Line(NamedTuple):
  """A curve over each unit.

  Attributes:
    name: of the run, of its value, or of the seeds together.
    place: which of them it is, the same one in every chart.
    over: {unit: Curve}.
    interpolated: see analysis.seeds.SeedBand.
  """
  name: str
  place: int
  over: Mapping[str, Curve]
  interpolated: bool = False


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


class Panel(NamedTuple):
  """What one chart shows.

  Attributes:
    title: what its values are.
    log: whether y is logarithmic.
    lines: at least one.
    marks: {a row of curves.REFERENCES: y}.
    kind: one of a Topic's; '' where its values belong to none.
    scale: such as '16 px', where it is the one panel of several; '' if not.
  """
  title: str
  log: bool
  lines: Sequence[Line]
  marks: Mapping[str, float]
  kind: str = ''
  scale: str = ''

  @property
  def note(self) -> str:
    """Sentences that it needs; '' if none."""
    words = [f'{curves.REFERENCES[row][1]} {y:.4g}'
             for row, y in self.marks.items()]
    sentences = [f'Grey lines: {", ".join(words)}.'] if words else []
    if between := [x.name for x in self.lines if x.interpolated]:
      sentences.append(
          f'Interpolated: the seeds of {", ".join(between)} were recorded at '
          'different images, so that values between records are drawn.')
    return ' '.join(sentences)


def has_band(panel: Panel) -> bool:
  """Whether any line of it has a band."""
  return any(curve.low is not None for line in panel.lines
             for curve in line.over.values())


def panels(runs: Together, costs: Sequence[Columns],
           units: Mapping[str, str]) -> Iterator[Panel]:
  """All that records can show.

  One run has values that belong together in a panel. Of several runs each
  value has a panel, with a line for each run, or for those that differ in their
  seed alone. Of values that there are of several scales it is the finest, or
  each of them where the value is one of TOPICS.

  Args:
    runs: to show.
    costs: of each run, see `costs_of`.
    units: see `units_of`.
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
      kind = _kind(parts[0][1])
      yield Panel(title, log, lines, _marks(runs.runs, parts), kind,
                  curves.label(parts[0][1], '') if kind and not of_one else '')


def _kind(name):
  """Which of a Topic's kinds a value is of; '' if of none."""
  start = name.split('_')[0]
  return next((start for topic in TOPICS if start in topic.kinds), '')


def _is_shown(name):
  return not name.startswith((
      'references.', 'spread.', 'clock.', 'steps_of.')) and (
          name not in ('images', 'epoch', 'steps'))


def _of_one(run, names):
  """[(title, log, [(label, name)])]: values that belong together."""
  names = [x for x in names if np.isfinite(run.records[x]).sum() > 1]
  return [(title, log, [(curves.label(x, title), x) for x in some])
          for (title, log), some in curves.panels(names).items()]


def _of_each(runs, names):
  """The same with a chart for each value, first what reals have too."""
  compared = {name for run in runs.runs for name in run.records
              if f'references.reals.{name}' in run.records}
  found = []
  for (title, log), some in curves.panels(names).items():
    some = sorted(some, key=_size)
    for name in some:
      if _kind(name):
        title_of = f'{title.removesuffix(", by pixels")}: ' + (
            curves.label(name, title))
      elif 0 <= _size(name) < max(map(_size, some)):
        continue
      else:
        title_of = name if title.startswith(name.split('_')[0]) else (
            f'{name}: {title}')
      found.append((title_of, log, [(name, name)]))
  return sorted(found, key=lambda x: x[2][0][0] not in compared)


def _size(name):
  """The pixels in a value's name; -1 where it has none."""
  size = name.rpartition('_')[2]
  return int(size) if size.isdigit() else -1


def _of_groups(runs, costs, units, name) -> Iterator[Line]:
  """A line for each group of seeds, or for a run that has no others."""
  for place, group in enumerate(runs.groups):
    if len(group) == 1:
      i = group[0]
      yield from _of_value(
          runs.runs[i], costs[i], units, name, runs.names[i], place)
    else:
      over, interpolated = _band([runs.runs[i].records for i in group],
                                 [costs[i] for i in group], units, name)
      if over:
        yield Line(group_name(runs, group), place, over, interpolated)


def _of_value(run, columns, units, name, label, place) -> Iterator[Line]:
  """A line of one run; none where it does not have the value."""
  y = run.records.get(name, np.empty(0))
  known = np.isfinite(y)
  if known.any():
    yield Line(label, place, {
        unit: Curve(columns[unit][known], y[known]) for unit in units})


def _band(records, costs, units, name):
  """({unit: Curve} of a mean over seeds, whether it is interpolated).

  There is no curve where the seeds share nothing.
  """
  found = seeds.band(records, name)
  if found.over is None or not len(found.images):
    return {}, False
  over = {}
  for unit in units:
    x = np.mean([at(columns, unit, found.images) for columns in costs], axis=0)
    over[unit] = Curve(x, found.over.mean, found.over.low, found.over.high)
  return over, found.interpolated


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

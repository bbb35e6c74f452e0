"""Which charts of runs there are, and what is said of each."""
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from msg_gan_jax.analysis import dynamics
from msg_gan_jax.commands import charts_of_runs
from msg_gan_jax.commands.charts_of_runs import Line
from msg_gan_jax.report import curves
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.score_columns import alike
from msg_gan_jax.runs.together import Together

BAND = "A band is Student's 95 % interval of the mean over seeds."
CUT = 'On a logarithmic axis it is cut where it falls below 0.'
ALIKE = 1e-3  # Of what reals have: references that differ by less are one.


class Topic(NamedTuple):
  """A section of charts.

  Attributes:
    heading: of it.
    kinds: {what names of its values begin with, before '_' and a scale or a
      player: what is seen, in sentences}.
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
            'pixels of a scale; those of all scales add up to 1.')}),
    Topic('Dynamics of the game', dynamics.KINDS))


class Panel(NamedTuple):
  """What one chart shows.

  Attributes:
    title: what its values are.
    log: whether y is logarithmic.
    lines: at least one.
    marks: {a row of curves.REFERENCES: y} where the runs agree.
    name: a short one, of its value in records; that of several is their title.
    kind: one of a Topic's; '' where its values belong to none.
    scale: such as '16 px', where it is the one panel of several; '' if not.
    family: what panels of other scales of the same value share; '' if none.
    finest: whether there is no finer scale of it.
    runs: how many have its values.
    rank: its place among the panels of one value that may not be compared: 0
      has the most runs.
    ranges: {a row of curves.REFERENCES: (lowest, highest)} where runs disagree.
  """
  title: str
  log: bool
  lines: Sequence[Line]
  marks: Mapping[str, float]
  name: str
  kind: str = ''
  scale: str = ''
  family: str = ''
  finest: bool = True
  runs: int = 1
  rank: int = 0
  ranges: Mapping[str, tuple[float, float]] = {}

  @property
  def note(self) -> str:
    """Sentences that it needs; '' if none."""
    words = [f'{curves.REFERENCES[row][1]} {y:.4g}'
             for row, y in self.marks.items()]
    sentences = [f'Grey lines: {", ".join(words)}.'] if words else []
    if unlike := [f'{curves.REFERENCES[row][1]} {low:.4g} to {high:.4g}'
                  for row, (low, high) in self.ranges.items()]:
      sentences.append('Another number for each run, and so without a line: '
                       f'{", ".join(unlike)}.')
    if between := [x.name for x in self.lines if x.interpolated]:
      sentences.append(
          f'Interpolated: the seeds of {", ".join(between)} were recorded at '
          'different images, so that values between records are drawn.')
    return ' '.join([*sentences, *(
        note for line in self.lines for note in line.notes)])


def of_bands(panels: Sequence[Panel]) -> str:
  """Sentences on the bands of charts; '' where they have none."""
  low = [(panel.log, np.asarray(curve.low)) for panel in panels
         for line in panel.lines for curve in line.over.values()
         if curve.low is not None and len(curve.x)]
  if not low:
    return ''
  cut = any(log and (values <= 0).any() for log, values in low)
  return f'{BAND} {CUT}' if cut else BAND


def panels(runs: Together, costs: Sequence[Columns],
           units: Mapping[str, str]) -> Iterator[Panel]:
  """All that records can show.

  One run has values that belong together in a panel. Of several runs each
  value has a panel, with a line for each run, or for those that differ in their
  seed alone; scores that may not be compared are apart, see
  score_columns.alike. First comes what reals have too, and of values that there
  are of several scales the finest is the last.

  Args:
    runs: to show.
    costs: of each run, see charts_of_runs.costs_of.
    units: see charts_of_runs.units_of.
  """
  names = [x for x in dict.fromkeys(
      name for run in runs.runs for name in run.records) if _is_shown(x)]
  yield from (_of_one(runs.runs[0], costs[0], units, names)
              if len(runs.runs) == 1 else
              _of_each(runs, costs, units, names))


def _is_shown(name):
  return not name.startswith((
      'references.', 'spread.', 'clock.', 'steps_of.', *dynamics.INSIDE)) and (
          name not in ('images', 'epoch', 'steps'))


def _kind(name):
  """Which of a Topic's kinds a value is of; '' if of none."""
  return next((kind for topic in TOPICS for kind in topic.kinds
               if f'{name}_'.startswith(f'{kind}_')), '')


def _of_one(run, columns, units, names):
  """Panels of values that belong together."""
  names = [x for x in names if np.isfinite(run.records[x]).sum() > 1]
  for (title, log), some in curves.panels(names).items():
    marks, _ = _references([run], some[0] if len(some) == 1 else next(
        (x for x in some if x.endswith('_mean')), ''))
    yield Panel(title, log, [
        charts_of_runs.of_value(run, columns, units, x,
                                curves.label(x, title), i)
        for i, x in enumerate(some)], marks,
        some[0] if len(some) == 1 else title, _kind(some[0]))


def _of_each(runs, costs, units, names):
  """Panels with one value each."""
  from msg_gan_jax.training.scorer import is_score
  compared = {name for run in runs.runs for name in run.records
              if f'references.reals.{name}' in run.records}
  having = {name: charts_of_runs.having(runs, name) for name in names}
  found = []
  for (title, log), some in curves.panels(
      x for x in names if having[x]).items():
    by_name = {
        name: alike(runs.runs, name, having[name]) if (
            name in compared or is_score(name)) else {'': having[name]}
        for name in sorted(some, key=_size)}
    apart = len({*(x for parts in by_name.values() for x in parts)}) > 1
    for name, parts in by_name.items():
      ranked = sorted(parts, key=lambda x: -len(parts[x]))
      for identity, part in parts.items():
        called = f'{name} [{identity}]' if apart and identity else name
        others = [x for x in some if _size(x) >= 0 and _stem(x) == _stem(name)
                  and not {*part}.isdisjoint(having[x])]
        found.append((name not in compared, _panel(
            runs, costs, units, name, called, part, title, log,
            others)._replace(rank=ranked.index(identity))))
  yield from (panel for _, panel in sorted(found, key=lambda x: x[0]))


def _panel(runs, costs, units, name, called, part, title, log, others):
  """The panel of a value of some runs, which may be compared.

  Others are the values of all scales that these have, itself included.
  """
  kind = _kind(name)
  in_scales = _size(name) >= 0 and len(others) > 1
  marks, ranges = _references([runs.runs[i] for i in part], name)
  if kind:
    words = (f'{title.removesuffix(", by pixels")}: '
             + curves.label(name, title))
  else:
    words = called if title == name.split('_')[0] else (
        f'{called}: {title}')
  return Panel(
      words, log, [*charts_of_runs.of_groups(runs, costs, units, name, part)],
      marks, called, kind,
      scale=curves.label(name, '') if kind or in_scales else '',
      family=called.replace(name, _stem(name), 1) if in_scales else '',
      finest=not in_scales or _size(name) == max(map(_size, others)),
      runs=len(part), ranges=ranges)


def _stem(name):
  """A value's name without the pixels of its scale."""
  return name.rpartition('_')[0] if _size(name) >= 0 else name


def _size(name):
  """The pixels in a value's name; -1 where it has none."""
  size = name.rpartition('_')[2]
  return int(size) if size.isdecimal() else -1


def _references(runs, name):
  """({a row of curves.REFERENCES: y}, {row: (lowest, highest)}) of a value.

  The newest of each run; they agree, or they have no line.
  """
  marks, ranges = {}, {}
  for row in curves.REFERENCES:
    columns = [run.records.get(f'references.{row}.{name}', np.empty(0))
               for run in runs]
    newest = [float(x[np.isfinite(x)][-1]) for x in columns
              if np.isfinite(x).any()]
    if newest:
      low, high = min(newest), max(newest)
      if high - low <= ALIKE * max(abs(low), abs(high)):
        marks[row] = newest[-1]
      else:
        ranges[row] = low, high
  return marks, ranges

"""Figures of runs for a paper: what --mode=compare draws."""
from collections.abc import Iterator, Mapping, Sequence
import math
import re
from typing import Any

from msg_gan_jax.analysis import dynamics
from msg_gan_jax.commands import charts_of_runs, panels_of_runs
from msg_gan_jax.report import beside, curves, plots
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.together import Together

LONGEST = 60  # Characters of a file's name.


def figures(runs: Together, costs: Sequence[Columns],
            units: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
  """Figures for `plots.save`: (name of a file, figure, what it shows).

  Args:
    runs: to show.
    costs: of each run, see charts_of_runs.costs_of.
    units: see charts_of_runs.units_of.
  """
  panels = [*panels_of_runs.panels(runs, costs, units)]
  names: set[str] = set()
  for topic in panels_of_runs.TOPICS:
    for kind, words in topic.kinds.items():
      if of_kind := [x for x in panels if x.kind == kind]:
        names.add(kind)
        yield kind, _of_scales(of_kind, units), _caption(words, of_kind)
  over = f', over {"; ".join(units.values())}.'
  for panel in panels:
    if not panel.kind and panel.finest:
      yield _free(_file(panel.name), names), _over(panel, units), _caption(
          _sentence(panel) + over, [panel])
  for family in dict.fromkeys(x.family for x in panels):
    scales = [x for x in panels if x.family == family and not x.kind]
    if family and scales:
      yield _free(_file(f'{family} scales'), names), _of_scales(
          scales, units), _caption(
              f'{_of_all(scales[0])}, of each scale, over {units["images"]}.',
              scales)
  for name, drawn, words in dynamics.figures(runs):
    yield _free(name, names), drawn, words
  yield from _of_samples(runs)


def _of_all(panel):
  """The title of its family."""
  return panel.title.replace(panel.name, panel.family, 1)


def _sentence(panel):
  """What it shows; what a record is called keeps its letters."""
  words = panel.title
  return words if words.startswith(panel.name) else (
      words[:1].upper() + words[1:])


def _over(panel, units):
  """A panel over each unit."""
  return plots.curves(
      {words: _lines(panel, unit) for unit, words in units.items()},
      panel.title, panel.log, by_lines=True,
      marks=_marks([panel] * len(units)))


def _of_scales(panels, units):
  """A panel for each scale over images, or one over each unit that has all."""
  if len(panels) == 1 and not panels[0].scale:
    return _over(panels[0], units)
  return plots.curves(
      {f'{units["images"]}, {x.scale}': _lines(x, 'images') for x in panels},
      panels[0].title.partition(': ')[0] if panels[0].kind else
      _of_all(panels[0]), panels[0].log, by_lines=True,
      marks=_marks(panels))


def _marks(panels):
  """{what is drawn beside the lines: y in each panel}."""
  return {words: [x.marks.get(row, math.nan) for x in panels]
          for row, (_, words) in curves.REFERENCES.items()
          if any(row in x.marks for x in panels)}


def _lines(panel, unit):
  return {line.name: line.over[unit] for line in panel.lines}


def _caption(words, panels):
  notes: dict[str, list[str]] = {}
  for x in panels:
    notes.setdefault(x.note, []).append(x.scale)
  return ' '.join(x for x in (
      words, panels_of_runs.of_bands(panels), *(
          note if len(notes) == 1 else f'Of {", ".join(scales)}: {note}'
          for note, scales in notes.items() if note)) if x)


def _of_samples(runs):
  grids = {name: run.grids for name, run in zip(
      runs.names, runs.runs, strict=True) if run.grids}
  if drawn := beside.figure_of({
      name: of_run[-1][1] for name, of_run in grids.items()}):
    yield 'samples', drawn, 'The newest samples of fixed latents of each run.'
  strips = [
      (name, beside.Strip(run.grids, charts_of_runs.shapes_of(run)))
      for name, run in zip(runs.names, runs.runs, strict=True) if run.grids]
  shown = dict(strips[:beside.MOST_STRIPS])
  if drawn := beside.over_time(shown):
    yield 'samples_over_time', drawn, (
        'Samples of fixed latents, at the finest scale: of each run those that '
        f'are nearest to {len(beside.moments(shown))} moments, which are '
        'equally far apart.' + (
            f' The first {len(shown)} of {len(strips)} runs.'
            if len(shown) < len(strips) else ''))


def _file(title):
  """A name that any disk and any program takes."""
  name = re.sub(r'[^A-Za-z0-9]+', '_', title).strip('_')
  return name[:LONGEST].rstrip('_') or 'value'


def _free(name, names):
  """The name, or one with a number that is not among the names yet.

  Some disks call 'a' and 'A' one file.
  """
  wanted, count = name, 1
  while wanted.lower() in names:
    count += 1
    wanted = f'{name}_{count}'
  names.add(wanted.lower())
  return wanted

"""The sections of a page that have charts of runs."""
from collections.abc import Iterator, Mapping, Sequence

from msg_gan_jax.commands import panels_of_runs
from msg_gan_jax.report import charts, thumbnails
from msg_gan_jax.report.page import Block, Chart, Charts, Section, Text
from msg_gan_jax.report.text import plural
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.together import Together

MOST_CHARTS = 24  # Of several runs, which have one for each value.
MOST_IN_A_KEY = 5  # Names below each chart; more stand once, before them.
MOST_SCALES = 4  # Of several runs: charts of a value that each scale has.


def sections(runs: Together, costs: Sequence[Columns],
             units: Mapping[str, str]) -> Iterator[Section]:
  """The charts of a page: those of TOPICS, and all others.

  Args:
    runs: to show.
    costs: of each run, see charts_of_runs.costs_of.
    units: see charts_of_runs.units_of.
  """
  every = [*panels_of_runs.panels(runs, costs, units)]
  for topic in panels_of_runs.TOPICS:
    by_kind = [[x for x in every if x.kind == kind] for kind in topic.kinds]
    shown = [x for found in by_kind for x in _scales(found)]
    words = ' '.join(topic.kinds.values())
    yield Section(topic.heading, [
        *_blocks(words, shown, units, sum(map(len, by_kind)), 'scale')])
  others = [x for x in every if not x.kind]
  # Each value once, before it is shown of runs that cannot be compared.
  first = sorted((i for i, x in enumerate(others) if x.finest),
                 key=lambda i: others[i].rank)
  shown = [others[i] for i in sorted(first[:MOST_CHARTS])]
  yield Section('Curves', [
      *_blocks('', shown, units, len(others), 'value')])


def _scales(found):
  """Some of the scales of a value, coarse to fine.

  First those that most runs have, of which the finest is always one.
  """
  chosen: list[int] = []
  for count in sorted({x.runs for x in found}, reverse=True):
    alike = [i for i, x in enumerate(found) if x.runs == count]
    room = MOST_SCALES - len(chosen)
    chosen += alike[len(alike) - room:] if room < 2 else [
        alike[i] for i in thumbnails.evenly(len(alike), room)]
  return [found[i] for i in sorted(chosen)]


def _blocks(words, shown, units, count, of) -> Iterator[Block]:
  """Some panels of `count`, with what is to be said of them."""
  if not shown:
    return
  if words := f'{words} {panels_of_runs.of_bands(shown)}'.strip():
    yield Text(words)
  yield Charts(_with_one_key([_chart(panel, units) for panel in shown]))
  if left := count - len(shown):
    yield Text(f'{plural(left, of)} more: --mode=compare draws all.')


def _with_one_key(found):
  """Charts with a key each; with many lines in common, one before them all."""
  lines = {*(line for chart in found for line in chart.names.items())}
  names, places = ({*column} for column in zip(*lines, strict=True))
  if len(found) == 1 or not MOST_IN_A_KEY < len(names) == len(lines) == len(
      places):
    return found
  key = dict(sorted(lines, key=lambda line: line[1]))
  return [Chart('Lines of these charts', key, {}),
          *(chart._replace(names={}) for chart in found)]


def _chart(panel, units):
  places = {line.name: line.place for line in panel.lines}
  return Chart(panel.title, places, {
      unit: charts.chart(
          {line.name: line.over[unit] for line in panel.lines}, words,
          panel.title, panel.log, panel.marks, places)
      for unit, words in units.items()}, panel.note)

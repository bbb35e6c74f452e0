"""The sections of a page that have charts of runs."""
from collections.abc import Iterator, Mapping, Sequence

from msg_gan_jax.commands import charts_of_runs
from msg_gan_jax.report import charts, thumbnails
from msg_gan_jax.report.page import Block, Chart, Charts, Section, Text
from msg_gan_jax.report.text import plural
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.together import Together

MOST_CHARTS = 18  # Of several runs, which have one for each value.
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
  every = [*charts_of_runs.panels(runs, costs, units)]
  for topic in charts_of_runs.TOPICS:
    by_kind = [[x for x in every if x.kind == kind] for kind in topic.kinds]
    shown = [found[i] for found in by_kind
             for i in thumbnails.evenly(len(found), MOST_SCALES)]
    words = ' '.join(topic.kinds.values())
    yield Section(topic.heading, [
        *_blocks(words, shown, units, sum(map(len, by_kind)), 'scale')])
  others = [x for x in every if not x.kind]
  yield Section('Curves', [
      *_blocks('', others[:MOST_CHARTS], units, len(others), 'value')])


def _blocks(words, shown, units, count, of) -> Iterator[Block]:
  """Some panels of `count`, with what is to be said of them."""
  if not shown:
    return
  if any(map(charts_of_runs.has_band, shown)):
    words = f'{words} {charts_of_runs.BAND}'
  if words:
    yield Text(words.strip())
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

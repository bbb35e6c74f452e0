"""Runs -> the values of a page: what --mode=report and --mode=watch show."""
from collections.abc import Iterator, Mapping
import contextlib
import os
import shlex
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.analysis import seeds
from msg_gan_jax.report import charts, curves, thumbnails
from msg_gan_jax.report.html import (
  Block,
  Chart,
  Charts,
  Code,
  Films,
  Frame,
  Grid,
  Items,
  Page,
  Picture,
  Section,
  Text,
)
from msg_gan_jax.report.plots import Curve
from msg_gan_jax.report.tables import Around, PlusMinus, Table
from msg_gan_jax.report.text import duration, plural
from msg_gan_jax.runs import cost
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.read import Written
from msg_gan_jax.runs.standing import standing
from msg_gan_jax.runs.together import Together

UNITS = {'images': 'real images', 'd_steps': 'updates of D',
         'g_steps': 'updates of G', 'seconds': 'seconds'}
MOST_FRAMES = 40  # Of one run; of several each has fewer, and at least FEWEST.
FEWEST = 10
FRAMES_BYTES = 3_000_000  # Of all frames of a page of one run; many have
EACH_BYTES = 1_500_000  # so much each.
MOST_CHARTS = 18  # Of several runs, which have one for each value.
MOST_WARNINGS = 30
FILM_BYTES = 1_500_000  # A film that is larger is named, and not shown.


class Line(NamedTuple):
  """A curve over each unit.

  Attributes:
    name: of the run, of its value, or of the seeds together.
    over: {unit: Curve}.
  """
  name: str
  over: Mapping[str, Curve]


def page_of(runs: Together, title: str = '') -> Page:
  """A page of one run or of several.

  Args:
    runs: to show.
    title: of the page; '' makes one.
  """
  costs = [_costs(run) for run in runs.runs]
  units = _units(costs)
  one = len(runs.runs) == 1
  title = title or (runs.names[0] if one else
                    plural(len(runs.runs), 'run') + ' beside each other')
  return Page(
      title, [], units, [
          Section('What it is' if one else 'What they are',
                  [*_about(runs)]),
          Section('Settings that differ', [*_settings(runs)]),
          Section('Samples', [*_samples(runs, costs, units)]),
          Section('Scores', [*_scores(runs)]),
          Section('Curves', [*_curves(runs, costs, units)]),
          Section('Films', [*_films(runs)]),
          Section('Nearest training pictures', [*_memorised(runs)]),
          Section('Warnings', [*_warnings(runs)]),
          Section('Starts', [*_starts(runs)]),
          Section('Again', [*_again(runs)])])


def _costs(run: Written) -> Columns:
  """What a run had cost at each record; without updates if it cannot be built.

  A row of its own may be wanted, and a page runs no code of a run.
  """
  from msg_gan_jax.gan.build import build_to_draw
  try:
    return cost.costs(run, build_to_draw(run.config))
  except ValueError:
    return cost.without_updates(run)


def _units(costs):
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


def _about(runs) -> Iterator[Block]:
  lines = [_sentence(run) for run in runs.runs]
  if len(lines) == 1:
    yield Text(lines[0])
    return
  yield Grid(Table(('run', 'what it is'), [
      [name, line] for name, line in zip(runs.names, lines, strict=True)]))


def _sentence(run):
  """What a run is, and how far it has come."""
  config = run.config
  data, train, objective = config.data, config.train, config.objective
  words = [f'{config.networks.name} on {data.name}'
           + (f' ({os.path.basename(data.path)})' if data.path else '')
           + f' at {data.resolution} px', objective.loss]
  words += [x for x in (objective.penalty, objective.d_weight_penalty,
                        objective.constraint) if x != 'none']
  words += [f'batch {train.batch}', f'seed {config.seed}']
  shown = f'{run.images:,} of {train.total_images:,} images'
  seconds = sum(x.seconds or 0 for x in run.starts)
  return (', '.join(words) + f'; {standing(run)}: {shown}'
          + (f' in {duration(seconds)}' if seconds else '')
          + (f' ({run.diverged})' if run.diverged else '') + '.')


def _settings(runs) -> Iterator[Block]:
  if runs.settings:
    yield Grid(Table(('setting', *runs.names), [
        [name, *values] for name, values in runs.settings.items()]))
  elif len(runs.runs) > 1:
    yield Text('None: these runs have the same settings, seed included.')


def _samples(runs, costs, units) -> Iterator[Block]:
  most = max(FEWEST, MOST_FRAMES // len(runs.runs))
  room = FRAMES_BYTES if len(runs.runs) == 1 else EACH_BYTES
  films, thinned = {}, False
  for name, run, columns in zip(runs.names, runs.runs, costs, strict=True):
    frames, all_of_them = _frames(run, columns, units, most, room)
    thinned |= not all_of_them
    if frames:
      films[name] = frames
  if films:
    yield Text(
        'Samples of fixed latents, by the averaged weights; of a GAN of '
        'several scales all are shown. The slider moves '
        + ('through training' if len(films) == 1 else 'all runs together')
        + ': each run shows its newest samples of that moment.'
        + (f' Of many pictures the first, the last and those between that are '
           f'most evenly apart are here: {most} of a run at most, and fewer '
           'where they are large.' if thinned else ''))
    yield Films(films)


def _frames(run, columns, units, most, room):
  """([Frame], whether they are all): as many as there is room for."""
  while True:
    frames = []
    places = thumbnails.evenly(len(run.grids), most)
    for i in places:
      images, path = run.grids[i]
      with contextlib.suppress(OSError):  # Half-written, or gone.
        frames.append(Frame(thumbnails.uri(path), {
            unit: _at(columns, unit, images) for unit in units}))
    size = sum(len(frame.uri) for frame in frames)
    if size <= room or most <= 2:
      return frames, len(places) == len(run.grids)
    most = max(2, min(most - 1, int(most * room / size)))


def _at(columns, unit, images):
  """What a run had cost when it had seen so many images."""
  if unit == 'images':
    return float(images)
  known = np.isfinite(columns[unit])
  if not known.any():
    return 0.
  return float(np.interp(images, np.r_[0., columns['images'][known]],
                         np.r_[0., columns[unit][known]]))


def _scores(runs) -> Iterator[Block]:
  if not runs.scores:
    return
  columns = [f'{x.name}' + (f' ({x.protocol})' if x.protocol else '')
             for x in runs.scores]
  again = {x for x in columns if columns.count(x) > 1}
  columns = [f'{x} [{column.id}]' if x in again else x
             for x, column in zip(columns, runs.scores, strict=True)]
  rows: list[list[Any]] = []
  for i, name in enumerate(runs.names):
    rows.append([name, *(_with_error(x.newest[i]) for x in runs.scores)])
  halves = [_reals(x) for x in runs.scores]
  if any(x is not None for x in halves):
    rows.append(['the reals', *halves])
  yield Grid(Table(
      ('run', *columns), rows, digits=4, notes=[
          '± is the standard error over samples, where it is known. "The '
          'reals" is one half of them against the other, or what they have '
          'themselves. A column has one protocol.']))
  several = [group for group in runs.groups if len(group) > 1]
  if several:
    yield _over_seeds(runs, several, columns)


def _with_error(score):
  if score is None or np.isnan(score.value):
    return None
  return PlusMinus(score.value, score.error)


def _reals(column):
  known = [x.reals for x in column.newest if x and np.isfinite(x.reals)]
  return float(np.median(known)) if known else None


def _over_seeds(runs, several, columns):
  """A row for each group of seeds."""
  rows: list[list[Any]] = []
  for group in several:
    found = [seeds.spread(column, group) for column in runs.scores]
    rows.append([_group_name(runs, group), *(
        None if x is None else Around(x.over.mean, x.over.low, x.over.high)
        for x in found)])
  return Grid(Table(
      ('over seeds', *columns), rows, notes=[
          "The mean of runs that differ in their seed alone, with Student's "
          '95 % interval: of the most images at which all of them were '
          'measured.']))


def _group_name(runs, group):
  """What the names of the seeds of a group begin with, or the first two."""
  names = [runs.names[i] for i in group]
  common = os.path.commonprefix(names)
  common = common.removesuffix('seed ').rstrip(' ,_-./=')
  words = common if len(common) > 2 else ', '.join(names[:2]) + (
      ', …' if len(names) > 2 else '')
  return f'{words} ({plural(len(group), "seed")})'


def _curves(runs, costs, units) -> Iterator[Block]:
  if not units:
    return
  names = [x for x in dict.fromkeys(
      name for run in runs.runs for name in run.records) if _is_shown(x)]
  of_one = len(runs.runs) == 1
  drawn = _of_one(runs.runs[0], names) if of_one else _of_each(runs, names)
  left = max(0, len(drawn) - MOST_CHARTS)
  found = []
  for title, log, parts in drawn[:MOST_CHARTS]:
    lines = [line for label, name in parts for line in _lines(
        runs, costs, units, name, label if of_one else '')]
    if not lines:
      continue
    marks = _marks(runs.runs, parts)
    found.append(Chart(
        title, [line.name for line in lines], {
            unit: charts.chart(
                {line.name: line.over[unit] for line in lines}, words, title,
                log, marks) for unit, words in units.items()},
        _explained(marks)))
  if not found:
    return
  if any(len(group) > 1 for group in runs.groups):
    yield Text("A band is Student's 95 % interval of the mean over seeds.")
  yield Charts(found)
  if left:
    yield Text(f'{plural(left, "value")} more: --mode=compare writes them all.')


def _is_shown(name):
  return not name.startswith(('references.', 'spread.', 'clock.')) and (
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


def _lines(runs, costs, units, name, label) -> Iterator[Line]:
  """A line for each group of seeds, or for a run that has no others."""
  for group in runs.groups:
    records = [runs.runs[i].records for i in group]
    if len(group) > 1:
      line = _band(records, [costs[i] for i in group], units, name)
      if line:
        yield Line(_group_name(runs, group), line)
    elif name in records[0]:
      y = records[0][name]
      known = np.isfinite(y)
      if known.any():
        yield Line(label or runs.names[group[0]], {
            unit: Curve(costs[group[0]][unit][known], y[known])
            for unit in units})


def _band(records, costs, units, name):
  """{unit: Curve} of a mean over seeds; {} where they share nothing."""
  found = seeds.band(records, name)
  if found.over is None or not len(found.images):
    return {}
  over = {}
  for unit in units:
    x = np.mean([[_at(columns, unit, images) for images in found.images]
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


def _films(runs) -> Iterator[Block]:
  for name, run in zip(runs.names, runs.runs, strict=True):
    for file, path in (*run.walks, *run.timelapses):
      with contextlib.suppress(OSError):
        if path.suffix in ('.webp', '.gif') and (
            path.stat().st_size <= FILM_BYTES):
          yield Picture(thumbnails.uri(path), f'{name}: {file}')
        else:
          yield Text(f'{name}: {path}')


def _memorised(runs) -> Iterator[Block]:
  for name, run in zip(runs.names, runs.runs, strict=True):
    for file, path in run.memorised[-1:]:
      with contextlib.suppress(OSError):
        yield Picture(thumbnails.uri(path), f'{name}: {file}')


def _warnings(runs) -> Iterator[Block]:
  lines = [
      (f'{name}: ' if len(runs.runs) > 1 else '')
      + (f'at {x["images"]:,} images: ' if isinstance(x.get('images'), int)
         else '') + x['text']
      for name, run in zip(runs.names, runs.runs, strict=True)
      for x in run.warnings]
  if lines:
    more = len(lines) - MOST_WARNINGS
    yield Items(lines[:MOST_WARNINGS] + (
        [f'... and {more:,} more, in warnings.jsonl.'] if more > 0 else []))


def _starts(runs) -> Iterator[Block]:
  rows: list[list[Any]] = []
  for name, run in zip(runs.names, runs.runs, strict=True):
    changes = {}
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
  if rows:
    yield Grid(Table(('run', 'began', 'images before', 'trained for', 'version',
                      'devices', 'commit', 'settings changed'), rows))


def _again(runs) -> Iterator[Block]:
  yield Text('The same settings once more, in a new folder:' if
             len(runs.runs) == 1 else
             'The settings of each run once more, in a new folder:')
  yield Code('\n'.join(map(_command, runs.runs)))


def _command(run):
  source, to = map(shlex.quote, (str(run.path), f'{run.path}_again'))
  return (f'mkdir {to} && cp {source}/config.json {to} && '
          f'python launch.py --workdir={to}')


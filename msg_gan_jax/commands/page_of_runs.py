"""Runs -> the values of a page: what --mode=report and --mode=watch show."""
from collections.abc import Iterator
import contextlib
import os
import shlex

from msg_gan_jax.commands import (
  charts_of_runs,
  sections_of_runs,
  tables_of_runs,
)
from msg_gan_jax.config.schema import Config
from msg_gan_jax.report import thumbnails
from msg_gan_jax.report.page import (
  Block,
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
from msg_gan_jax.report.tables import Table
from msg_gan_jax.report.text import duration, plural
from msg_gan_jax.runs import classes, experiment_file
from msg_gan_jax.runs.standing import standing
from msg_gan_jax.runs.together import Together

MOST_FRAMES = 40  # Of one run; of several each has fewer, and at least FEWEST.
FEWEST = 10
FRAMES_BYTES = 3_000_000  # Of all frames of a page of one run; many have
EACH_BYTES = 1_500_000  # so much each.
MOST_WARNINGS = 30
MOST_CLASSES = 20  # Whose names are told.
FILM_BYTES = 1_500_000  # A film that is larger is named, and not shown.


def page_of(runs: Together) -> Page:
  """A page of one run or of several."""
  costs = [charts_of_runs.costs_of(run) for run in runs.runs]
  units = charts_of_runs.units_of(costs)
  one = len(runs.runs) == 1
  title = runs.names[0] if one else (
      plural(len(runs.runs), 'run') + ' beside each other')
  return Page(
      title, [], units, [
          Section('What it is' if one else 'What they are',
                  [*_about(runs)]),
          Section('Settings that differ', [*_settings(runs)]),
          Section('Samples', [*_samples(runs, costs, units)]),
          Section('Scores', [*_scores(runs)]),
          *sections_of_runs.sections(runs, costs, units),
          Section('Films', [*_films(runs)]),
          Section('Nearest training pictures', [*_memorised(runs)]),
          Section('Numbers that were not finite', [*_not_finite(runs)]),
          Section('Warnings', [*_warnings(runs)]),
          Section('Starts', [*_starts(runs)]),
          Section('Again', [*_again(runs)])])


def _about(runs) -> Iterator[Block]:
  lines = [_sentence(run) for run in runs.runs]
  if len(lines) == 1:
    yield Text(lines[0])
    return
  yield Grid(Table(('run', 'what it is'), [
      [name, line] for name, line in zip(runs.names, lines, strict=True)]))


def experiment(config: Config) -> str:
  """What a run is, in a few words."""
  data, train, objective = config.data, config.train, config.objective
  words = [f'{config.networks.name} on {data.name}'
           + (f' ({os.path.basename(data.path)})' if data.path else '')
           + f' at {data.resolution} px', objective.loss]
  words += [x for x in (objective.penalty, objective.d_weight_penalty,
                        objective.constraint) if x != 'none']
  words += [f'batch {train.batch}', f'seed {config.seed}']
  return ', '.join(words)


def _sentence(run):
  """What a run is, and how far it has come."""
  shown = f'{run.images:,} of {run.config.train.total_images:,} images'
  seconds = sum(x.seconds or 0 for x in run.starts)
  return (experiment(run.config) + f'; {standing(run)}: {shown}'
          + (f' in {duration(seconds)}' if seconds else '')
          + (f' ({run.diverged})' if run.diverged else '') + '.')


def _settings(runs) -> Iterator[Block]:
  table = tables_of_runs.settings(runs)
  if table.rows:
    yield Grid(table)
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
    yield from _classes(runs)
    yield Films(films)


def _classes(runs) -> Iterator[Block]:
  """Which classes the samples of a conditional run are of."""
  for name, run in zip(runs.names, runs.runs, strict=True):
    if count := run.config.networks.classes:
      known = classes.read(run.path)
      words = ', '.join(known[:MOST_CLASSES]) + (
          f', and {len(known) - MOST_CLASSES:,} more'
          if len(known) > MOST_CLASSES else '')
      yield Text((f'{name}: ' if len(runs.runs) > 1 else '')
                 + f'Along the rows the {plural(count, "class", "classes")} '
                 'take turns' + (f': {words}.' if known else '.'))


def _frames(run, columns, units, most, room):
  """([Frame], whether they are all): as many as there is room for."""
  uris = thumbnails.fitting([path for _, path in run.grids], most, room)
  images = [run.grids[i][0] for i in uris]
  at = {unit: charts_of_runs.at(columns, unit, images) for unit in units}
  return [Frame(uri, {unit: float(costs[i]) for unit, costs in at.items()})
          for i, uri in enumerate(uris.values()) if uri], (
              len(uris) == len(run.grids))


def _scores(runs) -> Iterator[Block]:
  for words, part in tables_of_runs.measured_alike(runs):
    for table in (tables_of_runs.scores(part, words),
                  tables_of_runs.over_seeds(part, words)):
      if table.rows:
        yield Grid(table)


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


def _not_finite(runs) -> Iterator[Block]:
  """The times that runs went back, and the newest step that failed."""
  for name, run in zip(runs.names, runs.runs, strict=True):
    before = f'{name}: ' if len(runs.runs) > 1 else ''
    lines = [before + line for x in run.changes for line in map(
        str, x['changed']) if line.startswith('rollback ')]
    if not (lines or run.failed_step):
      continue
    step = run.failed_step.get('step')
    cause = step.get('cause') if isinstance(step, dict) else None
    if isinstance(cause, dict):
      lines.append(f'{before}the newest first cause: {cause.get("text")}')
    yield Items(lines or [f'{before}the first cause is not known.'])
    if run.failed_step:  # Not by its own words, which may be anybody's.
      yield Code('python launch.py --mode=failed_step '
                 f'--workdir={shlex.quote(str(run.path))}')


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
  table = tables_of_runs.starts(runs)
  if table.rows:
    yield Grid(table)


def _again(runs) -> Iterator[Block]:
  yield Text('The same settings once more, in a new folder:' if
             len(runs.runs) == 1 else
             'The settings of each run once more, in a new folder:')
  own = [_has_own_rows(run) for run in runs.runs]
  yield Code('\n'.join(map(_command, runs.runs, own)))
  if any(own):
    yield Text('A loss or network of a run that only its own file has comes '
               'with --config=; what its command line changed besides is in '
               'its config.json.')


def _has_own_rows(run):
  """Whether the run has a file of its own, and needs rows of it."""
  from msg_gan_jax.gan.build import build
  if not (run.path / experiment_file.FILE).is_file():
    return False
  try:
    build(run.config)
  except ValueError:
    return True
  return False


def _command(run, has_own_rows):
  source, to = map(shlex.quote, (str(run.path), f'{run.path}_again'))
  if has_own_rows:
    return (f'python launch.py --config={source}/{experiment_file.FILE} '
            f'--workdir={to}')
  return (f'mkdir {to} && cp {source}/config.json {to} && '
          f'python launch.py --workdir={to}')


"""How far a study has come, in lines for people."""
from collections.abc import Iterator, Sequence
import datetime
import math
import os
import pathlib

import numpy as np

from msg_gan_jax.report.tables import number
from msg_gan_jax.report.text import plural
from msg_gan_jax.runs import records
from msg_gan_jax.study import definition, outcome
from msg_gan_jax.study.findings import shown
from msg_gan_jax.study.space import Study
from msg_gan_jax.study.stored import Stored
from msg_gan_jax.study.trials import Trial
from msg_gan_jax.study.worker import RUNS

MOST_FAILED = 10  # Reasons that are listed.


def lines(stored: Stored, folder: str | os.PathLike[str],
          now: datetime.datetime | None = None) -> list[str]:
  """A block of text.

  Args:
    stored: the study.
    folder: of the study; its runs may lie on another machine.
    now: by the clock of its workers; None: this machine's.
  """
  now = now or datetime.datetime.now()
  name, _, study = definition.load(stored.definition)
  of = {state: [x for x in stored.trials if x.state == state]
        for state in ('done', 'running', 'waiting', 'failed')}
  whole = _foreseen(study, stored.trials)
  diverged = sum(bool(x.record.get('diverged')) for x in of['done'])
  text = [
      f'{name}: {len(of["done"]):,} of {plural(whole, "run")} done'
      + (f', {diverged:,} of them diverged' if diverged else ''),
      f'  {len(of["running"]):,} running, {len(of["waiting"]):,} waiting, '
      f'{len(of["failed"]):,} failed'
      + (f', {whole - len(stored.trials):,} not chosen yet'
         if whole > len(stored.trials) else '')]
  text += _best(of['done'], study)
  for trial in of['running']:
    text.append(_running(trial, stored, pathlib.Path(folder), now))
  text += _failed(of['failed'])
  text += _pace(stored, of, whole, now)
  size = disk(folder)
  if size:
    text.append(f'  disk: {_bytes(size)} in {os.fspath(folder)}')
  return text


def _foreseen(study: Study, trials: Sequence[Trial]) -> int:
  """How many runs there will be; a grid's are all there from the start."""
  if study.sampler == 'grid':
    return len(trials)
  points = study.points * sum(1 for _ in study.groups()) + len(study.first)
  return max(len(trials), points * len(study.seeds))


def words(about: dict) -> str:
  """The point and the seed of a piece of work."""
  return ', '.join([*(f'{axis} {shown(value)}'
                      for axis, value in about['point'].items()),
                    f'seed {about["seed"]}'])


def _best(done, study):
  lower = outcome.is_lower(study.metric)
  values = [x for x in done if x.value is not None]
  if not values:
    return []
  best = (min if lower else max)(values, key=lambda x: x.value)
  return [f'  best so far: {best.record.get("metric", study.metric)} '
          f'{number(best.value)}: {words(best.work.about)}']


def _running(trial, stored, folder, now):
  raw = stored.raw[trial.number]
  lease = raw.user_attrs.get('lease')
  text = f'  running: {words(trial.work.about)}'
  if lease:
    host, _, process = lease[0].rpartition(' ')
    text += f', by process {process} of {host}'
  if raw.datetime_start:
    text += (f', since {raw.datetime_start:%Y-%m-%d %H:%M} '
             f'({duration(_seconds(raw.datetime_start, now))})')
  images = _images(folder / RUNS / trial.work.digest)
  total = trial.work.about['settings'].get('train.total_images')
  if images and total:
    text += f', {images:,} of {total:,} images'
  return text


def _images(folder):
  """Real images that a run of this machine has shown at its newest record."""
  path = folder / 'metrics.jsonl'
  if not path.is_file():
    return 0
  return int(max((row.get('images', 0) for row in records.read(path)),
                 default=0))


def _failed(failed) -> Iterator[str]:
  for trial in failed[:MOST_FAILED]:
    first = trial.reason.partition('\n')[0]
    yield f'  failed: {words(trial.work.about)}: {first}'
  if len(failed) > MOST_FAILED:
    yield f'  ... {len(failed) - MOST_FAILED:,} more failed'


def _pace(stored, of, whole, now):
  """Runs an hour, and the time left, from those that have ended."""
  took = [_seconds(raw.datetime_start, raw.datetime_complete)
          for raw in (stored.raw[x.number] for x in of['done'])
          if raw.datetime_start and raw.datetime_complete]
  if not took:
    return []
  usual = float(np.mean(took))
  text = f'  {duration(usual)} a run'
  left = whole - len(of['done']) - len(of['failed']) - len(of['running'])
  ahead = left * usual + sum(
      max(0., usual - _seconds(stored.raw[x.number].datetime_start, now))
      for x in of['running'] if stored.raw[x.number].datetime_start)
  workers = len(of['running'])
  if not ahead:
    return [text]
  if not workers:
    return [f'{text}; nobody works on it; one worker would take about '
            f'{duration(ahead)}']
  return [f'{text}; about {duration(ahead / workers)} left with '
          f'{plural(workers, "worker")}']


def _seconds(start, end):
  return max(0., (end - start).total_seconds())


def duration(seconds: float) -> str:
  """'45 s', '12 min', '3 h 05 min', '2 days 4 h'."""
  if seconds < 90:
    return f'{seconds:.0f} s' if seconds >= 9.5 else f'{seconds:.1f} s'
  minutes = math.ceil(seconds / 60)
  if minutes < 60:
    return f'{minutes} min'
  hours, rest = divmod(minutes, 60)
  if hours < 48:
    return f'{hours} h {rest:02} min'
  return f'{hours // 24} days {hours % 24} h'


def _bytes(size):
  return f'{size / 1e9:.1f} GB' if size >= 1e9 else f'{size / 1e6:,.1f} MB'


def disk(folder: str | os.PathLike[str]) -> int:
  """Bytes of all files of a folder; of what goes away meanwhile, none."""
  size = 0
  for place, _, names in os.walk(os.fspath(folder)):
    for name in names:
      try:
        size += os.lstat(os.path.join(place, name)).st_size
      except OSError:
        continue
  return size

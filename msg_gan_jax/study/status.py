"""How far a study has come, in lines for people."""
from collections.abc import Iterator
import datetime
import math
import os
import pathlib

from msg_gan_jax.files import disk
from msg_gan_jax.report.tables import number
from msg_gan_jax.report.text import duration, plural, size
from msg_gan_jax.runs import records
from msg_gan_jax.study import definition, outcome
from msg_gan_jax.study.alive import holder, is_gone
from msg_gan_jax.study.standing import expected, standing, words
from msg_gan_jax.study.stored import Stored
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
  far = standing(stored.trials,
                 0 if stored.whole or study.sampler == 'grid' else (
                     expected(study)), outcome.is_lower(study.metric))
  of = {state: [x for x in stored.trials if x.state == state]
        for state in ('running', 'waiting', 'failed')}
  left = [x for x in of['running'] if is_gone(_lease(x, stored))]
  running = [x for x in of['running'] if x not in left]
  later = far.planned - len(stored.trials)
  text = [
      f'{name}: {far.done:,} of {plural(far.planned, "run")} done'
      + (f', {far.diverged:,} of them diverged' if far.diverged else ''),
      f'  {len(running):,} running, {len(of["waiting"]):,} waiting, '
      f'{far.failed:,} failed'
      + (f', {len(left):,} left by a worker that is gone' if left else '')
      + (f', {later:,} not chosen yet' if later else '')]
  if far.best is not None and far.best.value is not None:
    text.append(f'  best so far: {far.best.record.get("metric", study.metric)} '
                f'{number(far.best.value)}: {_named(far.best)}')
  for trial in running:
    text.append(_running(trial, stored, pathlib.Path(folder), now))
  text += _failed(of['failed'])
  text += _pace(stored, far, running, now)
  if held := disk.held(folder):
    text.append(f'  disk: {size(held)} in {os.fspath(folder)}')
  return text


def _named(trial):
  """The point and the seed of a trial."""
  about = trial.work.about
  return f'{words(about["point"])}, seed {about["seed"]}'


def _lease(trial, stored):
  return stored.raw[trial.number].user_attrs.get('lease')


def _running(trial, stored, folder, now):
  raw = stored.raw[trial.number]
  process = holder(_lease(trial, stored))
  text = f'  running: {_named(trial)}'
  if process:
    text += f', by process {process.number} of {process.host}'
  if raw.datetime_start:
    text += (f', since {raw.datetime_start:%Y-%m-%d %H:%M} '
             f'({duration(_seconds(raw.datetime_start, now))})')
  images = records.furthest(folder / RUNS / trial.work.digest)
  total = trial.work.about['settings'].get('train.total_images')
  if images and total:
    text += f', {images:,} of {total:,} images'
  return text


def _failed(failed) -> Iterator[str]:
  for trial in failed[:MOST_FAILED]:
    first = trial.reason.partition('\n')[0]
    yield f'  failed: {_named(trial)}: {first}'
  if len(failed) > MOST_FAILED:
    yield f'  ... {len(failed) - MOST_FAILED:,} more failed'


def _pace(stored, far, running, now):
  """What a run takes, and the time left."""
  if math.isnan(far.seconds):
    return []
  text = f'  {duration(far.seconds)} a run'
  ahead = (far.planned - far.ended - len(running)) * far.seconds + sum(
      max(0., far.seconds - _seconds(stored.raw[x.number].datetime_start, now))
      for x in running if stored.raw[x.number].datetime_start)
  if not ahead:
    return [text]
  if not running:
    return [f'{text}; nobody works on it; one worker would take about '
            f'{duration(ahead)}']
  return [f'{text}; about {duration(ahead / len(running))} left with '
          f'{plural(len(running), "worker")}']


def _seconds(start, end):
  return max(0., (end - start).total_seconds())

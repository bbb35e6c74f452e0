"""Runs that have ended, gathered from studies and from folders of runs."""
from collections.abc import Mapping, Sequence
import functools
from typing import Any, NamedTuple

from msg_gan_jax.config import schema
from msg_gan_jax.report.text import plural
from msg_gan_jax.runs import together
from msg_gan_jax.study import definition, outcome, plan
from msg_gan_jax.study.folders import folders
from msg_gan_jax.study.results import MOST_LEVELS
from msg_gan_jax.study.space import RATES, Range
from msg_gan_jax.study.stored import Stored, read_stored


class Ended(NamedTuple):
  """A run that has ended.

  Attributes:
    settings: {name: value}, all of them.
    seed: of the run.
    record: see outcome.outcome; with 'diverged', why it did.
    point: {axis: value} of its study; {} of a run of none.
    metric: by which it was judged.
    which: 'best' or 'last': which of its measurements counted.
  """
  settings: Mapping[str, Any]
  seed: int
  record: Mapping[str, Any]
  point: Mapping[str, Any]
  metric: str
  which: str


class Gathered(NamedTuple):
  """What studies and folders have in common.

  Attributes:
    title: what the studies are called.
    runs: that have ended; each piece of work once.
    axes: {axis: what it varies, in words}.
    points: [n], {axis: value} of each of `runs`.
    notes: sentences about what was left out.
    drawn: axes whose numbers were drawn; None: that is not known.
  """
  title: str
  runs: Sequence[Ended]
  axes: Mapping[str, str]
  points: Sequence[Mapping[str, Any]]
  notes: Sequence[str]
  drawn: Sequence[str] | None = None


def gather(workdir: str, address: str = '', name: str = '') -> Gathered:
  """Reads studies, runs, or both.

  Args:
    workdir: folders, with commas between them; each may be a pattern such as
      'runs/a*'. Studies of the same base and metric are one study; otherwise
      the axes are the settings that differ.
    address: of the study's database; '' is the journal in its folder.
    name: of the study in its storage; '' is the only one there.

  Raises:
    ValueError: a folder that is neither a run nor a study, or none that has
      ended.
  """
  if address:
    stored, runs, notes = [read_stored(workdir, address, name)], [], []
  else:
    stored, runs, notes = _of_folders(workdir, name)
  ended: dict[str, Ended] = {}
  for one in stored:
    for digest, run in _of_study(one, notes):
      ended.setdefault(digest, run)
  copies = 0
  for folder in runs:
    digest, run = _of_run(folder)
    copies += digest in ended
    ended.setdefault(digest, run)
  if copies:
    notes.append(f'{plural(copies, "folder")} repeat the settings and the seed '
                 'of another run, and do not count.')
  if not ended:
    raise ValueError(f'workdir {workdir}: no run has ended yet; '
                     '--mode=study_status says what is running.')
  found = [*ended.values()]
  study = _one_study(stored) if not runs else None
  drawn = None
  if study:
    drawn = _drawn(study[2])
    usual = schema.flatten(study[1])
    axes = {axis: ', '.join(rows.settings)
            for axis, rows in study[2].axes.items()}
    points = [definition.completed(
        run.point, {**usual, **run.settings}, study[2]) for run in found]
  else:
    if len(stored) + bool(runs) > 1:
      notes.append('These are not one study: what is compared are the settings '
                   'that differ.')
    axes, points = differing([run.settings for run in found])
  names = [*dict.fromkeys(one.definition['name'] for one in stored)]
  title = ', '.join([*names, *([plural(len(runs), 'run')] if runs else [])])
  return Gathered(title, found, axes, points, notes, drawn)


def _of_folders(workdir, name):
  """(studies, folders of runs, notes) of names and patterns."""
  found = folders(workdir)
  return ([read_stored(x, '', name) for x in found.studies], found.runs,
          found.notes)


def _of_study(stored: Stored, notes):
  """(digest, Ended) of a study's trials that are done."""
  written = stored.definition
  unmeasured = 0
  for trial in stored.trials:
    if trial.state != 'done':
      continue
    if not trial.record.get('curve') and not trial.record.get('diverged'):
      unmeasured += 1
      continue
    about = trial.work.about
    yield trial.work.digest, Ended(
        about['settings'], about['seed'], trial.record, about['point'],
        written['metric'], written['value'])
  failed = sum(trial.state == 'failed' for trial in stored.trials)
  open_ = sum(trial.state in ('waiting', 'running') for trial in stored.trials)
  for count, what in ((failed, 'failed'), (open_, 'not ended yet'),
                      (unmeasured, 'ended without being measured')):
    if count:
      notes.append(f'{stored.definition["name"]}: {plural(count, "run")} '
                   f'{what}, and left out.')


def _of_run(folder):
  """(digest, Ended) of an ordinary run, as far as it has come."""
  from msg_gan_jax.gan.build import build
  from msg_gan_jax.runs.read import read
  written = read(folder)
  metric = written.config.evaluate.best or 'swd'
  _, record = outcome.outcome(written, build(written.config), metric, 'best',
                              outcome.is_lower(metric))
  record['diverged'] = written.diverged
  return plan.digest_of(written.config), Ended(
      schema.flatten(written.config), written.config.seed, record, {}, metric,
      'best')


def _one_study(stored: Sequence[Stored]):
  """(name, base, Study) of several that are one; None if they are not.

  Raises:
    ValueError: they are one, whose settings this program does not have.
  """
  try:
    joined = functools.reduce(
        definition.joined, (study.definition for study in stored))
  except ValueError:
    return None
  try:
    return definition.load(joined)
  except ValueError as error:
    raise ValueError(f'workdir: the study {joined["name"]!r} cannot be read: '
                     f'{error}') from error


def _drawn(study):
  """Its axes of numbers, but for whole ones of which there are few."""
  return [name for name, axis in study.axes.items() if isinstance(axis, Range)
          and not (axis.whole and axis.high - axis.low < MOST_LEVELS)]


def differing(settings: Sequence[Mapping[str, Any]]) -> tuple[
    dict[str, str], list[dict[str, Any]]]:
  """The axes of runs of no study: settings that differ.

  Settings that always change together are one axis. It has the name of their
  last words, and their common value or all of their values.

  Args:
    settings: {name: value} of each run.

  Returns:
    ({axis: its settings, in words}, [{axis: value}] of each run).
  """
  found = together.differing(settings, ('seed', *schema.ELSEWHERE))
  alike: dict[tuple[int, ...], list[str]] = {}
  for name, column in found.items():
    places = {value: i for i, value in enumerate(dict.fromkeys(column))}
    alike.setdefault(tuple(places[value] for value in column), []).append(name)
  axes: dict[str, str] = {}
  points: list[dict[str, Any]] = [{} for _ in settings]
  for group in alike.values():
    axis = _called(group)
    axis = axis if axis not in axes else ', '.join(group)
    axes[axis] = ', '.join(group)
    for i, point in enumerate(points):
      values = [*dict.fromkeys(found[name][i] for name in group)]
      point[axis] = values[0] if len(values) == 1 else ' '.join(
          map(str, values[:3])) + (' …' if len(values) > 3 else '')
  return axes, points


def _called(group):
  """A name for settings that change together."""
  if sorted(group) == sorted(RATES):
    return 'rate'
  words = [name.rpartition('.')[2] for name in group]
  return ', '.join(words[:2]) + (', …' if len(words) > 2 else '')

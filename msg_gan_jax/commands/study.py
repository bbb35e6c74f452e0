"""--mode=study: trains the runs of a study, or helps others that do."""
import os
import pathlib
import sys

from absl import flags

from msg_gan_jax.commands import experiments, own_study
from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.config import tables
from msg_gan_jax.files import console
from msg_gan_jax.report.text import plural

SHARED: shared.Flags = (
    shared.CONFIG, shared.DRY_RUN, shared.STORAGE, shared.STUDY_NAME)
EXAMPLES: shared.Examples = (
    ' --mode=study --config=landscape_small --dry_run',
    ' --mode=study --config=landscape_small --jobs=2',
    ' --mode=study --config=mine.py --config.train.batch=64 '
    '--workdir=runs/a',
    ' --mode=study --config=mine.py --storage=postgresql://user@host/studies',
)
JOBS = flags.DEFINE_integer(
    'jobs', 1, 'How many workers there are here, each with its share of the '
    'cores. Any number of machines may run the same command beside.',
    lower_bound=1)
AGAIN = flags.DEFINE_bool(
    'again', False, 'Train once more the runs that have failed; each goes on '
    'from its newest checkpoint.')
TIME_A_TRIAL = flags.DEFINE_bool(
    'time_a_trial', False, 'With --dry_run: train one of the runs for a '
    'moment, and foresee how long all of them take.')


def run() -> int:
  """Works on a study; the exit status is as that of a run."""
  from msg_gan_jax.commands.processes import collect_less_often
  from msg_gan_jax.study import jobs, plan
  collect_less_often()
  if TIME_A_TRIAL.value and not shared.DRY_RUN.value:
    raise ValueError('--time_a_trial: means nothing without --dry_run.')
  study = experiments.get_study(
      shared.EXPERIMENT.path, shared.EXPERIMENT.arguments)
  base = plan.judged(shared.config(
      {}, (lambda line: None) if jobs.number() else console.say_aside), study)
  folder = pathlib.Path(os.path.expanduser(
      shared.WORKDIR.value or os.path.join('runs', _name())))
  if (folder / 'config.json').exists():
    raise ValueError(
        f'workdir {folder}: an ordinary run; wanted a new folder, or that of '
        'an earlier study.')
  try:
    if shared.DRY_RUN.value:
      return _foresee(study, base, folder)
    return _work(study, base, folder)
  except ValueError as error:
    if _is_own() and isinstance(error.__cause__, tables.MissingRowError):
      raise ValueError(
          f'{error} If the file that the study was begun with registers it, '
          'give that file, too: --config=FILE.') from error
    raise


def _is_own():
  """Whether the study is as it was stored, and no file is given."""
  return shared.EXPERIMENT.path == own_study.__file__


def _name():
  """The study's name: a given one, its file's, or as it was stored."""
  if shared.STUDY_NAME.value:
    return shared.STUDY_NAME.value
  path, arguments = shared.EXPERIMENT.path, shared.EXPERIMENT.arguments
  if _is_own():
    return own_study.read(*arguments)[0]
  return '_'.join((pathlib.Path(path).stem, *arguments)).replace(':', '_')


def _foresee(study, base, folder):
  """Says what the study would be."""
  from msg_gan_jax.study import definition, foreseen, outcome, rounds, timing
  from msg_gan_jax.study.standing import expected
  trials = []
  if queue := _there(folder):
    trials = queue.trials()
    if there := queue.definition():
      _, _, study = definition.load(definition.joined(
          there, definition.dump(_name(), base, study)))
  found, whole = rounds.due(
      base, study, trials, outcome.is_lower(study.metric))
  for line in foreseen.describe(_name(), study, found, whole, trials):
    console.say(line)
  if TIME_A_TRIAL.value:
    console.say('  time: runs are trained for a moment ...')
    ended = {x.work.digest for x in trials if x.state in ('done', 'failed')}
    left = [run for run in found.runs if run.digest not in ended]
    more = 0 if whole else expected(study) - len(found.runs)
    for line in timing.foresee(left, len(left) + more):
      console.say(f'  time: {line}')
  return 0


def _there(folder):
  """The Queue of a study that has begun, or None."""
  from msg_gan_jax.study import storage
  from msg_gan_jax.study.trials import Queue
  if not storage.is_there(folder, shared.STORAGE.value):
    return None
  there = storage.open_storage(folder, shared.STORAGE.value, readonly=True)
  try:
    return Queue(there, name=_name(), create=False)
  except ValueError as error:
    if isinstance(error.__cause__, KeyError):  # No study of that name.
      return None
    raise


def _work(study, base, folder):
  """Opens the study's storage, and works."""
  from msg_gan_jax.data.sources import open_source
  from msg_gan_jax.study import (
    board,
    definition,
    foreseen,
    jobs,
    outcome,
    rounds,
    storage,
    worker,
  )
  from msg_gan_jax.study.trials import Queue
  if JOBS.value > 1:
    _refuse_accelerator()
  relay = board.Relay() if jobs.number() else None
  lower = outcome.is_lower(study.metric)
  if not relay:  # What is wrong with it must not be stored,
    plan, _ = rounds.due(base, study, [], lower)
    open_source(plan.runs[0].config)  # nor let run after run fail here.
  say = relay.say if relay else console.say_aside
  queue = Queue(
      storage.open_storage(folder, shared.STORAGE.value, say=say), lower,
      name=_name(), say=say)
  queue.define(definition.dump(_name(), base, study))
  if AGAIN.value and not relay:
    queue.again()
  if 0 < (most := foreseen.together(study)) < JOBS.value:
    console.say_aside(
        f'warning: --jobs={JOBS.value}: {foreseen.waiting(most)}')
  one = worker.Worker(
      folder, base, study, queue, console.say, shared.experiment_file())
  return _at_work(one, relay)


def _at_work(one, relay):
  """Works here, or in several processes; returns the exit status."""
  from msg_gan_jax.study import board, jobs
  from msg_gan_jax.training import stop
  if JOBS.value > 1:
    one.enqueue()  # Or each of them would.
  shown = relay or board.Board(
      JOBS.value, lambda: one.standing(patience=0.), console.say)
  one.say, one.show = shown.say, shown.show
  try:
    if JOBS.value > 1:
      status = jobs.Jobs(_one_job(), JOBS.value, shown).work()
    else:
      if relay:
        jobs.stop_with_parent()
      status = stop.exit_status(one.work())
      shown.say(f'the study itself took {one.own_seconds:.1f} s of '
                f'{one.all_seconds:.0f} s' + (
                    '; the same command goes on' if status else ''))
    if not (relay or status) and (failed := one.standing().failed):
      shown.say(f'{plural(failed, "run")} failed; once what stopped them is '
                f'mended, --{AGAIN.name} trains them')
      return 1
    return status
  finally:
    shown.close()


def _one_job():
  """The command of one worker: this one."""
  return [sys.executable, *sys.orig_argv[1:], f'--{JOBS.name}=1']


def _refuse_accelerator():
  import jax
  if jax.default_backend() != 'cpu':
    raise ValueError(
        f'--jobs: {JOBS.value} workers would share the memory of one '
        f'{jax.devices()[0].device_kind}; wanted 1, and for each device a '
        'command of its own: with CUDA_VISIBLE_DEVICES=0, 1 and so on before '
        'it, they work on one study.')

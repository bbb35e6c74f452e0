"""A worker of a study: claims its runs one by one, and trains them.

Any number of workers do one study, on one machine or on many. They agree on
nothing but what the storage says.
"""
from collections.abc import Callable
import contextlib
import dataclasses
import pathlib
import time
from typing import Any

from msg_gan_jax.config import Config, schema
from msg_gan_jax.files import disk
from msg_gan_jax.gan.build import build
from msg_gan_jax.report.tables import number
from msg_gan_jax.runs import records
from msg_gan_jax.runs.owner import InUseError
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.told import SIGN
from msg_gan_jax.study import definition, rounds
from msg_gan_jax.study import plan as plans
from msg_gan_jax.study.outcome import is_lower, outcome
from msg_gan_jax.study.patience import PATIENCE, UnansweredError
from msg_gan_jax.study.space import Study, nested
from msg_gan_jax.study.standing import Standing, expected, standing, words
from msg_gan_jax.study.trials import LEASE, Queue
from msg_gan_jax.study.work import Claim, Work
from msg_gan_jax.training import kept, loop
from msg_gan_jax.training.divergence import DivergedError
from msg_gan_jax.training.stop import Stop

FAILURES = 5  # In a row, for one reason: it is this machine's, or all runs'.
RUNS = 'runs'  # The folder of the runs in that of a study.
PAUSE = 2.  # Seconds until a worker that has nothing to do looks again.
# Gets what is trained, of how many images, how many were shown, and words.
Show = Callable[[str, int, int, str], Any]


@dataclasses.dataclass
class Worker:
  """One process that works on a study.

  Attributes:
    folder: of the study.
    base: all settings that the study does not vary.
    study: Study; where others add to it meanwhile, it has that, too.
    queue: Queue of its trials.
    say: prints a line for people.
    experiment: see training.loop.train.
    show: shows how far the run in training is.
    own_seconds: that went into the study itself, and not into its runs.
    all_seconds: of work, without waiting for others.
  """
  folder: pathlib.Path
  base: Config
  study: Study
  queue: Queue
  say: Callable[[str], Any]
  experiment: str = ''
  show: Show = lambda *unused: None
  own_seconds: float = 0.
  all_seconds: float = 0.

  def __post_init__(self) -> None:
    self._lower = is_lower(self.study.metric)
    self._here = schema.flatten(self.base)
    self._written: dict[str, Any] = {}
    self._planned: tuple[int, bool] | None = None
    self._rounds: dict[Any, plans.Plan] = {}
    self._warned: set[str] = set()
    self._failures: list[str] = []

  def work(self) -> int:
    """Works until nothing is left, or until a signal; returns its number."""
    with Stop() as stop, self._ended_by(stop):
      while not stop.signal:
        with self._counted(own=True):
          whole = self.enqueue()
          claim = self.queue.claim()
          ended = claim is None and whole and not self._open()
        if ended:
          break
        if claim is None:
          time.sleep(PAUSE)
        elif signal := self._do(claim):
          return signal
    return stop.signal

  @contextlib.contextmanager
  def _ended_by(self, stop):
    """A context that a signal ends while a storage is waited for."""
    self.queue.stopping = lambda: bool(stop.signal)
    try:
      yield
    except UnansweredError:
      if not stop.signal:
        raise

  @contextlib.contextmanager
  def _counted(self, own):
    """A context whose seconds count."""
    began = time.monotonic()
    try:
      yield
    finally:
      seconds = time.monotonic() - began
      self.all_seconds += seconds
      self.own_seconds += seconds * own

  def enqueue(self) -> bool:
    """Enqueues what is due; returns whether the study will have no more."""
    self._read_definition()
    trials = self.queue.trials()
    ended = sum(x.state in ('done', 'failed') for x in trials)
    if self._planned and (self._planned[0] == ended or self._planned[1]):
      return self._planned[1]  # Nothing has happened since, or can.
    plan, whole = rounds.due(
        self.base, self.study, trials, self._lower, self._rounds)
    self._planned = ended, whole
    self.queue.add(Work(run.digest, {
        'point': run.point, 'seed': run.seed, 'round': run.round,
        'settings': schema.flatten(run.config)}) for run in plan.runs)
    if whole:
      self.queue.mark_whole(self._written)
    return whole

  def _read_definition(self):
    """Takes over what other commands have added to the study meanwhile."""
    written = self.queue.definition()
    if written and written != self._written:
      _, base, self.study = definition.load(written)
      self.base = self._config(schema.flatten(base))
      self._written, self._planned = written, None

  def _open(self) -> bool:
    return any(x.state in ('waiting', 'running') for x in self.queue.trials())

  def _do(self, claim: Claim) -> int:
    """Trains a run and records what came of it; the number of a signal."""
    about = claim.work.about
    name = f'{words(about["point"])}, seed {about["seed"]}'
    path = self.folder / RUNS / claim.work.digest
    began, diverged = time.monotonic(), ''

    def show(*so_far):
      if claim.lost.is_set():
        raise _LostError
      self.show(name, total, *so_far)

    with self.queue.held(claim, begins=_furthest(path)):
      try:
        config = self._config(about['settings'])
        total = config.train.total_images
        show(0, 'starting ...')
        try:
          with self._counted(own=False):
            signal = loop.train(
                config, path, self._hear, experiment=self.experiment,
                show=show, make=kept.gan_of)
        except DivergedError as error:
          signal, diverged = 0, str(error)
        if signal:
          self.queue.stopping = lambda: True
          with contextlib.suppress(UnansweredError):  # It will be missed.
            self.queue.give_back(claim)
          return signal
        with self._counted(own=True):
          value, record = outcome(
              read(path), build(config), self.study.metric, self.study.value,
              self._lower)
      except _LostError:  # This one was taken for dead.
        self._tell(f'{name}: another worker has taken it over')
        return 0
      except InUseError:
        # A worker that had lost its lease, and is not dead, is still at it.
        self.queue.give_back(claim, pause=LEASE)
        return 0
      except Exception as error:  # One run never ends a study,
        if disk.is_full(error):
          self.queue.give_back(claim)  # but on a full disk all would fail.
          raise
        self.queue.fail(claim, f'{type(error).__name__}: {error}')
        self._tell(f'{name}: failed: {error}')
        self._count_failure(error, path)
        return 0
    self._failures = []
    if diverged:
      value = None
    seconds = time.monotonic() - began
    with self._counted(own=True):
      self.queue.finish(claim, value, {
          **record, 'diverged': diverged, 'seconds': round(seconds, 3)})
      self._tell(f'{name}: {_result(value, record, diverged)}, {seconds:.0f} s')
    return 0

  def _count_failure(self, error, path):
    """Ends this worker where it can do nothing but let runs fail."""
    # What names its run's folder is one reason all the same.
    self._failures.append(str(error).replace(str(path), ''))
    newest = self._failures[-FAILURES:]
    if len(newest) == FAILURES and len({*newest}) == 1:
      raise ValueError(
          f'{FAILURES} runs in a row failed for one reason: {error} Mend it; '
          'then the same command with --again trains them, and the others.'
      ) from error

  def _hear(self, line):
    """Says a warning of a run, if no run before it had the same.

    What else it has to say would be too much; all warnings stay in its folder.
    """
    if line.startswith(SIGN) and line not in self._warned:
      self._warned.add(line)
      self.say(line)

  def standing(self, patience: float = PATIENCE) -> Standing:
    """How far the study is; `patience` as of patience.patiently."""
    return standing(
        self.queue.trials(patience), 0 if self.queue.is_whole(patience) else (
            expected(self.study)), self._lower)

  def _tell(self, line):
    """Says what came of a run, and where the study stands."""
    now = self.standing()
    self.say('; '.join(filter(None, (
        f'{now.ended} of {now.planned}: {line}', now.words(now.running + 1)))))

  def _config(self, settings: dict[str, Any]) -> Config:
    """Settings of a run, whose data may lie elsewhere on this machine.

    Where a run of many diverges, the next one is worth more than why it did.
    """
    return schema.parse(nested({
        **definition.filled(settings), **{
            name: self._here[name] for name in schema.ELSEWHERE
            if name != 'train.keep_checkpoints'}, 'train.first_cause': False}))


class _LostError(BaseException):
  """Another worker has this run: what catches errors must not hold it up."""


def _furthest(path):
  """Images at the newest record of a run; what is wrong is told later."""
  with contextlib.suppress(OSError):
    return records.furthest(path)
  return 0


def _result(value, record, diverged):
  if diverged:
    return f'diverged ({diverged})'
  if value is None:
    return 'not measured'
  return f'{record["metric"]} {number(value)}'

"""A worker of a study: claims its runs one by one, and trains them.

Any number of workers do one study, on one machine or on many. They agree on
nothing but what the storage says.
"""
from collections.abc import Callable
import dataclasses
import pathlib
import time
from typing import Any

from msg_gan_jax.config import Config, schema
from msg_gan_jax.gan.build import build
from msg_gan_jax.metrics.table import METRICS
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.workdir import InUseError
from msg_gan_jax.study import plan as plans
from msg_gan_jax.study import rounds
from msg_gan_jax.study.outcome import outcome
from msg_gan_jax.study.space import Study, nested
from msg_gan_jax.study.trials import LEASE, Claim, Queue, Work
from msg_gan_jax.training import loop
from msg_gan_jax.training.saver import DivergedError
from msg_gan_jax.training.stop import Stop

RUNS = 'runs'  # The folder of the runs in that of a study.
PAUSE = 2.  # Seconds until a worker that has nothing to do looks again.


def lower_is_better(metric: str) -> bool:
  """Whether less of what judges a study is better."""
  return metric == 'swd' or METRICS[metric].lower_is_better


@dataclasses.dataclass
class Worker:
  """One process that works on a study.

  Attributes:
    folder: of the study.
    base: all settings that the study does not vary.
    study: Study.
    queue: Queue of its trials.
    say: prints a line for people.
    experiment: see training.loop.train.
    own_seconds: that went into the study itself, and not into its runs.
  """
  folder: pathlib.Path
  base: Config
  study: Study
  queue: Queue
  say: Callable[[str], Any]
  experiment: str = ''
  own_seconds: float = 0.

  def __post_init__(self) -> None:
    self._lower = lower_is_better(self.study.metric)
    self._planned: tuple[int, plans.Plan, bool] | None = None
    self._rounds: dict[Any, plans.Plan] = {}

  def work(self) -> int:
    """Works until nothing is left, or until a signal; returns its number."""
    began, trained = time.monotonic(), 0.
    with Stop() as stop:
      while not stop.signal:
        whole = self._enqueue()
        claim = self.queue.claim()
        if claim is None:
          if whole and not self._open():
            break
          time.sleep(PAUSE)
          trained += PAUSE
          continue
        start = time.monotonic()
        number = self._do(claim)
        trained += time.monotonic() - start
        if number:
          return number
    self.own_seconds = time.monotonic() - began - trained
    return stop.signal

  def _enqueue(self) -> bool:
    """Enqueues what is due; returns whether the study will have no more."""
    ended = [x for x in self.queue.trials() if x.state in ('done', 'failed')]
    if self._planned and (self._planned[0] == len(ended) or self._planned[2]):
      return self._planned[2]  # Nothing has happened since, or can.
    plan, whole = rounds.due(
        self.base, self.study, ended, self._lower, self._rounds)
    self._planned = len(ended), plan, whole
    self.queue.add(Work(run.digest, {
        'point': run.point, 'seed': run.seed,
        'settings': schema.flatten(run.config)}) for run in plan.runs)
    return whole

  def _open(self) -> bool:
    return any(x.state in ('waiting', 'running') for x in self.queue.trials())

  def _do(self, claim: Claim) -> int:
    """Trains a run and records what came of it; the number of a signal."""
    about = claim.work.about
    name = f'{_words(about["point"])}, seed {about["seed"]}'
    path = self.folder / RUNS / claim.work.digest
    began, diverged = time.monotonic(), ''
    self.say(f'training {name}')
    with self.queue.held(claim):
      try:
        config = self._config(about['settings'])
        try:
          number = loop.train(config, path, _quiet, experiment=self.experiment)
        except DivergedError as error:
          number, diverged = 0, str(error)
        if number:
          self.queue.give_back(claim)
          return number
        value, record = outcome(
            read(path), build(config), self.study.metric, self.study.value,
            self._lower)
      except InUseError:
        # A worker that had lost its lease, and is not dead, is still at it.
        self.queue.give_back(claim, pause=LEASE)
        return 0
      except Exception as error:  # One run never ends a study.
        self.say(f'failed: {name}: {error}')
        self.queue.fail(claim, f'{type(error).__name__}: {error}')
        return 0
    if diverged:
      value = None
    self.queue.finish(claim, value, {**record, 'diverged': diverged})
    self.say(f'{name}: ' + (
        'diverged' if diverged else
        'not measured' if value is None else
        f'{record["metric"]} {value:.4g}')
        + f', {time.monotonic() - began:.0f} s')
    return 0

  def _config(self, settings: dict[str, Any]) -> Config:
    """Settings of a run, whose data may lie elsewhere on this machine."""
    here = schema.flatten(self.base)
    return schema.parse(nested({
        **settings, **{name: here[name] for name in plans.ELSEWHERE
                       if name != 'train.keep_checkpoints'}}))


def _words(point):
  return ', '.join(f'{axis} {value}' for axis, value in point.items())


def _quiet(line: str) -> None:
  """A run of a study says nothing; its warnings stay in its folder."""
  del line

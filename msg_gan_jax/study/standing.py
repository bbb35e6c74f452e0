"""How far a study is, from what its storage has of it."""
from collections.abc import Iterable
import math
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.report.tables import number
from msg_gan_jax.report.text import duration
from msg_gan_jax.study.space import Study
from msg_gan_jax.study.work import Trial


class Standing(NamedTuple):
  """How far a study is.

  Attributes:
    planned: runs that it will have, as far as is known: those that a sampler is
      still to choose count as if they all differed.
    done: runs that have ended; those that diverged are among them.
    diverged, failed, running: runs.
    best: the trial of the best value; None before there is one.
    seconds: that a run takes, the mean of those that have ended; nan before.
  """
  planned: int
  done: int
  diverged: int
  failed: int
  running: int
  best: Trial | None
  seconds: float

  @property
  def ended(self) -> int:
    """Runs with which nobody has work any more."""
    return self.done + self.failed

  def left(self, workers: int) -> float:
    """Seconds that so many workers need for the rest; nan if unknown."""
    return (self.planned - self.ended) * self.seconds / max(1, workers)

  def words(self, workers: int) -> str:
    """What stands behind the count: '2 running, best 30.1, 0:52:00 left'.

    Args:
      workers: that are at work.
    """
    parts = [f'{count} {what}' for count, what in (
        (self.running, 'running'), (self.failed, 'failed'),
        (self.diverged, 'diverged')) if count]
    if self.best is not None and self.best.value is not None:
      parts.append(f'best {number(self.best.value)}')
    left = self.left(workers)
    if left > 0:
      parts += [f'{3600 * workers / self.seconds:,.0f} an hour',
                f'{duration(left)} left']
    return ', '.join(parts)


def standing(trials: Iterable[Trial], least: int = 0,
             lower: bool = True) -> Standing:
  """How far a study is.

  Args:
    trials: see Queue.trials.
    least: how many there will be at least: see `expected`.
    lower: whether less is better.
  """
  trials = [*trials]
  states = [trial.state for trial in trials]
  done = [trial for trial in trials if trial.state == 'done']
  valued = [trial for trial in done if trial.value is not None]
  best = (min if lower else max)(
      valued, key=lambda trial: trial.value or 0., default=None)
  seconds = [trial.record['seconds'] for trial in done
             if 'seconds' in trial.record]
  return Standing(
      max(len(trials), least), len(done),
      sum(bool(trial.record.get('diverged')) for trial in done),
      states.count('failed'), states.count('running'), best,
      float(np.mean(seconds)) if seconds else math.nan)


def expected(study: Study) -> int:
  """How many runs a study has, if all its points go together and differ."""
  groups = len([*study.groups()])
  points = len([*study.grid()]) if study.sampler == 'grid' else (
      study.points * groups)
  return (len(study.first) + points) * len(study.seeds)


def words(point: dict[str, Any]) -> str:
  """{'loss': 'ns', 'rate': .0002} -> 'loss ns, rate 0.0002'."""
  return ', '.join(
      f'{axis} {number(value) if isinstance(value, float) else value}'
      for axis, value in point.items())

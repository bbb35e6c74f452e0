"""Which runs of a study are due: all at once, or those of the next round."""
from collections.abc import Iterable, Mapping, Sequence
import hashlib
import json
import math
from typing import Any

import numpy as np

from msg_gan_jax.config import Config
from msg_gan_jax.study import budget, definition, samplers
from msg_gan_jax.study.plan import Plan, Planned, explored, plan, some
from msg_gan_jax.study.samplers import Tried
from msg_gan_jax.study.space import Point, Study
from msg_gan_jax.study.work import Trial

TRIES = 50  # Rounds drawn anew, where points do not go together,
IN_VAIN = 2  # and of these, how many in a row may give none that do,
POINTS = 10  # or more of them, where they are of fewer points than this.


def due(base: Config, study: Study, trials: Sequence[Trial],
        lower: bool = True,
        known: dict[Any, Plan] | None = None) -> tuple[Plan, bool]:
  """The runs that can be enqueued now.

  Args:
    base: all settings that the study does not vary.
    study: Study.
    trials: what the storage has of it. Points of a round that is there are not
      chosen anew: other seeds, or packages, could lead to others.
    lower: whether less is better.
    known: rounds that were chosen before, which this call reads and adds to:
      to choose one takes seconds, and a worker asks after each trial.

  Returns:
    (their Plan, whether these are all that the study will ever have). The same
    trials give the same Plan, whoever asks.

  Raises:
    ValueError: no point is left.
  """
  if study.sampler == 'grid':
    points: list[Mapping[str, Any]] = [*study.first, *study.grid()]
    return plan(base, study, points), True
  whole, last = (
      plan(base, study, study.first) if study.first else Plan()), True
  ended = {trial.work.digest: trial for trial in trials
           if trial.state in ('done', 'failed')}
  for group in study.groups():
    found, complete = _of_group(
        base, study, group, ended, _stored(study, group, trials), lower,
        {} if known is None else known)
    whole, last = whole.with_more(found), last and complete
  return some(whole), last


def _of_group(base, study, group, ended, stored, lower, known):
  """(Plan of the rounds that are due in a group, whether it is whole)."""
  at_once = study.points if study.sampler == 'random' else study.at_once
  tried: list[Tried] = []
  found = Plan()
  for number in range(math.ceil(study.points / at_once)):
    count = min(at_once, study.points - _points(found))
    there = stored.get(number, [])
    place = repr((base, study, group, number, tried, there))
    if place not in known:
      known[place] = _round(base, study, group, tried, count, number, there,
                            {run.digest for run in found.runs})
    new = known[place]
    found = found.with_more(new)
    if not all(run.digest in ended for run in new.runs):
      return found, number == math.ceil(study.points / at_once) - 1
    tried += values(new.runs, ended, lower, study.apart)
  return found, True


def _points(found):
  """How many points a Plan's runs have."""
  return len({repr(run.point) for run in found.runs})


def _stored(study, group, trials):
  """{round: its points in a group, in the order in which they were enqueued}.
  """
  found: dict[int, list[Point]] = {}
  for trial in trials:
    number = trial.work.about.get('round')
    if number is None:
      continue
    point = _as_now(trial.work.about, study)
    if point and group.items() <= point.items():
      points = found.setdefault(number, [])
      if point not in points:
        points.append(point)
  return found


def _as_now(about, study):
  """The point of a run, with the values that it has of axes that came later.

  None where it has none of an axis' values: its place in the round is free.
  """
  point = about['point']
  later = study.axes.keys() - point.keys()
  if not later:
    return point
  settings = definition.filled(about['settings'])
  point = definition.completed(point, settings, study)
  return point if all(
      axis.has(point[name])
      and axis.of(point[name]).items() <= settings.items()
      for name, axis in study.axes.items() if name in later) else None


def _round(base, study, group, tried, count, number, there, known):
  """Plan of `count` points: those there, and new ones for the rest.

  New ones are drawn anew where they do not go together.
  """
  choose = samplers.SAMPLERS[study.sampler]
  found, points, seen = Plan(), 0, []

  def take(point):
    nonlocal found, known, points
    point = {**group, **point}
    if point in seen:
      return
    seen.append(point)
    one = explored(base, study, [point])
    if one.runs and all(run.digest in known for run in one.runs):
      one = Plan(alike=1)
    known |= {run.digest for run in one.runs}
    points += bool(one.runs)
    found = found.with_more(one._replace(
        runs=[run._replace(round=number) for run in one.runs]))

  for point in there:
    take(point)
  in_vain = 0
  for again in range(TRIES):
    before = points
    if before >= count or in_vain > max(IN_VAIN, POINTS // (count - before)):
      break
    # All are asked for at first, to get the same ones again.
    for point in choose(study.chosen, tried, count - before if again else count,
                        _seed(group, number, again)):
      if points < count:
        take(point)
    in_vain = 0 if points > before else in_vain + 1
  return found


def _seed(group, number, again):
  """Of a round: every worker has the same."""
  text = json.dumps([sorted(group.items()), number, again], default=str)
  return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def values(runs: Iterable[Planned], ended: dict[str, Trial], lower: bool,
           apart: Sequence[str] = ()) -> list[Tried]:
  """What is known of points: the median over seeds, less being better.

  Runs that failed say nothing, until they are trained once more: what stopped
  them is no fault of their point. One whose runs have all failed is left out.

  Args:
    runs: of the points.
    ended: {digest: Trial}.
    lower: whether less is better; the sign of the others is turned.
    apart: axes that are left out of the points.
  """
  by_point: dict[str, tuple[Point, list[Any]]] = {}
  for run in runs:
    if ended[run.digest].state == 'failed':
      continue
    point = {k: v for k, v in run.point.items() if k not in apart}
    value = ended[run.digest].value
    by_point.setdefault(repr(point), (point, []))[1].append(
        math.nan if value is None else value if lower else -value)
  medians = [
      float(np.median(budget.with_the_worst(found)))
      if np.isfinite(found).any() else math.nan
      for _, found in by_point.values()]
  counted = budget.with_the_worst(medians) if np.isfinite(medians).any() else (
      np.zeros(len(medians)))
  return [Tried(point, float(value)) for (point, _), value in zip(
      by_point.values(), counted, strict=True)]

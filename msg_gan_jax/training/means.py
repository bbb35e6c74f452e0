"""Means of the logs of a run's steps since its last record.

One minibatch of the hundreds between two records says little, and a lazy
penalty is in few of them.
"""
from collections.abc import Mapping
import math
from typing import Any

# Logs that say where a run stands, not what a batch gave: of them a record has
# the last one. The first two are set by the images shown and by feedback, and
# the third is a running mean already.
STATES = ('alpha', 'augment_strength', 'path_mean')


class Means:
  """Counts, means and spreads of logs, in a memory that does not grow.

  Args:
    saved: what `saved` of another one returned, to go on from; None or {}
      begins anew.

  Source: Welford 1962, Note on a method for calculating corrected sums of
  squares and products, Technometrics 4(3).
  """

  def __init__(self, saved: Mapping[str, Any] | None = None):
    saved = saved or {}
    self._steps: int = saved.get('steps', 0)
    self._last: dict[str, float] = dict(saved.get('last', {}))
    # {name: [number of steps that have it, mean, sum of squares around it]}
    self._sums: dict[str, list] = {
        name: list(sums) for name, sums in saved.get('sums', {}).items()}

  def add(self, logs: Mapping[str, float]) -> None:
    """Adds the logs of one step."""
    self._steps += 1
    for name, value in logs.items():
      if name in STATES:
        self._last[name] = value
        continue
      count, mean, squares = self._sums.get(name, (0, 0., 0.))
      count, change = count + 1, value - mean
      mean += change / count
      self._sums[name] = [count, mean, squares + change * (value - mean)]

  def values(self) -> dict[str, Any]:
    """What a record says of the steps since `clear`; {} of none.

    Returns:
      {name: mean over the steps that have it, or the last value of STATES,
      'steps': how many there were, 'steps_of': {name: how many have it} of
      those that some steps lack, 'spread': {name: standard deviation between
      steps, n - 1 in its denominator} of those that two have}.
    """
    if not self._steps:
      return {}
    values: dict[str, Any] = {
        name: mean for name, (_, mean, _) in self._sums.items()}
    values |= self._last
    values['steps'] = self._steps
    fewer = {name: count for name, (count, _, _) in self._sums.items()
             if count < self._steps}
    if fewer:
      values['steps_of'] = fewer
    spread = {name: math.sqrt(squares / (count - 1))
              for name, (count, _, squares) in self._sums.items() if count > 1}
    if spread:
      values['spread'] = spread
    return values

  def clear(self) -> None:
    """Forgets all steps: their record is written."""
    self._steps = 0
    self._last.clear()
    self._sums.clear()

  def saved(self) -> dict[str, Any]:
    """All of it as plain JSON, from which every number comes back exactly."""
    return {'steps': self._steps, 'last': dict(self._last),
            'sums': {name: list(sums) for name, sums in self._sums.items()}}

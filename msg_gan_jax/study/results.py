"""What came of a study's trials, as values that can be compared."""
from collections.abc import Iterable, Mapping, Sequence
import dataclasses
import functools
import math
from typing import Any

import numpy as np

from msg_gan_jax.study import budget
from msg_gan_jax.study.scale import Scale, is_wide
from msg_gan_jax.study.space import Point

COSTS = ('images', 'd_steps', 'g_steps', 'seconds')
MOST_LEVELS = 8  # Of an axis whose values are spoken of one by one.


@dataclasses.dataclass(frozen=True)
class Result:
  """A run of a study that has ended.

  Attributes:
    point: {axis: value}; values are names or numbers.
    seed: of the run.
    value: by which it is judged; nan if it diverged.
    others: {score: number} of everything else that was measured at that moment.
    cost: {'images', 'd_steps', 'g_steps', 'seconds': number} of the whole run.
    curve: {'images': [n], score: [n], ...} of all its measurements.
  """
  point: Point
  seed: int
  value: float
  others: Mapping[str, float] = dataclasses.field(default_factory=dict)
  cost: Mapping[str, float] = dataclasses.field(default_factory=dict)
  curve: Mapping[str, Sequence[float]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Results:
  """Those of a study, measured by one protocol.

  Attributes:
    rows: one a run.
    metric: the name of the value, with its protocol.
    lower: whether less is better.
    worst: what a run that diverged counts as; nan: as the worst of these.
    of_all: how all of the study are compared; None: these are all.
  """
  rows: Sequence[Result]
  metric: str
  lower: bool = True
  worst: float = math.nan
  of_all: Scale | None = None

  def __post_init__(self) -> None:
    if not self.rows:
      raise ValueError('no run of the study has ended yet; its status says '
                       'what is running.')

  @functools.cached_property
  def axes(self) -> tuple[str, ...]:
    """Axes that have more than one value, in their order."""
    return tuple(name for name, found in self._levels.items() if len(found) > 1)

  @functools.cached_property
  def _levels(self) -> dict[str, list[Any]]:
    found: dict[str, dict[Any, None]] = {}
    for row in self.rows:
      for axis, value in row.point.items():
        found.setdefault(axis, {})[value] = None
    return {axis: sorted(values) if _are_numbers(values) else [*values]
            for axis, values in found.items()}

  def levels(self, axis: str) -> list[Any]:
    """The values of an axis: numbers in order, names as they first came."""
    return self._levels.get(axis, [])

  def is_drawn(self, axis: str) -> bool:
    """Whether an axis has so many numbers that they were drawn, not chosen."""
    found = self.levels(axis)
    return len(found) > MOST_LEVELS and _are_numbers(found)

  def is_log(self, axis: str) -> bool:
    """Whether the numbers of an axis are spread by ratios, not differences."""
    found = np.array(self.levels(axis), np.float64)
    if found[0] <= 0:
      return False

    def unevenness(x):
      return np.abs((x - x[0]) / (x[-1] - x[0]) - np.linspace(
          0, 1, len(x))).max()
    return bool(unevenness(np.log(found)) < unevenness(found))

  @property
  def few(self) -> tuple[str, ...]:
    """Axes with so few values that each can be spoken of."""
    return tuple(axis for axis in self.axes
                 if len(self.levels(axis)) <= MOST_LEVELS)

  @functools.cached_property
  def values(self) -> np.ndarray:
    """[n] float64; nan of a run that diverged."""
    return np.array([row.value for row in self.rows], np.float64)

  @functools.cached_property
  def counted(self) -> np.ndarray:
    """[n] float64, in which a run that diverged has the worst of all values.

    Raises:
      ValueError: each has diverged.
    """
    if math.isnan(self.worst):
      return budget.with_the_worst(self.values, self.lower)
    return np.where(np.isfinite(self.values), self.values, self.worst)

  @functools.cached_property
  def scale(self) -> Scale:
    """How values are compared; parts of a study as the whole of it."""
    return self.of_all or Scale(is_wide(self.values))

  @functools.cached_property
  def seeds(self) -> list[int]:
    """All seeds that any run has."""
    return sorted({row.seed for row in self.rows})

  def where(self, point: Mapping[str, Any]) -> 'Results':
    """Those of runs whose point has these values."""
    return self.of(i for i, row in enumerate(self.rows) if all(
        row.point.get(k) == v for k, v in point.items()))

  def of(self, places: Iterable[int]) -> 'Results':
    """Those at these places; what diverged counts as it does among all."""
    worst = self.worst
    if math.isnan(worst) and np.isfinite(self.values).any():
      worst = float(np.max(self.counted) if self.lower else
                    np.min(self.counted))
    return dataclasses.replace(
        self, rows=[self.rows[i] for i in places], worst=worst,
        of_all=self.scale)

  def by_point(self) -> dict[tuple, dict[int, float]]:
    """{the point's values by the order of `axes`: {seed: counted value}}."""
    axes = self.axes
    found: dict[tuple, dict[int, float]] = {}
    for row, value in zip(self.rows, self.counted, strict=True):
      key = tuple(row.point.get(axis) for axis in axes)
      found.setdefault(key, {})[row.seed] = float(value)
    return found

  def by_level(self, axis: str) -> dict[Any, dict[int, float]]:
    """{value of an axis: {seed: the mean over all other axes}}, see `scale`.

    Only such combinations of the other axes count as every value of the axis
    has, and with the same seeds each, so that what is compared differs in
    nothing else. Where combinations have unlike seeds, those seeds are taken by
    which the most can be compared.
    """
    blocks: dict[tuple, dict[int, dict[Any, float]]] = {}
    others = [name for name in self.axes if name != axis]
    for row, value in zip(self.rows, self.counted, strict=True):
      if axis in row.point:
        key = tuple(row.point.get(name) for name in others)
        blocks.setdefault(key, {}).setdefault(
            row.seed, {})[row.point[axis]] = float(value)
    levels = self.levels(axis)
    whole = {key: {seed: block for seed, block in seeds.items()
                   if len(block) == len(levels)}
             for key, seeds in blocks.items()}
    seeds = _most_telling([frozenset(found) for found in whole.values()])
    kept = [found for found in whole.values() if seeds <= found.keys()]
    return {level: {seed: self.scale.mean([x[seed][level] for x in kept])
                    for seed in sorted(seeds)} for level in levels}


def _most_telling(rows: Sequence[frozenset[int]]) -> frozenset[int]:
  """The one of some sets of seeds by which the most can be compared."""
  def worth(seeds):
    alike = sum(seeds <= row for row in rows)
    return (len(seeds) - 1) * alike, len(seeds), alike

  return max(sorted(set(rows) - {frozenset()}, key=sorted), key=worth,
             default=frozenset())


def _are_numbers(values):
  return all(isinstance(x, int | float) and not isinstance(x, bool)
             for x in values)

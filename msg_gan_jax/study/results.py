"""What came of a study's trials, as values that can be compared."""
from collections.abc import Iterable, Mapping, Sequence
import dataclasses
from typing import Any

import numpy as np

from msg_gan_jax.study import budget
from msg_gan_jax.study.space import Point

COSTS = ('images', 'd_steps', 'g_steps', 'seconds')


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
  """
  rows: Sequence[Result]
  metric: str
  lower: bool = True

  def __post_init__(self) -> None:
    if not self.rows:
      raise ValueError('no run of the study has ended yet; its status says '
                       'what is running.')

  @property
  def axes(self) -> tuple[str, ...]:
    """Axes that have more than one value, in their order."""
    names = dict.fromkeys(name for row in self.rows for name in row.point)
    return tuple(name for name in names if len(self.levels(name)) > 1)

  def levels(self, axis: str) -> list[Any]:
    """The values of an axis: numbers in order, names as they first came."""
    found = [*dict.fromkeys(
        row.point[axis] for row in self.rows if axis in row.point)]
    numbers = all(isinstance(x, int | float) for x in found)
    return sorted(found) if numbers else found

  @property
  def values(self) -> np.ndarray:
    """[n] float64; nan of a run that diverged."""
    return np.array([row.value for row in self.rows], np.float64)

  @property
  def counted(self) -> np.ndarray:
    """[n] float64, in which a run that diverged has the worst of all values.

    Raises:
      ValueError: each has diverged.
    """
    return budget.with_the_worst(self.values, self.lower)

  def where(self, **point: Any) -> 'Results':
    """Those of runs whose point has these values."""
    return self.of(i for i, row in enumerate(self.rows) if all(
        row.point.get(k) == v for k, v in point.items()))

  def of(self, places: Iterable[int]) -> 'Results':
    """Those at these places."""
    return dataclasses.replace(self, rows=[self.rows[i] for i in places])

  def by_point(self) -> dict[tuple, dict[int, float]]:
    """{the point's values by the order of `axes`: {seed: counted value}}."""
    axes = self.axes
    found: dict[tuple, dict[int, float]] = {}
    for row, value in zip(self.rows, self.counted, strict=True):
      key = tuple(row.point.get(axis) for axis in axes)
      found.setdefault(key, {})[row.seed] = float(value)
    return found

  def by_level(self, axis: str) -> dict[Any, dict[int, float]]:
    """{value of an axis: {seed: the mean over all other axes}}.

    Only such combinations of the other axes and the seed count as every value
    of the axis has, so that what is compared differs in nothing else.
    """
    blocks: dict[tuple, dict[Any, float]] = {}
    others = [name for name in self.axes if name != axis]
    for row, value in zip(self.rows, self.counted, strict=True):
      key = (*(row.point.get(name) for name in others), row.seed)
      blocks.setdefault(key, {})[row.point.get(axis)] = float(value)
    levels = self.levels(axis)
    sums: dict[Any, dict[int, list[float]]] = {level: {} for level in levels}
    for key, block in blocks.items():
      if len(block) == len(levels):
        for level, value in block.items():
          sums[level].setdefault(key[-1], []).append(value)
    return {level: {seed: float(np.mean(x)) for seed, x in seeds.items()}
            for level, seeds in sums.items()}

"""What came of a study's trials, as values that can be compared."""
from collections.abc import Iterable, Mapping, Sequence
import dataclasses
import functools
import itertools
import math
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse.csgraph import connected_components

from msg_gan_jax.study import budget
from msg_gan_jax.study.scale import Scale, is_wide
from msg_gan_jax.study.space import Point

MOST_LEVELS = 8  # Of an axis whose values have a figure each.


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
    drawn: axes whose numbers were drawn; None: not known, see `is_drawn`.
  """
  rows: Sequence[Result]
  metric: str
  lower: bool = True
  worst: float = math.nan
  of_all: Scale | None = None
  drawn: Sequence[str] | None = None

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
    """Whether the numbers of an axis were drawn, not chosen.

    Where that is not known, they are taken for drawn if there are many.
    """
    found = self.levels(axis)
    return _are_numbers(found) and (
        len(found) > MOST_LEVELS if self.drawn is None else
        len(found) > 1 and axis in self.drawn)

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
    """Axes whose values were chosen, and so few that each has a figure."""
    return tuple(axis for axis in self.axes if not self.is_drawn(axis)
                 and len(self.levels(axis)) <= MOST_LEVELS)

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

  def ranked(self) -> list[tuple[tuple, dict[int, float]]]:
    """[(point, {seed: counted value})] as `by_point`, the best median first."""
    return sorted(self.by_point().items(), reverse=not self.lower,
                  key=lambda x: float(np.median([*x[1].values()])))

  def by_level(self, axis: str) -> dict[Any, 'OverOthers']:
    """{value of an axis: what its runs make, over all other axes}.

    Of two values, other combinations may count; `by_pair` compares.
    """
    blocks = self._blocks(axis)
    return {level: self._over_others(
        {seed: (found[level],) for seed, found in block.items()
         if level in found} for block in blocks)
            for level in self.levels(axis)}

  def by_pair(self, axis: str) -> dict[tuple[Any, Any], 'OverOthers']:
    """{two values of an axis: both, over what they have in common}.

    Only such combinations of the other axes count as both have, and with the
    same seeds each, so that the two differ in nothing else. Pairs that have
    nothing in common are left out.
    """
    blocks = self._blocks(axis)
    pairs = {(a, b): self._over_others(
        {seed: (found[a], found[b]) for seed, found in block.items()
         if a in found and b in found} for block in blocks)
             for a, b in itertools.combinations(self.levels(axis), 2)}
    return {pair: found for pair, found in pairs.items() if found.runs}

  def best_first(self, axis: str) -> list[Any]:
    """The values of an axis, each with all other axes and the seed alike.

    Each gets a number by least squares, so that runs which differ in nothing
    else are as far apart as these; where no run is missing, they are the means.
    Values that no such runs join with most of the others come last.
    """
    found = self.levels(axis)
    place = {x: i for i, x in enumerate(found)}
    shared = np.zeros((len(found), len(found)))
    lead = np.zeros(len(found))
    for block in self._blocks(axis):
      for of_seed in block.values():
        at = [place[x] for x in of_seed]
        values = self.scale.there([*of_seed.values()])
        shared[np.ix_(at, at)] += np.eye(len(at)) - 1 / len(at)
        lead[at] += values - values.mean()
    numbers = np.linalg.pinv(shared) @ lead * (1 if self.lower else -1)
    joined = connected_components(np.abs(shared) > 1e-9)[1]
    apart = joined != np.argmax(np.bincount(joined))
    return sorted(found, key=lambda x: (apart[place[x]], numbers[place[x]]))

  def _blocks(self, axis):
    """[{seed: {value of the axis: counted}}], all other axes alike in each."""
    blocks: dict[tuple, dict[int, dict[Any, float]]] = {}
    others = [name for name in self.axes if name != axis]
    for row, value in zip(self.rows, self.counted, strict=True):
      if axis in row.point:
        key = tuple(row.point.get(name) for name in others)
        blocks.setdefault(key, {}).setdefault(
            row.seed, {})[row.point[axis]] = float(value)
    return [*blocks.values()]

  def _over_others(self, blocks):
    """OverOthers of some blocks, {seed: values}, that have the same seeds."""
    blocks = [block for block in blocks if block]
    seeds = _most_telling([frozenset(block) for block in blocks])
    kept = [block for block in blocks if seeds <= block.keys()]
    means = {seed: [self.scale.mean(values) for values in zip(
        *(block[seed] for block in kept), strict=True)]
             for seed in sorted(seeds)}
    return OverOthers([dict(zip(means, column, strict=True)) for column in zip(
        *means.values(), strict=True)], len(means) * len(kept))


class OverOthers(NamedTuple):
  """Values of an axis by seed, over combinations of all other axes.

  Where combinations have unlike seeds, those seeds are taken by which the most
  can be compared, and only such combinations as have them all.

  Attributes:
    by_seed: for each value, {seed: the mean over combinations}, see `scale`.
    runs: how many of each value count.
  """
  by_seed: Sequence[Mapping[int, float]]
  runs: int


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

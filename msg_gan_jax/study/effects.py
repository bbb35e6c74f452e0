"""How much each axis of a study matters."""
import itertools
import math
from typing import Any, NamedTuple

import numpy as np
from scipy import special, stats

from msg_gan_jax.files.optional import require
from msg_gan_jax.metrics.functional.training_seeds import OverSeeds
from msg_gan_jax.study.comparison import LEVEL, Difference, holm
from msg_gan_jax.study.results import Results

PARTS = 32  # Into which fANOVA divides what was drawn.
TREES, DEPTH = 16, 8  # Of its forest.
UNSEEN_TREES = 64  # Each run is left out by some of them.
MOST_TRIALS = 2000  # What fANOVA looks at: its forest takes minutes for more.


class Level(NamedTuple):
  """One value of an axis, over all other axes and seeds.

  Attributes:
    level: the value.
    mean: over seeds, each the mean over all other axes.
    difference: to the best value of the axis, over what the two have in common,
      on the scale of the study; None of the best itself, and of a value that
      has nothing in common with it.
    p: of that difference, by the paired t test, corrected for `tests` (Holm);
      nan where there is none.
    tests: how many comparisons of two values were made: of all of them, since
      the best was chosen by the same runs, and could have been any.
    runs: how many are in the mean.
    diverged: how many diverged of all that have the value ...
    tried: ... which are so many.
  """
  level: Any
  mean: OverSeeds
  difference: Difference | None
  p: float
  tests: int
  runs: int
  diverged: int
  tried: int

  def is_worse(self, lower: bool) -> bool:
    """Whether the best is ahead of it in what both have, as it is over all."""
    return self.difference is not None and (self.difference.mean > 0) == lower


def levels(results: Results, axis: str) -> list[Level]:
  """The values of an axis, the best first; [] where none can be compared."""
  return _levels([results], axis)[0]


def levels_at(results: Results, axis: str) -> dict[
    tuple[str, Any], list[Level]]:
  """{another axis and a value of it: `levels` of the axis there}.

  All of these comparisons are corrected as one family.
  """
  places = [(other, at) for other in results.few if other != axis
            for at in results.levels(other)]
  return dict(zip(places, _levels(
      [results.where({other: at}) for other, at in places], axis), strict=True))


def _levels(parts, axis):
  """`levels` of each of some results, corrected as one family."""
  differences = [{
      pair: part.scale.paired(*reversed(found.by_seed))
      for pair, found in part.by_pair(axis).items()} for part in parts]
  corrected = holm([x.p for found in differences for x in found.values()])
  tests = int(np.isfinite(corrected).sum())
  left = iter(corrected.tolist())
  return [_in_order(part, axis, found, {pair: next(left) for pair in found},
                    tests) for part, found in zip(
                        parts, differences, strict=True)]


def _in_order(results, axis, differences, corrected, tests):
  """[Level] of {(a, b): b minus a} and of {(a, b): p}."""
  if not differences:
    return []
  by_level = results.by_level(axis)
  order = results.best_first(axis)
  best, found = order[0], []
  for x in order:
    difference = differences.get((best, x))
    if (x, best) in differences:
      difference = differences[x, best].turned()
    values = results.where({axis: x}).values
    found.append(Level(
        x, results.scale.over_seeds([*by_level[x].by_seed[0].values()]),
        difference,
        corrected.get((best, x), corrected.get((x, best), math.nan)), tests,
        by_level[x].runs, int(np.isnan(values).sum()), len(values)))
  return found


class Reversal(NamedTuple):
  """A value of an axis that is best beside one of another, and not over all.

  Attributes:
    axis, level: which is better there.
    usual: the value of the axis that is best over all.
    other, at: an axis, and its value at which that is so.
    size: by how much, as (mean, low, high) on the scale of the study.
    p: of that, corrected for `tests` (Holm).
    tests: how many such comparisons were made of the axis.
  """
  axis: str
  level: Any
  usual: Any
  other: str
  at: Any
  size: tuple[float, float, float]
  p: float
  tests: int


def reversals(results: Results) -> list[Reversal]:
  """Where the best value of an axis loses, since it depends on another axis."""
  found: list[Reversal] = []
  sign = 1 if results.lower else -1
  for axis in results.few:
    overall = levels(results, axis)
    for (other, at), there in levels_at(results, axis).items():
      for x in there[1:]:
        if x.difference and x.level == overall[0].level and (
            x.p < LEVEL and x.is_worse(results.lower)):
          mean, low, high = x.difference[:3]
          low, high = sorted((sign * low, sign * high))
          found.append(Reversal(
              axis, there[0].level, x.level, other, at,
              (sign * mean, low, high), x.p, x.tests))
  return found


def main_effects(results: Results) -> dict[str, float]:
  """The share of the variance of ranks that each axis explains alone.

  It is epsilon squared of a one-way analysis of variance (Kelley 1935): the
  share beyond what as many groups explain by chance, and not below 0. Ranks,
  since a diverged run is only known to be worse than all others. Numbers that
  were drawn are put into five equal groups.
  """
  ranks = stats.rankdata(results.counted)
  return {axis: _beyond_chance(len(ranks), *_explained(
      ranks, _groups(results, axis))) for axis in results.axes}


class Interaction(NamedTuple):
  """What two axes decide together.

  Attributes:
    share: of the variance of ranks: what all combinations of their values
      explain, minus the sum of both axes; see `main_effects`.
    p: of the F test of that, corrected for all pairs of axes (Holm); nan where
      no two runs are of one combination.
  """
  share: float
  p: float


def interactions(results: Results) -> dict[tuple[str, str], Interaction]:
  """{two axes: what they explain together beyond the sum of the two}."""
  ranks = stats.rankdata(results.counted)
  count = len(ranks)
  groups = {axis: _groups(results, axis) for axis in results.axes}
  shares, p = {}, []
  for a, b in itertools.combinations(groups, 2):
    both = np.unique(np.stack([groups[a], groups[b]]), axis=1,
                     return_inverse=True)[1].ravel()
    cells, of_cells = _explained(ranks, both)
    sums, of_sums = _explained(ranks, groups[a], groups[b])
    shares[a, b] = max(0., _beyond_chance(count, cells, of_cells)
                       - _beyond_chance(count, sums, of_sums))
    more, left = of_cells - of_sums, count - of_cells
    rest = max(1 - cells, 1e-12)  # Not 0, where runs of a cell are alike.
    p.append(float(special.fdtrc(
        more, left, max(0., cells - sums) / more / (rest / left)))
             if more > 0 and left > 0 else math.nan)
  return {pair: Interaction(shares[pair], float(x)) for pair, x in zip(
      shares, holm(p), strict=True)}


def _explained(ranks, *groupings):
  """(eta squared, free numbers) of a sum of one number for each group."""
  ranks = ranks - ranks.mean()
  columns = np.concatenate(
      [groups[:, None] == np.unique(groups) for groups in groupings],
      axis=1).astype(np.float64)
  fitted, _, free, _ = np.linalg.lstsq(columns, ranks)
  total = (ranks**2).sum()
  rest = ((ranks - columns @ fitted)**2).sum()
  return (float(1 - rest / total) if total else 0.), int(free)


def _beyond_chance(count, explained, free):
  """Epsilon squared of eta squared; 0 where nothing is left to judge it by."""
  return max(0., 1 - (1 - explained) * (count - 1) / (count - free)) if (
      count > free) else 0.


def _groups(results: Results, axis: str, parts: int = 5) -> np.ndarray:
  """[n] int: which runs stand together."""
  values = [row.point.get(axis) for row in results.rows]
  if not results.is_drawn(axis):
    places = {x: i for i, x in enumerate(dict.fromkeys(values))}
    return np.array([places[x] for x in values])
  ranks = stats.rankdata(values, method='dense')
  return ((ranks - 1) * parts // ranks.max()).astype(int)


def fanova(results: Results, seed: int = 0) -> dict[str, float]:
  """Importances by functional analysis of variance (Hutter et al. 2014).

  Optuna's, of at most MOST_TRIALS runs that are drawn from all. It splits up
  what its forest learned by heart. So that this is not taken for what axes
  decide, it is scaled by what such a forest explains of runs it has not seen.

  Returns:
    {axis: share of the variance of ranks}; {} of a study with fewer than two
    axes.

  Raises:
    ValueError: Optuna or scikit-learn is missing.
  """
  axes = results.axes
  if len(axes) < 2:
    return {}
  optuna: Any = require('optuna', 'a study')
  require('sklearn', 'a study')
  from sklearn import ensemble
  optuna.logging.set_verbosity(optuna.logging.ERROR)
  places = np.arange(len(results.rows))
  if len(places) > MOST_TRIALS:
    places = np.random.default_rng(seed).choice(
        places, MOST_TRIALS, replace=False)
  counted = stats.rankdata(results.counted)[places]
  laws: dict[str, Any] = {}
  columns: dict[str, list[float]] = {}
  numbers: dict[Any, float]
  for axis in axes:
    values = [row.point.get(axis) for row in results.rows]
    if results.is_drawn(axis):
      found = results.levels(axis)
      laws[axis] = optuna.distributions.FloatDistribution(
          found[0], found[-1], log=results.is_log(axis))
      numbers = _coarse(found)
    else:
      # Whole numbers even for names: of categories, Optuna would also average
      # over mixtures of them, which no run is.
      numbers = {x: i for i, x in enumerate(dict.fromkeys(values))}
      laws[axis] = optuna.distributions.IntDistribution(0, len(numbers) - 1)
    columns[axis] = [numbers[values[i]] for i in places.tolist()]
  study = optuna.create_study()
  study.add_trials([optuna.trial.create_trial(
      params=dict(zip(axes, point, strict=True)), distributions=laws,
      value=value) for *point, value in zip(
          *columns.values(), counted.tolist(), strict=True)])
  shares = optuna.importance.FanovaImportanceEvaluator(
      n_trees=TREES, max_depth=DEPTH, seed=seed).evaluate(study)
  forest = ensemble.RandomForestRegressor(
      UNSEEN_TREES, max_depth=DEPTH, oob_score=True, random_state=seed)
  forest.fit(np.transpose([*columns.values()]), counted)
  return {axis: float(shares[axis]) * max(0., forest.oob_score_)
          for axis in axes}


def _coarse(found: list[float]) -> dict[Any, float]:
  """{number: one nearby}, of which there are PARTS: the forest is as fast."""
  size = -(-len(found) // PARTS)
  return {x: found[min(i // size * size + size // 2, len(found) - 1)]
          for i, x in enumerate(found)}


def correlations(results: Results) -> dict[tuple[str, str], float]:
  """Spearman's correlation of each two scores over the runs that have both."""
  columns: dict[str, np.ndarray] = {results.metric: results.values}
  for name in dict.fromkeys(k for row in results.rows for k in row.others):
    if name != results.metric:
      columns[name] = np.array([
          row.others.get(name, np.nan) for row in results.rows])
  names, found = [*columns], {}
  for i, a in enumerate(names):
    for b in names[i + 1:]:
      both = np.isfinite(columns[a]) & np.isfinite(columns[b])
      if both.sum() > 2 and np.ptp(columns[a][both]) and np.ptp(
          columns[b][both]):
        found[a, b] = float(stats.spearmanr(
            columns[a][both], columns[b][both]).statistic)
  return found

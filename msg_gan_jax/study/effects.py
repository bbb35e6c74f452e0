"""How much each axis of a study matters."""
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from msg_gan_jax.files.optional import require
from msg_gan_jax.metrics.functional.training_seeds import OverSeeds
from msg_gan_jax.study.comparison import LEVEL, Difference, holm
from msg_gan_jax.study.results import Results

PARTS = 32  # Into which fANOVA divides what was drawn.
TREES, DEPTH = 16, 8  # Of its forest.
MOST_TRIALS = 2000  # What fANOVA looks at: its forest takes minutes for more.


class Level(NamedTuple):
  """One value of an axis, with all other axes and seeds alike.

  Attributes:
    level: the value.
    mean: over seeds, each the mean over all other axes.
    difference: to the best value of the axis, on the scale of the study; None
      of the best itself.
    p: of that difference, by the paired t test, corrected for all values of the
      axis (Holm); nan of the best.
    diverged: the share of its runs that did.
    runs: how many there are.
  """
  level: Any
  mean: OverSeeds
  difference: Difference | None
  p: float
  diverged: float
  runs: int


def levels(results: Results, axis: str) -> list[Level]:
  """The values of an axis, the best first; [] where none can be compared."""
  by_level = results.by_level(axis)
  if not all(by_level.values()):
    return []
  scale = results.scale
  means = {x: scale.over_seeds([*seeds.values()])
           for x, seeds in by_level.items()}
  order = sorted(by_level, key=lambda x: means[x].mean, reverse=(
      not results.lower))
  best = order[0]
  differences = [scale.paired(by_level[x], by_level[best])
                 for x in order[1:]]
  corrected = holm([difference.p for difference in differences])
  found = []
  for x, difference, p in zip(
      order, [None, *differences], [np.nan, *corrected], strict=True):
    values = results.where({axis: x}).values
    found.append(Level(x, means[x], difference, float(p),
                       float(np.isnan(values).mean()), len(values)))
  return found


class Reversal(NamedTuple):
  """A value of an axis that is not the best of all, but is beside another's.

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
  """Where the best value of an axis loses, since it depends on another axis.

  For each value of each other axis, the best value over all is compared with
  every other one by the paired t test over seeds, corrected for all of them.
  """
  found: list[Reversal] = []
  for axis in results.few:
    overall = levels(results, axis)
    if not overall:
      continue
    usual, tried = overall[0].level, []
    for other in results.few:
      for at in results.levels(other) if other != axis else ():
        by_level = results.where({other: at}).by_level(axis)
        tried += [
            (other, at, level,
             results.scale.paired(by_level[usual], by_level[level]))
            for level in by_level if level != usual
            and by_level.get(usual, {}).keys() & by_level[level].keys()]
    sign = 1 if results.lower else -1
    best: dict[tuple[str, Any], Reversal] = {}
    for (other, at, level, x), p in zip(
        tried, holm([x.p for *_, x in tried]), strict=True):
      if sign * x.mean > 0 and p < LEVEL:
        low, high = sorted((sign * x.low, sign * x.high))
        new = Reversal(axis, level, usual, other, at,
                       (sign * x.mean, low, high), float(p), len(tried))
        if (other, at) not in best or new.size > best[other, at].size:
          best[other, at] = new
    found += best.values()
  return found


def main_effects(results: Results) -> dict[str, float]:
  """The share of the variance of ranks that each axis explains alone.

  It is eta squared of a one-way analysis of variance; ranks, since a diverged
  run is only known to be worse than all others. Numbers that were drawn are
  put into five equal groups.
  """
  ranks = stats.rankdata(results.counted)
  total = ((ranks - ranks.mean())**2).sum()
  effects = {}
  for axis in results.axes:
    groups = _groups(results, axis)
    sizes = np.bincount(groups)
    means = np.bincount(groups, ranks) / np.maximum(sizes, 1)
    between = (sizes * (means - ranks.mean())**2).sum()
    effects[axis] = float(between / total) if total else 0.
  return effects


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

  Optuna's, of at most MOST_TRIALS runs that are drawn from all.

  Returns:
    {axis: share}, which add up to 1; {} of a study with fewer than two axes.

  Raises:
    ValueError: Optuna or scikit-learn is missing.
  """
  axes = results.axes
  if len(axes) < 2:
    return {}
  optuna: Any = require('optuna', 'a study')
  require('sklearn', 'a study')
  optuna.logging.set_verbosity(optuna.logging.ERROR)
  places = np.arange(len(results.rows))
  if len(places) > MOST_TRIALS:
    places = np.random.default_rng(seed).choice(
        places, MOST_TRIALS, replace=False)
  counted = stats.rankdata(results.counted)
  laws: dict[str, Any] = {}
  numbers: dict[str, dict[Any, float]] = {}
  for axis in axes:
    found = results.levels(axis)
    if results.is_drawn(axis):
      laws[axis] = optuna.distributions.FloatDistribution(
          found[0], found[-1], log=results.is_log(axis))
      numbers[axis] = _coarse(found)
    else:
      laws[axis] = optuna.distributions.CategoricalDistribution(
          range(len(found) + 1))
      numbers[axis] = {x: i for i, x in enumerate([*found, None])}
  study = optuna.create_study()
  study.add_trials([optuna.trial.create_trial(
      params={axis: numbers[axis][results.rows[i].point.get(axis)]
              for axis in axes},
      distributions=laws, value=float(counted[i])) for i in places.tolist()])
  return optuna.importance.get_param_importances(
      study, evaluator=optuna.importance.FanovaImportanceEvaluator(
          n_trees=TREES, max_depth=DEPTH, seed=seed))


def _coarse(found: list[float]) -> dict[float, float]:
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

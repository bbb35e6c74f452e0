"""How a study's points are chosen: at random, by TPE, or by a bandit.

Points come in rounds. A round depends on the study and on the values of the
rounds before it alone, so that every worker would choose the same points, and
it does not matter which of them does.
"""
from collections.abc import Callable, Sequence
import math
from typing import Any, NamedTuple
import warnings

import numpy as np

from msg_gan_jax.files.optional import require
from msg_gan_jax.study.space import Axis, Choices, Point, Range

DIGITS = 4  # Of a drawn number: a rate of .0002137 is told apart, and readable.


class Tried(NamedTuple):
  """A point of an earlier round.

  Attributes:
    point: {axis: value}.
    value: less is better; a diverged run's is the worst of any.
  """
  point: Point
  value: float


def at_random(axes: dict[str, Axis], tried: Sequence[Tried], count: int,
              seed: int) -> list[Point]:
  """Points drawn one by one from the laws of the axes.

  Args:
    axes: what is chosen.
    tried: not looked at.
    count: how many points are wanted.
    seed: of this round.
  """
  del tried
  rng = np.random.default_rng(seed)
  return [_point(axes, rng.uniform(size=len(axes))) for _ in range(count)]


def tpe(axes: dict[str, Axis], tried: Sequence[Tried], count: int,
        seed: int) -> list[Point]:
  """Points by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011).

  Points of one round take each other for bad ones ("constant liar"), and so
  keep apart; arguments as of `at_random`.
  """
  optuna: Any = require('optuna', 'a study')
  optuna.logging.set_verbosity(optuna.logging.ERROR)
  laws = {name: _distribution(optuna, axis) for name, axis in axes.items()}
  with warnings.catch_warnings():  # Before Optuna 5 it is an experiment.
    warnings.simplefilter('ignore', optuna.exceptions.ExperimentalWarning)
    sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=True)
  study = optuna.create_study(sampler=sampler)
  study.add_trials([
      optuna.trial.create_trial(
          params=_as_positions(axes, x.point), distributions=laws,
          value=x.value) for x in tried])
  asked = [study.ask(laws).params for _ in range(count)]
  return [_from_positions(axes, params) for params in asked]


def bandit(axes: dict[str, Axis], tried: Sequence[Tried], count: int,
           seed: int, candidates: int = 4096) -> list[Point]:
  """Points by a Gaussian process with upper confidence bounds.

  Srinivas et al. 2010 (arXiv:0912.3995), with the weight of `_beta`. Within a
  round each point is taken to have the value that the process expects of it
  (GP-BUCB, Desautels et al. 2014). Axes lie in [0, 1], rows of choices on
  coordinates of their own. The kernel is Matern's, nu = 2.5, with a length for
  each coordinate and noise, fitted by maximum likelihood. The first round is at
  random; arguments as of `at_random`.
  """
  if not tried:
    return at_random(axes, tried, count, seed)
  process = _process(axes, seed)
  rng = np.random.default_rng(seed)
  drawn = rng.uniform(size=(candidates, len(axes)))
  points = [_point(axes, row) for row in drawn]
  places = np.stack([_place(axes, point) for point in points])
  x = np.stack([_place(axes, t.point) for t in tried])
  # Standard values; larger is better for the bound.
  y = -_standard(np.array([t.value for t in tried]))
  chosen: list[Point] = []
  for _ in range(count):
    with warnings.catch_warnings(action='ignore'):  # Of lengths at an end.
      process.fit(x, y)
    mean, deviation = process.predict(places, return_std=True)
    bound = mean + math.sqrt(_beta(len(x), x.shape[1])) * deviation
    best = int(np.argmax(bound))
    chosen.append(points[best])
    x, y = np.vstack([x, places[best]]), np.append(y, mean[best])
    # What is only expected says nothing of the kernel: it stays as fitted.
    process.set_params(kernel=process.kernel_, optimizer=None)
  return chosen


Sampler = Callable[[dict[str, Axis], Sequence[Tried], int, int], list[Point]]
SAMPLERS: dict[str, Sampler] = {
    'random': at_random, 'tpe': tpe, 'bandit': bandit}


def _process(axes, seed):
  require('sklearn', 'a study')
  from sklearn.gaussian_process import GaussianProcessRegressor, kernels
  width = sum(_widths(axes))
  kernel = kernels.Matern(
      np.full(width, .3), (.05, 5.), nu=2.5) + kernels.WhiteKernel(
          .1, (1e-4, 1.))
  return GaussianProcessRegressor(
      kernel, n_restarts_optimizer=2, random_state=seed)


def _beta(t, d, delta=.1):
  """The weight of the variance after t points in d coordinates.

  It is that of Brochu et al. 2010 (arXiv:1012.2599), p. 15, and not that of
  Srinivas et al.'s theorem 2, whose constants of the function nobody knows;
  over 5, as in the experiments of Srinivas et al. (section 6).
  """
  return 2 * math.log(t**(d / 2 + 2) * math.pi**2 / (3 * delta)) / 5


def _standard(values):
  return (values - values.mean()) / max(values.std(), 1e-12)


def _point(axes, uniform):
  """Numbers in [0, 1) -> a point."""
  return {name: _value(axis, x)
          for (name, axis), x in zip(axes.items(), uniform, strict=True)}


def _value(axis, x):
  if isinstance(axis, Choices):
    return [*axis.rows][int(x * len(axis.rows))]
  if axis.whole:
    return int(axis.low) + int(x * (int(axis.high) - int(axis.low) + 1))
  if axis.log:
    value = axis.low * (axis.high / axis.low)**x
  else:
    value = axis.low + (axis.high - axis.low) * x
  return min(max(float(f'{value:.{DIGITS}g}'), axis.low), axis.high)


def _widths(axes):
  """How many coordinates each axis has."""
  return [len(axis.rows) if isinstance(axis, Choices) else 1
          for axis in axes.values()]


def _place(axes, point):
  """A point -> its coordinates, each in [0, 1]."""
  parts = []
  for name, axis in axes.items():
    if isinstance(axis, Choices):
      row = [*axis.rows].index(point[name])
      # Two rows are as far apart as the two ends of a range.
      parts.append(np.eye(len(axis.rows))[row] / math.sqrt(2))
    else:
      parts.append([_position(axis, point[name])])
  return np.concatenate(parts)


def _position(axis: Range, value):
  if axis.log:
    return math.log(value / axis.low) / math.log(axis.high / axis.low)
  return (value - axis.low) / (axis.high - axis.low)


def _distribution(optuna, axis):
  kinds = optuna.distributions
  if isinstance(axis, Choices):  # Rows may be named by anything.
    return kinds.CategoricalDistribution(range(len(axis.rows)))
  if axis.whole:
    return kinds.IntDistribution(int(axis.low), int(axis.high))
  return kinds.FloatDistribution(axis.low, axis.high, log=axis.log)


def _as_positions(axes, point):
  """Rows by their position, as `_distribution` has them."""
  return {name: [*axis.rows].index(point[name])
          if isinstance(axis, Choices) else point[name]
          for name, axis in axes.items()}


def _from_positions(axes, params):
  point = {}
  for name, axis in axes.items():
    value = params[name]
    if isinstance(axis, Choices):
      value = [*axis.rows][value]
    elif not axis.whole:
      value = min(max(float(f'{value:.{DIGITS}g}'), axis.low), axis.high)
    point[name] = value
  return point

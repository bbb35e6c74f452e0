"""A linear classifier of features, its one setting chosen by validation.

Features are centred and divided by their deviation over the labelled rows, and
then by the root of their number: the rows have length 1 in the mean, so that
one grid of C is right for few features and for many.
"""
from collections.abc import Sequence
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy import optimize

from msg_gan_jax.arrays.compilation import jit
from msg_gan_jax.metrics.functional.proportions import Proportion

GRID = tuple(10.**(i / 2) for i in range(-4, 3))  # .01 to 10.
VALIDATED = 5  # One labelled row in so many is kept for validation.
WORSE = 2  # So many C in a row that are worse end the search.
_MOST_STEPS = 500  # Of the optimizer.
_Z = 1.959964  # Of which 2.5 % of a standard normal are more.


class Chosen(NamedTuple):
  """The C of the best validation.

  Attributes:
    c: of equally good ones the smallest.
    accuracies: {C: share of the validated rows that are right}, of all.
  """
  c: float
  accuracies: dict[float, float]

  @property
  def at_edge(self) -> bool:
    """Whether a C beyond those that were tried might be better."""
    return self.c in (min(self.accuracies), max(self.accuracies))


def scaled(train: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
  """Features as the classifier is given them, by the moments of `train`.

  Args:
    train: [n, d], the labelled rows.
    others: [m, d] each.

  Returns:
    float32, of the same shapes.
  """
  mean, deviation = train.mean(0, dtype=np.float64), train.std(
      0, dtype=np.float64)
  # A feature that is the same in all rows tells nothing.
  scale = np.divide(1, deviation, out=np.zeros_like(deviation),
                    where=deviation > 1e-6 * np.abs(mean))
  scale /= math.sqrt(max(1, int(np.count_nonzero(scale))))
  return tuple(((x - mean) * scale).astype(np.float32)
               for x in (train, *others))


def choose(features: np.ndarray, labels: np.ndarray, seed: int = 0,
           grid: Sequence[float] = GRID) -> Chosen:
  """The C by which a part of the labelled rows teaches the others best.

  The grid is gone up, each C from the weights of the one before, until two in
  a row are worse than the best: larger ones take longest.

  Args:
    features: [n, d], see `scaled`.
    labels: int [n]; a fifth of each class, drawn by the seed, is validated.
    seed: of the draw.
    grid: the C that are tried, ascending.

  Raises:
    ValueError: a class has a single row.
  """
  validated = np.zeros(len(labels), bool)
  rng = np.random.default_rng(seed)
  for label in np.unique(labels):
    rows = rng.permutation(np.flatnonzero(labels == label))
    if len(rows) < 2:
      raise ValueError(
          f'labels: one row of the class {label}; wanted at least 2, of which '
          'one is validated.')
    validated[rows[:max(1, len(rows) // VALIDATED)]] = True
  right: dict[float, float] = {}
  weights = None
  for c in grid:
    weights = fit(features[~validated], labels[~validated], c, weights)
    found = predict(weights, np.unique(labels), features[validated])
    right[float(c)] = float((found == labels[validated]).mean())
    if len(right) > WORSE and max([*right.values()][-WORSE:]) < max(
        right.values()):
      break
  return Chosen(min(right, key=lambda c: (-right[c], c)), right)


def fit(train: np.ndarray, labels: np.ndarray, c: float,
        start: np.ndarray | None = None) -> np.ndarray:
  """Weights [d + 1, classes] of a linear L2-SVM, the last row its biases.

  One class against all others: half the squared norm of weights and bias, plus
  C times the sum of squared hinges, which is what LIBLINEAR and scikit-learn's
  LinearSVC minimize. Many rows of many features take them minutes, as
  products of matrices seconds.

  Args:
    train: [n, d], see `scaled`.
    labels: int [n].
    c: weight of the hinges.
    start: weights to begin from; None is 0.

  Source: Tang 2013 (arXiv:1306.0239), eq. 5; LIBLINEAR (Fan et al. 2008).
  """
  classes = np.unique(labels)
  x = jnp.asarray(_with_ones(train))
  signs = jnp.where(labels[:, None] == classes, 1., -1.)
  shape = x.shape[1], len(classes)

  def loss(flat):
    value, slope = _loss(jnp.asarray(flat, jnp.float32).reshape(shape),
                         x, signs, c)
    return float(value), np.asarray(slope, np.float64).ravel()

  found = optimize.minimize(
      loss, np.zeros(shape).ravel() if start is None else start.ravel(),
      jac=True, method='L-BFGS-B',
      options={'maxiter': _MOST_STEPS, 'maxcor': 20, 'ftol': 1e-6, 'gtol': 0})
  return found.x.reshape(shape)


def predict(weights: np.ndarray, classes: np.ndarray,
            rows: np.ndarray) -> np.ndarray:
  """int [m]: the class of each row.

  Args:
    weights: of `fit`.
    classes: those of its labels, ascending.
    rows: [m, d].
  """
  scores = jnp.asarray(_with_ones(rows)) @ jnp.asarray(weights, jnp.float32)
  return classes[np.asarray(scores.argmax(1))]


def _with_ones(x):
  return np.concatenate([x, np.ones((len(x), 1))], 1, dtype=np.float32)


@jit
def _loss(weights, x, signs, c):
  """(loss, its gradient [d + 1, classes]) of all classes together."""
  def loss(weights):
    hinges = jnp.maximum(0, 1 - signs * (x @ weights))
    return .5 * (weights**2).sum() + c * (hinges**2).sum()

  return jax.value_and_grad(loss)(weights)


def difference(right: np.ndarray, other: np.ndarray) -> Proportion:
  """By how much more rows are right by one classifier than by another.

  The interval of 95 % is that of a mean over rows which both have seen.

  Args:
    right, other: bool [n], of the same rows.
  """
  gaps = right.astype(np.float64) - other
  half = _Z * gaps.std(ddof=1) / math.sqrt(len(gaps))
  return Proportion(float(gaps.mean()), float(gaps.mean() - half),
               float(gaps.mean() + half))

"""A linear classifier of features, its one setting chosen by validation.

Features are centred and divided by their deviation over the labelled rows, and
then by the root of their number: the rows have length 1 in the mean, so that
one grid of C is right for few features and for many.
"""
from collections.abc import Sequence
import math
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.files.optional import require
from msg_gan_jax.metrics.functional.proportions import Proportion

GRID = tuple(10.**(i / 2) for i in range(-4, 3))  # .01 to 10.
VALIDATED = 5  # One labelled row in so many is kept for validation.
WORSE = 2  # So many C in a row that are worse end the search.
_TOLERANCE = 1e-3  # Of LIBLINEAR; a tenth of it moves no accuracy by .1 %.
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

  The grid is gone up until two C in a row are worse than the best: larger ones
  take longest.

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
  for c in grid:
    found = fit(features[~validated], labels[~validated], c).predict(
        features[validated])
    right[float(c)] = float((found == labels[validated]).mean())
    if len(right) > WORSE and max([*right.values()][-WORSE:]) < max(
        right.values()):
      break
  return Chosen(min(right, key=lambda c: (-right[c], c)), right)


def fit(train: np.ndarray, labels: np.ndarray, c: float) -> Any:
  """A linear L2-SVM, scikit-learn's LinearSVC.

  One class against all others: half the squared norm of weights and bias, plus
  C times the sum of squared hinges.

  Args:
    train: [n, d], see `scaled`.
    labels: int [n].
    c: weight of the hinges.

  Raises:
    ValueError: scikit-learn is not installed.

  Source: Tang 2013 (arXiv:1306.0239), eq. 5; LIBLINEAR (Fan et al. 2008).
  """
  require('sklearn', 'a linear probe')
  from sklearn import svm
  return svm.LinearSVC(C=c, dual='auto', tol=_TOLERANCE, max_iter=10_000,
                       random_state=0).fit(train, labels)


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

"""Numbers of conditional generators: class by class, and of the right class."""
from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class ByClass(NamedTuple):
  """A number for each class.

  Attributes:
    mean: over the classes.
    by_class: {class: value}.
  """

  mean: float
  by_class: dict[int, float]


def by_class(statistic: Callable[[np.ndarray, np.ndarray], float],
             real: np.ndarray, real_labels: np.ndarray, fake: np.ndarray,
             fake_labels: np.ndarray) -> ByClass:
  """A statistic of two sets for each class of the reals.

  Args:
    statistic: (real rows, fake rows) -> float, of one class.
    real: [n, ...], real_labels: int [n].
    fake: [m, ...], fake_labels: int [m], those that the generator was asked
      for.

  Returns:
    ByClass; with a Fréchet distance, its mean is the intra-class FID.

  Raises:
    ValueError: labels of another count, a real class without fakes, or what
      the statistic says, with its class.

  Source: Miyato & Koyama 2018 (arXiv:1802.05637), sec. 4.
  """
  real, fake = np.asarray(real), np.asarray(fake)
  real_labels, fake_labels = np.asarray(real_labels), np.asarray(fake_labels)
  for name, rows, labels in (('real', real, real_labels),
                             ('fake', fake, fake_labels)):
    if labels.shape != rows.shape[:1]:
      raise ValueError(
          f'by_class: wanted a label for each of {len(rows)} rows of {name}, '
          f'found {list(labels.shape)}.')
  classes = np.unique(real_labels)
  missing = np.setdiff1d(classes, fake_labels)
  if not len(classes) or len(missing):
    raise ValueError(
        f'by_class: wanted fakes of each of the classes {classes.tolist()}, '
        f'found none of {missing.tolist()}.')
  values = {}
  for label in classes.tolist():
    try:
      values[label] = float(statistic(
          real[real_labels == label], fake[fake_labels == label]))
    except ValueError as error:
      raise ValueError(f'by_class: class {label}: {error}') from error
  return ByClass(float(np.mean(list(values.values()))), values)


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
  """Share of rows whose largest logit is that of their label.

  Args:
    logits: [n, classes] of a classifier of real images, on fakes.
    labels: int [n] in 0 .. classes - 1, those that the generator was asked
      for.

  Returns:
    Python float in 0 .. 1. A row with a nan is wrong. It says as much of the
    classifier as of the generator: print its accuracy on held-out reals too.

  Raises:
    ValueError: other shapes, or labels that there are no logits for.

  Source: Shmelkov et al. 2018 (arXiv:1807.09499), sec. 3, GAN-test.
  """
  logits, labels = np.asarray(logits), np.asarray(labels)
  if logits.ndim != 2 or labels.shape != logits.shape[:1] or not len(labels):
    raise ValueError(
        f'accuracy: wanted logits [n, classes] and labels [n], found '
        f'{list(logits.shape)} and {list(labels.shape)}.')
  if labels.min() < 0 or labels.max() >= logits.shape[1]:
    raise ValueError(
        f'accuracy: wanted labels in 0 .. {logits.shape[1] - 1}, found '
        f'{labels.min()} .. {labels.max()}.')
  right = logits.argmax(axis=1) == labels
  return float((right & ~np.isnan(logits).any(axis=1)).mean())

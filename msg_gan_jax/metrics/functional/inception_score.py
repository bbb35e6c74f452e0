"""The Inception score: how sure a classifier is, and how evenly it chooses."""
from typing import NamedTuple

import numpy as np
from scipy import special

from msg_gan_jax.metrics.functional import checks


class InceptionScore(NamedTuple):
  """A score and how it was computed.

  Attributes:
    value: the mean over splits, 1 .. classes.
    std: population deviation over splits, which is not a standard error of n
      samples.
    splits, shuffle: as given.
    n: how many rows.
    warnings: sentences; none where nothing is wrong.
  """

  value: float
  std: float
  splits: int
  shuffle: bool
  n: int
  warnings: tuple[str, ...]


def inception_score(logits: np.ndarray, splits: int = 10,
                    shuffle: bool = False, seed: int = 2020) -> InceptionScore:
  """exp of the mean KL divergence of each row's classes from their mean.

  Args:
    logits: [n, classes] of a classifier, n at least `splits`. The peers take
      the Inception network's without the bias; of another classifier this is
      a classifier score and compares with no published number.
    splits: how many parts of n / splits rows, in order, are scored apart. The
      score of few rows is too low, by a bias of order classes / rows: ten
      splits score lower than one.
    shuffle: permutes the rows first, as torch-fidelity does by default, which
      a set needs that has no order of its own: sorted by class, each split
      would see few classes.
    seed: of that, for numpy's RandomState.

  Raises:
    ValueError: not a matrix, not finite, or fewer rows than splits.

  Source: Salimans et al. 2016 (arXiv:1606.03498), sec. 4, as torch-fidelity
  has it; for its traps Barratt & Sharma 2018 (arXiv:1801.01973).
  """
  if splits < 1:
    raise ValueError(
        f'inception_score: wanted at least 1 split, found {splits}.')
  x, = checks.sets('inception_score', splits, logits=logits)
  n, classes = x.shape
  if shuffle:
    x = x[np.random.RandomState(seed).permutation(n)]
  log_p = special.log_softmax(x.astype(np.float64), axis=1)
  bounds = [i * n // splits for i in range(splits + 1)]
  scores = [_of_split(log_p[a:b])
            for a, b in zip(bounds, bounds[1:], strict=False)]
  warnings = []
  if n // splits < classes:
    warnings.append(
        f'{n // splits} rows a split cannot show {classes} classes; the score '
        f'is at most {n // splits}.')
  return InceptionScore(float(np.mean(scores)), float(np.std(scores)), splits,
                        shuffle, n, tuple(warnings))


def _of_split(log_p):
  log_q = special.logsumexp(log_p, axis=0) - np.log(len(log_p))
  return np.exp((np.exp(log_p) * (log_p - log_q)).sum(axis=1).mean())

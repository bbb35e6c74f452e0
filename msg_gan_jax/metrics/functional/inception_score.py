"""The Inception score: how sure a classifier is, and how evenly it chooses."""
import numpy as np

from msg_gan_jax.metrics.functional import checks


def score(logits, splits=10, shuffle=False, seed=2020):
  """exp of the mean KL divergence of each row's classes from their mean.

  Args:
    logits: [n, classes] of a classifier, n at least `splits`. The peers take
      the Inception network's without the bias; of another classifier this is
      a classifier score and compares with no published number.
    splits: chunks of rows i n / splits to (i + 1) n / splits, scored apart; of
      n rows one split is larger than ten, by a bias of order classes / n.
    shuffle: permutes the rows first, as torch-fidelity does by default, which
      a set that is sorted by class needs.
    seed: of that, for numpy's RandomState.

  Returns:
    dict of 'value', the mean over splits, 1 .. classes; 'std', their
    population deviation, which is no standard error of n samples; 'splits',
    'shuffle', 'n', 'warnings'.

  Raises:
    ValueError: no matrix, not finite, or fewer rows than splits.

  Source: Salimans et al. 2016 (arXiv:1606.03498), sec. 4, as torch-fidelity
  has it; for its traps Barratt & Sharma 2018 (arXiv:1801.01973).
  """
  if splits < 1:
    raise ValueError(f'score: wanted at least 1 split, found {splits}.')
  x, = checks.sets('score', splits, logits=logits)
  n, classes = x.shape
  if shuffle:
    x = x[np.random.RandomState(seed).permutation(n)]
  log_p = _log_normalize(x.astype(np.float64), axis=1)
  bounds = [i * n // splits for i in range(splits + 1)]
  scores = [_one(log_p[a:b]) for a, b in zip(bounds, bounds[1:], strict=False)]
  warnings = []
  if n // splits < classes:
    warnings.append(
        f'{n // splits} rows a split cannot show {classes} classes; the score '
        f'is at most {n // splits}.')
  return {'value': float(np.mean(scores)), 'std': float(np.std(scores)),
          'splits': splits, 'shuffle': shuffle, 'n': n, 'warnings': warnings}


def _one(log_p):
  log_q = _log_sum(log_p, axis=0) - np.log(len(log_p))
  return np.exp((np.exp(log_p) * (log_p - log_q)).sum(axis=1).mean())


def _log_normalize(x, axis):
  return x - _log_sum(x, axis)


def _log_sum(x, axis):
  """log of the sum of exp, with the axis kept; no size of x overflows."""
  most = x.max(axis=axis, keepdims=True)
  return most + np.log(np.exp(x - most).sum(axis=axis, keepdims=True))

"""The kernel distance: an unbiased squared MMD, over subsets or whole sets."""
from typing import NamedTuple

import numpy as np

from msg_gan_jax.metrics.functional import checks

_BLOCK = 2**11  # Rows at a time: a block of the kernel has 32 MB.


class Kid(NamedTuple):
  """A kernel distance and how it was computed.

  Attributes:
    value: the mean over subsets.
    std: population deviation over subsets.
    standard_error: of the value, over the samples of both sets.
    subsets: how many.
    size: rows of a subset, as used.
    warnings: sentences; none where nothing is wrong.
  """

  value: float
  std: float
  standard_error: float
  subsets: int
  size: int
  warnings: tuple[str, ...]


class Mmd2(NamedTuple):
  """A squared MMD, which may be negative, and its standard error."""

  value: float
  standard_error: float


def kid(real: np.ndarray, fake: np.ndarray, subsets: int = 100,
        size: int = 1000, seed: int = 2020) -> Kid:
  """Mean unbiased squared MMD over random subsets, as torch-fidelity has it.

  A hundred subsets of 1,000 x 2,048 take half a minute of one core.

  Args:
    real, fake: [n, d]; the arithmetic is float64 whatever their type.
    subsets: how many pairs of subsets; mimicry has 50, the others 100.
    size: rows of a subset, without replacement. Where a set is smaller, its
      number of rows is the size, with a warning (torch-fidelity stops there,
      StyleGAN2-ADA lowers silently).
    seed: of numpy's RandomState, which draws for each pair a subset of the
      fakes first, then one of the reals: torch-fidelity's order for the
      generator as input 1 and the data as input 2, and StyleGAN2-ADA's.

  Raises:
    ValueError: as `checks.sets`.

  Source: Binkowski et al. 2018 (arXiv:1801.01401), sec. 4.
  """
  real, fake = checks.sets('kid', real=real, fake=fake)
  warnings = []
  least = min(len(real), len(fake))
  if subsets < 1 or size < 2:
    raise ValueError(
        f'kid: wanted at least 1 subset of at least 2 rows, found {subsets} '
        f'of {size}.')
  if least < size:
    warnings.append(
        f'size lowered from {size} to {least}, the rows of the smaller set; '
        'values of other sizes have another spread.')
    size = least
  rng = np.random.RandomState(seed)
  values = np.empty(subsets)
  for i in range(subsets):
    y = fake[rng.choice(len(fake), size, replace=False)]
    x = real[rng.choice(len(real), size, replace=False)]
    values[i] = _mmd2(x, y)
  return Kid(float(values.mean()), float(values.std()),
             _error(real, fake, values, size), subsets, size, tuple(warnings))


def mmd2(real: np.ndarray, fake: np.ndarray) -> Mmd2:
  """Squared MMD of whole sets, and its standard error over both sets' samples.

  The squared MMD says how much more alike rows of one set are than rows of
  different sets. With the kernel k(x, y) = (x.y / d + 1)^3 it is the mean of
  k within `real`, plus that within `fake`, less twice the mean across.

  The error is found from the same kernel matrices: first, how much the mean
  changes from row to row, less the noise that these row means have
  themselves; second, what is left of the kernel once the means of rows and
  columns are taken off. The second part makes it right for equal distributions
  too, where the first vanishes.

  Args:
    real: [n, d].
    fake: [m, d]; a few dozen rows or more each for the error to mean much.

  Returns:
    Mmd2; the value is 0 in the mean where both sets come from one
    distribution.

  Source: Gretton et al. 2012, eq. 3, with all n m pairs of the two sets (the
  peers' "unbiased", not their "u-statistic"); for the error Hoeffding's
  decomposition of a U-statistic of two samples. Sutherland et al. 2017
  (arXiv:1611.04488), sec. 3, has it for n = m.
  """
  real, fake = checks.sets('mmd2', real=real, fake=fake)
  xx, yy, xy = _within(real), _within(fake), _across(real, fake)
  n, m = len(real), len(fake)
  # What one row adds, less what the finite other rows add to its variance.
  first = (
      4 / n * (np.var(xx.rows - xy.rows, ddof=1) - xx.rest / n - xy.rest / m)
      + 4 / m * (np.var(yy.rows - xy.columns, ddof=1)
                 - yy.rest / m - xy.rest / n))
  second = (2 / (n * (n - 1)) * xx.rest + 2 / (m * (m - 1)) * yy.rest
            + 4 / (n * m) * xy.rest)
  return Mmd2(float(xx.mean + yy.mean - 2 * xy.mean),
              float(np.sqrt(max(0., first) + second)))


class _Kernel(NamedTuple):
  """A kernel matrix in short.

  Attributes:
    rows, columns: its means, [n] and [m].
    mean: of all.
    rest: mean square of what rows' and columns' means do not explain.
  """

  rows: np.ndarray
  columns: np.ndarray
  mean: float
  rest: float


def _within(x):
  """Of one set with itself, without the diagonal."""
  n = len(x)
  rows, square = np.zeros(n), 0.
  for i in range(0, n, _BLOCK):
    for j in range(i, n, _BLOCK):
      block = _kernel(x[i:i + _BLOCK], x[j:j + _BLOCK])
      if i == j:
        np.fill_diagonal(block, 0.)
      else:
        rows[j:j + _BLOCK] += block.sum(axis=0)
      rows[i:i + _BLOCK] += block.sum(axis=1)
      square += (1 if i == j else 2) * np.vdot(block, block)
  return _shorten(rows / (n - 1), rows / (n - 1), square / (n * (n - 1)))


def _across(x, y):
  rows, columns, square = np.zeros(len(x)), np.zeros(len(y)), 0.
  for i in range(0, len(x), _BLOCK):
    for j in range(0, len(y), _BLOCK):
      block = _kernel(x[i:i + _BLOCK], y[j:j + _BLOCK])
      rows[i:i + _BLOCK] += block.sum(axis=1)
      columns[j:j + _BLOCK] += block.sum(axis=0)
      square += np.vdot(block, block)
  return _shorten(
      rows / len(y), columns / len(x), square / (len(x) * len(y)))


def _shorten(rows, columns, square):
  mean = rows.mean()
  rest = square - np.square(rows).mean() - np.square(columns).mean() + mean**2
  return _Kernel(rows, columns, mean, max(0., rest))


def _kernel(x, y):
  """(x.y / d + 1)^3, float64 [n, m]."""
  same = x is y
  x = x.astype(np.float64, copy=False)
  # numpy multiplies a matrix with its own transpose in half the time.
  block = x @ (x if same else y.astype(np.float64, copy=False)).T
  block /= x.shape[1]
  block += 1
  square = block * block
  return np.multiply(block, square, out=block)


def _mmd2(x, y):
  within = sum(
      (block.sum() - np.trace(block)) / (len(z) * (len(z) - 1))
      for z, block in ((z, _kernel(z, z)) for z in (x, y)))
  return float(within - 2 * _kernel(x, y).mean())


def _error(real, fake, values, size):
  """Standard error of a mean over overlapping subsets of finite sets.

  Subsets that share a finite set vary less than fresh ones, by 1 - share; the
  set's own variance is a subset's times the share (or its square where the
  distributions are equal: then this is too much).
  """
  share = size / min(len(real), len(fake))
  if share > .5:  # Too alike to tell anything, and few enough to take all.
    return mmd2(real, fake).standard_error
  fresh = values.var(ddof=1) / (1 - share) if len(values) > 1 else np.nan
  return float(np.sqrt(fresh * (share + (1 - share) / len(values))))

"""The Fréchet distance of two Gaussians, its error bar, and its limit in n."""
from typing import NamedTuple

import numpy as np

from msg_gan_jax.metrics.functional import checks

_BLOCK = 2**12  # Rows at a time in float64.
FEWEST = 20  # Rows of whose parts a line in 1/n is made.
_FEW = 2048  # Below, the peers' own documents advise against the distance.


class Moments(NamedTuple):
  """What the distance needs of a set.

  Attributes:
    n: how many rows; None where nobody has written it down.
    mean: float64 [d].
    scatter: float64 [d, d], the sum of outer products about the mean; where n
      is None, the covariance itself.
  """

  n: int | None
  mean: np.ndarray
  scatter: np.ndarray

  def covariance(self, ddof: int = 1) -> np.ndarray:
    """scatter / (n - ddof); 1 in pytorch-fid, 0 in StyleGAN2-ADA.

    Where n is None it is what is known, whatever `ddof` is.
    """
    return self.scatter if self.n is None else self.scatter / (self.n - ddof)


class Frechet(NamedTuple):
  """A distance and how far it can be trusted.

  Attributes:
    value: mean_term + trace_term, but never below 0.
    mean_term: squared distance of the means.
    trace_term: tr S1 + tr S2 - 2 tr (S1 S2)^(1/2).
    rank_real, rank_fake: of the covariances, as float64 can tell.
    warnings: sentences; none where nothing is wrong.
  """

  value: float
  mean_term: float
  trace_term: float
  rank_real: int
  rank_fake: int
  warnings: tuple[str, ...]


class Infinity(NamedTuple):
  """The distance for infinitely many fakes.

  Attributes:
    value: the intercept of the line, in 1/n, through distances of subsets.
    slope: of that line.
    standard_error: of the intercept, by the residuals of the line; the
      sampling of the whole set is not in it.
    r2: the share of the variance of the distances that the line explains.
    sizes: of the subsets.
    values: the distance of each.
    warnings: sentences; none where nothing is wrong.
  """

  value: float
  slope: float
  standard_error: float
  r2: float
  sizes: tuple[int, ...]
  values: tuple[float, ...]
  warnings: tuple[str, ...]


def moments(features: np.ndarray) -> Moments:
  """Moments of features [n, d], in float64 in two passes; n at least 2."""
  x, = checks.sets('moments', features=features)
  # About a row, so that the mean of equal rows is that row to the last digit.
  shift = x[0].astype(np.float64)
  blocks = [x[i:i + _BLOCK] for i in range(0, len(x), _BLOCK)]
  mean = shift + sum((block - shift).sum(axis=0) for block in blocks) / len(x)
  scatter = np.zeros((len(mean), len(mean)))
  for block in blocks:
    centred = block - mean
    scatter += centred.T @ centred
  return Moments(len(x), mean, scatter)


def frechet(real: Moments, fake: Moments, ddof: int = 1) -> Frechet:
  """Squared Fréchet (2-Wasserstein) distance of the Gaussians of two sets.

  Args:
    real, fake: Moments of features of one width.
    ddof: 1 divides the scatters by n - 1 (pytorch-fid, torch-fidelity), 0 by
      n (StyleGAN2-ADA).

  Returns:
    Frechet; a collapsed set (constant rows) has a distance like any other.

  Raises:
    ValueError: two widths, or moments that are not finite.

  Source: Dowson & Landau 1982; Heusel et al. 2017 (arXiv:1706.08500), eq. 6.
  The peers take scipy's sqrtm of S1 S2, which is not symmetric and may come
  out complex. With S1 = F1 F1^T and S2 = F2 F2^T the trace of that root is the
  sum of the singular values of F2^T F1, which are real at any rank.
  """
  _check(real, fake)
  s_real, s_fake = real.covariance(ddof), fake.covariance(ddof)
  return _distance(real, fake, s_real, s_fake, factor(s_real))


def root_trace(factor_real: np.ndarray, factor_fake: np.ndarray) -> float:
  """tr (S1 S2)^(1/2) from F1 [d, r1], F2 [d, r2] with Si = Fi Fi^T."""
  if factor_real.shape[1] > factor_fake.shape[1]:
    factor_real, factor_fake = factor_fake, factor_real
  if not factor_real.shape[1]:
    return 0.
  product = factor_fake.T @ factor_real
  squares = np.linalg.eigvalsh(product.T @ product)
  return float(np.sqrt(np.maximum(squares, 0.)).sum())


def factor(square: np.ndarray) -> np.ndarray:
  """F [d, r] with F F^T = square, r the numerical rank.

  Args:
    square: float64 [d, d], symmetric, without negative eigenvalues.

  Cholesky's where the matrix has full rank (a tenth of the time), else the
  scaled eigenvectors whose eigenvalue is beyond rounding: the others would
  each add the root of a rounding error, which is not small.
  """
  tiny = len(square) * np.finfo(np.float64).eps
  try:
    lower = np.linalg.cholesky(square)
    if np.diag(lower).min()**2 > tiny * np.diag(square).max():
      return lower
  except np.linalg.LinAlgError:
    pass
  values, vectors = np.linalg.eigh(square)
  positive = values > max(0., tiny * values[-1])
  return vectors[:, positive] * np.sqrt(values[positive])


def standard_error(real: Moments, fake_features: np.ndarray,
                   ddof: int = 1) -> float:
  """How far the distance would move with other fake samples.

  To first order, each fake row moves the distance by an amount of its own, its
  influence. The error is the standard deviation of these amounts over sqrt(n)
  (the delta method).

  Args:
    real: Moments, taken as exact.
    fake_features: [n, d].
    ddof: as in `frechet`.

  Returns:
    Python float. It leaves out the distance's bias, which falls as 1/n and may
    be larger, and the sampling of the reals. For the error of two sampled sets
    A and B take hypot(standard_error(moments(A), B),
    standard_error(moments(B), A)). Where the two Gaussians are equal the
    influence vanishes, and the spread of the distance, then of order 1/n, is
    larger than this. Directions in which either covariance is singular count
    through the rows' own squares only.

  Source: the influence is the gradient of the squared 2-Wasserstein distance
  of Gaussians, whose optimal map is T = F (F^T S F)^(-1/2) F^T with F F^T the
  reals' covariance (Dowson & Landau 1982; Bhatia et al. 2019,
  arXiv:1712.01504).
  """
  x, = checks.sets('standard_error', fake_features=fake_features)
  fake = moments(x)
  _check(real, fake)
  root = factor(real.covariance(ddof))
  values, vectors = np.linalg.eigh(root.T @ fake.covariance(ddof) @ root)
  # |half^T c|^2 = c^T T c.
  tiny = max(1, len(values)) * np.finfo(np.float64).eps
  positive = values > tiny * values.max(initial=0.)
  half = root @ (vectors[:, positive] * values[positive]**-.25)
  influence = []
  for start in range(0, len(x), _BLOCK):
    centred = x[start:start + _BLOCK] - fake.mean
    influence.append(
        2 * centred @ (fake.mean - real.mean) + np.square(centred).sum(1)
        - np.square(centred @ half).sum(1))
  return float(np.concatenate(influence).std(ddof=1) / np.sqrt(len(x)))


def infinity(real: Moments, fake_features: np.ndarray, points: int = 15,
             smallest: int | None = None, seed: int = 0,
             ddof: int = 1) -> Infinity:
  """The distance for infinitely many fakes: the intercept of a line in 1/n.

  Args:
    real: Moments.
    fake_features: [n, d], n at least 20.
    points: sizes, evenly from `smallest` to n; each costs one eigenproblem.
    smallest: n // 10 by default (the paper's 5,000 of 50,000), but at least
      2 d where n allows, since at lower ranks the bias is not a line in 1/n.
    seed: of the random subsets, drawn without replacement.
    ddof: as in `frechet`.

  Returns:
    Infinity. The bias that comes from the number of reals stays.

  Raises:
    ValueError: too few rows, points, or a smallest size that is not below n.

  Source: Chong & Forsyth 2020 (arXiv:1911.07023), with uniform draws.
  """
  x, = checks.sets('infinity', FEWEST, fake_features=fake_features)
  n, d = x.shape
  if smallest is None:
    smallest = max(n // 10, min(2 * d, n // 2))
  if points < 3 or not 2 <= smallest < n:
    raise ValueError(
        f'infinity: wanted 3 points or more and a smallest size in 2 .. {n - 1}'
        f', found {points} and {smallest}.')
  sizes = np.unique(np.linspace(smallest, n, points).astype(int))
  rng = np.random.default_rng(seed)
  s_real = real.covariance(ddof)
  factor_real = factor(s_real)
  values = []
  for size in sizes:
    subset = moments(x[rng.permutation(n)[:size]])
    _check(real, subset)
    values.append(_distance(
        real, subset, s_real, subset.covariance(ddof), factor_real).value)
  warnings = []
  if smallest <= d:
    warnings.append(
        f'the smallest size, {smallest}, is not above the {d} features: there '
        'the distance is not a line in 1/n.')
  from scipy import stats  # It takes .5 s, and a start of training needs none.
  line = stats.linregress(1 / sizes, values)
  # The fit of a flat line is perfect, whatever its correlation is said to be.
  r2 = line.rvalue**2 if np.ptp(values) else 1.
  return Infinity(
      float(line.intercept), float(line.slope), float(line.intercept_stderr),
      float(r2), tuple(sizes.tolist()), tuple(values), tuple(warnings))


def _distance(real, fake, s_real, s_fake, factor_real):
  factor_fake = factor(s_fake)
  trace = float(np.trace(s_real) + np.trace(s_fake)) - 2 * root_trace(
      factor_real, factor_fake)
  mean = float(np.square(real.mean - fake.mean).sum())
  ranks = factor_real.shape[1], factor_fake.shape[1]
  warnings = [sentence for name, n, rank in zip(
      ('real', 'fake'), (real.n, fake.n), ranks, strict=True)
      for sentence in _doubts(name, n, len(real.mean), rank)]
  return Frechet(max(0., mean + trace), mean, trace, *ranks, tuple(warnings))


def _doubts(name, n, d, rank):
  if not rank:
    yield f'{name}: all {n} rows are equal.'
  elif n is None:
    return
  elif n <= d:
    yield (f'{name}: {n} rows of {d} features, so the covariance is singular; '
           f'{d + 1} rows or more are wanted.')
  elif n < _FEW:
    yield (f'{name}: only {n} rows; the distance falls with n, so compare it '
           'with others of the same n.')


def _check(real, fake):
  if real.mean.shape != fake.mean.shape:
    raise ValueError(
        f'frechet: real has {len(real.mean)} features a row, fake has '
        f'{len(fake.mean)}.')
  for name, side in (('real', real), ('fake', fake)):
    few = side.n is not None and side.n < 2
    if few or not (np.isfinite(side.mean).all()
                          and np.isfinite(side.scatter).all()):
      raise ValueError(
          f'frechet: wanted moments of 2 rows or more that are finite; those '
          f'of {name} are of {side.n} rows, or not finite.')

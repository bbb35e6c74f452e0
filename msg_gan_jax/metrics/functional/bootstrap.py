"""Two error bars that answer two questions: other samples, or other runs."""
import numpy as np


def over_samples(statistic, features, resamples=200, seed=0, level=.95):
  """How far a number would move with other samples of the same generator.

  Args:
    statistic: features [n, ...] -> float.
    features: [n, ...], n at least 2, whose rows are drawn with replacement.
    resamples: how many sets of n rows; each costs the statistic once.
    seed: of the draws.
    level: share of the resampled values between 'low' and 'high'.

  Returns:
    dict of 'over': 'samples', 'value' of the features themselves,
    'standard_error', 'low', 'high' (percentiles), 'n', 'resamples'. Rows that
    come twice shift a number that depends on n: the Fréchet distance comes out
    too large in every resample, so take the standard error there, about the
    value, and not low and high.

  Source: Efron & Tibshirani 1993, ch. 6 and 13.
  """
  features = np.asarray(features)
  n = len(features)
  if n < 2 or resamples < 2:
    raise ValueError(
        f'over_samples: wanted at least 2 rows and 2 resamples, found {n} and '
        f'{resamples}.')
  rng = np.random.default_rng(seed)
  found = np.array([
      float(statistic(features[rng.integers(n, size=n)]))
      for _ in range(resamples)])
  outside = (1 - level) / 2
  low, high = np.quantile(found, [outside, 1 - outside])
  return {'over': 'samples', 'value': float(statistic(features)),
          'standard_error': float(found.std(ddof=1)), 'low': float(low),
          'high': float(high), 'n': n, 'resamples': resamples}


def over_seeds(values):
  """How far a number moves from one training run to another.

  Args:
    values: [n], of one number after n runs that differ in their seed.

  Returns:
    dict of 'over': 'seeds', 'mean', 'std' (n - 1), 'n', and the mean's 95 %
    interval by Student's t, 'low' and 'high'; nan for the last three of one
    run, about which nothing is known.
  """
  values = np.asarray(values, np.float64)
  if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
    raise ValueError(
        f'over_seeds: wanted a list of finite numbers, found {values}.')
  n, mean = len(values), values.mean()
  std = values.std(ddof=1) if n > 1 else np.nan
  half = student_95(n - 1) * std / np.sqrt(n) if n > 1 else np.nan
  return {'over': 'seeds', 'mean': float(mean), 'std': float(std), 'n': n,
          'low': float(mean - half), 'high': float(mean + half)}


def student_95(freedom):
  """The 97.5 % quantile of Student's t, to 4 digits after the point.

  Args:
    freedom: degrees, at least 1.

  Source: Abramowitz & Stegun 1964, table 26.10; beyond it the expansion in
  1 / freedom about the normal quantile, 26.7.5.
  """
  if freedom <= len(_STUDENT_95):
    return _STUDENT_95[freedom - 1]
  z = 1.959964
  terms = (
      z, (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96,
      (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384)
  return sum(term / freedom**i for i, term in enumerate(terms))


_STUDENT_95 = (
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622,
    2.2281, 2.2010, 2.1788)

"""Which Gaussians of a known mixture a generator has found."""
from typing import NamedTuple

import numpy as np

WITHIN = 3  # Standard deviations; a plane's Gaussian has 98.9 % there.


class Modes(NamedTuple):
  """What points have found of a mixture.

  Attributes:
    modes: how many of the k centres have a point of high quality.
    high_quality: the share of such points, 0 .. 1.
    kl: the Kullback-Leibler divergence in nats of their shares by mode from
      1 / k each, 0 .. log k; log k where there is no such point.
  """

  modes: int
  high_quality: float
  kl: float


def modes(points: np.ndarray, centres: np.ndarray, std: float) -> Modes:
  """How many modes are found, how well, and how evenly.

  A point belongs to the centre that is nearest to it, and is of high quality
  if it lies within WITHIN standard deviations of that.

  Args:
    points: [n, 2], of a generator.
    centres: [k, 2].
    std: of every Gaussian, in the units of both.

  Returns:
    Modes. n points of the mixture itself have a `kl` of about (k - 1) / 2n. A
    point that is not finite has no quality.

  Raises:
    ValueError: points of another shape, or none.

  Source: the first two are Srivastava et al. 2017 (VEEGAN, arXiv:1705.07761);
  the third, there called reverse, is Lin et al. 2018 (PacGAN,
  arXiv:1712.04086), whose code logs the divergence of Jensen and Shannon
  instead. Both papers take 2,500 points.
  """
  points = np.asarray(points, np.float64)
  centres = np.asarray(centres, np.float64)
  if points.ndim != 2 or points.shape[1] != centres.shape[1] or not len(points):
    raise ValueError(
        f'modes: wanted points [n, {centres.shape[1]}], found '
        f'{list(points.shape)}.')
  square = ((points[:, None] - centres)**2).sum(-1)
  nearest = square.argmin(1)
  good = square[np.arange(len(points)), nearest] <= (WITHIN * std)**2
  counts = np.bincount(nearest[good], minlength=len(centres))
  return Modes(
      int((counts > 0).sum()), float(good.mean()), _from_even(counts))


def _from_even(counts):
  """KL(counts / sum || 1 / k) in nats; all in one mode is log k."""
  k = len(counts)
  if not counts.any():
    return float(np.log(k))
  shares = counts[counts > 0] / counts.sum()
  return max(0., float((shares * np.log(shares * k)).sum()))

"""How the scales of a multi-scale GAN go together."""
from collections.abc import Mapping, Sequence

import numpy as np

from msg_gan_jax.arrays.pixels import down
from msg_gan_jax.metrics.functional.checks import in_range


def consistency(pyramid: Sequence[np.ndarray]) -> dict[int, float]:
  """Mean squared difference of each scale from the next finer one, pooled.

  Args:
    pyramid: of the same latents, coarse to fine; level i is [n, h_i, w_i, C],
      uint8 or floats in [-1, 1].

  Returns:
    {h_i: mean over images, pixels and channels, of values in [-1, 1]}, for all
    but the finest; 0 where G's images are one picture at several sizes.

  Source: the claim of Karnewar & Wang 2020 (arXiv:1903.06048), sec. 4.3, that
  all scales become one picture early in training; no peer measures it.
  """
  differences = {}
  for coarse, fine in zip(pyramid, pyramid[1:], strict=False):
    pooled = down(in_range(fine), fine.shape[1] // coarse.shape[1])
    differences[coarse.shape[1]] = float(
        np.mean(np.square(pooled - in_range(coarse))))
  return differences


def shares(norms: Mapping[int, np.ndarray]) -> dict[int, float]:
  """{h_i: mean share of level i in the norms of D's input gradient}.

  Args:
    norms: {h_i: [n]}, the norm of D's gradient by the image of a level, summed
      over its pixels and channels, for each of n samples.

  Returns:
    Shares that add up to 1: which scale D listens to. A sample without any
    gradient has equal ones.

  Source: this project's.
  """
  stacked = np.stack(list(norms.values())).astype(np.float64)
  total = stacked.sum(0)
  share = np.where(total > 0, stacked / np.where(total > 0, total, 1),
                   1 / len(stacked))
  return {size: float(x) for size, x in zip(
      norms, share.mean(1), strict=True)}

"""How much fixed latents' images move in training, and how much they differ."""
from collections.abc import Sequence

import numpy as np

from msg_gan_jax.metrics.functional.checks import in_range

_BLOCK = 2**14  # Pixel columns at a time: float64 of large images fits nowhere.


def change(before: Sequence[np.ndarray],
           after: Sequence[np.ndarray]) -> dict[int, float]:
  """Mean squared change of the same latents' images, at each scale.

  Args:
    before, after: pyramids of the same latents, coarse to fine; level i is
      [n, h_i, w_i, C], uint8 or floats in [-1, 1].

  Returns:
    {h_i: mean over images, pixels and channels of the squared difference of
    values in [-1, 1]}; 0 .. 4, and 0 for a generator that stands still.

  Source: Karnewar & Wang 2020 (arXiv:1903.06048), fig. 6, with 36 latents at
  the starts of consecutive epochs; after Yazici et al. 2019
  (arXiv:1806.04498).
  """
  shapes = [[np.shape(x) for x in pyramid] for pyramid in (before, after)]
  if shapes[0] != shapes[1]:
    raise ValueError(
        f'change: wanted pyramids of one shape, found {shapes[0]} and '
        f'{shapes[1]}.')
  changes = {}
  for old, new in zip(before, after, strict=True):
    difference = in_range(new) - in_range(old)
    changes[difference.shape[1]] = float(np.mean(np.square(difference)))
  return changes


def pairwise(images: np.ndarray) -> float:
  """Mean root-mean-square pixel difference over all pairs of images.

  A collapsed generator has 0; compare with the same number of reals.

  Args:
    images: [N, H, W, C], uint8 or floats in [-1, 1]; N at least 2.

  Returns:
    Python float in values of [-1, 1], 0 .. 2: the mean Euclidean distance of
    all N (N - 1) / 2 pairs, divided by sqrt(H * W * C).
  """
  n = len(images)
  if n < 2:
    raise ValueError(f'pairwise: wanted at least 2 images, found {n}.')
  flat = np.reshape(images, (n, -1))
  gram = np.zeros((n, n))
  for start in range(0, flat.shape[1], _BLOCK):
    x = in_range(flat[:, start:start + _BLOCK])
    # In float64, since a Gram matrix loses half of its digits in a difference.
    # Less the mean, distances stay as they are, and near pairs cancel less.
    x -= x.mean(axis=0)
    gram += x @ x.T
  norms = np.diag(gram).copy()
  square = np.maximum(norms[:, None] + norms - 2 * gram, 0.)
  np.fill_diagonal(square, 0.)
  return float(
      np.sqrt(square, out=square).sum()
      / (n * (n - 1) * np.sqrt(flat.shape[1])))

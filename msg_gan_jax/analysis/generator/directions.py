"""Directions in the latents along which pictures change, found without labels.

METHODS has the two; those of a classifier are in `attributes`.
"""
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import jax
import numpy as np

from msg_gan_jax.analysis.generator import latent_layers
from msg_gan_jax.analysis.trained import Trained
from msg_gan_jax.config import tables

# Folded into the key of seed 0, so that no sample is one that a person picks.
_SAMPLES = 1


class Directions(NamedTuple):
  """Directions in z or w.

  Attributes:
    names: of each, fit for the name of a file.
    vectors: float64 [k, d], of length 1.
    steps: [k], the standard deviation of latents along each.
    strengths: [k], what `measure` says, largest first.
    measure: what strengths are.
    space: 'z' or 'w'.
  """
  names: tuple[str, ...]
  vectors: np.ndarray
  steps: np.ndarray
  strengths: np.ndarray
  measure: str
  space: str


class Method(Protocol):
  """How directions are found; a row of METHODS."""

  def __call__(self, trained: Trained, count: int,
               samples: int) -> Directions:
    """Finds `count` directions; `samples` latents have the steps, at least."""


def find(trained: Trained, method: str, count: int, samples: int,
         space: str = '') -> Directions:
  """Directions by a row of METHODS.

  Args:
    trained: the generator.
    method: 'pca' or 'sefa'.
    count: how many directions.
    samples: how many latents they are found, and their steps measured, by.
    space: '' or what the GAN has: 'w' if there is a mapping network, else 'z'.

  Raises:
    ValueError: another method or space, too many directions, or a generator of
      which `latent_layers` knows no layer that takes its latent in.
  """
  if method not in METHODS:
    raise ValueError(f'method: {tables.nearest(method, METHODS)}')
  if trained.space_of(space) != trained.space_of():
    raise ValueError(
        f"space: 'z', but {method} is of what a mapping network gives; wanted "
        "'w', or method=classifier.")
  return METHODS[method](trained, count, samples)


def samples_of(trained: Trained, count: int) -> tuple[
    np.ndarray, np.ndarray | None]:
  """(z [count, latent], labels in turn), always the same ones."""
  key = jax.random.fold_in(jax.random.key(0), _SAMPLES)
  return np.asarray(trained.gan.draw(key, count)), trained.labels_in_turn(count)


def points_of(trained: Trained, z: np.ndarray, labels: np.ndarray | None,
              space: str) -> np.ndarray:
  """Latents as points of a space, [n, d]: themselves, or their w."""
  return z if space == 'z' else trained.styles(z, labels)[:, 0]


def principal(x: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
  """Principal components of rows.

  Args:
    x: [n, d].
    count: how many, at most min(n - 1, d).

  Returns:
    (float64 [count, d], orthonormal rows, of which the largest number is
    positive; variances [count], largest first, with n - 1 below).
  """
  x = np.asarray(x, np.float64)
  x = x - x.mean(0)
  n, d = x.shape
  if d <= n:
    values, vectors = np.linalg.eigh(x.T @ x)
    vectors = vectors.T
  else:  # The same, of the smaller of two matrices.
    values, left = np.linalg.eigh(x @ x.T)
    keep = slice(-count, None)
    vectors = left[:, keep].T @ x
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True),
                          1e-300)
  vectors, values = vectors[::-1][:count], values[::-1][:count]
  return _signed(vectors), np.maximum(values, 0) / (n - 1)


def closed_form(weights: np.ndarray,
                count: int) -> tuple[np.ndarray, np.ndarray]:
  """Directions that weights lengthen most: eigenvectors of A^T A.

  Args:
    weights: A [outputs, d].
    count: how many, at most d.

  Returns:
    (float64 [count, d], orthonormal rows signed as `principal` does;
    eigenvalues [count], largest first).

  Source: Shen & Zhou 2021 (arXiv:2007.06600), eq. 7. Their code gives each
  output's weights the length 1 before; their paper does not, nor do we.
  """
  values, vectors = np.linalg.eigh(weights.T @ weights)
  return _signed(vectors.T[::-1][:count]), values[::-1][:count]


def regressed(scores: np.ndarray, z: np.ndarray) -> np.ndarray:
  """Directions in z, of length 1, that go with scores: [k, d].

  Args:
    scores: [n, k], of principal components, and so not correlated.
    z: [n, d].

  Source: Härkönen et al. 2020 (arXiv:2004.02546), sec. 2.2: U that minimizes
  the sum of |U x - z|^2.
  """
  scores, z = (x - x.mean(0) for x in (np.float64(scores), np.float64(z)))
  found = np.linalg.lstsq(scores, z, rcond=None)[0]
  return found / np.maximum(
      np.linalg.norm(found, axis=1, keepdims=True), 1e-300)


def pca(trained: Trained, count: int, samples: int) -> Directions:
  """Principal components of w; or of the first features, regressed to z.

  With a mapping network, of the w of samples. Without one, of what the second
  layer is given: the first one's output after norm and rectifier. Strengths are
  shares of the variance.

  Source: Härkönen et al. 2020 (arXiv:2004.02546), sec. 2.1 and 2.2; their
  BigGANs' first features are those of a linear layer alone.
  """
  space = trained.space_of()
  z, labels = samples_of(trained, samples)
  _check(count, min(samples - 1, z.shape[1]), samples)
  points = points_of(trained, z, labels, space)
  seen = points if space == 'w' else latent_layers.features(trained, z, labels)
  vectors, variances = principal(seen, count)
  total = float(seen.var(0, np.float64, ddof=1).sum())
  if space == 'z':
    vectors = regressed((seen - seen.mean(0)) @ vectors.T, z)
  return Directions(
      _numbered('pca', count), vectors, along(vectors, points),
      variances / max(total, 1e-300), 'share of the variance', space)


def sefa(trained: Trained, count: int, samples: int) -> Directions:
  """Directions that the layers which take the latent in lengthen most.

  With a mapping network, of all layers that make a style of w; without one, of
  the first layer. Strengths are eigenvalues of A^T A.

  Source: Shen & Zhou 2021 (arXiv:2007.06600), sec. 3.
  """
  space = trained.space_of()
  weights = latent_layers.weights(trained)
  _check(count, weights.shape[1], samples)
  vectors, values = closed_form(weights, count)
  points = points_of(trained, *samples_of(trained, samples), space)
  return Directions(_numbered('sefa', count), vectors, along(vectors, points),
                    values, 'eigenvalue', space)


def along(vectors: np.ndarray, points: np.ndarray) -> np.ndarray:
  """Standard deviation of points [n, d] along vectors [k, d] of length 1."""
  return (np.asarray(points, np.float64) @ vectors.T).std(0)


def moved(points: np.ndarray, vector: np.ndarray, step: float,
          places: Sequence[float]) -> np.ndarray:
  """Points [n, d], moved along a direction: float32 [n, places, d].

  Args:
    points: where they begin.
    vector: [d], of length 1.
    step: length of one step.
    places: how many steps, such as -1, 0 and 1.
  """
  shift = np.asarray(places)[:, None] * step * vector
  return (points[:, None] + shift).astype(np.float32)


def _check(count, most, samples):
  """Refuses more directions than there are, and too few samples for them."""
  if count > most:
    raise ValueError(
        f'components: {count}, but there are at most {most} of {samples:,} '
        'samples; wanted fewer, or more samples.')


def _numbered(name, count):
  return tuple(f'{name}_{i + 1:02d}' for i in range(count))


def _signed(vectors):
  """Each with the sign that makes its largest number positive."""
  largest = np.take_along_axis(
      vectors, np.abs(vectors).argmax(1)[:, None], 1)
  return vectors * np.where(largest < 0, -1, 1)


METHODS: dict[str, Method] = {
    'pca': pca,
    'sefa': sefa,
}

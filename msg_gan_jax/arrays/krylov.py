"""Singular values and eigenvalues of maps that are only ever applied."""
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

Vector = Any  # float32 [n], on a device or the host.
Advance = Callable[[Vector, Vector, Any], tuple[Vector, Any, Any]]
SMALL = 1e-6  # Of what is left of a vector: float32 knows no more of it.
BLOCK = 2**14  # Columns of a basis that are float64 at a time: a cache's worth.


def recurrence(gram: Callable[[jax.Array], jax.Array]) -> Advance:
  """A step of Lanczos' recurrence for a symmetric map, for `largest`.

  Args:
    gram: x [n] -> A^T A x [n].

  Returns:
    (v, the v before it, beta) -> (next v, alpha, next beta), all of length 1;
    alpha is <v, A^T A v>, whatever the other two arguments are.
  """
  def advance(v, before, beta):
    image = gram(v)
    alpha = (v * image).sum()
    rest = image - alpha * v - beta * before
    length = jnp.sqrt((rest * rest).sum())
    return rest / jnp.maximum(length, 1e-30), alpha, length

  return advance


class Largest(NamedTuple):
  """The largest eigenvalue that was found.

  Attributes:
    value: it; 0 of the map that is 0.
    error: an eigenvalue lies at most this share of it away.
    steps: how often the map was applied.
  """
  value: float
  error: float
  steps: int


def largest(advance: Advance, n: int, tolerance: float = 1e-4,
            most: int = 400, seed: int = 0) -> Largest:
  """The largest eigenvalue of a symmetric map without negative ones.

  Vectors are not made orthogonal again: what rounding adds are copies of
  eigenvalues that were found, which move none of them.

  Args:
    advance: see `recurrence`.
    n: numbers of a vector.
    tolerance: the relative error at which it ends.
    most: steps at which it ends in any case.
    seed: of the first vector, a normal one.

  Source: Lanczos 1950; without orthogonalization, Paige 1980.
  """
  first = np.random.default_rng(seed).normal(size=n).astype(np.float32)
  v: Any = first / np.linalg.norm(first)
  before: Any = np.zeros_like(v)
  beta: Any = np.float32(0)
  alphas: list[float] = []
  betas: list[float] = []
  value, error, steps = 0., 1., 0
  while steps < most:
    following, alpha, length = advance(v, before, beta)
    v, before, beta = following, v, length
    alphas.append(float(alpha))
    betas.append(float(length))
    steps += 1
    ended = betas[-1] <= SMALL * max(map(abs, alphas))
    if ended or steps == most or not steps % 4:
      values, vectors = np.linalg.eigh(
          np.diag(alphas) + np.diag(betas[:-1], 1) + np.diag(betas[:-1], -1))
      value = max(0., float(values[-1]))
      error = 0. if ended else float(
          betas[-1] * abs(vectors[-1, -1]) / max(value, 1e-30))
    if error <= tolerance:
      break
  return Largest(value, error, steps)


class Ritz(NamedTuple):
  """Eigenvalues of a map, as one Krylov space shows them.

  Attributes:
    values: complex128 [m], those of largest modulus first.
    residuals: float64 [m], |A x - value x| / |value| of the x of length 1 that
      belongs to each: it is an eigenvalue of a matrix that differs from A by
      so much of the value. None is less than what float32 can tell of a number
      beside the largest modulus.
  """
  values: np.ndarray
  residuals: np.ndarray


def arnoldi(times: Callable[[Vector], Vector], n: int, steps: int,
            seed: int = 0) -> Ritz:
  """Eigenvalues of a map, those at the edge of its spectrum first of all.

  Args:
    times: x [n] -> A x [n], of any real square A.
    n: numbers of a vector.
    steps: how often A is applied, and how many eigenvalues come out; n at
      most, which gives all of them.
    seed: of the first vector, a normal one.

  Source: Arnoldi 1951; Saad 2011, Numerical Methods for Large Eigenvalue
  Problems, algorithm 6.2 and eq. 6.8 (the residual), orthogonalized twice.
  """
  steps = min(steps, n)
  basis = np.zeros((steps + 1, n), np.float32)
  first = np.random.default_rng(seed).normal(size=n)
  basis[0] = first / np.linalg.norm(first)
  projected = np.zeros((steps + 1, steps))
  m = steps
  for j in range(steps):
    image = np.array(times(basis[j]), np.float64)
    size = np.linalg.norm(image)
    for _ in range(2):
      projected[:j + 1, j] += _take_out(basis[:j + 1], image)
    projected[j + 1, j] = np.linalg.norm(image)
    if projected[j + 1, j] <= SMALL * size:
      projected[j + 1, j], m = 0., j + 1  # A keeps this space: all is known.
      break
    basis[j + 1] = image / projected[j + 1, j]
  values, vectors = np.linalg.eig(projected[:m, :m])
  left = projected[m, m - 1] * np.abs(vectors[-1])
  sizes = np.abs(values)
  told = np.finfo(np.float32).eps * sizes.max()
  residuals = np.maximum(left, told) / np.maximum(sizes, 1e-30)
  order = np.argsort(-sizes, kind='stable')
  return Ritz(values[order].astype(complex), residuals[order])


def _take_out(basis, image):
  """<each vector of the basis, image>, whose parts leave the image, in place.

  Block by block, for numpy would make all of a float32 basis float64.
  """
  blocks = [slice(i, i + BLOCK) for i in range(0, len(image), BLOCK)]
  along = sum(basis[:, x].astype(np.float64) @ image[x] for x in blocks)
  for x in blocks:
    image[x] -= along @ basis[:, x].astype(np.float64)
  return along

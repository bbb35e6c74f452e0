"""Krylov methods against numpy, on matrices whose spectrum is known."""
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.arrays import krylov


def rotated(values, seed=0):
  """A symmetric matrix with these eigenvalues."""
  n = len(values)
  q, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(n, n)))
  return ((q * values) @ q.T).astype(np.float32)


def largest(matrix, **settings):
  return krylov.largest(
      krylov.recurrence(lambda v: jnp.asarray(matrix) @ v), len(matrix),
      **settings)


@pytest.mark.parametrize('values', [
    np.linspace(0, 1, 300), 1 / (1 + np.arange(300.)), np.ones(300),
    np.r_[np.zeros(299), 5.], np.r_[np.full(298, .1), 1., .999]],
    ids=['even', 'falling', 'one', 'rank 1', 'pair'])
def test_the_largest_eigenvalue_is_found(values):
  found = largest(rotated(values), tolerance=5e-5)
  np.testing.assert_allclose(found.value, values.max(), rtol=1e-4)
  assert found.error <= 5e-5
  assert found.steps <= 120


def test_it_says_how_far_it_is_where_it_must_stop():
  values = np.linspace(0, 1, 300)
  found = largest(rotated(values), most=8)
  assert found.steps == 8
  nearest = np.abs(values - found.value).min()
  assert nearest / found.value <= found.error < .5


def test_of_nothing_the_largest_is_0():
  assert largest(np.zeros((7, 7), np.float32))[:2] == (0., 0.)


def assert_same(found, wanted, tolerance):
  """Complex numbers in any order of those that are conjugate."""
  for a, b in ((found, wanted), (wanted, found)):
    assert max(np.abs(x - b).min() for x in a) <= tolerance


def test_as_many_steps_as_numbers_give_all_eigenvalues():
  matrix = np.random.default_rng(1).normal(size=(12, 12)).astype(np.float32)
  found = krylov.arnoldi(lambda v: matrix @ v, 12, 50)
  wanted = np.linalg.eigvals(matrix.astype(np.float64))
  assert len(found.values) == 12
  assert_same(found.values, wanted, 1e-4)
  assert (np.diff(np.abs(found.values)) <= 1e-6).all()
  assert found.residuals.max() < 1e-4


def test_residuals_bound_what_few_steps_give():
  values = np.r_[np.linspace(-1, .1, 197), 3, -4, 2.5]
  matrix = rotated(values)
  found = krylov.arnoldi(lambda v: matrix @ v, 200, 15)
  assert len(found.values) == 15
  np.testing.assert_allclose(found.values[:3].real, [-4, 3, 2.5], rtol=1e-4)
  assert found.residuals[:3].max() < 1e-2
  # Of a symmetric matrix an eigenvalue lies within the residual.
  for value, residual in zip(*found, strict=True):
    assert np.abs(values - value).min() <= residual * abs(value) + 1e-5


def test_a_space_that_the_map_keeps_is_enough():
  found = krylov.arnoldi(lambda v: 2 * v, 9, 5)
  np.testing.assert_allclose(found.values, [2], rtol=1e-6)
  assert found.residuals[0] < 1e-6

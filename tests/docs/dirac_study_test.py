"""Dirac-GAN: losses, R1 and noise against what can be computed by hand.

Mescheder et al. 2018 (arXiv:1801.04406), sec. 2 to 4: the only place where the
tables' functions meet a GAN whose training is known in closed form.
"""
import runpy

from helpers import ROOT
import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytestmark = pytest.mark.slow

dirac = runpy.run_path(
    ROOT / 'docs' / 'studies' / 'dirac.py')
Case, SLOPES = dirac['Case'], dirac['SLOPES']
field, eigenvalues = dirac['field'], dirac['eigenvalues']
simultaneous, alternating = dirac['simultaneous'], dirac['alternating']


def jacobian(function):
  """Of a function of (theta, psi) at the equilibrium, float64 [2, 2]."""
  return np.asarray(jax.jacobian(function)(jnp.zeros(2)), np.float64)


def assert_same_pair(got, wanted, rtol):
  """Two complex numbers, in any order, by their sum and their product."""
  scale = np.abs(wanted).max()
  np.testing.assert_allclose(got.sum(), wanted.sum(), rtol=0, atol=rtol * scale)
  np.testing.assert_allclose(got.prod(), wanted.prod(), rtol=rtol)


def norms(step, start, steps):
  return np.linalg.norm(
      dirac['trajectory'](step, start, steps).astype(np.float64), axis=1)


@pytest.mark.parametrize('loss', SLOPES)
def test_slope_and_curvature_are_those_of_the_loss(loss):
  """f' and f'' at 0, by which all below is computed: of D's loss of fakes."""
  d, g = dirac['objectives'](Case(loss))
  slope, curvature = SLOPES[loss]
  # With theta = 1, psi is what D says of the fake; reals are at 0.
  np.testing.assert_allclose(jax.grad(d, 1)(1., 0.), slope, rtol=1e-6)
  np.testing.assert_allclose(jax.grad(g, 1)(1., 0.), -slope, rtol=1e-6)
  np.testing.assert_allclose(
      jax.grad(jax.grad(d, 1), 1)(1., 0.), -curvature, atol=1e-6)


@pytest.mark.parametrize('loss', SLOPES)
def test_without_regularization_the_eigenvalues_are_imaginary(loss):
  slope, _ = SLOPES[loss]
  v = field(Case(loss))
  np.testing.assert_array_equal(v(jnp.zeros(2)), 0)
  assert_same_pair(np.linalg.eigvals(jacobian(v)),
                   np.array([slope * 1j, -slope * 1j]), 1e-6)


@pytest.mark.parametrize('loss', ['non_saturating', 'relativistic',
                                  'wasserstein'])
@pytest.mark.parametrize('gamma', [.3, 1., 2.5])
def test_r1_moves_the_eigenvalues_to_the_left(loss, gamma):
  """-gamma/2 +- sqrt(gamma^2/4 - f'^2); twice that without r1's factor 1/2."""
  slope, _ = SLOPES[loss]
  root = np.emath.sqrt(complex(gamma**2 / 4 - slope**2))
  wanted = -gamma / 2 + np.array([root, -root])
  case = Case(loss, 'r1', gamma)
  assert_same_pair(np.linalg.eigvals(jacobian(field(case))), wanted, 1e-5)
  assert_same_pair(eigenvalues(case), wanted, 1e-12)
  assert wanted.real.max() < 0


@pytest.mark.parametrize('loss', ['non_saturating', 'relativistic',
                                  'wasserstein'])
@pytest.mark.parametrize('sigma', [.5, 2.])
def test_noise_moves_the_eigenvalues_where_the_loss_is_curved(loss, sigma):
  """f'' s^2 +- sqrt(f''^2 s^4 - f'^2); nothing for Wasserstein.

  The mean square of 2^15 numbers is known to .8 %: 3 % is four deviations.
  """
  slope, curvature = SLOPES[loss]
  middle = curvature * sigma**2
  root = np.emath.sqrt(complex(middle**2 - slope**2))
  wanted = middle + np.array([root, -root])
  case = Case(loss, noise=sigma)
  v = field(case, samples=2**15)
  np.testing.assert_allclose(v(jnp.zeros(2)), 0, atol=1e-5)
  assert_same_pair(np.linalg.eigvals(jacobian(v)), wanted, .03)
  assert_same_pair(eigenvalues(case), wanted, 1e-12)


@pytest.mark.parametrize('loss', ['minimax', 'wasserstein'])
@pytest.mark.parametrize('start', [(1e-2, 0.), (.5, -1.), (2., 2.)])
def test_simultaneous_steps_leave_from_everywhere(loss, start):
  after = norms(simultaneous(field(Case(loss)), .2), start, 300)
  assert (np.diff(after) > 0).all() and after[-1] > 1.05 * after[0]


@pytest.mark.parametrize('loss', SLOPES)
def test_simultaneous_steps_grow_by_their_modulus(loss):
  """sqrt(1 + h^2 f'^2) > 1 near the equilibrium, whatever the rate h."""
  slope, _ = SLOPES[loss]
  h, steps = .2, 200
  after = norms(simultaneous(field(Case(loss)), h), (1e-3, 1e-3), steps)
  np.testing.assert_allclose(
      (after[-1] / after[0])**(1 / steps), np.sqrt(1 + (h * slope)**2),
      rtol=1e-4)


@pytest.mark.parametrize('loss', SLOPES)
@pytest.mark.parametrize('alpha', [.1, 1., 1.9, 2.1, 3.])
def test_alternating_steps_stay_on_the_unit_circle_up_to_two(loss, alpha):
  """1 - a^2/2 +- sqrt((1 - a^2/2)^2 - 1) with a = h f'(0)."""
  h = alpha / SLOPES[loss][0]
  middle = 1 - alpha**2 / 2
  root = np.emath.sqrt(complex(middle**2 - 1))
  got = np.linalg.eigvals(jacobian(alternating(field(Case(loss)), h)))
  assert_same_pair(got, middle + np.array([root, -root]), 1e-5)
  largest = np.abs(got).max()
  np.testing.assert_allclose(
      largest, 1 if alpha < 2 else np.abs(middle - abs(root)), rtol=1e-4)


@pytest.mark.parametrize('h, stays', [(.1, True), (1.9, True), (2.1, False)])
def test_alternating_steps_of_wasserstein_circle_or_leave(h, stays):
  after = norms(alternating(field(Case('wasserstein')), h), (.1, .1), 2000)
  if stays:  # An ellipse through the start, longer the nearer h is to 2.
    assert .1 < after[1000:].max() / after[:1000].max() < 1.1
    assert after.min() > .01 and after.max() < 1
  else:
    assert not np.isfinite(after[-1]) or after[-1] > 1e6


@pytest.mark.parametrize('case', [
    Case(penalty='r1', weight=.3), Case(penalty='r1', weight=2.5),
    Case('relativistic', 'r1', .3), Case('wasserstein', 'r1', .3),
    Case(noise=.7), Case(noise=2.), Case(penalty='r1', weight=.2, noise=.5)])
def test_a_regularized_trajectory_shrinks_at_the_computed_rate(case):
  computed, measured = dirac['measure'](case, h=.1, steps=100, samples=2**12)
  assert computed < .995
  # The rate is 1 - modulus. The mean square of 2^13 numbers is known to 1.6 %.
  np.testing.assert_allclose(
      1 - measured, 1 - computed, rtol=.06 if case.noise else 2e-3)


@pytest.mark.parametrize('case', [
    Case(), Case('wasserstein'), Case('wasserstein', noise=.7)])
def test_the_others_do_not_shrink(case):
  computed, measured = dirac['measure'](case, h=.1, steps=100, samples=2**12)
  assert computed > 1
  np.testing.assert_allclose(measured - 1, computed - 1, rtol=2e-3)


def test_r1_reaches_the_equilibrium_from_afar_and_nothing_does_not():
  start, h, steps = (1., 1.), .1, 2000
  with_r1 = norms(
      simultaneous(field(Case(penalty='r1', weight=.3)), h), start, steps)
  without = norms(simultaneous(field(Case()), h), start, steps)
  assert with_r1[-1] < 1e-6 and without[-1] > .1

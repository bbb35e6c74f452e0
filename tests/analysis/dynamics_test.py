"""Figures of a game's eigenvalues, from columns of records."""
import types

import numpy as np

from msg_gan_jax.analysis import dynamics
from msg_gan_jax.report import plots
from msg_gan_jax.runs.columns import columns


def record(images, *found):
  """A record of a look that found these (eigenvalue, residual)."""
  return {'images': images, 'eigenvalues': {
      f'{i}_{name}': x for i, (value, residual) in enumerate(found)
      for name, x in (('real', value.real), ('imag', value.imag),
                      ('residual', residual))}}


RECORDS = columns([
    {'images': 5, 'd_loss': 1.},
    record(10, (-2 + 0j, 1e-7), (1 + 1j, .5), (1 - 1j, .5)),
    *(record(10 * i, (-3j, 1e-3)) for i in range(2, 10))])


def beside(*runs):
  return types.SimpleNamespace(
      names=[f'run {i}' for i in range(len(runs))],
      runs=[types.SimpleNamespace(records=run) for run in runs])


def test_a_spectrum_is_what_a_look_found():
  assert list(dynamics.looks(RECORDS)) == [*range(1, 10)]
  values, residuals = dynamics.spectrum(RECORDS, 1)
  np.testing.assert_array_equal(values, [-2, 1 + 1j, 1 - 1j])
  np.testing.assert_array_equal(residuals, [1e-7, .5, .5])
  values, residuals = dynamics.spectrum(RECORDS, 2)  # It found one alone.
  np.testing.assert_array_equal(values, [-3j])


def test_the_plane_is_drawn_at_a_few_looks(tmp_path):
  (name, figure, caption), = dynamics.figures(
      beside(RECORDS, columns([{'images': 1}])))
  assert name == 'eigenvalues' and caption.startswith('run 0: ')
  assert caption.endswith('At the last look the largest modulus is 3 (residual '
                          '0.001) and the largest real part 0 (0.001).')
  shown = [ax for ax in figure.axes if ax.get_visible()]
  assert len(shown) == dynamics.MOMENTS
  assert [ax.get_xlabel() for ax in (shown[0], shown[-1])] == [
      'real part, at 10 images', 'real part, at 90 images']
  known, estimated = (line.get_xydata() for line in shown[0].lines)
  np.testing.assert_array_equal(known, [[-2, 0]])
  np.testing.assert_array_equal(estimated, [[1, 1], [1, -1]])
  assert all(path.endswith(('.png', '.pdf'))
             for path in plots.save(figure, tmp_path / name))


def test_beside_a_curve_of_eigenvalues_is_their_newest_residual():
  runs = [columns([
      {'images': 1, 'eigenvalue_real': 1., 'residual_real': .5},
      {'images': 2, 'eigenvalue_real': 1., 'residual_real': x},
      {'images': 3, 'd_loss': 1.}]) for x in (.01, .02)]
  assert 'at most 0.01.' in dynamics.note(runs[:1], 'eigenvalue_real')
  assert 'at most 0.02.' in dynamics.note(runs, 'eigenvalue_real')
  assert dynamics.note(runs, 'd_loss') == ''
  assert dynamics.note(runs, 'eigenvalue_of_ones_own') == ''


def test_of_many_runs_the_first_are_drawn():
  names = [name for name, *_ in dynamics.figures(beside(*[RECORDS] * 6))]
  assert names == [f'eigenvalues_{i}' for i in (1, 2, 3, 4)]

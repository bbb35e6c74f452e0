"""The dynamics of a run's game, as it wrote them down: eigenvalues as figures.

`training.dynamics` records what is drawn here.
"""
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from msg_gan_jax.arrays.indices import evenly
from msg_gan_jax.report import plots
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.together import Together

MOMENTS = 6  # Of a run that are drawn: two rows.
MOST_RUNS = 4  # Of a comparison whose eigenvalues are drawn.
SURE = .01  # Residual up to which an eigenvalue is drawn as one.

# What columns begin with that stand inside another value: no curve is theirs.
INSIDE = 'spectral_norms.', 'stable_ranks.', 'eigenvalues.'
# What values of a look show, by what their names begin with.
KINDS = {
    'spectral_norm': (
        'Spectral norm: how much the strongest layer can lengthen a vector, '
        'as an operator with its stride and padding.'),
    'spectral_error': (
        'Error: so large a share of a spectral norm lies between it and a '
        'singular value, at most.'),
    'stable_rank': (
        'Stable rank: the sum of the squared singular values over the largest '
        'of them, as a share of what the shape allows, of the layer where it '
        'is smallest.'),
    'slope': (
        "Slope: the norm of D's gradient by the pictures of a scale, at points "
        'between reals and fakes.'),
    'angle': (
        'Angle: between the gradients before and after a step, each with its '
        'own batch and with z of its own; noise has 90 degrees.'),
    'update': (
        "Change: what one step moves of the weights, over the weights' norm."),
    'eigenvalue_modulus': (
        "Eigenvalues are those of the game's Jacobian, without optimizer, on "
        'the same batch at every look. The largest modulus bounds the rates.'),
    'eigenvalue_real': (
        'A real part above 0 leads away from where the players are.'),
    'residual': (
        'Residual of an eigenvalue l: |Jᵀ x - l x| / |l| of its left vector x '
        'of length 1; 0 is exact.'),
    'condition_log': (
        "Mean log-condition number of G's Jacobian (Odena et al. 2018), of "
        "each scale's picture: 0 where all directions of z change it as much; "
        'float32 tells nothing above 31.9.'),
    'overfitting_d': (
        'Mean logits of D, of pictures in training, held-out reals and fakes. '
        'D has one for all scales of a picture.'),
    'overfitting_ratio': (
        'r_v of Karras et al. 2020: 0 where held-out reals are as real to D '
        'as those it has seen, 1 where they are as fakes.'),
}


def figures(runs: Together) -> Iterator[tuple[str, Any, str]]:
  """Figures of runs for `plots.save`: (name of a file, figure, caption).

  One for each of the first MOST_RUNS that have eigenvalues.
  """
  known = [(name, run.records) for name, run in zip(
      runs.names, runs.runs, strict=True) if len(looks(run.records))]
  for i, (name, records) in enumerate(known[:MOST_RUNS], 1):
    yield ('eigenvalues' if len(known) == 1 else f'eigenvalues_{i}',
           eigenvalues(records), (
               f"{name}: eigenvalues of the game's Jacobian that one Krylov "
               f'space shows. Known: the residual is at most {SURE:g} of the '
               'modulus; the others lie near the edge of the spectrum. '
               f'At the last look {_last(records)}.'))


def note(records: Sequence[Columns], name: str) -> str:
  """What is said beside a curve: the residual of an eigenvalue; '' of others.

  Args:
    records: of the runs of the curve.
    name: of the value, a column.
  """
  about, _, which = name.partition('_')
  if about != 'eigenvalue':
    return ''
  known = [x[np.isfinite(x)][-1] for x in (
      run.get(f'residual_{which}', np.empty(0)) for run in records)
           if np.isfinite(x).any()]
  return f'the newest has a residual of at most {max(known):.2g}.' if (
      known) else ''


def looks(records: Columns) -> np.ndarray:
  """The rows of a run's records that have eigenvalues."""
  first = records.get('eigenvalues.0_real')
  return np.empty(0, int) if first is None else np.flatnonzero(
      np.isfinite(first))


def spectrum(records: Columns, row: int) -> tuple[np.ndarray, np.ndarray]:
  """(complex128 [m], residuals [m]) of a record, largest modulus first."""
  count = 0
  while f'eigenvalues.{count}_real' in records:
    count += 1
  real, imag, residuals = (np.array([
      records[f'eigenvalues.{i}_{part}'][row] for i in range(count)])
      for part in ('real', 'imag', 'residual'))
  there = np.isfinite(real)  # Other records of the run may have more.
  return (real + 1j * imag)[there], residuals[there]


def _last(records):
  """The two eigenvalues that bound the rest, with their residuals."""
  values, residuals = spectrum(records, looks(records)[-1])
  right = int(np.argmax(values.real))
  return (f'the largest modulus is {abs(values[0]):.3g} (residual '
          f'{residuals[0]:.2g}) and the largest real part '
          f'{values[right].real + 0.:.3g} ({residuals[right]:.2g})')


def eigenvalues(records: Columns) -> Any:
  """The complex plane at up to MOMENTS looks, as a figure for `plots.save`.

  Args:
    records: of a run, with at least one look.
  """
  rows = looks(records)
  panels = {}
  for row in rows[evenly(len(rows), MOMENTS)]:
    values, residuals = spectrum(records, row)
    panels[f'real part, at {records["images"][row]:,.0f} images'] = {
        name: plots.Dots(values[which].real, values[which].imag)
        for name, which in (('known', residuals <= SURE),
                            ('estimated', residuals > SURE))}
  return plots.scatters(panels, 'imaginary part')

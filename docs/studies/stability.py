"""Writes what docs/studies/stability.md shows, from the records of two studies.

  python launch.py --mode=study --config=experiments/studies/stability.py \\
    --workdir=runs/stability
  python launch.py --mode=study --workdir=runs/structures \\
    --config=experiments/studies/msg_structures.py
  python docs/studies/stability.py --rates=runs/stability \\
    --structures=runs/structures

Distances of whole pictures are not among the records: they are measured here,
of samples of the last checkpoints.
"""
import argparse
import itertools
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
RATES = (.001, .003, .005, .01, .03, .1)
CONNECTED = {'all': 'all scales', 'none': 'only 16 px'}
LOSSES = {'wgan_gp': 'WGAN-GP', 'r1': 'non-saturating + R1'}
SEEDS = 0, 1
# Of msg_structures: {row: (px that are connected, φ)}.
STRUCTURES = {
    'none': ('16', ''), 'coarse': ('4, 16', 'simple'),
    'middle': ('8, 16', 'simple'), 'all': ('4, 8, 16', 'simple'),
    **{phi: ('4, 8, 16', phi)
       for phi in ('lin_cat', 'cat_lin', 'adain', 'dense')}}
SIZES = (16, 8, 4)
SAMPLES, SHOWN = 2048, 16
DIVERGED = .5  # of the reals' mean pairwise distance


def read(folder):
  """{(*values of the point, seed): result} of the runs that are done."""
  from msg_gan_jax.study.stored import read_stored
  from msg_gan_jax.study.worker import RUNS
  trials = read_stored(folder).trials
  results = {}
  for trial in trials:
    if trial.state == 'done':
      about = trial.work.about
      results[*about['point'].values(), about['seed']] = (
          {'not_finite': trial.record['diverged']} if trial.record['diverged']
          else measured(folder / RUNS / trial.work.digest))
  return results


def measured(folder):
  """What a run has written down, and distances of whole pictures."""
  from msg_gan_jax.analysis.generator.samples import Sampling, sample_run
  from msg_gan_jax.data.sources import open_source
  from msg_gan_jax.runs.read import read as read_run
  written = read_run(folder)
  summary = written.summary
  fake = sample_run(str(folder), SAMPLES, Sampling(seed=1))[-1]
  real = open_source(written.config).held_out.images(np.arange(SAMPLES))
  half = SAMPLES // 2
  return {
      'swd': summary['swd']['samples']['16'],
      'swd_halves': summary['swd']['halves']['16'],
      'ratio': summary['pairwise']['samples'] / summary['pairwise']['reals'],
      'whole': whole_pictures(real, fake),
      'whole_halves': whole_pictures(real[:half], real[half:]),
      'stability': last_epochs(written.records), 'samples': fake[:SHOWN]}


def whole_pictures(real, fake, seed=0, directions=512):
  """Sliced 1-Wasserstein distance of whole pictures at each of SIZES, x 1e3.

  Args:
    real, fake: uint8 [N, 16, 16, C]; coarser ones are their 2x2 means, so
      that a generator without coarse scales is measured as all others are.

  Returns:
    {'16': .., '8': .., '4': ..}; values in [-1, 1], not normalized, so that
    a wrong mean colour counts.
  """
  from msg_gan_jax.gan import pyramid
  from msg_gan_jax.metrics.functional import sliced_wasserstein
  distances = {}
  a, b = (np.asarray(x, np.float32) / 127.5 - 1 for x in (real, fake))
  rng = np.random.default_rng(seed)
  for size in SIZES:
    while a.shape[1] > size:
      a, b = pyramid.down(a), pyramid.down(b)
    flat = a.reshape(len(a), -1), b.reshape(len(b), -1)
    unit = sliced_wasserstein.unit_directions(flat[0].shape[1], directions, rng)
    distances[str(size)] = 1e3 * sliced_wasserstein.sliced_wasserstein(
        *flat, unit)
  return distances


def last_epochs(records, count=3):
  """Means of the columns stability_* over the last epochs: {'16': ..}."""
  found = {}
  for size in SIZES:
    column = records.get(f'stability_{size}', np.empty(0))
    if len(epochs := column[~np.isnan(column)]):
      found[str(size)] = float(epochs[-count:].mean())
  return found


def diverged(result):
  """Why a run counts as diverged, '' if it does not."""
  if 'not_finite' in result:
    return 'not finite'
  return 'collapsed' if result['ratio'] < DIVERGED else ''


def rates_table(results):
  """Rows: loss and connections; columns: rates; each seed's distance."""
  yield '| loss | connected | ' + ' | '.join(f'{r:g}' for r in RATES) + ' |'
  yield '|---|---|' + '---|' * len(RATES)
  for loss, scales in itertools.product(LOSSES, CONNECTED):
    cells = []
    for rate in RATES:
      seeds = [results.get((loss, scales, rate, seed)) for seed in SEEDS]
      cells.append(', '.join(_cell(r) for r in seeds))
    yield f'| {LOSSES[loss]} | {CONNECTED[scales]} | ' + ' | '.join(
        cells) + ' |'


def _cell(result):
  if result is None:
    return '-'
  bad = diverged(result)
  if bad == 'not finite':
    return '**not finite**'
  text = f'{result["swd"]:.1f} ({result["ratio"]:.2f})'
  return f'**{text}**' if bad else text


def structures_table(results):
  """Rows: scales and φ; columns: distances and stability, mean ± spread."""
  yield ('| connected, px | φ | 7x7 patches | ' + ' | '.join(
      f'{s} px' for s in SIZES) + ' | ' + ' | '.join(
      f'change, {s} px' for s in SIZES) + ' | variety |')
  yield '|---|---|' + '---|' * (2 * len(SIZES) + 2)
  for row, (name, phi) in STRUCTURES.items():
    all_of_it = [results[k] for k in results if k[0] == row]
    mine = [r for r in all_of_it if not diverged(r)]
    lost = len(all_of_it) - len(mine)
    cells = [_spread([r['swd'] for r in mine])]
    cells += [_spread([r['whole'][str(s)] for r in mine]) for s in SIZES]
    cells += [_spread([r['stability'][str(s)] for r in mine
                       if str(s) in r['stability']], 4) for s in SIZES]
    cells += [_spread([r['ratio'] for r in mine], 2)]
    yield (f'| {name} | {phi} | '
           + ' | '.join(cells) + ' |'
           + (f' {lost} diverged' if lost else ''))
  if results:
    halves = next(r for r in results.values() if 'whole_halves' in r)
    yield ('| two halves of the reals | | ' + ' | '.join(
        [f'{halves["swd_halves"]:.1f}']
        + [f'{halves["whole_halves"][str(s)]:.1f}' for s in SIZES])
        + ' | ' + ' | '.join([''] * len(SIZES)) + ' | 1.00 |')


def _spread(values, digits=1):
  if not values:
    return ''
  if len(values) == 1:
    return f'{values[0]:.{digits}f}'
  deviation = np.std(values, ddof=1)
  return f'{np.mean(values):.{digits}f} ± {deviation:.{digits}f}'


def pictures(results, path):
  """A PNG: rows are losses and connections, columns rates; 16 samples each."""
  from matplotlib import figure

  from msg_gan_jax.report import grids
  rows = list(itertools.product(LOSSES, CONNECTED))
  fig = figure.Figure(figsize=(2.2 * len(RATES) + .6, 2.3 * len(rows)),
                      layout='constrained')
  axes = fig.subplots(len(rows), len(RATES))
  for (loss, scales), line in zip(rows, axes, strict=True):
    for rate, ax in zip(RATES, line, strict=True):
      result = results.get((loss, scales, rate, SEEDS[0]), {})
      ax.set(xticks=[], yticks=[])
      ax.spines[:].set_visible(False)
      if 'samples' in result:
        ax.imshow(grids.grid(result['samples'], columns=4, gap=1),
                  interpolation='nearest')
      elif result:
        ax.text(.5, .5, 'not finite', ha='center', va='center',
                transform=ax.transAxes)
      if ax in axes[0]:
        ax.set_title(f'rate {rate:g}', fontsize=10)
      if rate == RATES[0]:
        ax.set_ylabel(f'{LOSSES[loss]}\n{CONNECTED[scales]}', fontsize=9)
  fig.savefig(path, dpi=110)


def main(rates, structures):
  """Prints both tables, and draws; folders of studies, or None."""
  if rates:
    found = read(rates)
    print('\n'.join(rates_table(found)), end='\n\n')
    pictures(found, ROOT / 'docs' / 'images' / 'stability.png')
  if structures:
    print('\n'.join(structures_table(read(structures))))


if __name__ == '__main__':
  sys.path.insert(0, str(ROOT))
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  for flag in ('rates', 'structures'):
    parser.add_argument(f'--{flag}', type=pathlib.Path)
  options = parser.parse_args()
  main(options.rates, options.structures)

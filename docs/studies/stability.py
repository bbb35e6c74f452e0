"""Trains what docs/studies/stability.md shows; writes its tables and pictures.

  python docs/studies/stability.py --runs=runs/stability         trains, prints
  python docs/studies/stability.py --runs=runs/stability --page  only prints

Runs that are done are not repeated; several processes may share the folder.
"""
import argparse
import itertools
import json
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
RATES = (.001, .003, .005, .01, .03, .1)
CONNECTED = {'all': 'all scales', 'none': 'only 16 px'}
LOSSES = {
    'wasserstein': {},  # the paper's: WGAN-GP with drift, at every step
    # That of the paper's MSG-StyleGAN, its R1 at every 16th step.
    'non_saturating': {
        'objective.loss': 'non_saturating', 'objective.drift': 0.,
        'objective.penalty': 'r1', 'objective.penalty_weight': 1.,
        'objective.penalty_every_d_steps': 16},
}
LOSS_NAMES = {'wasserstein': 'WGAN-GP', 'non_saturating': 'non-saturating + R1'}
SCALES = ('none', '4,16', '8,16', 'all')
PHIS = ('simple', 'lin_cat', 'cat_lin', 'adain', 'dense')
SIZES = (16, 8, 4)
SAMPLES = 2048
DIVERGED = .5  # of the reals' mean pairwise distance


def run_of(loss='wasserstein', rate=.003, scales='all', phi='simple', seed=0):
  """(folder name, settings) of one run."""
  name = f'{loss}-{rate:g}-{scales.replace(",", "_")}-{phi}-{seed}'
  return name, {
      **LOSSES[loss], 'optimizer.g_rate': rate, 'optimizer.d_rate': rate,
      'networks.scales': scales, 'networks.phi': phi, 'seed': seed}


def rates():
  """The runs of the table of rates: {(loss, scales, rate, seed): run}."""
  return {
      (loss, scales, rate, seed): run_of(loss, rate, scales, seed=seed)
      for seed, loss, scales, rate in itertools.product(
          (0, 1), LOSSES, CONNECTED, RATES)}


def structures():
  """The runs of the table of scales and φ: {(scales, phi, seed): run}."""
  pairs = [(scales, 'simple') for scales in SCALES]
  pairs += [('all', phi) for phi in PHIS if phi != 'simple']
  return {(scales, phi, seed): run_of(scales=scales, phi=phi, seed=seed)
          for seed in range(3) for scales, phi in pairs}


def train(folder, settings):
  """Trains one run, measures it, and leaves result.json in its folder."""
  import jax

  from experiments import msg_progan_16px
  from msg_gan_jax.analysis.generator.samples import Sampling, sample_run
  from msg_gan_jax.config import schema
  from msg_gan_jax.data.sources import open_source
  from msg_gan_jax.training import loop, saver
  edited = msg_progan_16px.get_config()
  edited.update_from_flattened_dict(settings)
  config = schema.parse(edited)
  result = {'settings': settings, 'jax': jax.__version__}
  try:
    loop.train(config, str(folder), say=lambda line: None)
  except saver.DivergedError as error:
    result['not_finite'] = str(error)
  else:
    summary = json.loads((folder / 'summary.json').read_text())
    pairwise = summary['pairwise']
    fake = sample_run(str(folder), SAMPLES, Sampling(seed=1))[-1]
    real = open_source(config).held_out.images(np.arange(SAMPLES))
    half = SAMPLES // 2
    result.update(
        swd=summary['swd']['samples']['16'], swd_halves=summary['swd'][
            'halves']['16'],
        ratio=pairwise['samples'] / pairwise['reals'],
        whole=whole_pictures(real, fake),
        whole_halves=whole_pictures(real[:half], real[half:]),
        stability=last_epochs(folder / 'metrics.jsonl'))
    np.save(folder / 'samples.npy', fake[:16])
  (folder / 'result.json').write_text(json.dumps(result, indent=2))
  return result


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


def last_epochs(path, count=3):
  """Mean of stability_* over the last epochs: {'16': ..}."""
  records = [json.loads(line) for line in path.read_text().splitlines()]
  records = [r for r in records if 'stability_16' in r][-count:]
  names = [k for k in records[0] if k.startswith('stability_')]
  return {k.removeprefix('stability_'): float(
      np.mean([r[k] for r in records])) for k in names}


def read(folder, runs):
  """{key: result} of the runs that are done."""
  results = {}
  for key, (name, _) in runs.items():
    path = folder / name / 'result.json'
    if path.exists():
      results[key] = json.loads(path.read_text())
  return results


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
      seeds = [results.get((loss, scales, rate, seed)) for seed in (0, 1)]
      cells.append(', '.join(_cell(r) for r in seeds))
    yield f'| {LOSS_NAMES[loss]} | {CONNECTED[scales]} | ' + ' | '.join(
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
  for scales, phi in dict.fromkeys(k[:2] for k in structures()):
    mine = [results[k] for k in results
            if k[:2] == (scales, phi) and not diverged(results[k])]
    lost = sum(bool(diverged(results[k])) for k in results
               if k[:2] == (scales, phi))
    name = {'none': '16', 'all': '4, 8, 16'}.get(
        scales, scales.replace(',', ', '))
    cells = [_spread([r['swd'] for r in mine])]
    cells += [_spread([r['whole'][str(s)] for r in mine]) for s in SIZES]
    cells += [_spread([r['stability'][str(s)] for r in mine
                       if str(s) in r['stability']], 4) for s in SIZES]
    cells += [_spread([r['ratio'] for r in mine], 2)]
    yield (f'| {name} | {phi if scales != "none" else ""} | '
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


def pictures(folder, path):
  """A PNG: rows are losses and connections, columns rates; 16 samples each."""
  from matplotlib import figure

  from msg_gan_jax.report import grids
  rows = list(itertools.product(LOSSES, CONNECTED))
  fig = figure.Figure(figsize=(2.2 * len(RATES) + .6, 2.3 * len(rows)),
                      layout='constrained')
  axes = fig.subplots(len(rows), len(RATES))
  for (loss, scales), line in zip(rows, axes, strict=True):
    for rate, ax in zip(RATES, line, strict=True):
      name, _ = run_of(loss, rate, scales)
      ax.set(xticks=[], yticks=[])
      ax.spines[:].set_visible(False)
      samples = folder / name / 'samples.npy'
      if samples.exists():
        ax.imshow(grids.grid(np.load(samples), columns=4, gap=1),
                  interpolation='nearest')
      elif (folder / name / 'result.json').exists():
        ax.text(.5, .5, 'not finite', ha='center', va='center',
                transform=ax.transAxes)
      if ax in axes[0]:
        ax.set_title(f'rate {rate:g}', fontsize=10)
      if rate == RATES[0]:
        ax.set_ylabel(f'{LOSS_NAMES[loss]}\n{CONNECTED[scales]}', fontsize=9)
  fig.savefig(path, dpi=110)


def main(folder, only_page):
  """Trains what is missing in the folder, then prints both tables."""
  runs = {**dict(rates().values()), **dict(structures().values())}
  folder.mkdir(parents=True, exist_ok=True)
  for i, (name, settings) in enumerate(() if only_page else runs.items()):
    claim = folder / f'{name}.claim'  # Another process may be at it.
    if (folder / name / 'result.json').exists() or claim.exists():
      continue
    claim.touch()
    try:
      result = train(folder / name, settings)
    finally:
      claim.unlink()
    print(f'{i + 1} of {len(runs)}', name, _cell(result), flush=True)
  print('\n'.join(rates_table(read(folder, rates()))), end='\n\n')
  print('\n'.join(structures_table(read(folder, structures()))))
  pictures(folder, ROOT / 'docs' / 'images' / 'stability.png')


if __name__ == '__main__':
  sys.path.insert(0, str(ROOT))
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--runs', type=pathlib.Path, required=True)
  parser.add_argument('--page', action='store_true')
  options = parser.parse_args()
  main(options.runs, options.page)

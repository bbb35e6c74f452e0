"""Trains what docs/studies/precision.md shows, and prints its table.

  python docs/studies/precision.py --runs=runs/precision         trains six
  python docs/studies/precision.py --runs=runs/precision --page  prints, draws

MSG-ProGAN at 16 px with float32 and with bfloat16 activations, three seeds
each, as in docs/studies/growing.py; a gradient penalty in each of 6,250 steps.
"""
import argparse
import dataclasses
import json
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
DTYPES = {'float32': '#0072B2', 'bfloat16': '#D55E00'}
SEEDS = 0, 1, 2
CURVES = {'patches': lambda x: x['patches'], '16': lambda x: x['whole']['16'],
          '4': lambda x: x['whole']['4']}


def config_of(dtype, seed):
  """Config of a run."""
  import growing
  config = growing.config_of('msg', seed)
  return dataclasses.replace(config, networks=dataclasses.replace(
      config.networks, dtype=dtype))


def read(folder):
  """{curve: {dtype: [seeds, measurements]}}, without that of the start."""
  results = {dtype: [json.loads((
      folder / f'{dtype}-{seed}' / 'result.json').read_text())['curve'][1:]
                   for seed in SEEDS] for dtype in DTYPES}
  return {name: {dtype: np.array([[pick(x) for x in run] for run in runs])
                 for dtype, runs in results.items()}
          for name, pick in CURVES.items()}


def table(curves):
  """Lines: the mean curves' difference, and the spread of float32 seeds."""
  yield ('| distance | float32, at the end | bfloat16, at the end | '
         'difference of the mean curves | deviation of float32 seeds |')
  yield '|---' * 5 + '|'
  for name, runs in curves.items():
    a, b = runs['float32'], runs['bfloat16']
    difference = np.abs(a.mean(0) - b.mean(0)).mean()
    spread = a.std(0, ddof=1).mean()
    ends = (f'{x[:, -1].mean():.1f} ± {x[:, -1].std(ddof=1):.1f}'
            for x in (a, b))
    what = '7x7 patches' if name == 'patches' else f'pictures at {name} px'
    yield (f'| {what} | {" | ".join(ends)} | {difference:.2f} | '
           f'{spread:.2f} |')


def draw(curves, path):
  """A PNG of the curves."""
  from matplotlib import figure, ticker
  fig = figure.Figure(figsize=(11, 3.2), layout='constrained')
  for ax, (name, results) in zip(
      fig.subplots(1, len(curves)), curves.items(), strict=True):
    for dtype, runs in results.items():
      for seed, run in enumerate(runs):
        ax.plot(1e4 * np.arange(1, len(run) + 1), run, color=DTYPES[dtype],
                linewidth=1.4, label=None if seed else dtype)
    ax.set_title('distance: ' + (
        '7x7 patches of 16 px' if name == 'patches' else
        f'whole pictures at {name} px'), fontsize=10, loc='left')
    ax.set_yscale('log')
    ax.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(ticker.ScalarFormatter())
    ax.yaxis.set_minor_formatter(ticker.NullFormatter())
    ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=''))
    ax.set_xlabel('real images shown')
    ax.grid(alpha=.25)
    ax.spines[['top', 'right']].set_visible(False)
    ax.tick_params(labelsize=8)
    ax.legend(frameon=False, fontsize=8)
  fig.savefig(path, dpi=110)


def main(folder, only_page):
  """Trains what is missing in the folder, or prints and draws."""
  import growing
  if only_page:
    curves = read(folder)
    print('\n'.join(table(curves)))
    draw(curves, ROOT / 'docs' / 'images' / 'precision.png')
    return
  for seed in SEEDS:
    for dtype in DTYPES:
      path = folder / f'{dtype}-{seed}'
      if not (path / 'result.json').exists():
        growing.train(path, config_of(dtype, seed))
        print(path.name, flush=True)


if __name__ == '__main__':
  sys.path[:0] = [str(ROOT), str(ROOT / 'docs' / 'studies')]
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--runs', type=pathlib.Path, required=True)
  parser.add_argument('--page', action='store_true')
  options = parser.parse_args()
  main(options.runs, options.page)

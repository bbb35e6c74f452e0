"""What each metric says of pictures that are known to be worse, or fewer.

  python docs/studies/metrics.py --path=cifar10/train --out=runs/metrics

Half of the reals of a labelled folder is compared with the other half: as it
is, blurred, noisy, without some of its classes, and with fewer pictures. The
numbers go to scores.json, the curves to metrics.png, a table is printed.
"""
import argparse
import dataclasses
import json
import math
import pathlib
import sys
import time

import numpy as np

# So that a checkout need not be installed.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from msg_gan_jax.config import schema
from msg_gan_jax.data import sources
from msg_gan_jax.data.source import ArraySource, Subset
from msg_gan_jax.metrics import evaluate, pair, protocols
from msg_gan_jax.metrics.functional import memorisation

METRICS = ('fid', 'kid', 'is', 'precision_recall', 'density_coverage',
           'ms_ssim', 'swd')
OF_FEW = ('fid', 'fid_infinity', 'kid')
FIGURES = ('frechet', 'kid', 'classifier_score', 'precision', 'recall',
           'density', 'coverage', 'authentic', 'ms_ssim', 'swd_mean')
BLUR, NOISE = (.25, .5, 1., 2.), (2., 5., 10., 20.)
MISSING, COUNTS = (1, 2, 4, 8), (500, 1000, 2000, 5000, 10_000, 20_000)
NAMES = {'frechet': 'Fréchet distance', 'kid': 'KID', 'ms_ssim': 'MS-SSIM',
         'swd_mean': 'SWD'}
TITLES = {'blur': 'Gaussian blur, σ in pixels', 'noise':
          'noise, σ in 255ths', 'missing': 'classes missing, of 10',
          'count': 'pictures of the other half'}


def blurred(images, sigma):
  """uint8 [n, H, W, C] under a Gaussian; edges are mirrored."""
  radius = int(np.ceil(4 * sigma))
  weights = np.exp(-.5 * (np.arange(-radius, radius + 1) / sigma)**2)
  weights /= weights.sum()
  x = images.astype(np.float32)
  for axis in (1, 2):
    pad = [(0, 0)] * 4
    pad[axis] = (radius, radius)
    wide = np.pad(x, pad, mode='symmetric')
    x = sum(np.take(wide, np.arange(images.shape[axis]) + i, axis) * w
            for i, w in enumerate(weights.astype(np.float32)))
  return np.clip(np.rint(x), 0, 255).astype(np.uint8)


def noisy(images, sigma, seed=0):
  """uint8, with normal noise on every value."""
  rng = np.random.default_rng(seed)
  drawn = rng.standard_normal(images.shape, np.float32)
  return np.clip(np.rint(images + sigma * drawn), 0, 255).astype(np.uint8)


def conditions(images, labels):
  """Yields (axis, how much, pictures, labels) of the other half."""
  yield 'same', 0, images, labels
  for sigma in BLUR:
    yield 'blur', sigma, blurred(images, sigma), labels
  for sigma in NOISE:
    yield 'noise', sigma, noisy(images, sigma), labels
  for missing in MISSING:
    in_classes = labels >= missing
    yield 'missing', missing, images[in_classes], labels[in_classes]
  order = np.random.default_rng(0).permutation(len(images))
  for count in COUNTS:
    first = order[:count]
    yield 'count', count, images[first], labels[first]


def measure(path, cache_dir=''):
  """[{'axis', 'x', 'scores': {name: [value, error]}}, ..] and the accuracy."""
  splits = sources.open_source(schema.parse(_config(path)))
  order = np.random.default_rng(0).permutation(len(splits.train))
  halves = [Subset(splits.train, indices)
            for indices in np.array_split(order, 2)]
  options = pair.Options(
      dataclasses.replace(protocols.PROTOCOLS['local'], sliced=2048), 'local',
      'classifier', cache_dir=cache_dir,
      held_out=splits.held_out, train=splits.train)
  every = np.arange(len(halves[1]))
  results, first = [], None
  for axis, x, images, labels in conditions(
      halves[1].images(every), halves[1].labels(every)):
    start = time.perf_counter()
    fake = ArraySource(images, labels, splits.train.classes, f'{axis} {x}')
    halves_pair = pair.Pair(halves[0], fake, options) if first is None else (
        first.with_fake(fake))
    first = first or halves_pair
    rows, _ = evaluate.compute(
        halves_pair, OF_FEW if axis == 'count' else METRICS)
    values = {row.name: [row.value, row.error] for row in rows}
    if axis != 'count':
      # Of the other half alone: the classifier has seen both.
      values['authentic'] = [memorisation.authenticity(*(
          side.features(halves_pair.spec)
          for side in (halves_pair.real, halves_pair.fake))).authentic,
                             None]
    results.append({'axis': axis, 'x': x, 'scores': values})
    print(f'{axis} {x}: {time.perf_counter() - start:.0f} s', flush=True)
  return results, first.extractors.get('classifier').about['held_out_accuracy']


def _config(path):
  config = schema.template()
  config.data.name, config.data.path = 'folder', path
  config.data.resolution, config.data.held_out = 32, 5000
  return config


def table(results, axis):
  """The rows of an axis as Markdown; the halves themselves come first."""
  rows = [row for row in results if row['axis'] in ('same', axis)]
  if axis == 'count':
    rows = rows[1:]
  names = list(rows[-1]['scores'])
  lines = [f'| {TITLES[axis]} | ' + ' | '.join(names) + ' |',
           '|---' * (len(names) + 1) + '|']
  for row in rows:
    cells = [_cell(*row['scores'][name]) for name in names]
    lines.append(f'| {row["x"]:,} | ' + ' | '.join(cells) + ' |')
  return '\n'.join(lines)


def _cell(value, error):
  known = error is not None and math.isfinite(error)
  return f'{value:.4g} ± {error:.1g}' if known else f'{value:.4g}'


def draw(results, path):
  """A panel for each score and axis."""
  import matplotlib
  matplotlib.use('Agg')
  from matplotlib import pyplot as plt
  axes = ('blur', 'noise', 'missing')
  figure, panels = plt.subplots(
      len(FIGURES) + 1, len(axes), figsize=(9, 19), sharex='col',
      layout='constrained')
  start = results[0]['scores']
  for name, row in zip(FIGURES, panels[1:], strict=True):
    for axis, panel in zip(axes, row, strict=True):
      points = [row for row in results if row['axis'] == axis]
      x = [0, *(point['x'] for point in points)]
      y = [start[name], *(point['scores'][name] for point in points)]
      panel.errorbar(x, [v for v, _ in y], [2 * (e or 0) for _, e in y],
                     marker='o', ms=3, lw=1.2, color='#2458a6', capsize=2)
      panel.axhline(start[name][0], color='#999999', lw=.7, ls=':')
      panel.grid(alpha=.25)
      if axis == axes[0]:
        panel.set_ylabel(NAMES.get(name, name).replace('_', ' '))
  for axis, panel in zip(axes, panels[-1], strict=True):
    panel.set_xlabel(TITLES[axis])
  for panel in panels[0]:
    panel.remove()
  _counts(figure.add_subplot(panels[0, 0].get_gridspec()[0, :]), results)
  figure.savefig(path, dpi=110)


def _counts(panel, results):
  """How the distances move with the number of pictures."""
  points = [row for row in results if row['axis'] == 'count']
  x = [point['x'] for point in points]
  right, lines = panel.twinx(), []
  for name, where, colour, title in (
      ('frechet', panel, '#2458a6', 'Fréchet distance (left)'),
      ('frechet_infinity', panel, '#5aa0d8', '... for endless samples (left)'),
      ('kid', right, '#c4572b', 'KID (right)')):
    y = [point['scores'][name] for point in points]
    lines.append(where.errorbar(
        x, [v for v, _ in y], [2 * (e or 0) for _, e in y], marker='o', ms=3,
        lw=1.2, color=colour, capsize=2, label=title))
  panel.legend(handles=lines, frameon=False, ncol=3, loc='lower center',
               bbox_to_anchor=(.5, 1))
  panel.set_xscale('log')
  panel.set_xlabel(
      f'{TITLES["count"]}; bars here and below are two standard errors')
  panel.axhline(0, color='#999999', lw=.7, ls=':')


def main():
  parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
  parser.add_argument('--path', help='a folder with a folder for each class')
  parser.add_argument('--out', default='runs/metrics')
  args = parser.parse_args()
  out = pathlib.Path(args.out)
  out.mkdir(parents=True, exist_ok=True)
  if args.path:
    results, accuracy = measure(args.path)
    (out / 'scores.json').write_text(json.dumps([results, accuracy]))
  results, accuracy = json.loads((out / 'scores.json').read_text())
  draw(results, out / 'metrics.png')
  print(f'classifier: {accuracy} of held-out pictures')
  for axis in TITLES:
    print(f'\n{table(results, axis)}')


if __name__ == '__main__':
  main()

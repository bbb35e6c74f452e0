"""What D learns that a linear classifier can use: DCGAN's section 5, small.

  python docs/studies/d_features.py --data=FOLDER --runs=runs/d_features

FOLDER has the 50,000 training pictures of CIFAR-10, a folder a class. For each
seed a small DCGAN is trained without labels, and its D is probed at several
lengths. The same command goes on where it stopped, prints the table of the
page, and writes the numbers that it is of beside the runs.
"""
import argparse
import json
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
from scipy import stats

ROOT = pathlib.Path(__file__).parents[2]
SETTINGS = {
    'networks.fmap_max': 128, 'data.name': 'folder', 'data.held_out': 10_000,
    # A little above a fifth: at least 10,000 pictures, by their hashes.
    'data.held_out_share': .21, 'train.batch': 32,
    'train.log_every_images': 5_000, 'train.sample_every_images': 1_000_000,
    'train.keep_checkpoints': 20, 'evaluate.best': ''}
LENGTHS = 4  # Checkpoints of a run.


def train(seed: int, run: pathlib.Path, data: str, images: int) -> None:
  """Trains a run, or what is left of it."""
  settings = {**SETTINGS, 'seed': seed, 'data.path': data,
              'train.total_images': images,
              'train.checkpoint_every_images': images // LENGTHS}
  subprocess.run(
      [sys.executable, ROOT / 'launch.py', '--config=dcgan_cifar10',
       f'--workdir={run}',
       *(f'--config.{name}={value}' for name, value in settings.items())],
      check=True)


def probed(run: pathlib.Path) -> dict[str, Any]:
  """The record of a run's probe, made where its newest length is not in it."""
  path = run / 'linear_probe.json'
  newest = max(int(x.name) for x in (run / 'checkpoints').iterdir()
               if x.name.isdecimal())
  if not path.exists() or f'D after {newest:,} images' not in [
      x['name'] for x in json.loads(path.read_text('utf-8'))['features']]:
    subprocess.run(
        [sys.executable, ROOT / 'launch.py', '--mode=linear_probe',
         f'--workdir={run}', '--checkpoints=all'], check=True)
  return json.loads(path.read_text('utf-8'))


def over_seeds(values: list[float]) -> tuple[float, float]:
  """Mean, and half of Student's interval of 95 %; nan of one seed."""
  n = len(values)
  half = stats.t.ppf(.975, n - 1) * np.std(values, ddof=1) / n**.5 if (
      n > 1) else float('nan')
  return float(np.mean(values)), float(half)


def table(records: list[dict[str, Any]]) -> str:
  """Markdown: a row for each kind of features that all seeds have."""
  by_name: dict[str, list[dict[str, Any]]] = {}
  for record in records:
    for entry in record['features']:
      by_name.setdefault(entry['name'], []).append(entry)
  lines = ['| features | number | tested % | above pixels | '
           'above D at initialisation |', '| --- | ---: | ---: | ---: | ---: |']
  for name, entries in by_name.items():
    if len(entries) == len(records):
      lines.append('| ' + ' | '.join([
          name, f'{entries[0]["count"]:,}', *(
              _cell([100 * entry[key]['share'] for entry in entries
                     if key in entry])
              for key in ('accuracy', 'above_pixels',
                          'above_initialisation'))]) + ' |')
  return '\n'.join(lines)


def _cell(values):
  if not values:
    return ''
  mean, half = over_seeds(values)
  if not np.ptp(values):  # The training seed is nothing to them.
    return f'{mean:.1f}'
  text = f'{mean:.1f}' + ('' if np.isnan(half) else f' ± {half:.1f}')
  each = f' ({", ".join(f"{x:.1f}" for x in values)})'
  return (text + (each if len(values) > 1 else '')).replace('-', '−')


def main() -> None:
  """Trains, probes, and prints the table of what is done."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument('--data', required=True)
  parser.add_argument('--runs', default='runs/d_features', type=pathlib.Path)
  parser.add_argument('--seeds', default=3, type=int)
  parser.add_argument('--images', default=80_000, type=int)
  options = parser.parse_args()
  records: list[dict[str, Any]] = []
  for seed in range(options.seeds):
    run = options.runs / f'seed{seed}'
    train(seed, run, options.data, options.images)
    records.append(probed(run))
    # The page keeps it as records/d_features.json.
    (options.runs / 'd_features.json').write_text(
        json.dumps(records, indent=1, sort_keys=True) + '\n', encoding='utf-8')
  sys.stdout.write(table(records) + '\n')


if __name__ == '__main__':
  main()

"""The quickstart with fewer images: what it takes, and what its summary loses.

  python benchmarks/quickstart.py --lengths=24000,20000 --seeds=0,1,2
  python benchmarks/quickstart.py --lengths=40000/16,24000/8

A length is how many images D sees, and the batch if it is another one. Each run
is launch.py from the command to its last line, with empty caches; it is
appended to --out once it is done, and the same command goes on where it was
stopped. The first length is what the others are compared with: a shorter one
holds if the mean over seeds of each distance is at most 1.1 times as large, and
the variety of samples within .05. README.md beside this file has results.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

# These lie beside this file.
import machine
import measured
import throughput

from msg_gan_jax.files.atomic import append_json

LAUNCH = pathlib.Path(__file__).resolve().parents[1] / 'launch.py'
MOST_LARGER, MOST_OTHER = 1.1, .05  # Of a distance; of the variety.


def train(length: str = '', seed: int = 0,
          python: str = sys.executable) -> dict[str, float]:
  """A run: its seconds, those to the first grid in it, and its summary.

  Args:
    length: images that D sees, and '/' and the batch; '' are those of the
      experiment.
    seed: of the run.
    python: an interpreter with this package.

  Raises:
    RuntimeError: it did not end well; with the last line that it said.
  """
  with tempfile.TemporaryDirectory() as folder:
    run = pathlib.Path(folder, 'run')
    environment = {**os.environ, 'XDG_CACHE_HOME': f'{folder}/cache'}
    environment.pop('JAX_COMPILATION_CACHE_DIR', None)
    began = time.perf_counter()
    done = subprocess.run(
        [python, str(LAUNCH), '--config=quickstart', f'--config.seed={seed}',
         *settings_of(length), f'--workdir={run}'], env=environment,
        capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
      raise RuntimeError(
          f'launch.py ended with {done.returncode}: '
          f'{(done.stderr.strip().splitlines() or [""])[-1]}')
    grids = sorted((run / 'samples').glob('images_*.png'))
    summary = json.loads((run / 'summary.json').read_text('utf-8'))
    pairwise = summary['pairwise']
    return {
        'seconds': seconds,
        'grid_seconds': (grids[1].stat().st_mtime - grids[0].stat().st_mtime
                         if len(grids) > 1 else seconds),
        'variety': pairwise['samples'] / pairwise['reals'],
        'frechet': summary['scores']['scores']['frechet_random_conv']['value'],
        **{f'swd_{level}': value
           for level, value in summary['swd']['samples'].items()}}


def settings_of(length: str) -> list[str]:
  """'24000/8' -> flags of launch.py.

  Raises:
    ValueError: it is not such a text.
  """
  words = length.split('/') if length else []
  if len(words) > 2 or not all(word.isdigit() for word in words):
    raise ValueError('--lengths: wanted numbers of images, such as 24000, or '
                     f'24000/8 with a batch; found {length!r}.')
  return [f'--config.train.{name}={word}' for name, word in zip(
      ('total_images', 'batch'), words, strict=False)]


def compare(
    runs: dict[str, list[dict[str, float]]]) -> dict[str, dict[str, str]]:
  """{length: {column: text}}, each beside the first one.

  Args:
    runs: {length: what `train` gave, one a seed}.
  """
  means = {length: {name: statistics.mean(run[name] for run in of_length)
                    for name in of_length[0]}
           for length, of_length in runs.items()}
  first = next(iter(means.values()))
  rows = {}
  for length, of_length in means.items():
    distances = {
        name: value for name, value in of_length.items()
        if name == 'frechet' or name.startswith('swd_')}
    holds = abs(of_length['variety'] - first['variety']) <= MOST_OTHER and all(
        value <= MOST_LARGER * first[name]
        for name, value in distances.items())
    rows[length] = {
        'seeds': str(len(runs[length])),
        'seconds': measured.median([x['seconds'] for x in runs[length]], 0),
        'to a grid in training': f'{of_length["grid_seconds"]:.0f}',
        **{name: f'{value:.4g} ({value / first[name]:.2f})'
           for name, value in distances.items()},
        'variety': f'{of_length["variety"]:.2f}',
        'holds': 'yes' if holds else 'no'}
  return rows


def run(options: argparse.Namespace) -> None:
  """Trains what the file has not yet, and prints the table."""
  lengths, seeds = options.lengths.split(','), options.seeds.split(',')
  for length in lengths:  # A mistake shows before the first run.
    settings_of(length)
  if not all(seed.isdigit() for seed in seeds):
    raise ValueError(f'--seeds: wanted whole numbers, found {options.seeds!r}.')
  about = machine.about()
  runs: dict[str, list[dict[str, float]]] = {}
  for length in lengths:
    for seed in seeds:
      row = f'quickstart of {length}, seed {seed}'
      record = measured.find(measured.read(options.out), row, about)
      if record is None:
        print(row, file=sys.stderr, flush=True)
        record = {'row': row, **about, 'result': train(length, int(seed))}
        append_json(options.out, record)
      runs.setdefault(length, []).append(record['result'])
  print(f'{about["cores"]} cores of {about["cpu"]}; python {about["python"]}, '
        f'jax {about["jax"]}')
  print(*throughput.table(compare(runs)), sep='\n')


def main():
  flags = argparse.ArgumentParser(
      description=__doc__, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('--lengths', default='24000,20000',
                     help='images, or images/batch')
  flags.add_argument('--seeds', default='0,1,2')
  flags.add_argument('--out', default='quickstart.jsonl', help='results')
  try:
    run(flags.parse_args())
  except (ValueError, RuntimeError, OSError) as error:
    sys.exit(f'error: {error}')


if __name__ == '__main__':
  main()

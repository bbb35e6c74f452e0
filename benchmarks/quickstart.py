"""The quickstart with fewer images: what it takes, and what its summary loses.

  python benchmarks/quickstart.py --images=40000,32000 --seeds=0,1,2

Each run is launch.py from the command to its last line, with empty caches; it
is appended to --out once it is done, and the same command goes on where it was
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
import measure
import measured
import throughput

from msg_gan_jax.files.atomic import append_json

LAUNCH = pathlib.Path(__file__).resolve().parents[1] / 'launch.py'
MOST_LARGER, MOST_OTHER = 1.1, .05  # Of a distance; of the variety.


def train(images: int, seed: int) -> dict[str, float]:
  """A run: its seconds, those to the second grid, and its summary's numbers.

  Raises:
    RuntimeError: it did not end well; with the last line that it said.
  """
  with tempfile.TemporaryDirectory() as folder:
    run = pathlib.Path(folder, 'run')
    environment = {**os.environ, 'XDG_CACHE_HOME': f'{folder}/cache'}
    environment.pop('JAX_COMPILATION_CACHE_DIR', None)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(LAUNCH), '--config=quickstart',
         f'--config.seed={seed}', f'--config.train.total_images={images}',
         f'--workdir={run}'], env=environment, capture_output=True, text=True)
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


def compare(runs: dict[int, list[dict[str, float]]]) -> dict[int, dict]:
  """{images: {column: text}}, each length beside the first one.

  Args:
    runs: {images: what `train` gave, one a seed}.
  """
  means = {images: {name: statistics.mean(run[name] for run in of_length)
                    for name in of_length[0]}
           for images, of_length in runs.items()}
  first = next(iter(means.values()))
  rows = {}
  for images, of_length in means.items():
    distances = {
        name: value for name, value in of_length.items()
        if name == 'frechet' or name.startswith('swd_')}
    holds = abs(of_length['variety'] - first['variety']) <= MOST_OTHER and all(
        value <= MOST_LARGER * first[name]
        for name, value in distances.items())
    rows[images] = {
        'seeds': str(len(runs[images])),
        'seconds': measured.median([x['seconds'] for x in runs[images]], 0),
        'to the first grid': f'{of_length["grid_seconds"]:.0f}',
        **{name: f'{value:.4g} ({value / first[name]:.2f})'
           for name, value in distances.items()},
        'variety': f'{of_length["variety"]:.2f}',
        'holds': 'yes' if holds else 'no'}
  return rows


def numbers(text: str, name: str) -> list[int]:
  """'1,2' -> [1, 2]."""
  words = text.split(',')
  if not all(word.strip().isdigit() for word in words):
    raise ValueError(
        f'{name}: wanted whole numbers and commas, found {text!r}.')
  return [*map(int, words)]


def run(options: argparse.Namespace) -> None:
  """Trains what the file has not yet, and prints the table."""
  lengths, seeds = (numbers(getattr(options, name), f'--{name}')
                    for name in ('images', 'seeds'))
  about = measure.about()
  runs: dict[int, list[dict[str, float]]] = {}
  for images in lengths:
    for seed in seeds:
      row = f'quickstart of {images}, seed {seed}'
      record = measured.find(measured.read(options.out), row, about)
      if record is None:
        print(row, file=sys.stderr, flush=True)
        record = {'row': row, **about, 'result': train(images, seed)}
        append_json(options.out, record)
      runs.setdefault(images, []).append(record['result'])
  print(f'{about["cores"]} cores of {about["cpu"]}; python {about["python"]}, '
        f'jax {about["jax"]}')
  print(*throughput.table({
      f'{images:,}': cells for images, cells in compare(runs).items()}),
        sep='\n')


def main():
  flags = argparse.ArgumentParser(
      description=__doc__, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('--images', default='40000,32000', help='lengths')
  flags.add_argument('--seeds', default='0,1,2')
  flags.add_argument('--out', default='quickstart.jsonl', help='results')
  try:
    run(flags.parse_args())
  except (ValueError, RuntimeError) as error:
    sys.exit(f'error: {error}')


if __name__ == '__main__':
  main()

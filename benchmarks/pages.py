"""How long --mode=report takes, and how large its page is, of one run and ten.

  python benchmarks/pages.py
  python benchmarks/pages.py --runs=3 --records=500 --keep=FOLDER

The runs are made, and not trained: settings, versions, records, grids, scores
and warnings have the names, kinds and numbers of a run's own. Their pictures
are drawn heads, pale with noise at first. What is timed is the command as a
user gives it: a process of its own, its start included. README.md beside this
file has results.
"""
import argparse
from collections.abc import Iterator
import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

# These lie beside this file.
import machine
import measured
import numpy as np
import throughput

from msg_gan_jax.config.schema import Config
from msg_gan_jax.data.drawn.avatars import Avatars
from msg_gan_jax.files.atomic import append_json, write_json
from msg_gan_jax.gan import pyramid
from msg_gan_jax.report import grids
from msg_gan_jax.runs.records import Metrics
from msg_gan_jax.runs.told import Told
from msg_gan_jax.runs.workdir import Workdir
from msg_gan_jax.training import monitor

LAUNCH = pathlib.Path(__file__).resolve().parents[1] / 'launch.py'
RECORDS, GRIDS, MEASUREMENTS = 2_000, 40, 20  # Of a run.
SEEDS = 2  # Runs that differ in their seed alone, one after the other.
ONE_MB, ALL_MB, ALL_SECONDS = 5, 30, 10  # What is wanted, at most.


def settings(place: int, records: int = RECORDS) -> Config:
  """Those of a run: the quickstart's, so long that it has so many records.

  Args:
    place: of the run; SEEDS of them differ in their seed alone.
    records: how many it has.
  """
  config = throughput.experiment('quickstart')
  every = config.train.log_every_images
  return dataclasses.replace(
      config, seed=place % SEEDS,
      objective=dataclasses.replace(
          config.objective, penalty_weight=1. + place // SEEDS),
      train=dataclasses.replace(
          config.train, total_images=records * every,
          sample_every_images=max(1, records // GRIDS) * every,
          measure_every_images=max(1, records // MEASUREMENTS) * every))


def make(folder: pathlib.Path, place: int, records: int = RECORDS) -> None:
  """Writes a run as training leaves it, but for its checkpoints.

  Args:
    folder: of the run; it is made.
    place: see `settings`.
    records: how many it has.
  """
  config = settings(place, records)
  rng = np.random.default_rng(place)
  with Workdir(folder) as workdir:
    workdir.start(config, digest=f'{0:064x}')
  metrics = Metrics(folder)
  for images, values, clock in numbers(config, rng):
    metrics.write(images, values, clock)
  metrics.close()
  (folder / 'samples').mkdir()
  for images, levels in samples(config, rng):
    grids.save(folder / 'samples' / f'images_{images:010d}.png',
               grids.scales_side_by_side(levels))
  told = Told(folder, lambda line: None)
  for images in range(1, 9):
    told.images = lambda images=images: images * config.train.log_every_images
    told(f'warning: at {told.images():,} images the samples differ by only '
         '9% of what the reals do: G may have collapsed')
  score = {'value': rng.uniform(.1, .2), 'error_of_samples': .005,
           'reals': .003, 'features': 'random_conv', 'id': 'f899eba6'}
  append_json(folder / 'scores.jsonl', {
      'images': config.train.total_images, 'scores': {
          f'{name}_random_conv': score for name in ('kid', 'frechet')}})
  levels = {str(config.data.resolution): 20., 'mean': 25.}
  write_json(folder / 'summary.json', {
      'images': config.train.total_images,
      'swd': {'samples': levels, 'halves': levels}})


def numbers(config: Config, rng: np.random.Generator) -> Iterator[
    tuple[int, dict[str, Any], dict[str, float]]]:
  """(images, values, clock) of each record, as training has them."""
  train, every = config.train, config.train.log_every_images
  sizes = _sizes(config)
  of_steps = ('d_fake', 'd_grad_norm', 'd_loss', 'd_real', 'drift',
              'g_grad_norm', 'g_loss', 'penalty')
  distances = (f'swd_{sizes[-2]}', f'swd_{sizes[-1]}', 'swd_mean',
               'pairwise_ratio', 'kid_random_conv')

  def falling(names: tuple[str, ...], share: float) -> dict[str, float]:
    """Positive numbers that fall and tremble, as those of a run do."""
    return dict(zip(names, (.2 + np.exp(-4 * share)) * rng.lognormal(
        0, .2, len(names)), strict=True))

  def of_scales(name: str) -> tuple[str, ...]:
    return tuple(f'{name}_{size}' for size in sizes)

  for images in range(every, train.total_images + 1, every):
    share = images / train.total_images
    values: dict[str, Any] = {
        **falling(of_steps, share), 'steps': every // train.batch,
        'spread': falling(of_steps, share)}
    if not images % train.sample_every_images:
      values |= {
          'epoch': images // train.sample_every_images,
          **falling(('diversity', *of_scales('stability'),
                     *of_scales('consistency')[:-1], *of_scales('share')),
                    share)}
    if not images % train.measure_every_images:
      values |= {**falling(distances, share), 'references': {
          'reals': dict.fromkeys(distances, .2), 'noise': {'swd_mean': 1.2},
          'pca': {'swd_mean': .6}}}
    yield images, values, {'seconds': round(images / 310 + rng.random(), 3),
                           'images_per_second': rng.normal(310, 9)}


def samples(config: Config, rng: np.random.Generator) -> Iterator[
    tuple[int, tuple[np.ndarray, ...]]]:
  """(images, uint8 pyramid) of each grid, the one before training too."""
  train, side = config.train, config.data.resolution
  heads = Avatars(monitor.GRID, side, seed=config.seed).images(
      np.arange(monitor.GRID)).astype(np.float32)
  for images in range(0, train.total_images + 1, train.sample_every_images):
    blank = .85 * (1 - images / train.total_images)**3
    # Noise of two sizes, since what a young G draws is blurred, not sand.
    noise = rng.normal(128, 60, (monitor.GRID, side // 4, side // 4, 3)).repeat(
        4, 1).repeat(4, 2)
    drawn = (1 - blank) * heads + blank * noise + rng.normal(0, 5, heads.shape)
    yield images, tuple(
        np.uint8(np.clip(drawn.reshape(
            len(heads), size, side // size, size, side // size, 3).mean((2, 4)),
            0, 255)) for size in _sizes(config))


def _sizes(config: Config) -> tuple[int, ...]:
  """Heights of the pictures, coarse to fine."""
  side = config.data.resolution
  return pyramid.ladder(side, side)


def time_of(workdir: str, out: pathlib.Path) -> dict[str, float]:
  """{'seconds', 'cpu_seconds', 'mb'} of the command and its page.

  Raises:
    RuntimeError: it did not end well; with what it said.
  """
  before, began = os.times(), time.perf_counter()
  done = subprocess.run(
      [sys.executable, str(LAUNCH), '--mode=report', f'--workdir={workdir}',
       f'--out={out}'], capture_output=True, text=True)
  seconds, after = time.perf_counter() - began, os.times()
  if done.returncode:
    raise RuntimeError(f'launch.py ended with {done.returncode}: '
                       f'{done.stderr.strip()}')
  return {'seconds': seconds, 'mb': out.stat().st_size / 1e6,
          'cpu_seconds': after.children_user + after.children_system
          - before.children_user - before.children_system}


def row(times: list[dict[str, float]], mb: float,
        seconds: float | None = None) -> dict[str, str]:
  """{column: text} of a page, beside what is wanted."""
  def column(name: str) -> str:
    return measured.median([x[name] for x in times])

  return {'seconds': column('seconds'),
          'wanted ': f'{seconds:g}' if seconds else '',
          'CPU seconds': column('cpu_seconds'),
          'MB': column('mb'), 'wanted': f'{mb:g}'}


def run(options: argparse.Namespace, folder: pathlib.Path) -> None:
  """Makes the runs, takes turns with the pages, and prints the table."""
  folders = []
  for place in range(options.runs):
    folders.append(folder / f'run_{place}')
    if not folders[-1].exists():
      make(folders[-1], place, options.records)
  asked = {'1 run': str(folders[0])}
  if len(folders) > 1:
    asked[f'{len(folders)} runs'] = ','.join(map(str, folders))
  times: dict[str, list[dict[str, float]]] = {name: [] for name in asked}
  about = machine.about()
  for _ in range(options.repeats):
    for name, workdir in asked.items():
      times[name].append(time_of(workdir, folder / f'{name}.html'))
  print(f'{about["cores"]} cores of {about["cpu"]}, load {about["load"]:.2f}; '
        f'python {about["python"]}, jax {about["jax"]}, commit '
        f'{about["commit"]}; {options.records:,} records a run')
  print(*throughput.table({
      name: row(found, *((ALL_MB, ALL_SECONDS) if name != '1 run' else (
          ONE_MB,))) for name, found in times.items()}), sep='\n')


def main() -> None:
  flags = argparse.ArgumentParser(
      description=__doc__, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('--runs', type=int, default=10)
  flags.add_argument('--records', type=int, default=RECORDS, help='of a run')
  flags.add_argument('--repeats', type=int, default=3)
  flags.add_argument('--keep', type=pathlib.Path,
                     help='where the runs and pages stay, to be used again')
  options = flags.parse_args()
  try:
    if options.keep:
      run(options, options.keep.absolute())
    else:
      with tempfile.TemporaryDirectory() as folder:
        run(options, pathlib.Path(folder))
  except (ValueError, RuntimeError, OSError) as error:
    sys.exit(f'error: {error}')


if __name__ == '__main__':
  main()

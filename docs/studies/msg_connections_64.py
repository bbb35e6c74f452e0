"""Prints the tables of docs/studies/msg_connections_64.md, and draws samples.

  mkdir -p runs/msg_connections_64
  cp docs/studies/records/msg_connections_64.log \\
    runs/msg_connections_64/journal.log
  python docs/studies/msg_connections_64.py --study=runs/msg_connections_64

Samples are drawn where the folders of the runs are there, too.
"""
import argparse
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
PICTURE = ROOT / 'docs' / 'images' / 'msg_connections_64_samples.png'
# {column of the records: (its name, digits)}
MEASURES = {'swd_mean': ('distance', 1), 'pairwise_ratio': ('variety', 2),
            'stability_64': ('movement', 4)}


def by_point(results, measure):
  """{(scales, rate): {seed: the last value}}; nan of a run that diverged."""
  found = {}
  for row in results.rows:
    column = [x for x in row.curve.get(measure, ()) if x is not None]
    found.setdefault((row.point['scales'], row.point['rate']), {})[row.seed] = (
        column[-1] if column and np.isfinite(row.value) else np.nan)
  return found


def each_run(results):
  """Lines of a table: a point, and what came of each of its seeds."""
  columns = [by_point(results, measure) for measure in MEASURES]
  yield '| scales | rate |' + ''.join(
      f' {name} |' for name, _ in MEASURES.values())
  yield '|---' * (2 + len(columns)) + '|'
  for scales, rate in sorted(columns[0], key=lambda key: (key[1], key[0])):
    cells = [', '.join(f'{x:.{digits}f}' for _, x in sorted(
        column[scales, rate].items())) for column, (_, digits) in zip(
            columns, MEASURES.values(), strict=True)]
    yield f'| {scales} | {rate} | ' + ' | '.join(cells) + ' |'


def all_beside_none(results):
  """Lines of a table: ratios of all scales to the finest alone, in pairs.

  A pair is of one rate and one seed.
  """
  from msg_gan_jax.study.findings import chance
  from msg_gan_jax.study.scale import Scale
  scale = Scale(ratios=True)
  yield '| measure | each pair | all beside none | p |'
  yield '|---' * 4 + '|'
  for measure, (name, _) in MEASURES.items():
    first, second = ({
        (rate, seed): x
        for (scales, rate), seeds in by_point(results, measure).items()
        if scales == wanted for seed, x in seeds.items() if np.isfinite(x)}
                     for wanted in ('all', 'none'))
    both = sorted(first.keys() & second.keys())
    found = scale.paired(first, second)
    ratio, low, high = map(scale.back, (found.mean, found.low, found.high))
    yield (f'| {name} | ' + ', '.join(
        f'{first[x] / second[x]:.2f}' for x in both)
           + f' | {ratio:.2f} [{low:.2f}, {high:.2f}] | '
           f'{chance(found.p).removeprefix("p = ")} |')


def lines(folder):
  """Both tables."""
  from msg_gan_jax.study import analysis, values
  results, _ = values.results(analysis.gather(folder))
  return [*each_run(results), '', *all_beside_none(results)]


def draw(folder, path):
  """A PNG of the newest samples of seed 0 at each point; False without runs."""
  import pictures
  grids = {(point['rate'], point['scales'] == 'all'): grid
           for point, grid in pictures.newest_samples(folder)}
  if grids:
    words = {True: 'all scales', False: 'the finest alone'}
    pictures.panels(
        {f'rate {rate}, {words[every]}': grids[rate, every]
         for rate, every in sorted(grids)},
        2, (4.7, 4.2), path, 130, widths=(.74, 1))
  return bool(grids)


if __name__ == '__main__':
  sys.path.insert(0, str(ROOT))
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--study', type=pathlib.Path, required=True)
  study = str(parser.parse_args().study)
  print('\n'.join(lines(study)))
  if draw(study, PICTURE):
    print(f'\n{PICTURE}')

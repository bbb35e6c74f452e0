"""Prints the tables of docs/studies/dcgan_wgan_wgan_gp.md, and draws samples.

  mkdir -p runs/dcgan_wgan_wgan_gp
  cp docs/studies/records/dcgan_wgan_wgan_gp.log \\
    runs/dcgan_wgan_wgan_gp/journal.log
  python docs/studies/dcgan_wgan_wgan_gp.py --study=runs/dcgan_wgan_wgan_gp

Samples are drawn where the folders of the runs are there, too.
"""
import argparse
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
PICTURE = ROOT / 'docs' / 'images' / 'dcgan_wgan_wgan_gp_samples.png'
UNITS = {'images': 'images', 'd_steps': 'updates of D',
         'g_steps': 'updates of G', 'seconds': 'seconds'}


def by_method(results):
  """{method: its rows}, in the order of the study."""
  found = {}
  for row in results.rows:
    found.setdefault(row.point['method'], []).append(row)
  return found


def reached(row, metric, unit, cost):
  """The value of a run at its last measurement up to a cost."""
  costs, values = (np.array(row.curve[x], np.float64) for x in (unit, metric))
  # A little beyond: methods that count alike may differ by a step.
  return float(values[costs <= 1.01 * cost][-1])


def jump(row, metric):
  """How many times the value changes from one measurement to the next.

  The geometric mean over the second half of training, up or down.
  """
  values = np.log(np.array(row.curve[metric], np.float64))
  return float(np.exp(np.abs(np.diff(values[len(values) // 2:])).mean()))


def at_the_end(results):
  """Lines of a table: what each method costs, and where it ends."""
  yield '| method |' + ''.join(f' {x} |' for x in UNITS.values()) + (
      ' distance, each seed | class score, each seed | jumps, each seed |')
  yield '|---' * (4 + len(UNITS)) + '|'
  for method, rows in by_method(results).items():
    costs = (np.median([row.cost[unit] for row in rows]) for unit in UNITS)
    yield f'| {method} |' + ''.join(f' {x:,.0f} |' for x in costs) + ''.join(
        ' ' + ', '.join(f'{x:.2f}' for x in scores) + ' |' for scores in (
            [row.value for row in rows],
            [row.others['classifier_score_classifier'] for row in rows],
            [jump(row, results.metric) for row in rows]))


def at_equal_cost(results):
  """Lines of a table: the distance where each method has cost as much.

  As much as the one that has the least of it at its end.
  """
  from msg_gan_jax.metrics.functional.training_seeds import over_seeds
  methods = by_method(results)
  yield '| at the same | |' + ''.join(f' {method} |' for method in methods)
  yield '|---' * (2 + len(methods)) + '|'
  for unit, words in UNITS.items():
    cost = min(row.cost[unit] for row in results.rows)
    cells = []
    for rows in methods.values():
      found = over_seeds([
          reached(row, results.metric, unit, cost) for row in rows])
      cells.append(f'{found.mean:.2f} [{found.low:.2f}, {found.high:.2f}]')
    yield f'| {words} | {cost:,.0f} | ' + ' | '.join(cells) + ' |'


def lines(folder):
  """Both tables."""
  from msg_gan_jax.study import analysis, values
  results, _ = values.results(analysis.gather(folder))
  return [*at_the_end(results), '', *at_equal_cost(results)]


def draw(folder, path):
  """A PNG of the newest samples of seed 0; False without runs."""
  import pictures
  grids = {point['method']: grid
           for point, grid in pictures.newest_samples(folder)}
  if grids:
    pictures.panels(grids, len(grids), (3., 3.2), path, 130)
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

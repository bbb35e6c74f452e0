"""Prints the tables of docs/studies/landscape_small.md, from its records.

  mkdir -p runs/landscape_small
  cp docs/studies/records/landscape_small.log runs/landscape_small/journal.log
  python docs/studies/landscape_small.py --study=runs/landscape_small
"""
import argparse
import pathlib
import re
import sys

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
DEFAULT = 'ns', 'sn'


def methods(results):
  """{(loss, norm): {seed: the better of its two rates}}."""
  found = {}
  for row, value in zip(results.rows, results.counted, strict=True):
    seeds = found.setdefault((row.point['loss'], row.point['norm']), {})
    seeds[row.seed] = min(value, seeds.get(row.seed, np.inf))
  return found


def beside_the_default(found):
  """Lines of a table: each method beside the one that is recommended."""
  from msg_gan_jax.study import comparison
  from msg_gan_jax.study.findings import chance
  from msg_gan_jax.study.scale import Scale
  scale = Scale(ratios=True)
  others = [k for k in found if k != DEFAULT]
  differences = {k: scale.paired(found[k], found[DEFAULT]) for k in others}
  corrected = dict(zip(others, comparison.holm(
      [differences[k].p for k in others]), strict=True))
  yield ('| loss | norm | median | times that of ns, sn | p | could have been '
         'seen |')
  yield '|---' * 6 + '|'
  for k in sorted(found, key=lambda k: np.median([*found[k].values()])):
    cells = [*k, f'{np.median([*found[k].values()]):.1f}']
    if k != DEFAULT:
      x = differences[k]
      ratio, low, high, least = map(scale.back, (
          x.mean, x.low, x.high, comparison.detectable(x.std, x.n)))
      cells += [f'{ratio:.2f} [{low:.2f}, {high:.2f}]',
                re.sub('p( =)? ', '', chance(corrected[k])),
                f'{least:.1f} times' if least < 100 else 'nothing']
    else:
      cells += ['1', '', '']
    yield '| ' + ' | '.join(cells) + ' |'


def by_budget(results):
  """Lines of a table of the page: the best of so many runs, by loss."""
  from msg_gan_jax.report import tables
  from msg_gan_jax.study import budgets
  return tables.markdown(budgets.table(results, 'loss')._replace(
      caption='', notes=())).splitlines()


def lines(folder):
  """Both tables."""
  from msg_gan_jax.study import analysis, values
  results, _ = values.results(analysis.gather(folder))
  return [*beside_the_default(methods(results)), '', *by_budget(results)]


if __name__ == '__main__':
  sys.path.insert(0, str(ROOT))
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--study', type=pathlib.Path, required=True)
  print('\n'.join(lines(str(parser.parse_args().study))))

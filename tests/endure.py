"""Long trials of what must not be lost, each of which ends within 40 minutes.

  python tests/endure.py NAME --out=FOLDER [--n=100] [--seconds=2400] [--seed=0]

The same command goes on where it stopped. What came out is a row of a table in
docs/studies/endurance.md; the exit status is 1 where anything was lost. The
suite has a short form of each in tests/endurance.
"""
import argparse
import importlib
import pathlib
import sys

from endurance.table import Table
from helpers import ROOT

# Each is a file of tests/endurance with N, how many tries there are unless
# --n says, and main(out, n, seconds, seed, table, say) -> whether all is well.
TRIALS = ('kills', 'hosts', 'damage', 'disk', 'divergence', 'soak', 'fuzz',
          'hostile')

if __name__ == '__main__':
  sys.path.insert(0, str(ROOT))
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('name', choices=TRIALS)
  parser.add_argument('--out', required=True, help='what it has done so far')
  parser.add_argument('--n', type=int, help='how many tries')
  parser.add_argument('--seconds', type=float, default=2400.)
  parser.add_argument('--seed', type=int, default=0)
  chosen = parser.parse_args()
  trial = importlib.import_module(f'endurance.{chosen.name}')
  out = pathlib.Path(chosen.out).resolve() / chosen.name
  out.mkdir(parents=True, exist_ok=True)
  sys.exit(not trial.main(
      out, chosen.n or trial.N, chosen.seconds, chosen.seed,
      Table(chosen.name, out), print))

"""Our scores of two folders beside the programs whose protocols they follow.

  python benchmarks/beside_programs.py --torch=PYTHON
  python benchmarks/beside_programs.py --torch=PYTHON --count=2100

`launch.py --mode=evaluate` beside pytorch-fid, torch-fidelity and clean-fid, of
two folders of PNG files of 20 to 60 pixels a side (grey, with a palette, with
alpha), on one file of random Inception weights. --torch is an interpreter that
has the three. It ends with 1 where numbers differ by more than the table says:
1e-4 of 2048 features, of --count pictures a side, fewer than the features; 1e-5
of pytorch-fid's 192, of 500 a side. The files of mu and sigma that pytorch-fid
and we save are read by each other, too. About 7 minutes on two cores.

The rows of FID in measure.py time the same scripts of peers/; this one takes
their weights and reads their numbers by the same functions.
"""
import argparse
from collections.abc import Sequence
import json
import os
import pathlib
import sys
import tempfile
import time
from typing import NamedTuple

from measure_rows import HERE, lines_of, make_weights, scores_of  # beside this
import numpy as np
from PIL import Image

PEERS = HERE / 'peers'
SIDES = 20, 60
FEW, MANY = 100, 500  # Pictures a side, of 2048 features and of 192.
KINDS = 'RGB', 'RGB', 'RGB', 'RGBA', 'P', 'L'
# Of the name of a score; of other features than 2048, FID has another.
NAMES = {'fid': 'FID', 'frechet': 'FID', 'kid': 'KID', 'is': 'IS'}
LEAST = {'IS': 1.}  # What random weights give is next to it.


class Comparison(NamedTuple):
  """What is computed on both sides.

  Attributes:
    script: in peers/, with its flags.
    ours: flags of --mode=evaluate.
    tolerance: relative, of every number that the script prints; of the
      inception score, of what it is above 1.
    many: whether MANY pictures a side are taken.
  """
  script: tuple[str, ...]
  ours: tuple[str, ...]
  tolerance: float
  many: bool = False


COMPARISONS = {
    'pytorch-fid': Comparison(
        ('pytorch_fid.py', '--batch=1'),
        ('--protocol=pytorch_fid', '--metrics=fid'), 1e-4),
    'pytorch-fid, 192': Comparison(
        ('pytorch_fid.py', '--batch=1', '--dims=192'),
        ('--protocol=pytorch_fid', '--metrics=fid',
         '--features=inception:192'), 1e-5, many=True),
    'torch-fidelity': Comparison(
        ('torch_fidelity.py', '--batch=1', '--all'),
        ('--protocol=torch_fidelity', '--metrics=fid,kid,is'), 1e-4),
    'clean-fid': Comparison(
        ('clean_fid.py',), ('--protocol=clean', '--metrics=fid,kid'), 1e-4),
}


def draw(folder: str, count: int) -> None:
  """PNG files in two folders, `real` and `fake`: smooth noise, of all kinds.

  The fakes are darker and smoother, as if a generator had drawn them.
  """
  rng = np.random.default_rng(0)
  for name, coarse, dark in (('real', 8, 1.), ('fake', 5, .8)):
    os.makedirs(f'{folder}/{name}')
    for i in range(count):
      width, height = (int(x) for x in rng.integers(
          SIDES[0], SIDES[1], 2, endpoint=True))
      pixels = (dark * rng.integers(0, 256, (coarse, coarse, 4))).astype(
          np.uint8)
      picture = Image.fromarray(pixels).resize(
          (width, height), Image.Resampling.BICUBIC)
      kind = KINDS[i % len(KINDS)]
      if kind != 'RGBA':
        picture = picture.convert('RGB').convert(kind)
      picture.save(f'{folder}/{name}/{i:05}.png')


def evaluate(flags: Sequence[str], folder: str) -> None:
  """Calls --mode=evaluate, with its caches and the weights in `folder`."""
  lines_of([sys.executable, str(PEERS / 'our_evaluate.py'), '--mode=evaluate',
            f'--weights_file={folder}/weights.pth', *flags], f'{folder}/cache')


def ours(flags: Sequence[str], folder: str) -> dict[str, float]:
  """{'FID': ..}: what --mode=evaluate writes down of two sets."""
  with tempfile.TemporaryDirectory() as out:
    evaluate([f'--out={out}', *flags], folder)
    record, = map(json.loads, pathlib.Path(
        out, 'scores.jsonl').read_text('utf-8').splitlines())
  return {NAMES[key.partition('_')[0]]: x['value']
          for key, x in record['scores'].items()}


def compare(name: str, folder: str, torch: str) -> tuple[dict, dict]:
  """The scores of a row of COMPARISONS: (ours, theirs)."""
  row = COMPARISONS[name]
  pictures = f'{folder}/{"many" if row.many else "few"}'
  sets = [f'--real={pictures}/real', f'--fake={pictures}/fake']
  script, *flags = row.script
  theirs = scores_of(lines_of([
      torch, str(PEERS / script), *flags, *sets,
      f'--weights={folder}/weights.pth']))
  return ours([*row.ours, *sets], folder), theirs


def compare_files(folder: str, torch: str) -> tuple[dict, dict]:
  """FID of 192 features by files of mu and sigma, ours and pytorch-fid's.

  It writes that of the fakes, we that of the reals; each reads both.
  """
  features = '--protocol=pytorch_fid', '--features=inception:192'
  files = f'--real={folder}/ours.npz', f'--fake={folder}/theirs.npz'
  evaluate([*features, f'--real={folder}/many/real',
            f'--save_stats={folder}/ours.npz'], folder)
  theirs = scores_of(lines_of([
      torch, str(PEERS / 'pytorch_fid.py'), '--batch=1', '--dims=192', files[0],
      f'--fake={folder}/many/fake', f'--weights={folder}/weights.pth',
      f'--save={folder}/theirs.npz']))
  return ours([*features, '--metrics=fid', *files], folder), theirs


def run(options: argparse.Namespace) -> bool:
  """Prints the table; whether all numbers agree."""
  began, agree = time.perf_counter(), True
  print('| | n | score | ours | theirs | relative difference | wanted |')
  print('|---' * 7 + '|', flush=True)
  with tempfile.TemporaryDirectory() as folder:
    make_weights(folder, options.torch)
    draw(f'{folder}/few', options.count)
    draw(f'{folder}/many', MANY)
    files = 'files of mu and sigma, 192'
    for name in (*COMPARISONS, files):
      row = COMPARISONS.get(name, COMPARISONS['pytorch-fid, 192'])
      pair = (compare_files(folder, options.torch) if name == files
              else compare(name, folder, options.torch))
      for score, wanted in pair[1].items():
        found = pair[0][score]
        apart = abs(found - wanted) / abs(wanted - LEAST.get(score, 0.))
        agree &= apart <= row.tolerance
        print(f'| {name} | {MANY if row.many else options.count} | {score} | '
              f'{found:.8g} | {wanted:.8g} | {apart:.1e} | {row.tolerance:g} |',
              flush=True)
  print(f'{(time.perf_counter() - began) / 60:.1f} minutes; '
        f'{"all agree" if agree else "not all agree"}')
  return agree


def main():
  flags = argparse.ArgumentParser(
      description=__doc__, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('--torch', required=True, help='an interpreter with '
                     'pytorch-fid, torch-fidelity and clean-fid')
  flags.add_argument('--count', type=int, default=FEW,
                     help='pictures a side, of 2048 features')
  options = flags.parse_args()
  try:
    if options.count < 20:
      raise ValueError(f'--count: found {options.count}; wanted at least 20.')
    if not run(options):
      sys.exit(1)
  except (ValueError, RuntimeError, OSError) as error:
    sys.exit(f'error: {error}')


if __name__ == '__main__':
  main()

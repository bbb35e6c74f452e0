"""Writes docs/studies/families.md and its picture from a study's records.

  python launch.py --mode=study --config=experiments/studies/families.py \\
    --workdir=runs/families
  python docs/studies/families.py --study=runs/families

Families that are not trained yet are left out, and the page says how many.
"""
import argparse
import pathlib
import sys
from typing import NamedTuple

import numpy as np

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / 'docs' / 'studies' / 'families.md'
PICTURE = ROOT / 'docs' / 'images' / 'families.png'
COLUMNS = 4  # Of the picture.
LEAST = .5  # Of the reals' mean distance: samples that differ less are one.
HEAD = """# Every family of networks

This page is generated: `python docs/studies/families.py --study=runs/families`,
from the runs of [the study](../../experiments/studies/families.py):

```sh
python launch.py --mode=study --config=experiments/studies/families.py \\
  --workdir=runs/families
```

Every network that a preset has is trained once, with one seed, on drawn
pictures, in minutes. Loss, norms, penalty, optimizer and updates of D are the
preset's. What is not is the same for all: batches of 8, 32 maps at most (128
where the table says so), and an average with a half-life of 1,000 images;
`wgan` has none of the 100 updates of D with which its program begins. So narrow
and so short it is no comparison of the families: it asks whether each of them
learns.

Pictures are heads of 32 px. `dcgan`, `wgan` and `landscape_resnet19` are
networks of 64 px, and `vanilla` and `infogan` have polygons of 28 px: what
their distances stand beside is of those.

*Distance* is the sliced Wasserstein distance of 7x7 patches, times 1,000, the
mean over the levels of a Laplacian pyramid, of samples to held-out reals.
Beside it stand the distances of one half of the reals to the other, of a
Gaussian of their first ten components, and of noise. *Variety* is the mean
distance of two samples as a share of that of two reals. A family *learns* if it
is nearer to the reals than noise and than the Gaussian, and has a variety of
.5 at least; with that variety it *begins to* if it is nearer than noise alone.
With less variety it is one pattern, whatever its distance is. *Seconds* are of
training and its measurements.

| family | network | maps | pictures | distance | halves | Gaussian | noise | \
variety | seconds | it learns |
|---|---|---|---|---|---|---|---|---|---|---|
"""
KEPT = """These runs took 73 minutes with `--jobs=2`, beside other work on the
same two cores (Intel Xeon with AVX-512 and AMX, Python 3.11.7, jax 0.10.2,
2026-11-30); [their journal](records/families.log) is kept. One run of a family
says little of it: in a round before, of 16,000 pictures each, 7 families
learned, and DRAGAN and LSGAN, which are at 152 and 113 here, were at 58 and 72.
"""


class Family(NamedTuple):
  """What came of a family.

  Attributes:
    name: a preset.
    network, maps: of NETWORKS, and the most maps that a layer has.
    images: real ones that were shown.
    distances: {'samples', 'halves', 'pca', 'noise'}; {} if it diverged.
    variety: of samples, 1 being that of the reals.
    seconds: of training, measurements among them.
    grid: path of its newest samples, or None.
  """
  name: str
  network: str
  maps: int
  images: int
  distances: dict[str, float]
  variety: float
  seconds: float
  grid: pathlib.Path | None

  @property
  def verdict(self) -> str:
    """Whether it learns."""
    if not self.distances:
      return 'it diverged'
    nearer = [x for x in ('noise', 'pca')
              if self.distances['samples'] < self.distances[x]]
    if self.variety < LEAST:
      return '**no**: one pattern'
    return 'yes' if len(nearer) == 2 else (
        'begins to' if 'noise' in nearer else '**no**')


def read(folder):
  """([Family] of the runs that are done, how many there are in all)."""
  from msg_gan_jax.runs.read import read as read_run
  from msg_gan_jax.study.stored import read_stored
  from msg_gan_jax.study.worker import RUNS
  folder = pathlib.Path(folder)
  trials = read_stored(folder).trials
  return [family_of(
      trial.work.about['point']['family'], trial.record,
      read_run(folder / RUNS / trial.work.digest))
          for trial in trials if trial.state == 'done'], len(trials)


def family_of(name, record, written):
  """A Family.

  Args:
    name: of its preset.
    record: of its trial, see study.outcome.
    written: of its run, see runs.read.
  """
  networks = written.config.networks
  measured = {} if record.get('diverged') else written.summary
  pairwise = measured.get('pairwise', {})
  return Family(
      name, networks.name, networks.fmap_max,
      int(record['cost']['images'] or 0),
      {k: x['mean'] for k, x in measured.get('swd', {}).items()},
      pairwise['samples'] / pairwise['reals'] if pairwise else np.nan,
      record['cost']['seconds'] or np.nan,
      written.grids[-1][1] if written.grids else None)


def table(families):
  """Lines of the table."""
  for x in families:
    distances = [f'{x.distances[k]:.1f}' if x.distances else ''
                 for k in ('samples', 'halves', 'pca', 'noise')]
    variety = '' if np.isnan(x.variety) else f'{x.variety:.2f}'
    yield '| ' + ' | '.join([
        f'`{x.name}`', x.network, str(x.maps), f'{x.images:,}', *distances,
        variety, f'{x.seconds:.0f}', x.verdict]) + ' |\n'


def page(families, count):
  """The text of the page; `count` families are there in all."""
  yield HEAD
  yield from table(families)
  if len(families) < count:
    yield f'\n{count - len(families)} of {count} are not trained yet.\n'
  learn = sum(x.verdict == 'yes' for x in families)
  yield (f'\n{learn} of {len(families)} learn in this budget.\n\n'
         f'![Samples of each family](../images/{PICTURE.name})\n\n'
         'Samples of each family at the end. Of a GAN of several scales all '
         'are shown,\ncoarse to fine.\n\n' + KEPT)


def draw(families, path):
  """A PNG: a panel for each family."""
  import pictures
  pictures.panels(
      {f'{x.name}: {x.verdict}'.replace('*', ''): x.grid for x in families},
      COLUMNS, (2.6, 2.8), path, 110)


def main(folder):
  """Writes the page and its picture."""
  families, count = read(folder)
  draw(families, PICTURE)
  PAGE.write_text(''.join(page(families, count)), encoding='utf-8')


if __name__ == '__main__':
  sys.path.insert(0, str(ROOT))
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--study', type=pathlib.Path, required=True)
  main(parser.parse_args().study)

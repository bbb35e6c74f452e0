"""What a linear classifier learns from the features of a run's D.

D is never told a class. If it needs what classes differ in, to tell reals from
fakes, its features separate them, also with few labels. Beside it stand the
pixels, an untrained network, and the same D as its training began.

Source: Radford et al. 2016 (arXiv:1511.06434), sec. 5: features of all
convolutional layers, pooled by the maximum to a 4x4 grid, and a linear L2-SVM.
"""
from collections.abc import Callable, Iterator, Sequence
import functools
import itertools
import os
from typing import Any, NamedTuple

import jax
import numpy as np

from msg_gan_jax.analysis.discriminator import extractor as extractors
from msg_gan_jax.analysis.discriminator import linear_svm
from msg_gan_jax.analysis.discriminator.features import Judge
from msg_gan_jax.arrays.indices import at_random, evenly
from msg_gan_jax.config import Config
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.sources import Splits, open_source
from msg_gan_jax.files import console
from msg_gan_jax.files.optional import require
from msg_gan_jax.gan.build import Gan, build_to_draw
from msg_gan_jax.metrics.features import extract, random_conv
from msg_gan_jax.metrics.functional.precision_recall import nearest
from msg_gan_jax.metrics.functional.proportions import wilson
from msg_gan_jax.report import neighbours, tables
from msg_gan_jax.report.text import percent
from msg_gan_jax.runs import experiment_file
from msg_gan_jax.runs.config_file import load_config
from msg_gan_jax.runs.load import states

PIXELS, BEGUN = 'pixels', 'D at initialisation'
QUERIES, NEIGHBOURS = 6, 6  # Of the figure of nearest pictures.


class Labelled(NamedTuple):
  """The pictures of a probe.

  Attributes:
    train, test: which a GAN has learned from, without labels, and has not.
    rows, test_rows: int [n], those that count.
    labels, test_labels: int [n].
  """
  train: Source
  test: Source
  rows: np.ndarray
  test_rows: np.ndarray
  labels: np.ndarray
  test_labels: np.ndarray

  def shown(self) -> np.ndarray:
    """uint8 [n, H, W, C]: the labelled pictures."""
    return self.train.images(self.rows)


class Outcome(NamedTuple):
  """What came of one kind of features.

  Attributes:
    name: whose they are.
    numbers: how many of a picture.
    chosen: C, by validation.
    right: bool [m], which test pictures were.
  """
  name: str
  numbers: int
  chosen: linear_svm.Chosen
  right: np.ndarray


class Probed(NamedTuple):
  """A probe of a run.

  Attributes:
    outcomes: of PIXELS, random_conv and BEGUN, and then of D at each
      checkpoint.
    record: for JSON.
    picture: uint8 [H, W, 3], test pictures with the labelled ones nearest to
      them, by the last D and by pixels.
  """
  outcomes: list[Outcome]
  record: dict[str, Any]
  picture: np.ndarray


def probe(run: str | os.PathLike, which: str = 'newest', *,
          labels_per_class: int = 500, test_count: int = 10_000,
          layers: Sequence[str] = (), seed: int = 0, trust_code: bool = False,
          say: Callable[[str], Any] = console.say) -> Probed:
  """Trains linear classifiers on features of a run's D, and tests them.

  Args:
    run: its folder.
    which: checkpoints: 'newest', 'best', 'all', or images shown.
    labels_per_class: labelled training pictures of each class, a fifth of them
      for validation.
    test_count: at most so many held-out pictures are tested on.
    layers: of D; () are all its convolutions.
    seed: of the draw of pictures, and of those to validate.
    trust_code: see runs.load.load.
    say: prints a line for people.

  Raises:
    ValueError: no run, no labels, too few pictures, a layer that there is
      not, or no scikit-learn.
  """
  require('sklearn', 'a linear probe')  # Before minutes of features.
  run = os.fspath(run)
  config = load_config(run, say)
  with_rows = functools.partial(
      experiment_file.with_rows, run, trust_code=trust_code)
  gan = with_rows(lambda: build_to_draw(config))
  begun = judge_at_start(gan, config)
  extractors.check(begun, ())  # A D of points has no convolutions either.
  layers = tuple(layers) or extractors.convolutions(begun)
  if not layers:
    raise ValueError(
        f'workdir {run}: its D has no convolutions; wanted layers of it, such '
        f'as layer={next(iter(begun.shapes))}.')
  extractors.check(begun, layers)
  pictures = draw(with_rows(lambda: open_source(config)), run,
                  labels_per_class, test_count, seed)
  outcomes: list[Outcome] = []
  by_d = by_pixels = None
  for name, sets in _kinds(gan, config, run, which, layers, pictures):
    scaled = linear_svm.scaled(*sets)
    outcomes.append(_outcome(name, sets[0].shape[1], scaled, pictures, seed))
    by_pixels, by_d = by_pixels or scaled, scaled
    say(_line(outcomes[-1]))
  assert by_d is not None and by_pixels is not None  # There is a checkpoint.
  return Probed(outcomes, {
      'run': run, 'training_seed': config.seed, 'seed': seed,
      'layers': [*layers], 'labels_per_class': labels_per_class,
      'labels': len(pictures.rows), 'tested': len(pictures.test_rows),
      'data': pictures.train.name, 'grid': [*linear_svm.GRID],
      'classes': [*pictures.train.classes],
      'features': [_entry(x, outcomes) for x in outcomes]},
                _picture(by_d, by_pixels, pictures, outcomes[-1].name))


def draw(splits: Splits, run: str, labels_per_class: int, test_count: int,
         seed: int) -> Labelled:
  """The pictures of a probe: as many labelled ones of each class.

  Args:
    splits: of a run, which trained on the first.
    run: its folder, for errors.
    labels_per_class, test_count, seed: see `probe`.

  Raises:
    ValueError: no classes, nothing held out, or too few pictures of a class.
  """
  train, test = splits
  if len(train.classes) < 2:
    raise ValueError(
        f'workdir {run}: {train.name} has {len(train.classes) or "no"} '
        f'class{"" if len(train.classes) == 1 else "es"}, and a classifier '
        'learns to tell at least 2 apart; wanted a run on pictures with '
        'labels: a folder a class, or a file of labels.')
  if test is None or not len(test):
    raise ValueError(
        f'workdir {run}: nothing of {train.name} was held out of training, and '
        'so there is nothing to test on; wanted a run with '
        'config.data.held_out above 0.')
  every = train.labels(np.arange(len(train)))
  counts = np.bincount(every, minlength=len(train.classes))
  if np.min(counts) < labels_per_class:
    fewest = train.classes[int(np.argmin(counts))]
    raise ValueError(
        f'labels_per_class: {labels_per_class:,}, but the class {fewest!r} of '
        f'{train.name} has {np.min(counts):,} training pictures; wanted at '
        'least 2, and at most as many as each class has.')
  rng = np.random.default_rng(seed)
  rows = np.sort(np.concatenate([
      rng.permutation(np.flatnonzero(every == label))[:labels_per_class]
      for label in range(len(train.classes))]))
  test_rows = at_random(len(test), test_count, seed)
  return Labelled(train, test, rows, test_rows, every[rows],
                  test.labels(test_rows))


def judge_at_start(gan: Gan, config: Config) -> Judge:
  """D with the weights that training begins with, by the seed of the run."""
  key = jax.random.fold_in(jax.random.key(config.seed), 0)  # training.loop's.
  return Judge.of(gan, gan.init(key).d)


def features(d: Judge, layers: Sequence[str],
             pictures: Labelled) -> tuple[np.ndarray, np.ndarray]:
  """(labelled, tested) float32 [n, d]: GRIDS of layers behind each other.

  D's batch norms have the moments of the labelled pictures.
  """
  d = extractors.of_pictures(d, pictures.shown())
  made = extractors.extractor(d, layers, extractors.GRIDS, together=True)
  train, test = (
      extract.features(source, made, rows, title)[extractors.ALL]
      for source, rows, title in (
          (pictures.train, pictures.rows, 'labelled pictures'),
          (pictures.test, pictures.test_rows, 'tested pictures')))
  return train, test


def table(found: Probed) -> tables.Table:
  """What came out, in percent, with intervals of 95 %."""
  record = found.record
  rows: list[list[tables.Cell]] = [
      [entry['name'], entry['count'],
       f'{entry["c"]:.3g} *' if entry['at_edge'] else entry['c'],
       100 * entry['validated'], _cell(entry['accuracy']),
       _cell(entry.get('above_pixels')),
       _cell(entry.get('above_initialisation'))]
      for entry in record['features']]
  return tables.Table(
      ('features', 'number', 'C', 'validated %', 'tested %',
       'above pixels', 'above D at initialisation'), rows,
      f'Linear L2-SVM on {record["labels"]:,} labelled pictures of '
      f'{record["data"]}, tested on {record["tested"]:,} others',
      ('D saw the labelled pictures without labels, and the tested ones never.',
       f'D: {", ".join(record["layers"])}, each pooled by the maximum to at '
       f'most {extractors.GRID} x {extractors.GRID}.',
       *(['A C of the grid\'s end was chosen where it is marked *; beyond it '
          'might be a better one.'] if any(
              x['at_edge'] for x in record['features']) else []),
       'Brackets are intervals of 95 % over tested pictures: Wilson\'s, and of '
       'differences those of a mean over the same pictures. Another training '
       'seed is not in them.'), digits=3)


def _kinds(gan, config, run, which, layers, pictures) -> Iterator[
    tuple[str, tuple[np.ndarray, np.ndarray]]]:
  """Yields (name, features of the labelled and the tested), one at a time."""
  found = states(gan, run, which)
  first = next(found)  # What is missing is an error before any work.
  yield PIXELS, _pixels(pictures)
  yield 'random_conv', _random_conv(pictures)
  yield BEGUN, features(judge_at_start(gan, config), layers, pictures)
  for images, state in itertools.chain([first], found):
    yield f'D after {images:,} images', features(
        Judge.of(gan, state.d), layers, pictures)


def _pixels(pictures):
  return tuple(
      source.images(rows).reshape(len(rows), -1).astype(np.float32)
      for source, rows in ((pictures.train, pictures.rows),
                           (pictures.test, pictures.test_rows)))


def _random_conv(pictures):
  run = jax.jit(random_conv.features)
  return tuple(np.concatenate([
      np.asarray(run(source.images(part)))
      for part in np.array_split(rows, -(-len(rows) // extractors.BATCH))])
      for source, rows in ((pictures.train, pictures.rows),
                           (pictures.test, pictures.test_rows)))


def _outcome(name, numbers, scaled, pictures, seed):
  train, test = scaled
  chosen = linear_svm.choose(train, pictures.labels, seed)
  predicted = linear_svm.fit(
      train, pictures.labels, chosen.c).predict(test)
  return Outcome(name, numbers, chosen, predicted == pictures.test_labels)


def _line(outcome):
  share = _share(outcome.right)
  edge = ', at an end of the grid' if outcome.chosen.at_edge else ''
  return (f'{outcome.name}: {percent(share.share)} right '
          f'[{percent(share.low)}, {percent(share.high)}] of '
          f'{len(outcome.right):,}, by {outcome.numbers:,} features '
          f'(C={outcome.chosen.c:.2g}{edge})')


def _entry(outcome, outcomes):
  """What a record says of an Outcome."""
  entry = {
      'name': outcome.name, 'count': outcome.numbers, 'c': outcome.chosen.c,
      'at_edge': outcome.chosen.at_edge,
      'validated': max(outcome.chosen.accuracies.values()),
      'validation': {f'{c:.3g}': x
                     for c, x in outcome.chosen.accuracies.items()},
      'accuracy': _share(outcome.right)._asdict()}
  for key, name in (('above_pixels', PIXELS), ('above_initialisation', BEGUN)):
    other = next((x for x in outcomes if x.name == name), outcome)
    if other is not outcome and outcomes.index(other) < outcomes.index(outcome):
      entry[key] = linear_svm.difference(outcome.right, other.right)._asdict()
  return entry


def _share(right):
  return wilson(int(right.sum()), len(right))


def _cell(share) -> tables.Cell:
  return share and tables.Around(
      *(100 * share[end] for end in ('share', 'low', 'high')))


def _picture(by_d, by_pixels, pictures, name):
  rows = evenly(len(pictures.test_rows), QUERIES)
  queries = pictures.test.images(pictures.test_rows[rows])
  bands = []
  for title, (train, test) in ((f'by {name}', by_d), ('by pixels', by_pixels)):
    distances, near = nearest(
        train, test[rows], min(NEIGHBOURS, len(train)))
    bands.append(neighbours.Nearest(
        title, queries, pictures.train.images(pictures.rows[near.ravel()]),
        distances[:, 0]))
  return neighbours.draw(
      bands, ('Tested pictures', 'and the labelled ones nearest to each, by '
              'scaled features; their distances at the left'), 'tested')

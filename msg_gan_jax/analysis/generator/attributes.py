"""Directions of what a classifier sees, and what each changes beside it.

A classifier of the run's own data set reads samples; a linear classifier learns
to tell from z or w what was read. Its normal is the direction.
"""
from collections.abc import Callable, Iterable, Sequence
import math
import re
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.analysis.generator import directions
from msg_gan_jax.analysis.generator.arithmetic import points_as
from msg_gan_jax.analysis.generator.directions import Directions
from msg_gan_jax.analysis.trained import Latents, Trained
from msg_gan_jax.config import tables
from msg_gan_jax.data.drawn import avatars
from msg_gan_jax.data.sources import Splits
from msg_gan_jax.files import console, progress
from msg_gan_jax.files.optional import require
from msg_gan_jax.metrics.avatar_factors import SURE
from msg_gan_jax.metrics.features import classifier, dataset_classifier
from msg_gan_jax.metrics.functional.checks import TooFewError
from msg_gan_jax.metrics.functional.proportions import (
  Proportion,
  balanced,
  wilson,
)

HELD_OUT = .25  # Share of the samples that the linear classifier is tested on.
FEWEST = 20  # Samples with and without a value, of those it learns from.
PROBES = 200  # Held-out samples that are moved along each direction.
REACH = 2.  # Standard deviations that they are moved by, to both sides.
RANDOM = 8  # Random directions to compare with.
_LONGEST_NAME = 60  # Characters of a name of a file.
_C = .01  # Of the support vectors: latents are many and few of them tell much.


class Reader(NamedTuple):
  """A classifier that says what a picture shows.

  Attributes:
    variables: of features.classifier.
    values: {head: names of its values}; heads are the factors and, where it is
      none of these, 'label'.
    accuracy: {head: share of held-out reals that it is right about}.
  """
  variables: classifier.Variables
  values: dict[str, tuple[str, ...]]
  accuracy: dict[str, float]

  def read(self, pictures: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """uint8 [H, W, C] one by one -> {head: int [n], the likeliest values}."""
    found, chunk = [], list[np.ndarray]()

    def look():
      _, logits = classifier.outputs(self.variables, np.stack(chunk))
      found.append({head: x.argmax(1) for head, x in logits.items()})
      chunk.clear()

    for picture in pictures:
      chunk.append(picture)
      if len(chunk) == classifier.CHUNK:
        look()
    if chunk:
      look()
    return {head: np.concatenate([x[head] for x in found])
            for head in found[0]}


class Attribute(NamedTuple):
  """One value of one head, against all others.

  Attributes:
    head: such as 'glasses'.
    value: its number.
    name: 'glasses:none'.
  """
  head: str
  value: int
  name: str


class Effect(NamedTuple):
  """What a direction does to pictures that are moved by REACH to both sides.

  Attributes:
    name: of the direction.
    of: the attribute it was learned for, or None.
    reads: share of held-out reals of which the classifier says it rightly.
    separates: balanced accuracy of the linear classifier on held-out samples.
    before, after: share of pictures with the attribute at the ends.
    changes: {head: share of pictures that show another value at one end than
      at the other}, of heads that were asked for or the classifier is SURE of.
  """
  name: str
  of: Attribute | None
  reads: float
  separates: Proportion | None
  before: Proportion | None
  after: Proportion | None
  changes: dict[str, Proportion]


def reader(splits: Splits, cache_dir: str = '',
           say: Callable[[str], Any] = console.say_aside) -> Reader:
  """The classifier of a data set, from the cache folder or trained now.

  Args:
    splits: of data.sources.open_source; with labels, or named factors.
    cache_dir: where it is kept.
    say: prints a line for people.

  Raises:
    ValueError: there are neither, or too few pictures.
  """
  source = splits.train
  try:
    heads, labels = dataset_classifier.heads_of(source)
    learned = dataset_classifier.trained(
        source, splits.held_out, cache_dir, say)
  except TooFewError as error:
    raise ValueError(
        f'method=classifier: {source.name} has {len(source)} pictures, too few '
        'to learn from; wanted method=pca or method=sefa.') from error
  except ValueError as error:
    raise ValueError(
        f'method=classifier: {source.name} has neither labels nor factors to '
        'learn; wanted method=pca or method=sefa.') from error
  named = avatars.FACTORS if source.name == avatars.Avatars.name else {}
  values = {head: tuple(source.classes if head == 'label' else named.get(
      head, tuple(map(str, range(count))))) for head, count in heads.items()}
  first = labels(np.arange(min(len(source), 1000)))
  label = first.pop('label', None)
  if any((x == label).all() for x in first.values()):
    del values['label']  # It is a factor by another name.
  return Reader(learned.variables, values, learned.accuracy)


def parse(text: str, known: Reader) -> tuple[tuple[str, int | None], ...]:
  """Attributes as a person writes them, 'hat:none,skin'.

  Args:
    text: heads with commas between them, each with a value behind ':' or, for
      the value that divides the samples most evenly, without.
    known: what there is.

  Returns:
    (head, number of the value or None) of each.

  Raises:
    ValueError: no such head or value.
  """
  found = []
  for word in text.split(','):
    head, colon, value = word.strip().partition(':')
    if head not in known.values:
      raise ValueError(
          f'factors: no factor {head!r}; {tables.nearest(head, known.values)}')
    names = known.values[head]
    if colon and value not in names:
      raise ValueError(f'factors: no value {value!r} of {head!r}; '
                       f'{tables.nearest(value, names)}')
    found.append((head, names.index(value) if colon else None))
  return tuple(found)


def chosen(asked: Sequence[tuple[str, int | None]], known: Reader,
           read: dict[str, np.ndarray]) -> list[Attribute]:
  """The attributes that directions are learned for.

  Args:
    asked: see `parse`; () is one for each head that the classifier is SURE of.
    known: what there is.
    read: {head: int [n]} of the samples to learn from.

  Raises:
    ValueError: one that fewer than FEWEST samples have, or have not; or, where
      none is asked for, none that there are enough of.
  """
  found = []
  heads = asked or [(head, None) for head, share in known.accuracy.items()
                    if share >= SURE and head in known.values]
  for head, value in heads:
    counts = np.bincount(read[head], minlength=len(known.values[head]))
    n = len(read[head])
    best = int(np.argmin(np.abs(counts - n / 2))) if value is None else value
    attribute = Attribute(head, best, f'{head}:{known.values[head][best]}')
    have = int(counts[best])
    if FEWEST <= have <= n - FEWEST:
      found.append(attribute)
    elif asked:
      raise ValueError(
          f'factors: {attribute.name} is seen in {have:,} of {n:,} samples; '
          f'wanted at least {FEWEST} with and {FEWEST} without it: more '
          'samples, or another factor.')
  if not found:
    raise ValueError(
        f'samples: the classifier is right in {SURE:.0%} of the reals about no '
        f'factor of which {FEWEST} samples have a value and {FEWEST} have not; '
        'wanted more samples, or factors=NAME.')
  return found


def boundary(points: np.ndarray, has: np.ndarray) -> tuple[
    np.ndarray, Callable[[np.ndarray], np.ndarray]]:
  """A linear classifier: (its normal, [d] of length 1; points -> bool [n]).

  Both sides weigh the same, whichever has more samples.

  Args:
    points: [n, d].
    has: bool [n].

  Raises:
    ValueError: scikit-learn is not installed.

  Source: Shen et al. 2020 (arXiv:1907.10786), sec. 2.1 and 4.1: a linear
  support vector machine.
  """
  require('sklearn', 'method=classifier')
  from sklearn import svm
  mean, scale = points.mean(0), max(float(points.std()), 1e-12)
  fitted = svm.LinearSVC(C=_C, class_weight='balanced', dual=False).fit(
      (points - mean) / scale, has)
  normal = fitted.coef_[0].astype(np.float64)
  return normal / max(float(np.linalg.norm(normal)), 1e-300), lambda x: (
      fitted.predict((x - mean) / scale).astype(bool))


def find(trained: Trained, known: Reader,
         asked: Sequence[tuple[str, int | None]], samples: int,
         space: str = '') -> tuple[Directions, list[Effect]]:
  """Directions of attributes, how well they are told, and what they change.

  The last effect has no attribute: it is the mean of RANDOM directions.

  Args:
    trained: the generator.
    known: the classifier of its data set.
    asked: see `parse`; () chooses.
    samples: how many pictures are drawn and read; a quarter is held out.
    space: 'z' or 'w'; '' is w if there is a mapping network.

  Raises:
    ValueError: what `chosen`, `boundary` and
      `Trained.space_of` raise, or fewer than
      4 FEWEST samples.
  """
  space = trained.space_of(space)
  if samples < 4 * FEWEST:
    raise ValueError(f'samples: {samples}; wanted at least {4 * FEWEST}.')
  require('sklearn', 'method=classifier')  # Before minutes of drawing.
  z, labels = directions.samples_of(trained, samples)
  points = directions.points_of(trained, z, labels, space)
  read = _read(trained, known, points, labels, space, 'Reading samples')
  learn = samples - int(samples * HELD_OUT)
  attributes = chosen(
      asked, known, {head: x[:learn] for head, x in read.items()})
  vectors, told = [], []
  for head, value, _ in attributes:
    has = read[head] == value
    normal, says = boundary(points[:learn], has[:learn])
    vectors.append(normal)
    said, has = says(points[learn:]), has[learn:]
    told.append(balanced(wilson(int((said & has).sum()), int(has.sum())),
                         wilson(int((~said & ~has).sum()), int((~has).sum()))))
  stacked = np.stack(vectors)
  found = Directions(
      _file_names(attributes), stacked, directions.along(stacked, points),
      np.array([x.share for x in told]), 'balanced accuracy', space)
  probes = slice(learn, learn + PROBES)
  effects = _effects(
      trained, known, found, attributes, told, points[probes],
      None if labels is None else labels[probes], points)
  return found, effects


def _file_names(attributes):
  """Names of attributes as a file may have them, no two alike."""
  names = list[str]()
  for x in attributes:
    name = re.sub(r'[^\w.-]+', '_', x.name)[:_LONGEST_NAME]
    names.append(name if name not in names else f'{name}_{len(names) + 1}')
  return tuple(names)


def _effects(trained, known, found, attributes, told, probes, labels, points):
  """An Effect for each direction, and one for random directions."""
  random = np.random.default_rng(0).normal(size=(RANDOM, points.shape[1]))
  random /= np.linalg.norm(random, axis=1, keepdims=True)
  vectors = np.concatenate([found.vectors, random])
  steps = np.concatenate([found.steps, directions.along(random, points)])
  ends = []
  for places in -REACH, REACH:
    every = np.concatenate([
        directions.moved(probes, vector, step, [places])[:, 0]
        for vector, step in zip(vectors, steps, strict=True)])
    read = _read(trained, known, every, None if labels is None else np.tile(
        labels, len(vectors)), found.space, 'Reading both ends')
    ends.append({head: x.reshape(len(vectors), -1) for head, x in read.items()})
  low, high = ends
  own = {x.head for x in attributes}
  differ = {head: low[head] != high[head] for head in known.values
            if head in own or known.accuracy[head] >= SURE}

  def shares(rows):
    return {head: wilson(int(x[rows].sum()), x[rows].size)
            for head, x in differ.items()}

  effects = []
  for i, (name, of, right) in enumerate(
      zip(found.names, attributes, told, strict=True)):
    before, after = (wilson(int((end[of.head][i] == of.value).sum()),
                            len(probes)) for end in ends)
    effects.append(Effect(name, of, known.accuracy[of.head], right, before,
                          after, shares(slice(i, i + 1))))
  return [*effects, Effect('random', None, math.nan, None, None, None,
                           shares(slice(len(effects), None)))]


def _read(trained, known, points, labels, space, what):
  """{head: int [n]} of the finest pictures of points."""
  points = trained.onto_law(points) if space == 'z' else points
  pictures = trained.images_of(points_as(
      space, points, labels, Latents(z=points)))
  with progress.bar(pictures, total=len(points), desc=what, unit=' pictures',
                    leave=False, delay=2) as bar:
    return known.read(levels[-1] for levels in bar)

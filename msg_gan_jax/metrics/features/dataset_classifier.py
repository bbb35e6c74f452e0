"""A classifier of the data set at hand: trained once, tested, and kept."""
from collections.abc import Callable
import contextlib
import hashlib
import json
import os
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.arrays.indices import at_random, evenly
from msg_gan_jax.data.source import Source
from msg_gan_jax.files import atomic, cache, console, npy, progress
from msg_gan_jax.metrics.features import classifier, classifier_training
from msg_gan_jax.metrics.functional import checks

MOST = 50_000  # Pictures that it learns from; they lie in memory.
TESTED = 5_000  # Pictures that it is tested on.
FEWEST = 100
RECIPE = classifier_training.Recipe()


class Trained(NamedTuple):
  """A classifier.

  Attributes:
    variables: of features.classifier.
    taps: {tap: width}: 'features', 'logits' of the label, and 'logits:NAME' of
      each named factor.
    accuracy: {head: share of held-out pictures that it is right about}.
    digest: of the pictures, labels and settings that it was trained with.
  """
  variables: classifier.Variables
  taps: dict[str, int]
  accuracy: dict[str, float]
  digest: str


def tap(head: str) -> str:
  """The tap of a head's logits."""
  return 'logits' if head == 'label' else f'logits:{head}'


def heads_of(source: Source) -> tuple[
    dict[str, int], Callable[[np.ndarray], dict[str, np.ndarray]]]:
  """({head: classes}, indices -> {head: int [n]}) that can be learned.

  The label, and named factors that are whole numbers.

  Raises:
    ValueError: there are neither.
  """
  factors = source.factors(np.arange(min(len(source), 1000)))
  heads = {name: int(values.max()) + 1 for name, values in factors.items()
           if values.ndim == 1 and values.dtype.kind in 'iu'}
  heads = {name: classes for name, classes in heads.items() if classes > 1}
  if len(source.classes) > 1:
    heads['label'] = len(source.classes)
  if not heads:
    raise ValueError(
        f'features=classifier: {source.name} has '
        f'{len(source.classes) or "no"} classes to learn; wanted pictures with '
        'labels, or features=random_conv.')

  def labels(indices):
    factors = source.factors(indices)
    return {head: source.labels(indices) if head == 'label' else factors[head]
            for head in heads}
  return heads, labels


def trained(source: Source, held_out: Source | None = None,
            cache_dir: str = '',
            say: Callable[[str], Any] = console.say) -> Trained:
  """The classifier of a source, from the cache folder or trained now.

  Args:
    source: pictures with labels, or with factors that are whole numbers.
    held_out: pictures to test it on; None keeps a tenth of `source` out.
    cache_dir: where it is kept.
    say: prints a line for people.

  Raises:
    ValueError: there are no labels, or too few pictures.
  """
  heads, labels = heads_of(source)
  train, test, tested = _split(source, held_out)
  if len(train) < FEWEST:
    raise checks.TooFewError(
        f'features=classifier: {source.name} has {len(source)} pictures; '
        f'wanted at least {FEWEST}, or features=random_conv.')
  recipe = RECIPE
  key = hashlib.sha256(json.dumps(
      ['classifier', recipe.key(), source.digest(), len(train),
       tested.digest(), len(test), *['drawn'] * (tested is source)]
  ).encode()).hexdigest()
  folder = cache.folder(cache_dir)
  path = os.path.join(folder, f'classifier_{key}.npz')
  stored = _load(path)
  if stored is None:
    with contextlib.suppress(OSError):
      cache.make(folder)
    # Of several processes that start together, one trains it.
    with cache.alone_with(folder, f'classifier_{key}', wait=True,
                          what='trains the same classifier'):
      stored = _load(path)
      if stored is None:
        say(f'training a classifier of {source.name} on {len(train):,} '
            'pictures, for features=classifier; once, then it is kept')
        variables = _train(source, heads, labels, train, recipe)
        right = classifier.accuracy(
            variables, tested.images(test), heads_of(tested)[1](test))
        say('accuracy on ' f'{len(test):,} others: ' + ', '.join(
            f'{name} {share:.1%}' for name, share in right.items()))
        stored = variables, right
        _save(path, *stored)
  variables, right = stored
  width = variables['params']['head_' + next(iter(heads))]['kernel'].shape[0]
  return Trained(variables, {'features': width, **{
      tap(head): classes for head, classes in heads.items()}}, right, key)


def _split(source, held_out):
  """(indices to learn from, indices to test on, the source of the latter)."""
  n = len(source)
  if held_out is not None and len(held_out) >= FEWEST:
    return evenly(n, MOST), evenly(len(held_out), TESTED), held_out
  # Drawn: every tenth would be of one class where ten of them take turns.
  test = at_random(n, min(-(-n // 10), TESTED))
  return np.setdiff1d(evenly(n, MOST), test), test, source


def _train(source, heads, labels, indices, recipe):
  total = recipe.shown(len(indices))
  with progress.bar(total=total, desc='Training the classifier',
                    unit=' pictures') as bar:
    def show(shown, _, loss):
      bar.set_postfix_str(f'loss {loss:.3g}', refresh=False)
      bar.update(shown - bar.n)
    return classifier_training.train(
        lambda rows: source.images(indices[rows]), labels(indices), heads,
        recipe, show)


def _save(path, variables, accuracy):
  try:
    with atomic.replacing(path) as temporary, open(
        temporary, 'xb', opener=atomic.readable) as file:
      arrays: dict[str, Any] = {**classifier.to_tensors(variables),
                                'accuracy': json.dumps(accuracy)}
      np.savez(file, **arrays)
      atomic.flush_to_disk(file)
  except OSError:  # No room: it is trained again at the next start.
    pass


def _load(path):
  if not cache.is_ours(path):
    return None
  try:
    with npy.open_archive(path) as arrays:
      tensors = dict(arrays)
    accuracy = json.loads(str(tensors.pop('accuracy')))
    return classifier.from_tensors(tensors), accuracy
  except (OSError, ValueError, KeyError):
    return None

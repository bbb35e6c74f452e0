"""Chooses which column of a data set is the picture, and which the class."""
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data.labels.labels import MOST_CLASSES, to_classes

# The first of these that exists is the label if config.data.label is empty.
USUAL = ('label', 'labels', 'class', 'fine_label', 'target')


class Labels(NamedTuple):
  """Labels of all pictures.

  Attributes:
    classes: names of the labels, () if there are none.
    labels: int32 [n], index into classes, 0 if there are none.
    notes: {'label': the column, or why it was not used}.
  """
  classes: tuple[str, ...]
  labels: np.ndarray
  notes: dict


def picture_column(dataset: str, pictures: Sequence[str],
                   features: Iterable[str]) -> str:
  """Chooses the picture: 'image', or the only one.

  Args:
    dataset: what a person calls it, for errors.
    pictures: names of the features that are pictures.
    features: names of all features.

  Raises:
    ValueError: there is no picture, or several and none is called 'image'.
  """
  if 'image' in pictures:
    return 'image'
  if len(pictures) == 1:
    return pictures[0]
  raise ValueError(
      f'config.data.dataset: {dataset!r} has '
      f'{"several pictures, none" if pictures else "no picture"}'
      f"{' named ' + repr('image') if pictures else ''}; its features are "
      f'{", ".join(sorted(features))}.')


def label_column(dataset: str, wanted: str, known: Sequence[str],
                 plain: Sequence[str]) -> str:
  """Chooses the label: the wanted one, a usual one, the only one, or ''.

  Args:
    dataset: what a person calls it, for errors.
    wanted: config.data.label.
    known: names of the features that are class labels.
    plain: names of the features that are whole numbers, bools or texts.

  Raises:
    ValueError: the wanted one does not exist.
  """
  if wanted and wanted not in (*known, *plain):
    every = [*known, *plain]
    there = tables.nearest(wanted, every) if every else 'It has none at all.'
    raise ValueError(
        f'config.data.label: {dataset!r} has no class label {wanted!r}; '
        f'{there}')
  if wanted:
    return wanted
  usual = [name for name in USUAL if name in known]
  if not usual and len(known) == 1:
    return known[0]
  usual += [name for name in USUAL if name in plain]
  return usual[0] if usual else ''


def from_class_labels(name: str, classes: Sequence[str],
                      labels: Sequence[int | None]) -> Labels:
  """Labels pictures by a feature that has names for its classes.

  Test sets are often published with all labels -1 or None: there are no classes
  if any label is unknown.

  Args:
    name: of the feature.
    classes: names of all classes.
    labels: an index into classes for each picture.
  """
  known = [x is not None and 0 <= x < len(classes) for x in labels]
  if all(known):
    return Labels(tuple(classes), np.array(labels, np.int32), {'label': name})
  return _unknown(name, known.count(False), len(known))


def from_values(dataset: str, name: str, values: Sequence,
                wanted: bool) -> Labels:
  """Labels pictures by numbers, bools or texts without names for classes.

  Args:
    dataset: what a person calls it, for errors.
    name: of the feature.
    values: one for each picture. None is unknown, and so is -1 unless all
      values are -1 and 1.
    wanted: whether a person asked for it. If not, a note says why the values
      are not classes.

  Raises:
    ValueError: it was asked for, and its values are not classes.
  """
  # In CelebA -1 is "no"; beside other numbers it stands for "unknown".
  missing = {None} if set(values) == {-1, 1} else {None, -1}
  unknown = sum(value in missing for value in values)
  if unknown:
    return _unknown(name, unknown, len(values))
  place = f'config.data.label: {name!r} of {dataset!r}'
  try:
    classes, numbers = to_classes(
        place, values, [str(i) for i in range(len(values))])
    if len(classes) > MOST_CLASSES:
      raise ValueError(f'{place}: {len(classes):,} different texts; wanted at '
                       f'most {MOST_CLASSES:,} classes.')
  except ValueError as error:
    if wanted:
      raise
    return _none(len(values), f'{error} None is used')
  return Labels(classes, np.array(numbers, np.int32), {'label': name})


def others(kinds: Mapping[str, str], *used: str) -> dict:
  """Notes the features that are neither picture nor label.

  Args:
    kinds: {name: what it is, as a text}.
    used: names of the picture and the label.
  """
  rest = {name: kind for name, kind in kinds.items() if name not in used}
  return {'other_features': rest} if rest else {}


def _unknown(name, unknown, count):
  return _none(count, f'{name!r} is unknown for {unknown} pictures: none is '
               'used')


def _none(count, why):
  return Labels((), np.zeros(count, np.int32), {'label': why})

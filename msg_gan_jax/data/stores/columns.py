"""Which feature of a data set is the picture, and which one the class."""
import numpy as np

from msg_gan_jax.config import tables
from msg_gan_jax.data.labels import labels as labels_lib

# Taken without being named in config.data.label, the first that is there.
USUAL = ('label', 'labels', 'class', 'fine_label', 'target')


def picture(dataset, pictures, features):
  """The name of the picture: 'image', or the only one.

  Args:
    dataset: what a person calls it, for the errors.
    pictures: names of the features that are pictures.
    features: names of all.
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


def label(dataset, wanted, known, plain):
  """The name of the label: the wanted one, a usual one, the only one, or ''.

  Args:
    dataset: what a person calls it, for the errors.
    wanted: config.data.label.
    known: names of the features that are class labels.
    plain: names of those that are whole numbers, bools or texts.
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


def labelled(name, classes, labels):
  """-> (classes, int32 labels, notes); no classes where some are not known.

  Test sets are often published with all labels -1, or None.

  Args:
    name: of the feature.
    classes: names of all classes.
    labels: one a picture, an index into them.
  """
  known = [x is not None and 0 <= x < len(classes) for x in labels]
  if all(known):
    return tuple(classes), np.array(labels, np.int32), {'label': name}
  return _unknown(name, known.count(False), len(known))


def classified(dataset, name, values, wanted):
  """As `labelled`, of numbers, bools or texts that name no classes.

  Args:
    dataset: what a person calls it, for the errors.
    name: of the feature.
    values: one a picture; None, and -1 where it is no answer to 1, is unknown.
    wanted: whether a person asked for it; else what is no class is only noted.

  Raises:
    ValueError: it was asked for, and its values are no classes.
  """
  # In CelebA -1 is "no"; beside other numbers it stands for "unknown".
  none = {None} if set(values) == {-1, 1} else {None, -1}
  unknown = sum(value in none for value in values)
  if unknown:
    return _unknown(name, unknown, len(values))
  place = f'config.data.label: {name!r} of {dataset!r}'
  try:
    classes, numbers = labels_lib.classify(
        place, values, [str(i) for i in range(len(values))])
    if len(classes) > labels_lib.MOST_CLASSES:
      raise ValueError(f'{place}: {len(classes):,} different texts; wanted at '
                       f'most {labels_lib.MOST_CLASSES:,} classes.')
  except ValueError as error:
    if wanted:
      raise
    return _none(len(values), f'{error} None is used')
  return classes, np.array(numbers, np.int32), {'label': name}


def others(kinds, *used):
  """Notes of the features that are neither picture nor label.

  Args:
    kinds: {name: what it is, as a text}.
    used: names.
  """
  rest = {name: kind for name, kind in kinds.items() if name not in used}
  return {'other_features': rest} if rest else {}


def _unknown(name, unknown, count):
  return _none(count, f'{name!r} is unknown for {unknown} pictures: none is '
               'used')


def _none(count, why):
  return (), np.zeros(count, np.int32), {'label': why}

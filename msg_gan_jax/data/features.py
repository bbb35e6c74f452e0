"""Which feature of a data set is the picture, and which one the class."""
import numpy as np

from msg_gan_jax import tables


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


def label(dataset, wanted, known):
  """The name of the class label: the wanted one, 'label', the only one, or ''.

  Args:
    dataset: what a person calls it, for the errors.
    wanted: config.data.label.
    known: names of the features that are class labels.
  """
  if wanted and wanted not in known:
    there = tables.nearest(wanted, known) if known else 'It has none at all.'
    raise ValueError(
        f'config.data.label: {dataset!r} has no class label {wanted!r}; '
        f'{there}')
  if wanted or 'label' in known:
    return wanted or 'label'
  return known[0] if len(known) == 1 else ''


def labelled(name, classes, labels):
  """-> (classes, int32 labels, notes); no classes where some are not known.

  Test sets are often published with all labels -1, or None.
  """
  known = [x is not None and 0 <= x < len(classes) for x in labels]
  if all(known):
    return tuple(classes), np.array(labels, np.int32), {'label': name}
  return (), np.zeros(len(known), np.int32), {
      'label': f'{name!r} is unknown for {known.count(False)} pictures: '
               'none is used'}

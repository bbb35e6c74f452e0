"""Finds where TensorFlow Datasets has prepared a set, or tells how to do it.

`tfds.core.read_only_builder.builder_from_files` is not used: if no config is
named, it runs the code of the set, which may need TensorFlow, and takes one of
several configs without a word.
"""
import os
import re
from typing import Any

from msg_gan_jax.config import tables

DATASET = re.compile(
    r'(?P<name>\w+)(/(?P<config>[^:/]+))?(:(?P<version>\d+\.\d+\.\d+))?')
VERSION = re.compile(r'\d+\.\d+\.\d+')


def find(tfds: Any, dataset: str, path: str) -> str:
  """Finds the folder of a prepared set, of its newest version.

  Args:
    tfds: the module.
    dataset: 'name' or 'name/config', either with ':version'.
    path: the data_dir; '' is TFDS_DATA_DIR, or ~/tensorflow_datasets.

  Raises:
    ValueError: the name has another form, the set is not prepared, or it is
      prepared with several configs.
  """
  asked = DATASET.fullmatch(dataset)
  if not asked:
    raise ValueError(
        f'config.data.dataset: {dataset!r}; wanted a set of TFDS, such as '
        'cifar10, celeb_a_hq/256 or mnist:3.0.1.')
  root = data_dir(path)
  folders = _versions(os.path.join(root, asked['name']))
  matching = [key for key in folders if asked['config'] in (None, key[0])
              and asked['version'] in (None, key[1])]
  if not matching:
    raise ValueError(_missing(tfds, dataset, asked, root, folders))
  configs = sorted({config for config, _ in matching})
  if len(configs) > 1:
    raise ValueError(
        f'config.data.dataset: {dataset!r} is prepared in several forms; '
        f'wanted one of {_listed(asked["name"], matching)}.')
  return folders[max(matching, key=_age)]


def data_dir(path: str = '') -> str:
  """Returns the absolute folder where TFDS keeps its sets."""
  return os.path.abspath(os.path.expanduser(
      path or os.environ.get('TFDS_DATA_DIR', '') or '~/tensorflow_datasets'))


def wrong_format(builder: Any, dataset: str) -> str:
  """Says how to prepare a set anew that cannot be read by index."""
  root = data_dir(f'{_root(builder)}_array_record')
  return (
      f'config.data.dataset: {dataset!r} is prepared in {builder.data_path} as '
      f'{builder.info.file_format.value}, which only TensorFlow reads. '
      f'{_commands(dataset, root)}\nThen set config.data.path to {root!r}.')


def _root(builder):
  """Finds the data_dir of a prepared set, above name[/config]/version."""
  depth = len(builder.info.full_name.split('/'))
  return os.path.abspath(os.path.join(builder.data_path, *['..'] * depth))


def _versions(folder):
  """Lists what is prepared: {(config or '', version): folder}."""
  versions = {}
  for outer in _folders(folder):
    for entry in (outer, *_folders(outer)):
      config = '' if entry == outer else os.path.basename(outer)
      version = os.path.basename(entry)
      if VERSION.fullmatch(version) and os.path.isfile(
          os.path.join(entry, 'dataset_info.json')):
        versions[config, version] = entry
  return versions


def _folders(folder):
  if not os.path.isdir(folder):
    return []
  return sorted(e.path for e in os.scandir(folder) if e.is_dir())


def _age(key):
  return tuple(int(part) for part in key[1].split('.'))


def _listed(name, keys):
  return ', '.join(f'{name}/{config}:{version}' if config else
                   f'{name}:{version}' for config, version in sorted(keys))


def _missing(tfds, dataset, asked, root, folders):
  """Says that a set is not prepared, or not known."""
  known = tfds.list_builders(with_community_datasets=False)
  if folders:
    return (f'config.data.dataset: no {dataset!r} in {root!r}, but '
            f'{_listed(asked["name"], folders)}. {_commands(dataset, root)}')
  if asked['name'] in known:
    return (f'config.data.dataset: {dataset!r} is not prepared in {root!r}. '
            f'{_commands(dataset, root)}')
  # The catalogue has hundreds of sets: only the nearest one is named.
  prepared = [os.path.basename(x) for x in _folders(root) if _versions(x)]
  near = tables.closest(asked['name'], [*known, *prepared])
  return (
      f'config.data.dataset: no data set {asked["name"]!r}'
      + (f'; did you mean {near!r}' if near else '')
      + f'? In {root!r}: {", ".join(prepared) or "nothing"}; TFDS can prepare '
      f'{len(known)} more, see tfds.list_builders().')


def _commands(dataset, root):
  place = '' if root == data_dir() else f'data_dir={root!r}, '
  return (
      'To prepare it takes TensorFlow once, in any environment:\n'
      '  pip install tensorflow-cpu tensorflow-datasets\n'
      '  python -c "import tensorflow_datasets as tfds; '
      f"tfds.builder('{dataset}', {place}file_format='array_record')"
      '.download_and_prepare()"')

"""Where TensorFlow Datasets has prepared a set, or how to prepare it."""
import difflib
import os
import re

DATASET = re.compile(
    r'(?P<name>\w+)(/(?P<config>[^:/]+))?(:(?P<version>\d+\.\d+\.\d+))?')
VERSION = re.compile(r'\d+\.\d+\.\d+')


def find(tfds, dataset, path):
  """The folder of a prepared set, of its newest version.

  Found by its files: TFDS would run the code of the set, and some of it needs
  TensorFlow.

  Args:
    tfds: the module.
    dataset: 'name', 'name/config', either with ':version'.
    path: the data_dir; '' is TFDS_DATA_DIR, or ~/tensorflow_datasets.

  Raises:
    ValueError: a name of another form, not prepared, or one of several.
  """
  asked = DATASET.fullmatch(dataset)
  if not asked:
    raise ValueError(
        f'config.data.dataset: {dataset!r}; wanted a set of TFDS, as cifar10, '
        'celeb_a_hq/256 or mnist:3.0.1.')
  root = data_dir(path)
  here = _versions(os.path.join(root, asked['name']))
  found = [key for key in here if asked['config'] in (None, key[0])
           and asked['version'] in (None, key[1])]
  if not found:
    raise ValueError(_missing(tfds, dataset, asked, root, here))
  configs = sorted({config for config, _ in found})
  if len(configs) > 1:
    raise ValueError(
        f'config.data.dataset: {dataset!r} is prepared in several forms; '
        f'wanted one of {_listed(asked["name"], found)}.')
  return here[max(found, key=_age)]


def data_dir(path=''):
  """Where TFDS keeps its sets, absolute."""
  return os.path.abspath(os.path.expanduser(
      path or os.environ.get('TFDS_DATA_DIR', '') or '~/tensorflow_datasets'))


def wrong_format(builder, dataset):
  """The text for a set that cannot be read by index."""
  root = data_dir(f'{_root(builder)}_array_record')
  return (
      f'config.data.dataset: {dataset!r} is prepared in {builder.data_path} as '
      f'{builder.info.file_format.value}, which only TensorFlow reads. '
      f'{_commands(dataset, root)}\nThen set config.data.path to {root!r}.')


def _root(builder):
  """The data_dir that a prepared set lies in: above name[/config]/version."""
  depth = len(builder.info.full_name.split('/'))
  return os.path.abspath(os.path.join(builder.data_path, *['..'] * depth))


def _versions(folder):
  """{(config or '', version): folder} of what is prepared."""
  found = {}
  for outer in _folders(folder):
    for entry in (outer, *_folders(outer)):
      config = '' if entry == outer else os.path.basename(outer)
      version = os.path.basename(entry)
      if VERSION.fullmatch(version) and os.path.isfile(
          os.path.join(entry, 'dataset_info.json')):
        found[config, version] = entry
  return found


def _folders(folder):
  if not os.path.isdir(folder):
    return []
  return sorted(e.path for e in os.scandir(folder) if e.is_dir())


def _age(key):
  return tuple(int(part) for part in key[1].split('.'))


def _listed(name, keys):
  return ', '.join(f'{name}/{config}:{version}' if config else
                   f'{name}:{version}' for config, version in sorted(keys))


def _missing(tfds, dataset, asked, root, here):
  """Not prepared, or never heard of."""
  known = tfds.list_builders(with_community_datasets=False)
  if here:
    return (f'config.data.dataset: no {dataset!r} in {root!r}, but '
            f'{_listed(asked["name"], here)}. {_commands(dataset, root)}')
  if asked['name'] in known:
    return (f'config.data.dataset: {dataset!r} is not prepared in {root!r}. '
            f'{_commands(dataset, root)}')
  # The catalogue has hundreds of sets: only the near ones are named.
  prepared = [os.path.basename(x) for x in _folders(root) if _versions(x)]
  near = difflib.get_close_matches(asked['name'], [*known, *prepared], n=3)
  return (
      f'config.data.dataset: no data set {asked["name"]!r}'
      + (f'; did you mean {" or ".join(map(repr, near))}' if near else '')
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

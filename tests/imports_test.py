"""The plan of the house as a law: who may import whom, and how large it is."""
import ast
import builtins
import configparser
import importlib.metadata
import re
import sys

from helpers import ROOT
import pytest

import msg_gan_jax

PACKAGE = 'msg_gan_jax'

# Floors, from below. A room may import the rooms of the floors below that its
# row in MAY lists, and nothing on its own floor.
FLOORS = (
    ('config', 'arrays', 'files'),
    ('gan', 'data', 'report'),
    ('metrics', 'runs'),
    ('training', 'analysis'),
    ('study',),
    ('commands',),
    ('launch',),
)
# Parts of rooms, one level deep.
PARTS = {
    'analysis.dataset', 'analysis.discriminator', 'analysis.generator',
    'data.drawn', 'data.labels', 'data.stores', 'experiments.studies',
    'gan.networks', 'gan.objectives', 'metrics.features', 'metrics.functional',
}
VALUES = {'config.tables', 'config.errors'}  # What every room may see.
# room -> rooms, or modules of them, that it may import, besides itself.
MAY = {
    '': set(),  # The package itself imports nothing, or all would be loaded.
    '__main__': {'commands'},
    'config': set(),
    'arrays': set(),
    'files': VALUES,
    'gan': {'config', 'arrays'},
    'data': {'config', 'arrays', 'files'},
    'report': VALUES | {'files'},
    'metrics': {'config', 'arrays', 'files', 'data', 'report'},
    'runs': {'config', 'arrays', 'files', 'gan'},
    'training': {'config', 'arrays', 'files', 'gan', 'data', 'report',
                 'metrics', 'runs'},
    'analysis': {'config', 'arrays', 'files', 'gan', 'data', 'report',
                 'metrics', 'runs'},
    'study': {'config', 'files', 'gan', 'report', 'metrics', 'runs',
              'training'},
    'commands': {'config', 'arrays', 'files', 'gan', 'data', 'report',
                 'metrics', 'runs', 'training', 'analysis', 'study'},
    'launch': {'commands'},
    'experiments': {'config', 'study.space'},
}
# Inside a room: parts that never see each other.
APART = (('gan.networks', 'gan.objectives'),)
# A part of a room -> the only modules of that room outside of it.
INSIDE = {
    'gan.networks': {'gan.pyramid', 'gan.state'},
    'gan.objectives': {'gan.pyramid', 'gan.state'},
    'metrics.functional': set(),
}
# room -> the only modules from elsewhere; rooms that are not here are free.
OUTSIDE = {
    'config': {'ml_collections'},
    'arrays': {'jax', 'numpy'},
    'files': {'numpy', 'filelock', 'pooch', 'tqdm'},
    'experiments': set(),
}
WITHOUT_JAX = ('config', 'files', 'report')
# What only an extra of setup.cfg installs, whose user is told how.
OF_EXTRAS = {'datasets', 'huggingface_hub', 'imageio_ffmpeg', 'lmdb', 'optuna',
             'pyarrow', 'sklearn', 'sqlalchemy', 'tensorboardX',
             'tensorflow_datasets'}
CLOCKS_DISKS_LOGS = {'time', 'datetime', 'os', 'pathlib', 'shutil', 'logging',
                     'io', 'tempfile', 'orbax', 'absl', 'sys', 'subprocess',
                     'warnings', 'glob', 'open', 'print'}
LINES, TEST_LINES = 350, 500
# Files that may be longer, and why.
LONGER = {
    'msg_gan_jax/config/schema.py': 'every setting once, to be read as a list',
}


def files():
  yield from sorted((ROOT / PACKAGE).rglob('*.py'))
  yield from sorted((ROOT / 'experiments').rglob('*.py'))
  yield ROOT / 'launch.py'


def module_of(path):
  """'msg_gan_jax/gan/step.py' -> 'msg_gan_jax.gan.step'."""
  words = path.relative_to(ROOT).with_suffix('').parts
  return '.'.join(words[:-1] if words[-1] == '__init__' else words)


MODULES = {module_of(path): path for path in files()}


def inner(module):
  """The name below the package: 'gan.step'; of others as it is."""
  return module.removeprefix(PACKAGE).lstrip('.')


def room(module):
  return inner(module).partition('.')[0]


def for_type_checkers(node):
  return isinstance(node, ast.If) and ast.unparse(
      node.test) == 'TYPE_CHECKING'


def imports(path):
  """Modules that a file imports, wherever in it, by their full names."""
  tree = ast.parse(path.read_text())
  tree.body = [node for node in tree.body if not for_type_checkers(node)]
  for node in ast.walk(tree):
    if isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      assert not node.level, f'{path}: a relative import'
      for alias in node.names:
        whole = f'{node.module}.{alias.name}'
        yield whole if whole in MODULES else node.module


def is_ours(module):
  return module.partition('.')[0] in (PACKAGE, 'experiments', 'launch')


def lies_in(name, places):
  return any(name == x or name.startswith(f'{x}.') for x in places)


@pytest.mark.parametrize('module', MODULES)
def test_a_module_imports_only_what_its_room_may(module):
  here = room(module)
  assert here in MAY, f'{module}: no such room on the plan'
  for found in imports(MODULES[module]):
    if is_ours(found):
      assert room(found) == here or lies_in(inner(found), MAY[here]), (
          f'{module} imports {found}; {here or "the package"!r} may import '
          f'{sorted(MAY[here])}')
    elif here in OUTSIDE:
      top = found.partition('.')[0]
      assert top in sys.stdlib_module_names or top in OUTSIDE[here], (
          f'{module} imports {found}')
    assert here not in WITHOUT_JAX or found.partition('.')[0] not in (
        'jax', 'flax', 'optax'), f'{module} imports {found}'


def test_the_plain_install_brings_what_is_imported():
  setup = configparser.ConfigParser()
  setup.read(ROOT / 'setup.cfg')
  wanted = {re.split('[<>=]', line)[0].replace('_', '-') for line in
            setup['options']['install_requires'].split()}
  brought_by = importlib.metadata.packages_distributions()
  for module, path in MODULES.items():
    for name in {x.partition('.')[0] for x in imports(path)}:
      if not is_ours(name) and name not in OF_EXTRAS and (
          name not in sys.stdlib_module_names):
        found = {x.lower().replace('_', '-') for x in brought_by[name]}
        assert found & wanted, f'{module} imports {name}'


def test_networks_and_objectives_never_meet():
  for module, path in MODULES.items():
    name = inner(module)
    found = [inner(x) for x in imports(path) if is_ours(x)]
    for pair in APART:
      for one, other in (pair, pair[::-1]):
        assert not (lies_in(name, [one]) and any(
            lies_in(x, [other]) for x in found)), module
    for part, allowed in INSIDE.items():
      if lies_in(name, [part]):
        assert not [x for x in found if room(x) == part.partition('.')[0]
                    and not lies_in(x, {part, *allowed})], module


def test_no_arrow_leads_upwards():
  floor = {name: i for i, names in enumerate(FLOORS) for name in names}
  for module, path in MODULES.items():
    for found in filter(is_ours, imports(path)):
      here, there = room(module), room(found)
      assert here == there or inner(found) in VALUES or here not in floor or (
          floor[there] < floor[here]), f'{module} imports {found}'


def test_the_heart_has_no_clock_no_disk_and_no_log():
  for module, path in MODULES.items():
    if room(module) == 'gan':
      found = {name.partition('.')[0] for name in imports(path)}
      found |= {node.func.id for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)}
      assert not found & CLOCKS_DISKS_LOGS, module


def test_there_is_no_circle_and_no_utils():
  ours = {module: {found for found in imports(path) if is_ours(found)}
          for module, path in MODULES.items()}
  assert not [m for m in ours if {'util', 'utils'} & set(m.split('.'))]
  while ours:  # Take away what imports nothing that is left.
    free = {m for m, found in ours.items() if not found & set(ours)}
    assert free, f'a circle among {sorted(ours)}'
    ours = {m: found for m, found in ours.items() if m not in free}


def test_type_checkers_see_the_names_of_the_face():
  tree = ast.parse((ROOT / PACKAGE / '__init__.py').read_text())
  block, = filter(for_type_checkers, tree.body)
  seen = {alias.name: node.module.removeprefix(f'{PACKAGE}.')
          for node in block.body for alias in node.names}
  assert seen == msg_gan_jax._HOME


def test_an_unknown_name_of_the_face_names_the_nearest():
  with pytest.raises(AttributeError, match="no 'Gann'; did you mean 'Gan'"):
    _ = msg_gan_jax.Gann
  with pytest.raises(AttributeError, match="no 'qqq'; dir"):
    _ = msg_gan_jax.qqq


def test_no_module_shadows_the_standard_library():
  # A room's module is always imported with its room before it; `inspect`,
  # `signal` or `open` would still be read as Python's own.
  names = {inner(m).rpartition('.')[2] for m in MODULES}
  taken = names & (set(sys.stdlib_module_names) | set(dir(builtins)))
  assert taken <= {'__main__'}


def test_the_house_keeps_its_size():
  inside = [x for x in (ROOT / PACKAGE).iterdir() if x.name != '__pycache__']
  assert {x.name for x in inside if x.is_file()} == {
      '__init__.py', '__main__.py', 'py.typed'}
  rooms = {x.name for x in inside if x.is_dir()}
  assert len(rooms) <= 12
  assert rooms == {name for names in FLOORS for name in names} - {'launch'}
  folders = {inner(m) for m, path in MODULES.items()
             if path.name == '__init__.py' and is_ours(m)}
  assert {x for x in folders if '.' in x} == PARTS


@pytest.mark.parametrize('folder, most', [
    (PACKAGE, LINES), ('tests', TEST_LINES)])
def test_no_file_is_longer_than_one_can_read(folder, most):
  long = {}
  for path in (ROOT / folder).rglob('*.py'):
    lines = len(path.read_text().splitlines())
    name = path.relative_to(ROOT).as_posix()
    if lines > most and name not in LONGER:
      long[name] = lines
  assert not long

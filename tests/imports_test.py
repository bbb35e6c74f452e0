"""The plan of the house as a law: who may import whom."""
import ast
import sys

from helpers import ROOT
import pytest

PACKAGE = 'msg_gan_jax'

VALUES = {'config', 'presets', 'high_resolution', 'tables', 'source', 'pth',
          'opcodes'}
ARRAYS = {'pyramid', 'schedules', 'state'}
FLOOR_1 = VALUES | ARRAYS
BELOW = FLOOR_1 | {'networks', 'objectives', 'data', 'metrics', 'reporting',
                   'legal', 'updates', 'step', 'gan', 'runs', 'evaluation'}
# room -> rooms that it may import, besides itself.
MAY = {
    '': set(),  # The package itself imports nothing, or all would be loaded.
    'tables': set(),
    'high_resolution': set(),
    'presets': {'high_resolution', 'tables'},
    'config': {'presets', 'tables'},
    'source': {'tables'},
    'opcodes': set(),
    'pth': {'opcodes'},
    'pyramid': {'tables'},
    'schedules': {'tables'},
    'state': {'tables'},
    'networks': FLOOR_1,
    'objectives': FLOOR_1,
    'data': FLOOR_1,
    'metrics': FLOOR_1,
    'reporting': FLOOR_1,
    'legal': FLOOR_1 | {'networks', 'objectives'},
    'updates': FLOOR_1 | {'networks', 'objectives'},
    'step': FLOOR_1 | {'updates'},
    'gan': FLOOR_1 | {'networks', 'objectives', 'legal', 'updates', 'step'},
    'evaluation': FLOOR_1 | {'data', 'metrics', 'reporting'},
    'runs': FLOOR_1 | {'reporting.writers', ''},  # '': __version__
    'training': BELOW,
    'insight': BELOW,
    'study': FLOOR_1 | {'training', 'runs', 'reporting'},
    'modes': BELOW | {'training', 'insight'},
    'cli': BELOW | {'training', 'insight', 'modes', 'study'},
    'launch': {'cli'},
    'experiments': {'config', 'study.space'},
}
# room -> the only modules from elsewhere; rooms that are not here are free.
OUTSIDE = {
    **dict.fromkeys(VALUES, {'numpy', 'ml_collections'}),
    **dict.fromkeys(ARRAYS, {'jax', 'flax', 'chex'}),
    'experiments': set(),
}
CLOCKS_DISKS_LOGS = {'time', 'datetime', 'os', 'pathlib', 'shutil', 'logging',
                     'io', 'tempfile', 'orbax', 'absl'}


def files():
  yield from sorted((ROOT / PACKAGE).rglob('*.py'))
  yield from sorted((ROOT / 'experiments').rglob('*.py'))
  yield ROOT / 'launch.py'


def module_of(path):
  """'msg_gan_jax/networks/msg.py' -> 'msg_gan_jax.networks.msg'."""
  words = path.relative_to(ROOT).with_suffix('').parts
  return '.'.join(words[:-1] if words[-1] == '__init__' else words)


MODULES = {module_of(path): path for path in files()}


def inner(module):
  """The name below the package: 'networks.msg'; of others as it is."""
  return module.removeprefix(PACKAGE).lstrip('.')


def room(module):
  return inner(module).partition('.')[0]


def imports(path):
  """Modules that a file imports, wherever in it, by their full names."""
  for node in ast.walk(ast.parse(path.read_text())):
    if isinstance(node, ast.Import):
      yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
      assert not node.level, f'{path}: a relative import'
      for alias in node.names:
        whole = f'{node.module}.{alias.name}'
        yield whole if whole in MODULES else node.module


def is_ours(module):
  return module.partition('.')[0] in (PACKAGE, 'experiments', 'launch')


@pytest.mark.parametrize('module', MODULES)
def test_a_module_imports_only_what_its_room_may(module):
  here = room(module)
  assert here in MAY, f'{module}: no such room on the plan'
  for found in imports(MODULES[module]):
    if is_ours(found):
      there, name = room(found), inner(found)
      assert there == here or {there, name} & MAY[here], (
          f'{module} imports {found}; {here or "the package"!r} may import '
          f'{sorted(MAY[here])}')
    elif here in OUTSIDE:
      top = found.partition('.')[0]
      assert top in sys.stdlib_module_names or top in OUTSIDE[here], (
          f'{module} imports {found}')


def test_the_heart_has_no_clock_no_disk_and_no_log():
  heart = 'gan', 'step', 'updates', 'legal'
  found = {name.partition('.')[0] for module in heart
           for name in imports(MODULES[f'{PACKAGE}.{module}'])}
  assert not found & CLOCKS_DISKS_LOGS


def test_a_study_plans_without_jax():
  path = MODULES.get(f'{PACKAGE}.study.space')
  if path:
    assert not {'jax', 'flax', 'optax'} & {
        name.partition('.')[0] for name in imports(path)}


def test_there_is_no_circle_and_no_utils():
  ours = {module: {found for found in imports(path) if is_ours(found)}
          for module, path in MODULES.items()}
  assert not [m for m in ours if {'util', 'utils'} & set(m.split('.'))]
  while ours:  # Take away what imports nothing that is left.
    free = {m for m, found in ours.items() if not found & set(ours)}
    assert free, f'a circle among {sorted(ours)}'
    ours = {m: found for m, found in ours.items() if m not in free}

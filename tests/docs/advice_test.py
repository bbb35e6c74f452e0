"""What the program advises can be done: all names in its texts exist.

The texts are those of the source, with {} where a value stands. That advice
works when it is followed is tried in tests/commands/advice_test.py.
"""
import ast
import configparser
import functools
import inspect
import re

from helpers import ROOT

import msg_gan_jax
from msg_gan_jax.commands import main
from msg_gan_jax.config import errors, schema
from msg_gan_jax.files import optional
from msg_gan_jax.study import space, storage

# Of tar, of np.savez, of tfds.builder, and of a media type.
OTHERS = {'sparse', 'images', 'data_dir', 'file_format', 'charset'}
# Extras of setup.cfg that no text speaks of.
UNSPOKEN = {'test', 'cuda', 'tpu', 'plot'}


@functools.cache
def texts():
  """[(file, text)]: what stands in strings that people may read."""
  found = []
  for path in sorted((ROOT / 'msg_gan_jax').rglob('*.py')):
    tree = ast.parse(path.read_text(encoding='utf-8'))
    apart = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(
        node, ast.Module | ast.ClassDef | ast.FunctionDef) and isinstance(
            node.body[0], ast.Expr)}
    apart |= {id(part) for node in ast.walk(tree) if isinstance(
        node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
      if isinstance(node, ast.JoinedStr):
        text = ''.join(x.value if isinstance(x, ast.Constant) else '{}'
                       for x in node.values)
      elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        text = node.value
      else:
        continue
      if id(node) not in apart and ' ' in text.strip():
        found.append((path.relative_to(ROOT).as_posix(), text))
  return found


def named(pattern):
  """[(file, name, text)] of what a pattern finds in the texts."""
  return [(file, name, text) for file, text in texts()
          for name in re.findall(pattern, text)]


def test_settings_that_texts_name_exist():
  known = set(schema.metadata())
  known |= {name.partition('.')[0] for name in known}
  found = named(r'(?<![\w.])(?:--)?config\.([a-z_]+(?:\.[a-z_]+)?)(?![\w{])')
  assert len(found) > 200
  files = {'config.json'}
  assert [x for x in found if x[1] not in known
          and f'config.{x[1]}' not in files] == []


def test_modes_that_texts_name_exist():
  found = named(r'\bmode=(\w+)')
  assert {name for _, name, _ in found} - {'MODE'} <= set(main.COMMANDS)
  assert len(found) > 10


def test_flags_that_texts_name_are_of_a_mode_that_they_name():
  """Of their own mode, where they are of one."""
  own, homes = main._own_flags(), {
      command.__file__: mode for mode, command in main.COMMANDS.items()}
  for file, name, text in named(r'(?<![\w-])--(\w+)(?![\w.-])'):
    flag = name.removeprefix('no') if name not in own else name
    assert flag in {*own, 'help', *OTHERS}, (file, name)
    home = homes.get(str(ROOT / file))
    modes = {home, *re.findall(r'\bmode=(\w+)', text)} - {None}
    of = main._modes_of(flag)
    assert not (home and of) or modes & {*of}, (file, name)


def test_arguments_that_texts_name_are_there():
  """Arguments of the face, which the command line calls as its flags."""
  known = {*main._own_flags(), *OTHERS}
  things = [getattr(msg_gan_jax, face) for face in msg_gan_jax.__all__]
  for thing in (*things, space.Study, space.choices, storage.open_storage):
    if callable(thing):
      known |= {*inspect.signature(thing).parameters}
  known |= {name.rpartition('.')[2] for name in schema.metadata()}
  found = named(r'(?<![\w.\-/({])([a-z_]+)=(?=[\w\'"{[])')
  assert [x for x in found if x[1] not in known] == []


def test_packages_that_texts_name_are_on_an_index():
  setup = configparser.ConfigParser()
  setup.read(ROOT / 'setup.cfg')
  extras = setup['options.extras_require']
  assert {re.match(r'[\w-]+', line)[0] for extra in extras
          if extra not in UNSPOKEN for line in extras[extra].split()} == {
              *optional.PACKAGES.values()}
  found = named(r'pip install ([^\n)]*)')
  assert {name for _, name, _ in found} <= {
      '{}', "'{}'", '-U pillow',
      'tensorflow-cpu tensorflow-datasets', 'tensorboardX'}
  for module, package in optional.PACKAGES.items():
    assert optional.install(module) == f'pip install {package}'


def test_pages_that_texts_name_exist():
  found = named(r'([\w/]+\.md)\b')
  assert [x for x in found if not (ROOT / x[1]).exists()] == []


def test_modes_read_advice_in_their_own_words():
  text = "Remove it, or set config.data.on_bad='skip'."
  assert errors.as_flags(text) == (
      'Remove it, or set --config.data.on_bad=skip.')
  assert errors.without_settings(text) == 'Remove it.'
  assert errors.as_flags("config.data.range='0:4095', or config.seed=1.") == (
      '--config.data.range=0:4095, or --config.seed=1.')
  stated = "config.data.name = 'folder' reads folders."
  assert errors.as_flags(stated) == errors.without_settings(stated) == stated

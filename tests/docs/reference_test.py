"""The reference says what the code has: settings, rows, protocols, the API."""
import functools
import importlib
import inspect
import pkgutil
import re
import runpy
import sys
import unicodedata

import all_experiments
from helpers import ROOT
import pytest

import msg_gan_jax
from msg_gan_jax.config import schema
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks.players import D_CONDITIONS, G_CONDITIONS
from msg_gan_jax.metrics import functional

FACE = msg_gan_jax.__all__
TABLES = {name: value for name in FACE if isinstance(
    value := getattr(msg_gan_jax, name), dict)}
OTHER_TABLES = {
    'PRESETS': schema.PRESETS, 'GROUPS': pyramid.GROUPS,
    'G_CONDITIONS': G_CONDITIONS, 'D_CONDITIONS': D_CONDITIONS}
# A line that names a source, or a sentence that says it is of this project.
SOURCE = re.compile(
    r"^Source: \S|^This project's|: this project's.*\.$", re.M)
# Modules of metrics/functional that compute numbers for people.
COMPUTING = sorted(
    {module.name for module in pkgutil.iter_modules(functional.__path__)}
    - {'checks', 'references', 'running_moments'})
# Pages that their programs print at once; presets.md takes minutes.
GENERATED = 'settings', 'protocols', 'experiments', 'api'


def read(name):
  return (ROOT / 'docs' / 'reference' / name).read_text(encoding='utf-8')


@pytest.mark.parametrize('name', GENERATED)
def test_a_generated_page_is_what_its_program_prints(name):
  program = runpy.run_path(ROOT / 'docs' / 'reference' / f'{name}.py')
  command = f'docs/reference/{name}.py > docs/reference/{name}.md'
  assert read(f'{name}.md') == program['page'](), f'run: python {command}'


@pytest.mark.parametrize('name', [*GENERATED, 'presets'])
def test_a_generated_page_says_so_and_by_which_command(name):
  beginning = ' '.join(read(f'{name}.md').splitlines()[:6])
  assert 'generated' in beginning
  assert (f'`python docs/reference/{name}.py > docs/reference/{name}.md`'
          in beginning)


@pytest.mark.parametrize('name', [*TABLES, *OTHER_TABLES])
def test_the_page_of_rows_has_every_row_and_no_other(name):
  below = re.split(rf'^## {name}\b.*\n', read('rows.md'), maxsplit=1,
                   flags=re.M)[1]
  text = re.split(r'^## ', below, flags=re.M)[0]
  assert re.findall(r'^\| `(\w+)` \|', text, re.M) == list(
      (TABLES | OTHER_TABLES)[name])


def works(text):
  """The works that a text cites: (author, year), and numbers of arXiv."""
  text = unicodedata.normalize('NFKD', text.replace('ø', 'o')).encode(
      'ascii', 'ignore').decode()
  return {*re.findall(r'(\w+) (?:et al\.|& \w+) (\d{4})', text),
          *re.findall(r'\b(\d{4}\.\d{5})\b', text)}


@pytest.mark.parametrize('name', [
    name for name in TABLES if name != 'PROTOCOLS'])
def test_the_page_of_rows_cites_what_the_docstrings_cite(name):
  below = read('rows.md').partition(f'\n## {name}:')[2].partition('\n## ')[0]
  lines = dict(re.findall(r'^\| `(\w+)` \| (.*) \|$', below, re.M))
  for row, value in TABLES[name].items():
    for function in functions(value):
      source = text_of(function).partition('Source: ')[2].partition('\n\n')[0]
      cited = works(' '.join(source.split()))
      if cited and not lines[row].endswith('the same'):
        assert cited & works(lines[row]), (row, cited)


def test_the_page_of_presets_has_every_preset():
  page = read('presets.md')
  program = runpy.run_path(ROOT / 'docs' / 'reference' / 'presets.py')
  assert page.startswith(program['HEAD'])
  assert re.findall(r'^\| `(\w+)` \|', page, re.M) == list(schema.PRESETS)


def test_the_page_of_every_experiment_has_every_one_and_all_are_well():
  page = (ROOT / 'docs' / 'studies' / 'every_experiment.md').read_text(
      encoding='utf-8')
  head = all_experiments.HEAD.partition('{')[0]
  assert page.startswith(head) and 'generated' in head
  rows = re.findall(r'^\| `([\w:,]+)` \|.*\| (.*) \|$', page, re.M)
  assert dict(rows) == dict.fromkeys(all_experiments.names(), 'ok')


@pytest.mark.parametrize('name', FACE)
def test_every_public_name_is_explained_and_on_the_page(name):
  assert f'\n### {name}\n' in read('api.md')
  value = getattr(msg_gan_jax, name)
  if name in TABLES:
    assert sys.modules[f'msg_gan_jax.{msg_gan_jax._HOME[name]}'].__doc__
  else:  # A NamedTuple and a dataclass without a text get a signature for one.
    assert value.__doc__ and not value.__doc__.startswith(f'{name}(')


def functions(row):
  """What a row computes with: not what says which features it needs."""
  if hasattr(row, 'run'):
    return [row.run]
  if hasattr(row, 'join'):
    return [row.join]
  return [plain(x) for x in (row if isinstance(row, tuple) else (row,))
          if callable(x)]


def plain(function):
  while isinstance(function, functools.partial):
    function = function.func
  return function


def text_of(function):
  """Its docstring; that of its maker, if it was made by a function."""
  maker = function.__qualname__.partition('.<locals>')[0]
  return inspect.getdoc(getattr(sys.modules[function.__module__], maker, None)
                        or function) or ''


@pytest.mark.parametrize('name', [
    name for name in TABLES if name != 'PROTOCOLS'])
def test_every_row_says_where_it_comes_from(name):
  missing = {
      f'{row}: {function.__qualname__}' for row, value in TABLES[name].items()
      for function in functions(value) if not SOURCE.search(text_of(function))}
  assert not missing


@pytest.mark.parametrize('name', COMPUTING)
def test_every_module_of_metrics_says_where_its_numbers_come_from(name):
  module = importlib.import_module(f'{functional.__name__}.{name}')
  own = [x for x in vars(module).values() if inspect.isfunction(x)
         and x.__module__ == module.__name__]
  assert any(SOURCE.search(inspect.getdoc(x) or '') for x in (module, *own))

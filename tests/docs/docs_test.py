"""What the pages say is true: the map, links, recipes, experiments, README."""
import ast
import contextlib
import dataclasses
import importlib
import json
import re
import shutil
import subprocess
import sys
import types

from absl import flags
from helpers import ROOT
import imports_test
import jax
import numpy as np
from PIL import Image
import pytest

import msg_gan_jax
from msg_gan_jax.commands import main
from msg_gan_jax.config import schema
from msg_gan_jax.data import sources
from msg_gan_jax.data.batches import Batch
from msg_gan_jax.gan.build import build
from msg_gan_jax.runs.best import Best
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.training import loop, scorer
from msg_gan_jax.training.observers import Moment

PLAIN = dict(networks__name='dcgan_32', networks__stddev='none')

RECIPES = 'docs/guide/adding_a_row.md'
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for folder in ('', 'benchmarks', 'docs')
    for path in (ROOT / folder).glob('**/*.md' if folder else '*.md'))


def read(name):
  return (ROOT / name).read_text(encoding='utf-8')


def section(page, title):
  """The text under the heading that begins with `title`."""
  below = re.split(rf'^##+ {title}\b.*\n', page, maxsplit=1, flags=re.M)[1]
  return re.split(r'^##+ ', below, flags=re.M)[0]


def blocks(text, language=''):
  """Texts between fences, those of one language."""
  return re.findall(rf'^```{language}\n(.*?)^```$', text, flags=re.M | re.S)


def mapped():
  """Paths on the map of WORKSPACE.md; those of folders end with '/'."""
  text = blocks(section(read('WORKSPACE.md'), 'The house'))[0]
  return re.sub(r',\s+', '\n', re.sub(r'(?m)(?<!,) .*$', '', text)).split()


def rooms():
  """Folders of the tree that hold files of ours; of tests the top alone."""
  tops = ('msg_gan_jax', 'experiments', 'benchmarks', 'docs')
  folders = {path.parent for top in tops for path in (ROOT / top).rglob('*')
             if path.is_file() and '__pycache__' not in path.parts}
  return {f'{folder.relative_to(ROOT).as_posix()}/' for folder in folders} | {
      'tests/'}


def test_the_map_names_every_room_and_no_other():
  paths = mapped()
  assert [path for path in paths if not (ROOT / path).exists()] == []
  assert {path for path in paths if path.endswith('/')} == rooms()
  assert len(paths) == len(set(paths))


def test_the_rooms_of_tests_are_those_of_the_tree():
  tested = {path.parent.relative_to(ROOT / 'tests').as_posix()
            for path in (ROOT / 'tests').rglob('*_test.py')}
  tested -= {'endurance'}  # Whole runs, which no room has for itself.
  assert not {path for path in tested if not (
      ROOT / path).is_dir() and not (ROOT / 'msg_gan_jax' / path).is_dir()}


def test_the_table_of_floors_is_the_law():
  rows = re.findall(r'^\| (\d?) ?\| `(\w+)(?:\.py)?` \| (.*?) \|',
                    read('WORKSPACE.md'), re.M)
  assert {room for _, room, _ in rows} == set(imports_test.MAY) - {
      '', '__main__'}
  for _, room, text in rows:
    top = re.match(r'all of floors 1 to (\d)', text)
    rooms = {other for floor, other, _ in rows if top and floor and (
        int(floor) <= int(top[1]))} or set(re.findall(r'`([\w.]+)`', text))
    assert rooms == imports_test.MAY[room], room


def test_workspace_can_be_read_in_one_sitting():
  assert len(read('WORKSPACE.md').splitlines()) < 300


# The change log names files that are gone.
@pytest.mark.parametrize('name', [x for x in PAGES if x != 'CHANGELOG.md'])
def test_files_that_a_page_names_exist(name):
  named = re.findall(r'(?<![\w./-])((?:msg_gan_jax|docs|tests|benchmarks)/'
                     r'[\w/]+\.(?:py|md|png|webp))', read(name))
  assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize('name', PAGES)
def test_links_lead_to_files(name):
  links = re.findall(r'\]\((?!https?:|#)([^)\s]+)\)', read(name))
  assert [x for x in links if not ((ROOT / name).parent / x).exists()] == []


@pytest.mark.parametrize('name', PAGES)
def test_flags_that_a_page_advises_exist(name):
  text = read(name).replace('\\\n', ' ')
  settings = set(re.findall(r'--config\.([a-z_]+\.\w+)', text))
  assert settings <= set(schema.metadata())
  homes = {mode: main.flags_of(mode) for mode in main.COMMANDS}
  for line in re.findall(r'launch\.py .*', text):
    mode = (re.findall(r'--mode=(\w+)', line) or ['train'])[0]
    for flag in re.findall(r' --([a-z_]+)(?=[=\s]|$)', line):
      assert flag in flags.FLAGS or flag == 'config', line
      modes = [x for x in homes if flag in homes[x]]
      assert not modes or mode in modes, line


@pytest.fixture
def tables():
  """Undoes what recipes add to the tables."""
  tables = {name: value for name in msg_gan_jax.__all__ if isinstance(
      value := getattr(msg_gan_jax, name), dict)}
  before = {name: dict(table) for name, table in tables.items()}
  yield
  for name, table in tables.items():
    table.clear()
    table.update(before[name])


@pytest.mark.slow
@pytest.mark.parametrize('title, settings', [
    ('A loss', dict(objective__loss='smoothed')),
    ('A penalty', dict(objective__penalty='midway')),
    ('A φ', dict(networks__phi='add')),
    ('A norm', dict(networks__d_norm='rms', **PLAIN)),
    ('A weight norm', dict(networks__d_weight_norm='frobenius', **PLAIN)),
    ('A network', dict(networks__name='painter')),
])
def test_a_recipe_is_a_row_that_a_gan_is_built_of(
    title, settings, small, tables):
  code, = blocks(section(read(RECIPES), title), 'python')
  assert len(code.splitlines()) <= 36 and len([
      line for line in code.splitlines() if line]) <= 30
  texts = [ast.get_docstring(x) for x in ast.parse(code).body if isinstance(
      x, ast.FunctionDef)]
  assert all(re.search(r"^Source:|This project's", x, re.M) for x in texts)
  exec(code, {'__name__': 'recipe'})
  config = small(**settings)
  gan = build(config)
  state = jax.eval_shape(gan.init, jax.random.key(0))
  batch = Batch(jax.ShapeDtypeStruct((1, 8, 16, 16, 3), np.uint8),
                jax.ShapeDtypeStruct((1, 8), np.int32))
  after, _ = jax.eval_shape(gan.step, state, batch, jax.random.key(0))
  assert jax.tree.structure(after) == jax.tree.structure(state)


def test_the_recipe_of_a_source_is_one(small, tables, tmp_path):
  code, = blocks(section(read(RECIPES), 'A source'), 'python')
  exec(code, {'__name__': 'recipe'})
  rng = np.random.default_rng(0)
  images = rng.integers(0, 256, (6, 16, 16, 3), np.uint8)
  path = str(tmp_path / 'six.npz')
  np.savez(path, images=images, labels=np.arange(6) % 3)
  splits = sources.open_source(small(data__name='arrays', data__path=path))
  assert isinstance(splits.train, msg_gan_jax.Source)
  assert (len(splits.train), splits.train.classes) == (6, ('0', '1', '2'))
  np.testing.assert_array_equal(
      splits.train.images(np.array([4, 1])), images[[4, 1]])


def test_the_recipe_of_a_metric_measures_and_says_what_is_best(
    small, tables, tmp_path):
  code, = blocks(section(read(RECIPES), 'A metric'), 'python')
  scope = {'__name__': 'recipe'}
  exec(code, scope)
  dark = np.full((2, 4, 4, 3), 10, np.uint8)
  assert scope['colour'](dark, dark) == 0
  np.testing.assert_allclose(
      scope['colour'](dark, np.full((3, 4, 4, 3), 17, np.uint8)), 7)
  row = msg_gan_jax.METRICS['colour']
  side = types.SimpleNamespace(images=lambda: dark)
  assert row.run(types.SimpleNamespace(real=side, fake=side)) == [
      msg_gan_jax.Score('colour', 0.)]

  config = small(evaluate__metrics='colour', evaluate__best='colour',
                 evaluate__count=8)
  splits = sources.open_source(config)
  judge = scorer.Scorer(splits, config)
  best = Best(tmp_path, 0, lower=judge.lower)
  real = splits.held_out.images(np.arange(8))
  for images, dimmed in ((100, 2), (200, 1), (300, 4)):
    values, _, _ = judge.measure(real // dimmed)
    best.offer(images, {'a': jax.numpy.ones(1)}, judge.sought(values))
  best.close()
  assert Checkpoints(tmp_path / 'best').steps() == [200]  # Not the darkest.


def test_the_recipe_of_an_observer_is_due_and_returns_numbers():
  code, = blocks(section(read(RECIPES), 'An observer'), 'python')
  scope = {'__name__': 'recipe'}
  exec(code, scope)
  observer = scope['GeneratorNorm']()
  assert not observer.due(Moment(0, 9_984))
  assert observer.due(Moment(9_984, 10_048))
  assert observer.due(Moment(10_048, 10_112, ended=True))
  params = {'a': np.float32([3.]), 'b': np.float32([[4.]])}
  state = types.SimpleNamespace(g=types.SimpleNamespace(params=params))
  assert observer.run(types.SimpleNamespace(state=state)) == {'g_norm': 5.}
  observer.close()


def test_the_writer_of_the_guide_logs_records_and_pictures(monkeypatch):
  calls = []

  class Run:
    def log(self, values):
      calls.append(values)

    def finish(self):
      calls.append('finish')

  stub = types.ModuleType('wandb')
  stub.init = lambda project: calls.append(project) or Run()
  stub.Image = lambda array: array.shape
  monkeypatch.setitem(sys.modules, 'wandb', stub)
  code, = (block for block in blocks(read('docs/guide/training.md'), 'python')
           if 'wandb.Image' in block)
  scope = {'__name__': 'guide'}
  exec(code, scope)
  writer = scope['WeightsAndBiases'](project='a')
  writer.truncate(0)
  writer.picture('samples', 8, np.zeros((4, 4, 3), np.uint8))
  writer.write(8, {'d_loss': 1.}, {'seconds': 2.})
  writer.close()
  assert calls == [
      'a', {'images': 8, 'samples': (4, 4, 3)},
      {'images': 8, 'd_loss': 1., 'seconds': 2.}, 'finish']


def test_weights_and_biases_begins_before_the_training_it_reads_along(
    monkeypatch):
  calls = []
  stub = types.ModuleType('wandb')

  @contextlib.contextmanager
  def init(**options):
    calls.append(options)
    yield
    calls.append('finish')

  stub.init = init
  monkeypatch.setitem(sys.modules, 'wandb', stub)
  monkeypatch.setattr(loop, 'train', lambda config, workdir: calls.append(
      (config.train.tensorboard, workdir)))
  code, = (block for block in blocks(read('docs/guide/training.md'), 'python')
           if 'sync_tensorboard' in block)
  exec(code, {'config': schema.template('msg_progan')})
  assert calls == [{'project': 'gans', 'sync_tensorboard': True},
                   (True, 'runs/a'), 'finish']


@pytest.mark.slow
def test_the_page_of_notebooks_runs_from_top_to_bottom(
    tmp_path, monkeypatch, capsys):
  for i, name in enumerate('ab'):
    run = shutil.copytree(
        ROOT / 'tests/runs/earlier/quickstart', tmp_path / 'runs' / name)
    config = json.loads((run / 'config.json').read_text())
    (run / 'config.json').write_text(json.dumps({**config, 'seed': i}))
  monkeypatch.chdir(tmp_path)
  scope = {'__name__': '__main__'}
  parts = blocks(read('docs/guide/notebooks.md'), 'python')
  assert len(parts) == 5
  for code in parts:
    exec(code, scope)
  assert scope['found'].groups == ((0, 1),)
  assert [*scope['frame']] == ['images', 'mean', 'std', 'low', 'high']
  assert 'of 2 seeds' in capsys.readouterr().out


def test_the_recipe_of_a_setting_is_checked_and_says_what_was_before(
    monkeypatch):
  code, = blocks(section(read(RECIPES), 'A setting'), 'python')
  scope = {'__name__': 'recipe'}
  exec(code, scope)
  train = scope['Train']
  monkeypatch.setattr(schema, 'Config', dataclasses.make_dataclass(
      'Config', [('train', train)], frozen=True))
  config = schema.parse({'train': {'g_grad_norm': 2}})
  assert schema.flatten(config) == {'train.g_grad_norm': 2.}
  with pytest.raises(ValueError, match=r'train\.g_grad_norm: .* at least 0'):
    schema.parse({'train': {'g_grad_norm': -1.}})
  about = schema.metadata(schema.Config)['train.g_grad_norm']
  assert about['before'] == 0. and train().g_grad_norm == 10.


def test_the_film_of_the_readme_moves_and_is_small():
  path = ROOT / 'docs' / 'images' / 'walk.webp'
  with Image.open(path) as film:
    assert film.is_animated and film.n_frames >= 100
  assert path.stat().st_size < 3 * 2**20


def test_the_new_names_of_the_changelog_exist():
  page = section(read('CHANGELOG.md'), 'Where names are now')
  rows = re.findall(r'^\| `([\w.]+)` \| (`.*`) \|$', page, re.M)
  assert len(rows) > 50
  for old, now in rows:
    for name in re.findall(r'`([\w.]+)`', now):
      if '.' not in name:
        assert name in msg_gan_jax.__all__, (old, name)
      else:
        module, _, attribute = name.rpartition('.')
        assert hasattr(importlib.import_module(
            f'msg_gan_jax.{module}'), attribute), (old, name)


def test_ci_finds_the_test_command_of_the_readme():
  """Runs the line of .ci/run that reads README.md."""
  line, = re.findall(r'^command=\$\((.*)\)$', read('.ci/run'), re.M)
  command = subprocess.run(
      ['bash', '-c', line], cwd=ROOT, text=True, capture_output=True,
      check=True).stdout
  assert command.startswith('python3 -m venv .venv && ')
  assert command.endswith(' -m pytest -n 2 --dist loadfile\n')
  assert command.count('\n') == 1


def notebook():
  return json.loads(read('experiments/colab/quickstart.ipynb'))


def test_the_notebook_is_valid_and_clean():
  import nbformat
  nbformat.validate(notebook())
  code = [x for x in notebook()['cells'] if x['cell_type'] == 'code']
  assert not any(x['outputs'] or x['execution_count'] for x in code)


@pytest.mark.slow
def test_the_notebook_runs(monkeypatch, tmp_path):
  (tmp_path / 'experiments' / 'colab').mkdir(parents=True)
  monkeypatch.chdir(tmp_path / 'experiments' / 'colab')
  shown = []
  stub = types.ModuleType('IPython.display')
  stub.display = shown.append
  whole = types.ModuleType('IPython')
  whole.version_info = (9, 0)  # matplotlib asks.
  monkeypatch.setitem(sys.modules, 'IPython', whole)
  monkeypatch.setitem(sys.modules, 'IPython.display', stub)
  scope = {'__name__': '__main__'}
  cells = {cell['id']: ''.join(cell['source']) for cell in notebook()['cells']
           if cell['cell_type'] == 'code' and cell['id'] != 'pip'}
  fewer = {
      'STEPS = 200': 'STEPS = 2',
      'data.count = 4_000': (
          'data.count = config.data.held_out = config.evaluate.count = 64'),
      'fmap_max = 32': (
          'fmap_max = 8; config.objective.penalty_every_d_steps = 1')}
  assert all(''.join(cells.values()).count(line) == 1 for line in fewer)
  for name, code in cells.items():
    for line, instead in fewer.items():
      code = code.replace(line, instead)
    exec(compile(code, name, 'exec'), scope)
  assert int(scope['state'].images) == 2 * scope['gan'].step_images
  assert len(shown) == 2 and all(min(image.size) > 100 for image in shown)
  run = msg_gan_jax.read(tmp_path / 'runs' / 'notebook')
  assert run.images == run.config.train.total_images == (
      2 * scope['gan'].step_images)

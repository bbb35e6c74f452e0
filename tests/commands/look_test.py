"""--mode=look: what it writes, and what it refuses."""
import csv
import functools
import json
import os
import re
import shutil
import zipfile

from helpers import picture, save
import jax
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.gan.build import build
from msg_gan_jax.runs import load, workdir
from msg_gan_jax.runs.checkpoints import Checkpoints

pytestmark = pytest.mark.slow

RUNS = {
    'plain': dict(data__resolution=8),
    'classes': dict(
        preset='acgan', data__resolution=16, networks__classes=10),
    'seen': dict(preset='dcgan', data__resolution=16, data__held_out=0),
    'points': dict(
        data__name='ring', data__resolution=1, data__channels=2,
        data__mirror=False, networks__name='mlp', networks__stddev='none'),
}


@pytest.fixture(scope='module')
def runs(tmp_path_factory, small):
  """A folder of runs that nobody trained, with three checkpoints each."""
  path = tmp_path_factory.mktemp('runs')
  for name, settings in RUNS.items():
    config = small(train__batch=4, **settings)
    gan = build(config)
    with workdir.Workdir(path / name) as folder:
      folder.start(config, classes=[*'abcdefghij'][:config.networks.classes])
    with Checkpoints(path / name / 'checkpoints', keep=3) as saved:
      for images in (8, 16, 24):
        state = gan.init(jax.random.key(images))
        saved.save(images, {'state': state})
  for i in range(11):
    save(path / 'odd' / 'below' / f'{i:02}.png', picture(i, 20, 16))
  save(path / 'odd' / 'grey.jpg', picture(1, 9, 9, 1))
  with zipfile.ZipFile(path / 'odd.zip', 'w') as file:
    for one in (path / 'odd').rglob('*.png'):
      file.write(one, one.name)
  save(path / 'few' / 'a.png', picture(0))
  (path / 'empty').mkdir()
  with pytest.MonkeyPatch.context() as patch:  # Each is compiled once.
    patch.setattr(load, 'build_to_draw', functools.cache(build))
    yield path


@pytest.fixture
def run(runs, tmp_path, command):
  """'run flags' -> (exit status, stdout, stderr) of --mode=look, in here."""
  for name in os.listdir(runs):
    if (runs / name).is_dir():
      shutil.copytree(runs / name, tmp_path / name)
    else:
      shutil.copy(runs / name, tmp_path / name)

  def call(line):
    name, *rest = line.split()
    return command('--mode=look', *rest, *(
        [] if name == '-' else [f'--workdir={name}']))

  return call


def rows_of(path):
  with open(path, encoding='utf-8') as file:
    return [*csv.DictReader(file)]


def test_an_atlas_has_a_page_and_files_of_each_layer(run, tmp_path):
  status, out, err = run('plain --count=24 --maps=2')
  assert (status, out) == (0, 'plain/look/index.html\n')
  assert 'compiling D ...' in err and 'pictures: 100%' in err
  folder = tmp_path / 'plain' / 'look'
  listed = json.loads((folder / 'atlas.json').read_text())['files']
  assert sorted([*listed, 'atlas.json']) == sorted(os.listdir(folder))
  page = (folder / 'index.html').read_text()
  for words in ('block_8_conv_1', '12 held-out reals, and as many samples',
                'guided', 'of all pairs; 50 % is chance', 'ranking.csv',
                '64 steps', 'judged beside the first 3 others of its kind'):
    assert words in page
  assert 'Through training' not in page
  assert {*re.findall('src="(.{5})', page)} == {'data:'}
  arrays = np.load(next(folder.glob('*_block_8_conv_1.npz')))
  assert arrays['patches'].shape[:2] == (2, 9)
  assert arrays['projection_8'].shape == arrays['patches'].shape
  assert {*arrays['kinds'].ravel()} <= {'reals', 'samples'}
  assert str(arrays['rule']) == 'guided'
  rows = rows_of(folder / 'ranking.csv')
  assert len(rows) == 24 and [row['rank'] for row in rows[:2]] == ['1', '2']
  logits = [float(row['logit']) for row in rows]
  assert logits == sorted(logits, reverse=True)
  assert float(rows[-1]['share of reals below']) <= .5
  for name in listed:
    if name.endswith('.png'):
      with Image.open(folder / name) as opened:
        assert opened.mode == 'RGB' and min(opened.size) > 60


def test_a_second_atlas_removes_the_files_of_the_first_and_no_others(
    run, tmp_path):
  assert run('seen --count=18 --maps=1 --out=x --layer=logit')[0] == 0
  (tmp_path / 'x' / 'mine.txt').write_text('')
  before = {*os.listdir('x')}
  # Maps may be named by their numbers, and stand in that order.
  assert run('seen --count=18 --map=3,1 --out=x --layer=conv_1')[0] == 0
  after = {*os.listdir('x')}
  own = {'01_conv_1.png', '01_conv_1.npz'}
  assert after - own < before and {'mine.txt', *own} < after
  assert not any('logit' in name for name in after)
  assert np.load('x/01_conv_1.npz')['maps'].tolist() == [3, 1]


@pytest.mark.parametrize(('rule', 'name'), [
    ('deconvnet', 'seen'), ('gradient', 'plain'), ('integrated', 'seen')])
def test_each_rule_is_explained(run, tmp_path, rule, name):
  assert run(f'{name} --count=18 --maps=1 --layer=logit --rule={rule}')[0] == 0
  page = (tmp_path / name / 'look' / 'index.html').read_text()
  assert f'The way down is {rule}' in page
  assert (rule == 'integrated') == ('in 16 steps from mid-grey' in page)
  # Where no picture is held out, it is said.
  assert (name == 'seen') == ('those that it was trained on' in page)


def test_the_maps_of_the_newest_are_shown_through_training(run, tmp_path):
  status, _, err = run('plain --count=24 --maps=2 --checkpoints=all')
  assert status == 0 and 'checkpoints: 100%' in err
  folder = tmp_path / 'plain' / 'look'
  page = (folder / 'index.html').read_text()
  assert 'Through training' in page and 'out of 24: its patch' in page
  strips = [*folder.glob('*_through_training.png')]
  assert len(strips) == len([*folder.glob('*.npz')]) > 3
  # A checkpoint that is damaged is told, and left out.
  for path in (tmp_path / 'plain' / 'checkpoints' / '16').rglob('*'):
    if path.is_file():
      path.write_bytes(b'')
  status, _, err = run('plain --count=24 --maps=1 --checkpoints=all '
                       '--layer=logit')
  assert status == 0 and 'the checkpoint of 16 images' in err


def test_a_folder_is_ranked_by_names_beside_reals_and_samples(run, tmp_path):
  for place, names in (('odd', 12), ('odd.zip', 11)):
    status, _, err = run(f'plain --pictures={place} --layer=logit --maps=1')
    assert status == 0, err
    rows = rows_of(tmp_path / 'plain' / 'look' / 'ranking.csv')
    assert len(rows) == names and {row['kind'] for row in rows} == {'pictures'}
    assert any(row['picture'].endswith('03.png') for row in rows)
    assert {'share of reals below', 'share of samples below'} < {*rows[0]}
  page = (tmp_path / 'plain' / 'look' / 'index.html').read_text()
  assert '11 pictures of odd.zip' in page and '03.png' in page


def test_of_a_few_pictures_no_maps_are_shown(run, tmp_path):
  """They are ranked, and what D finds in them is shown."""
  assert run('plain --pictures=few')[0] == 0
  folder = tmp_path / 'plain' / 'look'
  assert {*os.listdir(folder)} == {
      'atlas.json', 'index.html', 'ranking.csv', 'ranking.png', 'evidence.png'}
  row, = rows_of(folder / 'ranking.csv')
  assert row['picture'].endswith('a.png')
  page = (folder / 'index.html').read_text()
  assert 'No maps of layers are shown, which takes 9 pictures.' in page
  assert 'The way down is' not in page


def test_a_d_that_is_told_classes_is_told_those_of_pictures(run, tmp_path):
  assert run('classes --count=18 --layer=logit')[0] == 0
  status, _, err = run('classes --pictures=odd --layer=logit')
  assert status == 1 and err.startswith(
      "error: --labels: this run's D is told 10 classes; wanted those of the "
      'pictures, such as --labels=3.')
  assert run('classes --pictures=odd --layer=logit --labels=b')[0] == 0


@pytest.mark.parametrize(('line', 'text'), [
    ('-', '--workdir: which run?'),
    ('points', "--workdir: this run's D judges points of the plane (config.da"
     "ta.name = 'ring'), which have no pixels to look at"),
    ('plain --layer=block_8_conv', '--layer=block_8_conv: D has no such layer;'
     " did you mean 'block_8_conv_1'"),
    ('plain --rule=guide', "--rule: no rule 'guide'; did you mean 'guided'?"),
    ('plain --maps=0', '--maps=0: '),
    ('plain --count=6', '--count: 6 pictures are too few to show the 9 that'),
    ('plain --checkpoints=9', '--checkpoints: 9, but plain has none; '),
    ('plain --checkpoints=best', '--checkpoints: best, but plain has none; '),
    ('plain --out=few/a.png', "--out: 'few/a.png' is a file; wanted a folder"),
    ('plain --out=seen', "--out: 'seen' is the folder of a run; wanted one"),
    ('plain --labels=3', '--labels: means nothing without --pictures'),
    ('plain --pictures=none', "--pictures: no file, folder or source 'none'"),
    ('plain --pictures=empty', '--pictures: '),
    ('plain --map=1', '--map: numbers are of the maps of one layer; wanted'),
    ('plain --map=1,b', '--map=1,b: wanted numbers of maps'),
    ('plain --layer=block_8_conv_1 --map=8', '--map=8: block_8_conv_1 has 8 '
     'maps, whose numbers are 0 to 7.'),
    ('plain --pictures=odd,few', '--pictures: 2 places; wanted one'),
    ('plain --pictures=seen', "--pictures: 'seen' is a run, not a folder"),
    ('plain --pictures=odd --labels=3', '--labels: 3, but the GAN was tra'),
    ('plain --pictures=ring', '--pictures: '),
])
def test_each_mistake_has_its_text_and_writes_nothing(
    run, tmp_path, line, text):
  before = sorted(map(str, tmp_path.rglob('*')))
  status, out, err = run(line)
  assert (status, out) == (1, '') and 'Traceback' not in err
  said = [x for x in err.splitlines() if x.startswith('error: ')]
  assert said[0].startswith(f'error: {text}'), err
  assert sorted(map(str, tmp_path.rglob('*'))) == before

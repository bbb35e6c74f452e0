"""Where a curve stops scaling is found, and a benchmark goes on."""
import importlib
import json
import subprocess
import sys

from helpers import ROOT
import pytest

FOLDER = ROOT / 'benchmarks'
X = [2**i for i in range(11)]
TINY = ['--base=8,4,8', '--resolution=8,16', '--batch=2,4', '--width=',
        '--devices=1,2', '--pictures=20,40']


@pytest.fixture(scope='module')
def scaling():
  """The script, with the files beside it that it imports."""
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield importlib.import_module('scaling')
    for name in set(sys.modules) - before:
      if FOLDER.as_posix() in str(getattr(sys.modules[name], '__file__', '')):
        del sys.modules[name]


@pytest.fixture(scope='module')
def panels(scaling):
  return scaling.scaling_panels


def test_a_power_law_scales_everywhere(panels):
  y = [5 * x**-2 * (1.03 if i % 2 else .97) for i, x in enumerate(X)]
  found = panels.fit(X, y, -2)
  assert found[:2] == (0, 10)
  assert found.factor == pytest.approx(5, rel=.03)


def test_a_fixed_cost_ends_the_line_below(panels):
  """The slope of 10 + x from x to 2 x is above .8 from x = 29."""
  found = panels.fit(X, [10 + x for x in X], 1)
  assert (X[found.first], X[found.last]) == (32, 1024)


def test_a_plateau_ends_the_line_above(panels):
  found = panels.fit(X, [min(x, 16) for x in X], 1)
  assert (X[found.first], X[found.last]) == (1, 16)
  assert found.factor == pytest.approx(1)


def test_what_never_scales_leaves_the_line_at_its_first_point(panels):
  assert panels.fit(X, [3.] * 11, 1) == (0, 0, pytest.approx(3))
  assert panels.fit(X, [3.] * 11, 0)[:2] == (0, 10)


def test_the_reason_is_that_of_the_side_and_the_direction(panels):
  panel = panels.Panel(
      'Memory', 'batch', object, 'memory_mb', 'MB', False, 1, 'all grows',
      'LESS', 'MORE')
  text = panels.explanation(panel, [1, 2, 4, 8], [4, 4, 8, 32])
  assert text == ('Scales (all grows) from 2 to 4. Not below, since LESS. '
                  'Not beyond, since MORE.')
  speed = panel._replace(more_is_better=True)
  assert panels.explanation(speed, X, [9.] * 11) == (
      'Scales nowhere (all grows), since MORE.')
  assert panels.explanation(panel, X, [9.] * 11).endswith('since LESS.')
  assert panels.plot(panel, 'batch', [1, 2, 4, 8], [4, 4, 8, 32]).ends == [1, 2]


def test_rows_that_panels_share_are_measured_once(scaling):
  rows = [str(row) for row in scaling.rows_of(scaling.AXES, (32, 32, 32))]
  assert len(rows) == len(set(rows)) == 4 + 5 + 4 + 4 + 2 * 5
  assert 'start with 500 pictures' in rows
  assert 'evaluation of 500 pictures' in rows


def test_every_level_has_the_width_of_its_row(scaling):
  config = sys.modules['scaling_rows'].config_of(scaling.Step(128, 4, 32))
  assert config.data.resolution == 128 and config.train.batch == 4
  networks = config.networks
  assert min(networks.fmap_max, 2 * networks.fmap_base // 128) == 32


def run(scaling, monkeypatch, *words):
  monkeypatch.setattr(sys, 'argv', ['scaling.py', *TINY, *words])
  scaling.main()


def test_it_goes_on_where_it_was_stopped(scaling, monkeypatch, tmp_path,
                                         capsys):
  out, asked, broken = tmp_path / 'rows.jsonl', [], {'start with 40 pictures'}

  def measured(row, options, cache):
    asked.append(str(row))
    if str(row) in broken:
      raise RuntimeError(f'{row}: the worker ended with 1.')
    return {'images_per_second': [9., 8., 7.], 'memory_mb': [2.],
            'seconds': [3.]}

  monkeypatch.setattr(scaling, 'in_worker', measured)
  with pytest.raises(SystemExit, match='no figures of: start with 40 pict'):
    run(scaling, monkeypatch, f'--out={out}')
  assert len(asked) == 3 + 2 + 2 * 2
  with open(out, 'a') as file:
    file.write('{"row": "st')  # A kill.
  capsys.readouterr()
  run(scaling, monkeypatch, f'--out={out}', '--list')
  assert capsys.readouterr().out.count('to do') == 1
  broken.clear()
  run(scaling, monkeypatch, f'--out={out}')
  assert len(asked) == 10 and asked[-1] == 'start with 40 pictures'
  assert 'Speed by batch, images / s: 2: 8, 4: 8' in capsys.readouterr().out
  run(scaling, monkeypatch, f'--out={out}')
  assert len(asked) == 10
  run(scaling, monkeypatch, f'--out={out}', '--again')
  assert len(asked) == 19


@pytest.mark.parametrize('words, message', [
    (['--base=8,4'], "--base: found '8,4'"),
    (['--resolution=8,24'], '--resolution: 24'),
    (['--devices=3'], 'a batch of 4 does not divide among 3'),
    (['--pictures=1'], '--pictures: 1; wanted at least 2'),
    (['--repeats=0'], '--repeats')])
def test_a_mistake_is_told_before_the_first_row(
    scaling, monkeypatch, capsys, words, message):
  with pytest.raises(SystemExit) as error:
    run(scaling, monkeypatch, *words)
  assert message in f'{error.value}{capsys.readouterr().err}'


def test_the_picture_is_as_wide_as_a_page(scaling, tmp_path, panels):
  from PIL import Image
  y = [10 + x for x in X]
  sys.modules['scaling_picture'].draw(
      [panels.plot(panel, 'x', X, y) for panel in panels.PANELS[:3]],
      'title', tmp_path / 'a.png')
  with Image.open(tmp_path / 'a.png') as image:
    assert image.size[0] == 1000


@pytest.mark.slow
def test_workers_measure_tiny_rows(tmp_path):
  out = tmp_path / 'rows.jsonl'
  done = subprocess.run(
      [sys.executable, FOLDER / 'scaling.py', *TINY, '--resolution=',
       '--batch=', '--devices=2', '--pictures=20', '--seconds=.1',
       '--repeats=1', f'--out={out}'],
      text=True, stdout=subprocess.PIPE, check=True)
  assert 'BMSG-GAN at 8 px' in done.stdout
  step, start, evaluation = map(json.loads, out.read_text().splitlines())
  assert step['devices'] == 2 and step['memory_mb'][0] > 0
  assert 0 < step['images_per_second'][0] < 1e7
  assert 0 < start['seconds'][0] < 60 and 0 < evaluation['seconds'][0] < 60

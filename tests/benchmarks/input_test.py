"""Input: made pictures are large, stages add up, a batch is a share of a step.
"""
import importlib
import re
import subprocess
import sys

from helpers import ROOT
from PIL import Image
import pytest


@pytest.fixture(scope='module')
def folder():
  with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(str(ROOT / 'benchmarks'))
    yield importlib.import_module('folder')
  for name in ('folder', 'throughput'):
    sys.modules.pop(name, None)


def test_made_pictures_are_larger_than_what_they_become(folder, tmp_path):
  folder.make(tmp_path, 12, 72)
  files = sorted(tmp_path.iterdir())
  assert len(files) == 12
  for file in files:
    with Image.open(file) as image:
      assert all(90 <= side <= 288 for side in image.size)


def test_a_stage_has_no_time_of_those_inside_it(folder, monkeypatch):
  now = [0]

  def timed(function, clock):
    before = now[0]
    return function(), now[0] - before

  monkeypatch.setattr(folder, '_timed', timed)
  stages = folder.Stages()

  def spend(seconds):
    now[0] += seconds

  inner = stages.timed('inner', lambda: spend(3))
  stages.timed('outer', lambda: (spend(1), inner(), inner(), spend(1)))()
  inner()
  assert stages.seconds == {'outer': 2, 'inner': 9}


def test_the_profile_tells_all_of_the_processors_time(folder, monkeypatch,
                                                      capsys):
  monkeypatch.setattr(sys, 'argv', [
      'folder.py', '--made=10', '--resolution=72', '--repeats=1', '--profile'])
  folder.main()
  out = capsys.readouterr().out
  assert re.search(r'ratio of medians \d+\.\d\d; of each pair \d', out)
  assert '10 files, 100.00% of the pictures are the same' in out
  rows = {cells[0].strip(): [*map(float, cells[1:])] for cells in (
      line.strip('| ').split('|') for line in out.splitlines()
      if line.startswith('|')) if re.search(r'\d', cells[1])}
  for side in 0, 1:
    parts = sum(each[side] for name, each in rows.items() if name not in (
        'processor in all', 'by the clock'))
    assert parts == pytest.approx(rows['processor in all'][side], abs=.02)
    assert rows['decode'][side] > 0 and rows['resize'][side] > 0
  assert rows['hash and write'][0] > 0 == rows['hash and write'][1]


@pytest.mark.slow
def test_a_batch_is_a_small_share_of_a_step():
  """Tiny here, a step takes a few milliseconds, and a batch some tenths."""
  done = subprocess.run(
      [sys.executable, ROOT / 'benchmarks' / 'input.py', '--config=',
       '--rows=2,8,4', '--seconds=.1', '--repeats=1'],
      stdout=subprocess.PIPE, text=True, check=True)
  *_, line = done.stdout.splitlines()
  name, batch, step, share = line.strip('| ').split(' | ')
  assert name.strip() == '2,8,4'
  assert 0 < float(batch) < float(step)
  assert float(share.rstrip('%')) == pytest.approx(
      100 * float(batch) / float(step), rel=.1)

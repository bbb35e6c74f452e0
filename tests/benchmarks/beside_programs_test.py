"""beside_programs.py sets numbers side by side, and says where they differ."""
import importlib
import json
import sys

from helpers import ROOT
import numpy as np
from PIL import Image
import pytest

MODULES = 'beside_programs', 'measure_rows', 'throughput'


@pytest.fixture
def beside(monkeypatch):
  """The script, with commands that are not run: all numbers are 2."""
  monkeypatch.syspath_prepend(str(ROOT / 'benchmarks'))
  for name in MODULES:
    monkeypatch.delitem(sys.modules, name, raising=False)
  module = importlib.import_module('beside_programs')
  module.commands = []

  def lines_of(command, cache=''):
    module.commands.append(command)
    for word in command:
      if word.startswith('--out='):
        few = any(x.endswith('inception:192') for x in command)
        module.pathlib.Path(word[6:], 'scores.jsonl').write_text(json.dumps({
            'scores': {key: {'value': 2.} for key in (
                'frechet_x' if few else 'fid_x', 'kid_x', 'is_x')}}))
    return ['FID 2.000001', 'KID 2', 'IS 2', '3.5']

  for name in 'lines_of', 'make_weights':
    monkeypatch.setattr(module, name, lines_of if name == 'lines_of' else (
        lambda *args: None))
  monkeypatch.setattr(module, 'MANY', 30)
  yield module
  for name in MODULES:
    sys.modules.pop(name, None)


def call(beside, monkeypatch, *words):
  monkeypatch.setattr(
      sys, 'argv', ['beside_programs.py', '--torch=python', *words])
  try:
    beside.main()
  except SystemExit as error:
    return error.code
  return 0


def test_every_program_is_asked_and_every_number_is_told(
    beside, monkeypatch, capsys):
  assert call(beside, monkeypatch, '--count=20') == 0
  out = capsys.readouterr().out
  for name in *beside.COMPARISONS, 'files of mu and sigma, 192':
    assert f'| {name} | ' in out
  assert '| torch-fidelity | 20 | KID | 2 | 2 | 0.0e+00 | 0.0001 |' in out
  assert 'all agree' in out
  asked = {word.rpartition('/')[2] for command in beside.commands
           for word in command if word.endswith('.py')}
  assert asked == {'our_evaluate.py', 'pytorch_fid.py', 'torch_fidelity.py',
                   'clean_fid.py'}


def test_a_number_that_is_apart_is_an_exit_status(beside, monkeypatch, capsys):
  monkeypatch.setattr(beside, 'ours', lambda *args: dict.fromkeys(
      ('FID', 'KID', 'IS'), 2.1))
  assert call(beside, monkeypatch) == 1
  assert 'not all agree' in capsys.readouterr().out
  assert call(beside, monkeypatch, '--count=3') == (
      'error: --count: found 3; wanted at least 20.')


def test_pictures_are_of_all_sizes_and_kinds(beside, tmp_path):
  beside.draw(str(tmp_path), 24)
  modes, sides = set(), []
  for path in tmp_path.rglob('*.png'):
    with Image.open(path) as picture:
      modes.add(picture.mode)
      sides.append(picture.size)
  assert len(sides) == 48 and modes == {'RGB', 'RGBA', 'P', 'L'}
  sides = np.array(sides)
  assert sides.min() >= 20 and sides.max() <= 60
  assert len(np.unique(sides, axis=0)) > 40

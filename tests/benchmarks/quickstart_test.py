"""benchmarks/quickstart.py; nothing is trained."""
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def quickstart():
  sys.path.insert(0, str(ROOT / 'benchmarks'))
  import quickstart
  yield quickstart
  sys.path.remove(str(ROOT / 'benchmarks'))


def a_run(distance, variety=.95):
  return {'seconds': 10., 'grid_seconds': 5., 'variety': variety,
          'frechet': distance, 'swd_mean': 100 * distance}


def test_a_length_holds_by_the_mean_of_its_seeds(quickstart):
  rows = quickstart.compare({
      '4': [a_run(1.), a_run(1.)], '3': [a_run(1.3), a_run(.88)],
      '2': [a_run(1.12), a_run(1.12)], '1': [a_run(1., .89), a_run(1., .88)]})
  assert {n: row['holds'] for n, row in rows.items()} == {
      '4': 'yes', '3': 'yes', '2': 'no', '1': 'no'}
  assert rows['3']['frechet'] == '1.09 (1.09)'


def test_a_length_has_a_batch_of_its_own_if_it_says_so(quickstart):
  assert quickstart.settings_of('') == []
  assert quickstart.settings_of('24000') == [
      '--config.train.total_images=24000']
  assert quickstart.settings_of('24000/8') == [
      '--config.train.total_images=24000', '--config.train.batch=8']


def test_runs_that_are_there_are_not_trained_again(
    quickstart, tmp_path, monkeypatch, capsys):
  trained = []

  def train(length, seed):
    trained.append((length, seed))
    if len(trained) == 3:
      raise RuntimeError('stopped')
    return a_run(1.)

  monkeypatch.setattr(quickstart, 'train', train)
  monkeypatch.setattr(quickstart.machine, 'about', lambda: {
      'commit': 'abc', 'cpu': 'x', 'cores': 2, 'python': '3', 'jax': '1'})
  monkeypatch.setattr(sys, 'argv', [
      'quickstart.py', '--lengths=8,4/2', '--seeds=0,1',
      f'--out={tmp_path / "out.jsonl"}'])
  with pytest.raises(SystemExit, match='stopped'):
    quickstart.main()
  quickstart.main()
  assert trained == [('8', 0), ('8', 1), ('4/2', 0), ('4/2', 0), ('4/2', 1)]
  assert capsys.readouterr().out.count('yes') == 2


def test_a_bad_length_is_told(quickstart, monkeypatch):
  monkeypatch.setattr(sys, 'argv', ['quickstart.py', '--lengths=8k'])
  with pytest.raises(SystemExit, match="--lengths: wanted .* found '8k'"):
    quickstart.main()

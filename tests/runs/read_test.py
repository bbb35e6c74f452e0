"""Laws of reading what a run has written: old, in training, or never measured.
"""
import json
import pathlib
import subprocess
import sys

from helpers import ROOT
import numpy as np
import pytest

from msg_gan_jax.files.atomic import append_json, write_json
from msg_gan_jax.runs import read, records, told, workdir

EARLIER = pathlib.Path(__file__).parent / 'earlier'


@pytest.fixture
def config(small):
  return small()


@pytest.fixture
def run(config, tmp_path):
  """A run that has begun, and has no record yet."""
  with workdir.Workdir(tmp_path / 'run') as folder:
    folder.start(config)
  return tmp_path / 'run'


def test_a_run_without_records_has_no_rows(run, config):
  found = read.read(run)
  assert (found.path, found.config) == (run, config)
  for columns in found.records, found.scores:
    assert list(columns) == ['images'] and columns['images'].shape == (0,)
  assert (found.grids, found.evaluations, found.warnings, found.changes,
          found.checkpoints) == ((), (), (), (), ())
  assert found.summary == {} and found.best is None
  assert found.versions[0]['packages']


def test_records_are_columns_with_gaps(run):
  writer = records.Metrics(run)
  writer.write(8, {'d_loss': .5, 'spread': {'d_loss': .1}}, {'seconds': 3})
  writer.write(16, {'d_loss': float('inf'), 'swd': 2})
  writer.close()
  with open(run / 'metrics.jsonl', 'a') as file:
    file.write('{"images": 24, "d_lo')  # By a run that is in training.
  found = read.read(run).records
  assert list(found) == [
      'images', 'd_loss', 'spread.d_loss', 'clock.seconds', 'swd']
  nan = np.nan
  np.testing.assert_array_equal(np.stack([*found.values()]), [
      [8, 16], [.5, np.inf], [.1, nan], [3, nan], [nan, 2]])
  assert {x.dtype for x in found.values()} == {np.dtype(np.float64)}


def test_scores_of_two_definitions_are_two_columns(run):
  for images, value, about in (8, 3., 'a'), (16, 2., 'b'), (24, None, 'a'):
    append_json(run / 'scores.jsonl', {
        'images': images, 'protocol': about, 'scores': {
            'fid': {'value': value, 'reals': .5, 'id': about}}})
  found, nan = read.read(run), np.nan
  assert list(found.scores) == [
      'images', 'fid', 'fid.reals', 'fid [b]', 'fid [b].reals']
  np.testing.assert_array_equal(np.stack([*found.scores.values()]), [
      [8, 16, 24], [3, nan, nan], [.5, nan, .5], [nan, 2, nan],
      [nan, .5, nan]])
  assert [x['protocol'] for x in found.evaluations] == ['a', 'b', 'a']


def test_what_else_lies_in_a_run_is_read_in_its_order(run):
  for name in ('samples/images_0000000016.png', 'samples/images_0000000008.png',
               'samples/other.png', 'checkpoints/16/x', 'checkpoints/8/x',
               'checkpoints/damaged/8-2026/x', 'best/8/x'):
    (run / name).parent.mkdir(parents=True, exist_ok=True)
    (run / name).touch()
  write_json(run / 'summary.json', {'images': 16})
  with open(run / 'changes.jsonl', 'w') as file:
    file.write('{"images": 8, "cha')  # A kill, and then another start.
  append_json(run / 'changes.jsonl', {'images': 16, 'changed': ['a']})
  found = read.read(run)
  assert found.grids == tuple(
      (images, run / 'samples' / f'images_{images:010d}.png')
      for images in (8, 16))
  assert (found.checkpoints, found.best) == ((8, 16), 8)
  assert found.summary == {'images': 16}
  assert found.changes == ({'images': 16, 'changed': ['a']},)


def test_warnings_wait_for_the_run_and_stay_with_it(config, tmp_path):
  path, said = tmp_path / 'run', []
  with workdir.Workdir(path) as folder:
    tell = told.Told(path, said.append)
    tell('warning: before')
    tell('note: nothing')
    assert [x.name for x in path.iterdir()] == ['.lock']
    folder.start(config)
    tell.images = lambda: np.int64(8)
    tell('warning: of a collapse')
  assert said == ['warning: before', 'note: nothing', 'warning: of a collapse']
  assert [(x['text'], x.get('images')) for x in read.read(path).warnings] == [
      ('before', None), ('of a collapse', 8)]


@pytest.mark.parametrize('name', ['quickstart', 'growing', 'ada'])
def test_an_earlier_run_is_read(name):
  found = read.read(EARLIER / name)
  lines = [json.loads(line) for line in (
      EARLIER / name / 'metrics.jsonl').read_text().splitlines()]
  assert found.records['images'].tolist() == [x['images'] for x in lines]
  np.testing.assert_array_equal(
      found.records['d_loss'], [x['d_loss'] for x in lines])
  assert found.checkpoints[-1] == lines[-1]['images']


def test_reading_loads_no_jax():
  subprocess.run([sys.executable, '-c', (
      'import sys; from msg_gan_jax import read; read(sys.argv[1]); '
      'sys.exit("jax" in sys.modules)'), EARLIER / 'ada'],
      check=True, cwd=ROOT)


@pytest.mark.parametrize('name, field', [
    ('metrics.jsonl', 'records'), ('scores.jsonl', 'evaluations'),
    ('changes.jsonl', 'changes'), ('warnings.jsonl', 'warnings'),
    ('versions.json', 'versions'), ('summary.json', 'summary')])
def test_odd_files_give_what_fits_or_name_themselves(run, name, field):
  """Each holds what another has, lines of no form, and is a folder."""
  (run / name).unlink(missing_ok=True)
  lines = [
      {'scores': [1]}, {'scores': {'a': 3}}, {'scores': {'a': {'id': 1}}},
      {'scores': {'a': {'value': 'x'}}}, {'scores': None}, {'text': 3}, 3,
      {'changed': 'all'}, None, [3], {'images': None}, {'images': 'x'}]
  good = {'records': {'images': 8, 'd_loss': .5},
          'evaluations': {'scores': {'a': {'value': None}}},
          'changes': {'changed': ['a']}, 'warnings': {'text': 'a'}}
  (run / name).write_text('\n'.join(map(
      json.dumps, [*lines, *good.values(), ''])) + '\n\0\n{"a')
  found = getattr(read.read(run), field)
  if field == 'records':
    assert found['images'].tolist() == [8]
  else:
    assert tuple(found) == ((good[field],) if field in good else ())
  (run / name).write_text('[1, {"a": 2}]' if field == 'versions' else '[]')
  if field != 'records':
    assert tuple(getattr(read.read(run), field)) == (
        ({'a': 2},) if field == 'versions' else ())
  (run / name).unlink()
  (run / name).mkdir()
  with pytest.raises(ValueError, match=f'{name} cannot be read'):
    read.read(run)


def test_what_is_no_run_is_told(tmp_path):
  with pytest.raises(ValueError, match='not a run, it has no config.json'):
    read.read(tmp_path)

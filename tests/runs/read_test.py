"""Laws of reading what a run has written: old, in training, or never measured.
"""
import dataclasses
import json
import pathlib
import subprocess
import sys

from helpers import ROOT
import numpy as np
import pytest

from msg_gan_jax.files.atomic import append_json, write_json
from msg_gan_jax.runs import read, records, starts, told, workdir

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
  assert {getattr(found, name) for name in (
      'grids', 'walks', 'timelapses', 'memorised', 'evaluations', 'warnings',
      'changes', 'checkpoints')} == {()}
  assert found.summary == {} and found.best is None and found.images == 0
  start, = found.starts
  assert start.images == 0 and start.seconds is None
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


def test_films_are_those_of_the_folder_in_the_order_of_their_numbers(run):
  names = ['walk.gif', 'walk_2.webp', 'walk_10.mp4', 'walk_10.webp',
           'walk_10_a.gif', 'timelapse.webp', 'memorised_a_8.png',
           'walk_3.png', 'walker', 'a_walk.gif', 'other.webp']
  for name in reversed(names):
    (run / name).touch()
  (run / 'walk_4.gif').mkdir()  # Of frames, by somebody else.
  found = read.read(run)
  paths = [(name, run / name) for name in names]
  assert sorted(found.walks) == sorted(paths[:5])
  assert [name for name, _ in found.walks].index('walk_2.webp') < [
      name for name, _ in found.walks].index('walk_10.mp4')
  assert found.timelapses == (paths[5],) and found.memorised == (paths[6],)


def test_a_run_is_said_in_a_line(run):
  """Whatever its folder is called, and however long its records are."""
  writer = records.Metrics(run)
  for images in range(1, 2001):
    writer.write(images, {'d_loss': .5})
  writer.close()
  (run.parent / 'a\n<b>').symlink_to(run)
  text = repr(read.read(run.parent / 'a\n<b>'))
  assert '\n' not in text and len(text) < 300 + len(str(run))
  assert 'images 2,000 of 1,000,000' in text and 'records 2000' in text


def test_records_are_a_table_of_pandas(run):
  writer = records.Metrics(run)
  writer.write(8, {'d_loss': .5}, {'seconds': 3})
  writer.write(16, {'swd': 2})
  writer.close()
  columns = read.read(run).records
  found = columns.to_pandas()
  assert [*found] == [*columns] and len(found) == 2
  np.testing.assert_array_equal(
      found.to_numpy(), np.stack([*columns.values()], 1))


def test_without_pandas_the_error_says_how_to_install_it(run, monkeypatch):
  monkeypatch.setitem(sys.modules, 'pandas', None)
  with pytest.raises(ValueError, match=(
      r'^to_pandas\(\) needs pandas.* Run: pip install pandas$')):
    read.read(run).records.to_pandas()


def test_warnings_wait_for_the_run_and_stay_with_it(config, tmp_path):
  path, said = tmp_path / 'run', []
  with workdir.Workdir(path) as folder:
    tell = told.Told(path, said.append)
    tell('warning: before')
    tell('note: nothing')
    assert {x.name for x in path.iterdir()} == {'.lock', '.owner'}
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


def test_a_run_of_before_there_were_pages_is_read_whole():
  """Written by commit f0bc5c0d: two starts, 2 records, all that a page shows.

  Its pictures and its film were cut to 8 px, and of its checkpoints the names
  are left.
  """
  run = EARLIER / 'written'
  found = read.read(run)
  lines = {name: [json.loads(line) for line in (
      run / f'{name}.jsonl').read_text().splitlines()] for name in (
          'metrics', 'scores', 'warnings', 'changes')}
  assert found.path == run and found.config.train.total_images == 32
  first, second = lines['metrics']
  assert found.records['images'].tolist() == [16, 32]
  for name, value in second.items():
    if isinstance(value, dict):
      value, name = value.get('d_loss'), f'{name}.d_loss'
    if value is not None:
      assert found.records[name][1] == value
  assert found.records['clock.seconds'].tolist() == [4.29, 13.482]
  assert found.records['references.noise.swd_mean'][0] == (
      first['references']['noise']['swd_mean'])
  line, = lines['scores']
  assert found.evaluations == (line,)
  assert found.scores['images'].tolist() == [32]
  for name, score in line['scores'].items():
    assert found.scores[name] == score['value']
    assert found.scores[f'{name}.reals'] == score['reals']
  assert found.warnings == tuple(lines['warnings']) and len(found.warnings) == 2
  assert found.changes == tuple(lines['changes'])
  assert found.changes[0]['changed'] == ['train.total_images: 16 -> 32']
  assert [(images, path.relative_to(run).as_posix()) for images, path in (
      found.grids)] == [(i, f'samples/images_{i:010d}.png')
                        for i in (0, 16, 32)]
  assert found.walks == (('walk_0.webp', run / 'walk_0.webp'),)
  assert found.timelapses == found.memorised == ()
  assert found.versions == tuple(
      json.loads((run / 'versions.json').read_text()))
  assert found.starts == tuple(starts.Start(
      f'2026-11-30T21:13:{date}+00:00', images, seconds, '0.1.0', '1 cpu',
      'f0bc5c0dc1a9167594d3d05cb2dcde84bc76c43b', False)
      for date, images, seconds in ((21, 0, 4.29), (38, 16, 13.482)))
  assert found.summary == json.loads((run / 'summary.json').read_text())
  assert (found.checkpoints, found.best, found.images) == ((16, 32), 32, 32)
  assert found.diverged == '' and found.failed_step == {}
  tested = {field.name for field in dataclasses.fields(found)}
  assert tested == {
      'path', 'config', 'records', 'scores', 'evaluations', 'grids', 'walks',
      'timelapses', 'memorised', 'warnings', 'changes', 'versions', 'starts',
      'summary', 'checkpoints', 'best', 'failed_step'}


@pytest.mark.parametrize('name', ['quickstart', 'growing', 'ada'])
def test_starts_of_an_earlier_run_are_known(name):
  start, = read.read(EARLIER / name).starts
  assert (start.images, start.version, start.devices) == (0, '0.1.0', '1 cpu')
  assert start.seconds > 0 and start.dirty is False


def test_what_a_start_has_not_recorded_is_none(run):
  odd = {'date': 3, 'images': '0', 'packages': [1], 'git': None,
         'devices': {'count': 2, 'kinds': 'cpu'}}
  write_json(run / 'versions.json', [odd, {}, 3, {'images': 8}])
  found = read.read(run)
  none = starts.Start(*[None] * 7)
  assert found.starts == (none, none, none._replace(images=8))
  assert len(found.starts) == len(found.versions)


def test_reading_loads_no_jax():
  subprocess.run([sys.executable, '-c', (
      'import sys; from msg_gan_jax import read; '
      'from msg_gan_jax.runs import cost, together; '
      'together.together([read(sys.argv[1])]); '
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

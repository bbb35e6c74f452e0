"""Laws of a run's folder: one writer, one config, a record of every start."""
import dataclasses
import json
import os
import re
import subprocess
import sys

from helpers import ROOT
import jax
import pytest

from msg_gan_jax.arrays import compilation
from msg_gan_jax.config import schema
from msg_gan_jax.files import atomic
from msg_gan_jax.runs import config_file, versions, workdir


def _config(**values):
  """The template's Config, with train.* settings replaced."""
  config = schema.parse(schema.template())
  return dataclasses.replace(
      config, train=dataclasses.replace(config.train, **values))


def _run(path, config=None, **options):
  with workdir.Workdir(path) as w:
    return w.start(config or _config(), **options)


def test_a_config_comes_back_from_its_file_as_it_was(tmp_path):
  config = _config(batch=7, init_from='a "b" ü', ema_half_life_images=1e-8)
  assert _run(tmp_path / 'deep' / 'run', config) == []
  assert config_file.load_config(tmp_path / 'deep' / 'run') == config
  text = (tmp_path / 'deep' / 'run' / 'config.json').read_text()
  assert list(json.loads(text)) == sorted(json.loads(text))
  assert '\n  "train": {\n    "accumulate": 1,' in text


def test_nothing_is_written_before_start_but_the_lock(tmp_path):
  with workdir.Workdir(tmp_path / 'run') as w:
    assert w.check(_config()) == []
    assert {*os.listdir(tmp_path / 'run')} == {'.lock', '.owner'}
  with workdir.Workdir(tmp_path / 'run') as w:  # And that is no hindrance.
    assert w.check(_config()) == []


def test_a_new_folder_goes_with_a_start_that_is_refused(tmp_path):
  (tmp_path / 'there').mkdir()
  for name in 'new/run', 'there':
    with workdir.Workdir(tmp_path / name) as w:
      (w.path / 'checkpoints').mkdir()
  assert os.listdir(tmp_path) == ['there']
  with workdir.Workdir(tmp_path / 'kept') as w:
    (w.path / 'notes.txt').write_text('mine')
  assert (tmp_path / 'kept' / 'notes.txt').exists()


def test_settings_that_may_not_change_are_all_listed(tmp_path):
  _run(tmp_path)
  before = (tmp_path / 'config.json').read_bytes()
  with workdir.Workdir(tmp_path) as w:
    for refused in (w.check, w.start):
      with pytest.raises(ValueError) as error:
        refused(_config(batch=64, n_dis=2, total_images=5))
      assert str(tmp_path) in str(error.value)
      assert '\n  config.train.batch: 32 -> 64\n' in str(error.value)
      assert '\n  config.train.n_dis: 1 -> 2\n' in str(error.value)
      assert 'total_images' not in str(error.value)
      assert f'another workdir=FOLDER. With workdir={tmp_path} alone' in (
          str(error.value))
  assert (tmp_path / 'config.json').read_bytes() == before
  assert not (tmp_path / 'changes.jsonl').exists()


def test_settings_that_may_change_are_recorded(tmp_path):
  _run(tmp_path)
  assert _run(tmp_path, images=10) == []
  assert not (tmp_path / 'changes.jsonl').exists()
  longer = _config(total_images=5, keep_checkpoints=9)
  lines = ['train.total_images: 1000000 -> 5', 'train.keep_checkpoints: 2 -> 9']
  with open(tmp_path / 'changes.jsonl', 'w') as f:
    f.write('{"half')  # As a writer that was killed leaves it.
  assert sorted(_run(tmp_path, longer, images=20)) == sorted(lines)
  assert config_file.load_config(tmp_path) == longer
  half, entry = (tmp_path / 'changes.jsonl').read_text().splitlines()
  entry = json.loads(entry)
  assert half == '{"half' and entry['images'] == 20
  assert sorted(entry['changed']) == sorted(lines)


def test_what_a_start_finds_is_recorded_once_in_a_row(tmp_path):
  with workdir.Workdir(tmp_path) as folder:
    for images, lines in (8, ['a']), (8, ['a']), (16, ['a']), (16, []), (
        16, ['b']), (16, ['a']):
      folder.note(images, lines)
  entries = map(
      json.loads, (tmp_path / 'changes.jsonl').read_text().splitlines())
  assert [(x['images'], x['changed']) for x in entries] == [
      (8, ['a']), (16, ['a']), (16, ['b']), (16, ['a'])]


def test_a_second_writer_is_told_who_holds_the_lock(tmp_path):
  code = ('import sys; from msg_gan_jax.runs import workdir\n'
          'try: workdir.Workdir(sys.argv[1])\n'
          'except ValueError as error: print(error)\n'
          'else: print("open")')

  def second():
    return subprocess.run(
        [sys.executable, '-c', code, str(tmp_path)], text=True, check=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)}, stdout=-1).stdout
  with workdir.Workdir(tmp_path):
    message = second()
    assert re.search(rf'in use by process {os.getpid()} on \S+, since', message)
    assert str(tmp_path) in message and 'another workdir' in message
    workdir.Workdir(tmp_path, main=False)  # The same run's other processes.
  assert second() == 'open\n'


def test_other_processes_of_a_run_write_nothing(tmp_path):
  w = workdir.Workdir(tmp_path / 'run', main=False)
  assert w.start(_config()) == []
  assert not (tmp_path / 'run').exists()


def test_a_folder_of_other_things_is_not_adopted(tmp_path):
  (tmp_path / 'holiday.jpg').write_text('x')
  with pytest.raises(ValueError, match='not a run: it holds holiday.jpg, and'):
    workdir.Workdir(tmp_path)
  assert os.listdir(tmp_path) == ['holiday.jpg']
  with pytest.raises(ValueError, match='a file; wanted a folder'):
    workdir.Workdir(tmp_path / 'holiday.jpg')
  with pytest.raises(ValueError, match='an NFS share'):
    workdir.Workdir('gs://bucket/run')
  with pytest.raises(ValueError, match="found ''"):
    workdir.Workdir('')


@pytest.mark.parametrize('below', ['', 'a/b'])
def test_a_link_that_leads_nowhere_is_no_folder(tmp_path, below):
  (tmp_path / 'run').symlink_to('gone')
  part = 'run is ' if below else ''
  with pytest.raises(ValueError, match=(
      f"^workdir .*: .*{part}a link to 'gone', which is not there; wanted a")):
    workdir.Workdir(tmp_path / 'run' / below)
  (tmp_path / 'gone').mkdir()
  with workdir.Workdir(tmp_path / 'run' / below):
    pass


def test_a_run_that_lost_its_config_is_not_begun_anew(tmp_path):
  (tmp_path / 'checkpoints' / '100').mkdir(parents=True)
  with pytest.raises(ValueError, match='holds checkpoints, and no config'):
    workdir.Workdir(tmp_path)


def test_relative_paths_and_home_become_absolute(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  monkeypatch.setenv('HOME', str(tmp_path))
  for path in ('a', '~/a'):
    with workdir.Workdir(path) as w:
      assert w.path == tmp_path / 'a'


@pytest.mark.parametrize('edit, message', [
    (lambda c: c.update(sed=1), r"no setting 'sed' in this.* nearest is 'seed'"
     r'.*of msg_gan_jax \([\d.]+\)'),
    (lambda c: c.update(train=3), 'config.train: wanted a group of settings'),
    (lambda c: c.update(seed={}), 'config.seed: wanted int, found dict'),
    (lambda c: c['train'].update(batch='x'), "config.train.batch: wanted int"),
    (lambda c: c['train'].update(batch=0), 'config.train.batch: wanted 1 to'),
])
def test_a_config_of_another_schema_names_the_field(tmp_path, edit, message):
  _run(tmp_path)
  values = json.loads((tmp_path / 'config.json').read_text())
  edit(values)
  (tmp_path / 'config.json').write_text(json.dumps(values))
  with workdir.Workdir(tmp_path) as w:
    with pytest.raises(ValueError, match=f'config.json: .*{message}'):
      w.check(_config())


@pytest.mark.parametrize('text', ['', '{"seed": 0', '[1]', '\xff', '3'])
def test_a_damaged_config_is_an_error(tmp_path, text):
  _run(tmp_path)
  (tmp_path / 'config.json').write_text(text, encoding='latin-1')
  with pytest.raises(ValueError, match='config.json: damaged'):
    config_file.load_config(tmp_path)


def test_a_run_that_is_not_there_names_the_nearest(tmp_path):
  for name in ('faces_a', 'faces_b', 'letters'):
    _run(tmp_path / name)
  with pytest.raises(ValueError, match=(
      "faces-b: no such folder. Did you mean 'faces_b'\\? Runs in .*: faces_a, "
      'faces_b, letters')):
    config_file.load_config(tmp_path / 'faces-b')
  with pytest.raises(ValueError, match='not a run.* Runs in .*: faces_a'):
    config_file.load_config(tmp_path)
  with pytest.raises(ValueError, match='no such folder. There are no runs in'):
    config_file.load_config(tmp_path / 'nowhere' / 'run')


def test_every_start_adds_an_entry_of_versions(tmp_path):
  _run(tmp_path, digest='abc')
  _run(tmp_path, images=100)
  one, two = json.loads((tmp_path / 'versions.json').read_text())
  assert one['data_digest'] == 'abc' and two['images'] == 100
  assert one['packages']['jax'] == jax.__version__
  assert set(one['packages']) == set(versions.PACKAGES)
  assert one['devices'] == {
      'count': jax.device_count(), 'kinds': ['cpu'], 'processes': 1}
  assert one['python'] == '.'.join(map(str, sys.version_info[:3]))
  (tmp_path / 'versions.json').write_text('{"half')
  assert _run(tmp_path) == [
      'versions.json: was damaged; it is now versions.damaged.json']
  assert len(json.loads((tmp_path / 'versions.json').read_text())) == 1
  assert (tmp_path / 'versions.damaged.json').read_text() == '{"half'


def test_json_is_replaced_whole_or_not_at_all(tmp_path):
  atomic.write_json(tmp_path / 'a.json', {'b': 1, 'a': 'é'})
  assert (tmp_path / 'a.json').read_text() == '{\n  "a": "é",\n  "b": 1\n}\n'
  for bad in (float('nan'), object()):
    with pytest.raises((ValueError, TypeError)):
      atomic.write_json(tmp_path / 'a.json', {'a': bad})
  assert os.listdir(tmp_path) == ['a.json']
  assert json.loads((tmp_path / 'a.json').read_text())['b'] == 1


def test_other_pictures_than_at_the_last_start_are_told_and_recorded(tmp_path):
  for images, digest, told in ((0, 'a' * 64, 0), (8, 'a' * 64, 0),
                               (16, 'b' * 64, 1), (24, 'b' * 64, 0)):
    with workdir.Workdir(tmp_path / 'run') as run:
      lines = run.start(_config(), images, digest)
    assert len(lines) == told
    if told:
      assert lines[0].startswith("data.digest: 'aaaa")
  record, = (tmp_path / 'run' / 'changes.jsonl').read_text().splitlines()
  assert '"images": 16' in record


def test_other_compiler_options_are_told_once(tmp_path, monkeypatch):
  """Also to a run that began before they were recorded."""
  monkeypatch.setattr(compilation, 'options', lambda: {'xla_some': True})
  _run(tmp_path, digest='a')
  assert _run(tmp_path, images=8, digest='a') == []
  path = tmp_path / 'versions.json'
  entries = json.loads(path.read_text())
  assert entries[-1]['compiler_options'] == {'xla_some': True}
  for entry in entries:
    del entry['compiler_options']
  path.write_text(json.dumps(entries))
  told, = _run(tmp_path, images=8, digest='a')
  assert told.startswith("compiler_options: {} -> {'xla_some': True}; the run")
  assert _run(tmp_path, images=16, digest='a') == []
  record, = (tmp_path / 'changes.jsonl').read_text().splitlines()
  assert 'xla_some' in record

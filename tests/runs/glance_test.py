"""How far a run has come, from the end of what it wrote."""
import json
import os
import shutil

from helpers import ROOT
import pytest

from msg_gan_jax.runs import record_lines, standing
from msg_gan_jax.runs.glance import Memory, glances
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.workdir import Workdir

EARLIER = ROOT / 'tests' / 'runs' / 'earlier' / 'written'


@pytest.fixture
def run(tmp_path):
  return shutil.copytree(EARLIER, tmp_path / 'run')


def look(run):
  return glances([run], Memory())[run]


def append(run, **record):
  with open(run / 'metrics.jsonl', 'a', encoding='utf-8') as file:
    file.write(json.dumps(record) + '\n')


def total(run, images):
  config = json.loads((run / 'config.json').read_text())
  config['train']['total_images'] = images
  (run / 'config.json').write_text(json.dumps(config))


def test_it_tells_what_all_of_the_records_tell(run):
  seen, whole = look(run), read(run)
  assert (seen.images, seen.total) == (
      whole.images, whole.config.train.total_images)
  assert seen.config == whole.config
  assert seen.standing == standing.standing(whole)
  assert seen.picture == whole.grids[-1][1]
  assert seen.rate == whole.records['clock.images_per_second'][-1]
  assert seen.left is None


def test_time_left_is_the_rest_at_the_newest_rate(run):
  total(run, 10_000)
  append(run, images=2_000, clock={'seconds': 9., 'images_per_second': 100.})
  assert look(run).left is None  # It does not train.
  with Workdir(run):
    assert look(run).left == pytest.approx(80, abs=5)
    written = (run / 'metrics.jsonl').stat().st_mtime - 30
    os.utime(run / 'metrics.jsonl', (written, written))
    assert look(run).left == pytest.approx(50, abs=5)


@pytest.mark.parametrize('size', [
    0, 10, record_lines.TAIL, 5 * record_lines.TAIL])
def test_the_last_whole_record_is_found_whatever_stands_around_it(run, size):
  append(run, images=77, filling={'x' * size: 0})
  with open(run / 'metrics.jsonl', 'a', encoding='utf-8') as file:
    file.write('[1]\nno record\n{"images": 99, "d_lo')
  assert record_lines.newest(run / 'metrics.jsonl')['images'] == 77


@pytest.mark.parametrize('text', ['', '\n', 'nothing', '{"images": "many"}\n'])
def test_a_file_without_a_record_has_none(run, text):
  (run / 'metrics.jsonl').write_text(text)
  assert record_lines.newest(run / 'metrics.jsonl') == {}
  shutil.rmtree(run / 'checkpoints', ignore_errors=True)
  assert (look(run).images, look(run).rate) == (0, None)


def test_a_start_that_diverged_is_seen_until_another_begins(run):
  starts = json.loads((run / 'versions.json').read_text())
  with open(run / 'warnings.jsonl', 'a', encoding='utf-8') as file:
    file.write(json.dumps({'text': 'nan', 'diverged': len(starts)}) + '\n')
  assert look(run).standing == standing.DIVERGED
  (run / 'versions.json').write_text(json.dumps([*starts, {}]))
  assert look(run).rollbacks == 0
  (run / 'rollbacks.json').write_text(json.dumps([{}, {}]))
  assert look(run).rollbacks == 2
  assert look(run).standing != standing.DIVERGED


def test_what_cannot_be_read_is_said_and_the_others_are_seen(run, tmp_path):
  broken = shutil.copytree(run, tmp_path / 'broken')
  (broken / 'config.json').write_text('{"seed": ')
  gone = tmp_path / 'gone'
  found = glances([broken, gone, run], Memory())
  assert 'damaged' in found[broken] and 'no such folder' in found[gone]
  assert found[run].images > 0


def test_a_second_look_reads_what_has_changed_and_nothing_else(
    run, monkeypatch):
  memory = Memory()
  for path in (run, *run.iterdir()):
    os.utime(path, (1e9, 1e9))
  first = glances([run], memory)[run]
  for name in ('builtins.open', 'os.listdir', *(
      f'msg_gan_jax.runs.{x}' for x in (
          'config_file.read_config', 'glance.read_json', 'glance.read_lines'))):
    monkeypatch.setattr(name, lambda *args, **options: pytest.fail(str(args)))
  again = glances([run], memory)[run]
  assert again == first
  monkeypatch.undo()
  append(run, images=first.images + 5)
  assert glances([run], memory)[run].images == first.images + 5


def test_what_nobody_asks_for_any_more_is_forgotten(tmp_path):
  memory = Memory()
  file = tmp_path / 'file'
  file.write_text('1')
  os.utime(file, (1e9, 1e9))
  reads = []

  def look(path):
    reads.append(path)
    return 7

  memory.get(file, look)
  memory.forget()
  assert (memory.get(file, look), len(reads)) == (7, 1)
  memory.forget()
  memory.forget()
  assert (memory.get(file, look), len(reads)) == (7, 2)

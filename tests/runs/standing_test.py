"""Whether a run trains, as its folder tells."""
import json
import os
import shutil

from helpers import ROOT
import pytest

from msg_gan_jax.runs import standing
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.workdir import Workdir

EARLIER = ROOT / 'tests' / 'runs' / 'earlier' / 'written'


@pytest.fixture
def folder(tmp_path):
  return shutil.copytree(EARLIER, tmp_path / 'run')


def total(folder, images):
  """Another number of images that the run is to be shown."""
  path = folder / 'config.json'
  config = json.loads(path.read_text())
  config['train']['total_images'] = images
  path.write_text(json.dumps(config))


def test_it_is_done_where_all_images_were_shown_and_else_stopped(folder):
  shown = read(folder).images
  total(folder, shown)
  assert standing.standing(read(folder)) == standing.DONE
  total(folder, 2 * shown)
  assert standing.standing(read(folder)) == standing.STOPPED


def test_it_runs_while_a_process_holds_it(folder):
  with Workdir(folder):
    assert standing.standing(read(folder)) == standing.RUNNING
  assert standing.standing(read(folder)) != standing.RUNNING


def test_to_look_does_not_keep_a_start_away(folder):
  for _ in range(20):
    standing.is_held(folder)
    with Workdir(folder):
      standing.is_held(folder)


def test_on_another_machine_it_runs_if_it_has_written_lately(folder):
  total(folder, 10**6)
  (folder / '.lock').write_text('process 7 on elsewhere, since 2026-01-01')
  metrics = folder / 'metrics.jsonl'
  metrics.touch()
  assert standing.standing(read(folder)) == standing.RUNNING
  old = metrics.stat().st_mtime - 2 * standing.RECENT
  os.utime(metrics, (old, old))
  assert standing.standing(read(folder)) == standing.STOPPED


def test_one_that_diverged_says_so(folder):
  starts = len(json.loads((folder / 'versions.json').read_text()))
  with open(folder / 'warnings.jsonl', 'a', encoding='utf-8') as file:
    file.write(json.dumps({'text': 'nan', 'date': '', 'diverged': starts})
               + '\n')
  assert standing.standing(read(folder)) == standing.DIVERGED

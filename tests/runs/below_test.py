"""Which runs lie below a folder."""
import os
import shutil

import pytest

from msg_gan_jax.runs.below import Below


def run(folder):
  folder.mkdir(parents=True)
  (folder / 'config.json').write_text('{}')
  return folder


def test_runs_are_found_however_deep_and_named_by_their_places(tmp_path):
  for name in ('b', 'a', 'study/runs/0', 'deep/er/still'):
    run(tmp_path / name)
  (tmp_path / 'nothing' / 'here').mkdir(parents=True)
  assert [*Below(tmp_path).find()] == ['a', 'b', 'deep/er/still',
                                       'study/runs/0']


def test_a_run_may_be_the_folder_itself_and_none_lies_within_another(tmp_path):
  run(tmp_path / 'a')
  run(tmp_path / 'a' / 'within')
  assert [*Below(tmp_path / 'a').find().items()] == [('a', tmp_path / 'a')]


def test_links_and_hidden_folders_are_passed_over(tmp_path):
  elsewhere = run(tmp_path / 'elsewhere')
  root = tmp_path / 'root'
  run(root / '.hidden')
  (root / 'link').symlink_to(elsewhere)
  (root / 'around').symlink_to(root)
  assert Below(root).find() == {}


def test_what_comes_and_goes_is_seen_at_once(tmp_path):
  below = Below(tmp_path)
  assert below.find() == {}
  for i in range(20):  # All within one tick of the clock of a disk.
    run(tmp_path / f'deep/{i}')
    assert len(below.find()) == i + 1
  shutil.rmtree(tmp_path / 'deep' / '3')
  assert 'deep/3' not in below.find()
  shutil.rmtree(tmp_path)
  assert below.find() == {}


def test_a_folder_that_stays_as_it_was_is_not_read_again(
    tmp_path, monkeypatch):
  run(tmp_path / 'a')
  for folder in (tmp_path, tmp_path / 'a'):
    os.utime(folder, (1e9, 1e9))
  below = Below(tmp_path)
  first = below.find()
  monkeypatch.setattr(os, 'scandir', lambda path: pytest.fail(str(path)))
  assert below.find() == first

"""Laws of several runs beside each other."""
import dataclasses
import os
import pathlib

import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.files.atomic import write_json
from msg_gan_jax.runs import together
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.workdir import Workdir


@pytest.mark.parametrize('paths, wanted', [
    (['/r/a', '/r/b'], ['a', 'b']),
    (['/r/a'], ['a']),
    (['/x/a', '/y/a', '/y/b'], ['x/a', 'y/a', 'b']),
    (['/a', '/x/a'], ['/a', 'x/a']),
    (['/x/s/a', '/y/s/a', '/y/t/a'], ['x/s/a', 'y/s/a', 't/a']),
    (['/r/a', '/r/a', '/r/b'], ['/r/a', '/r/a', 'b']),
    (['/r/<b>"\n', '/r/\u202eb', '/r/,', '/'], ['<b>"\n', '\u202eb', ',', '/']),
    ([], [])])
def test_names_are_the_shortest_ends_that_tell_paths_apart(paths, wanted):
  found = together.names([pathlib.PurePosixPath(path) for path in paths])
  assert [*found] == wanted


def test_long_names_and_those_of_no_text_can_be_written():
  long = pathlib.PurePosixPath('/r', 'x' * 10_000)
  deep = [pathlib.PurePosixPath(f'/{x}' + '/y' * 5_000) for x in 'ab']
  odd = pathlib.PurePosixPath(os.fsdecode(b'/r/\xff'))
  found = together.names([long, *deep, odd])
  assert [len(x) for x in found] == [10_000, 10_001, 10_001, 4]
  assert found[1][0] == 'a' and found[3] == '\\xff'
  assert all(x.encode() for x in found)


@pytest.fixture
def run(small, tmp_path):
  """(name, seed, digest, **settings) -> a run that has begun."""
  def make(name, seed=0, digest='abc', **settings):
    config = dataclasses.replace(small(**settings), seed=seed)
    with Workdir(tmp_path / name) as folder:
      folder.start(config, digest=digest)
    return read(tmp_path / name)
  return make


def test_seeds_of_one_setting_are_a_group_and_others_say_how_they_differ(run):
  runs = [run('a', 0), run('b', 0, train__batch=16), run('c', 1),
          run('d', 1, train__batch=16, data__cache_dir='x'), run('e', 2)]
  found = together.together(runs)
  assert found.names == ('a', 'b', 'c', 'd', 'e')
  # Where files are kept is no difference.
  assert found.settings == {
      'seed': (0, 0, 1, 1, 2), 'train.batch': (8, 16, 8, 16, 8)}
  assert found.groups == ((0, 2, 4), (1, 3))


def test_a_seed_is_once_in_a_group(run):
  """Twice the same run is not two draws: its interval would be too narrow."""
  runs = [run('a', 0), run('b', 0), run('c', 1), run('d', 1), run('e', 0)]
  assert together.together(runs).groups == ((0, 2), (1, 3), (4,))


def test_a_folder_that_is_named_twice_is_one_run(run, tmp_path):
  first = run('a')
  os.symlink(first.path, tmp_path / 'link')
  found = together.together([first, read(first.path), read(tmp_path / 'link')])
  assert len(found.runs) == 1 and found.groups == ((0,),)


def test_runs_on_other_pictures_are_no_seeds_of_each_other(run):
  found = together.together([run('a', 0, 'x' * 64), run('b', 1, 'y' * 64)])
  assert found.settings['data.digest'] == ('x' * 12, 'y' * 12)
  assert found.groups == ((0,), (1,))


def test_every_setting_but_where_a_run_is_kept_is_compared(run):
  first = run('a')
  usual = schema.flatten(first.config)
  for name, value in usual.items():
    other = {bool: not value, str: f'{value}x'}.get(type(value), 7)
    found = together.differing(
        [usual, {**usual, name: other}], schema.ELSEWHERE)
    assert found == ({} if name in schema.ELSEWHERE else {
        name: (value, other)}), name
  assert set(schema.ELSEWHERE) <= usual.keys()
  assert together.experiment(first).keys() == {
      *usual, together.DIGEST} - {*schema.ELSEWHERE}


def test_a_run_that_records_no_versions_has_no_digest(run):
  first = run('a')
  write_json(first.path / 'versions.json', [])
  assert together.experiment(read(first.path))[together.DIGEST] == ''


def columns(images, **values):
  return Columns({name: np.array(x, np.float64) for name, x in {
      'images': images, **values}.items()})


def test_rows_at_the_same_images_stand_together():
  """The second run has no number at 16, and has not reached 40."""
  found = together.aligned([
      columns([8, 16, 24, 32, 40], x=[1, 2, 3, 4, 5]),
      columns([8, 16, 24, 32], x=[5, np.nan, 7, 8]),
      columns([8, 16, 24, 32], y=[1, 2, 3, 4])], 'x')
  assert found.runs == (0, 1) and not found.interpolated
  assert found.images.tolist() == [8, 24, 32]
  assert found.values.tolist() == [[1, 3, 4], [5, 7, 8]]


def test_intervals_of_which_one_is_in_the_other_need_no_reading_between():
  found = together.aligned([
      columns([8, 16, 24, 32], x=[1, 9, 3, 9]),
      columns([16, 32], x=[5, 6])], 'x')
  assert found.images.tolist() == [16, 32] and not found.interpolated
  assert found.values.tolist() == [[9, 9], [5, 6]]


def test_intervals_that_never_meet_are_read_between_and_never_beyond():
  fine, coarse = np.arange(10, 100, 10), np.arange(4, 140, 27)
  found = together.aligned([
      columns(fine, x=2. * fine), columns(coarse, x=3. * coarse)], 'x')
  assert found.interpolated and found.images.tolist() == [31, 58, 85]
  np.testing.assert_allclose(found.values, [
      2. * found.images, 3. * found.images])


def test_of_two_rows_at_the_same_images_the_later_counts():
  found = together.aligned([columns([8, 8, 16], x=[1, 2, 3])], 'x')
  assert found.values.tolist() == [[2, 3]]


@pytest.mark.parametrize('records', [
    [], [columns([8], y=[1])], [columns([8], x=[np.nan])]])
def test_where_no_run_has_a_number_there_is_none(records):
  found = together.aligned(records, 'x')
  assert found.runs == () and found.images.shape == (0,)
  assert found.values.shape == (0, 0)


def test_runs_that_never_overlap_share_nothing():
  found = together.aligned([
      columns([8, 16], x=[1, 2]), columns([24, 32], x=[1, 2])], 'x')
  assert found.runs == (0, 1) and found.values.shape == (2, 0)
  assert not found.interpolated

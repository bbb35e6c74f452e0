"""Laws of scores of several runs: the same numbers, and never unlike ones."""
import json
import math
import pathlib

import pytest

from msg_gan_jax.files.atomic import append_json, write_json
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.score_columns import (
  SCORES,
  SUMMARY,
  Measured,
  score_columns,
)
from msg_gan_jax.runs.workdir import Workdir
from msg_gan_jax.training import summary

WRITTEN = pathlib.Path(__file__).parent / 'earlier' / 'written'
SWD = {'swd': {'samples': {'16': 3., 'mean': 4.}, 'halves': {'16': 1.}},
       'pairwise': {'samples': 1., 'reals': 2.}, 'images': 8}


@pytest.fixture
def run(small, tmp_path):
  """(name, summary, *scores, digest) -> a run with them."""
  def make(name, summary=None, *scores, digest='abc'):
    with Workdir(tmp_path / name) as folder:
      folder.start(small(), digest=digest)
    if summary is not None:
      write_json(tmp_path / name / 'summary.json', summary)
    for images, of_line in scores:
      append_json(tmp_path / name / 'scores.jsonl', {
          'images': images, 'protocol': 'local', 'scores': of_line})
    return read(tmp_path / name)
  return make


def score(value, identity='a', **more):
  return {'value': value, 'id': identity, **more}


def test_columns_have_the_numbers_of_the_files_that_a_run_has_written():
  found = {column.name: column for column in score_columns([read(WRITTEN)])}
  line = json.loads((WRITTEN / 'scores.jsonl').read_text())
  measured = json.loads((WRITTEN / 'summary.json').read_text())
  for record, file in ((line, SCORES), (measured['scores'], SUMMARY)):
    for name, wanted in record['scores'].items():
      column = found[name]
      assert (column.id, column.protocol) == (wanted['id'], record['protocol'])
      got, = (x for x in column.runs[0] if x.file == file)
      error = wanted['error_of_samples']
      assert got.value == wanted['value'] and got.reals == wanted['reals']
      assert math.isnan(got.error) if error is None else got.error == error
      assert got.images == 32
  # The summary is of the same protocol as the line, and so in its column.
  assert [x.file for x in found['kid_random_conv'].runs[0]] == [SUMMARY, SCORES]
  of_summary = summary.DistanceSummary.values(measured)
  reals = summary.DistanceSummary.references_of(measured)['reals']
  for name, value in of_summary.items():
    got, = found[name].runs[0]
    assert (got.value, got.reals, got.file) == (value, reals[name], SUMMARY)
  assert found.keys() == {*of_summary, *line['scores']}


def test_a_toy_has_the_numbers_of_its_summary(run):
  measured = {'samples': {'modes': 7, 'high_quality': .5, 'kl': .1},
              'reals': {'modes': 8, 'high_quality': 1., 'kl': 0.},
              'protocol': {}, 'images': 8}
  found = score_columns([run('a', measured)])
  assert {x.name: x.newest[0].value for x in found} == (
      summary.ModeSummary.values(measured))
  assert {x.name: x.newest[0].reals for x in found} == (
      summary.ModeSummary.references_of(measured)['reals'])


def test_unlike_protocols_are_never_in_one_column(run):
  runs = [run('a', None, (8, {'fid': score(1., 'a'), 'is': score(9.)})),
          run('b', None, (8, {'fid': score(2., 'b')})),
          run('c', None, (8, {'fid': score(3., 'a')}), (16, {
              'fid': score(None, 'a')}), (16, {'fid': score(5., 'b')})),
          run('d')]
  found = score_columns(runs)
  assert [(x.name, x.id) for x in found] == [
      ('fid', 'a'), ('is', 'a'), ('fid', 'b')]
  assert [[y.value for y in x] for x in found[2].runs] == [[], [2.], [5.], []]
  first = found[0].newest
  assert first[0].value == 1 and first[1] is None and first[3] is None
  assert math.isnan(first[2].value) and first[2].images == 16


def test_scores_without_an_id_are_alone(run):
  of_line = {'fid': {'value': 1.}}
  found = score_columns([run(x, None, (8, of_line)) for x in 'ab'])
  assert [(x.name, x.id, [len(y) for y in x.runs]) for x in found] == [
      ('fid', '', [1, 0]), ('fid', '', [0, 1])]


@pytest.mark.parametrize('other, together', [
    ({}, True), ({'protocol': {'n_real': 7}}, False), ({'digest': 'x'}, False)])
def test_distances_go_by_their_protocol_and_their_reals(run, other, together):
  first = run('a', {**SWD, 'protocol': {}})
  second = run('b', {**SWD, 'protocol': other.get('protocol', {})},
               digest=other.get('digest', 'abc'))
  found = [x for x in score_columns([first, second]) if x.name == 'swd_mean']
  assert len(found) == (1 if together else 2)


def test_the_newest_is_of_most_images_and_written_last(run):
  column, = score_columns([run('a', None, *(
      (images, {'fid': score(value, error_of_samples=.5)})
      for images, value in ((16, 1.), (8, 2.), (16, 3.), (None, 4.))))])
  assert [x.value for x in column.runs[0]] == [4, 2, 1, 3]
  assert column.newest == (Measured(3., .5, pytest.approx(
      math.nan, nan_ok=True), 16., SCORES),)


@pytest.mark.parametrize('odd', [
    {'swd': 3}, {'swd': {'samples': [1]}}, {'pairwise': {'samples': None}},
    {'scores': [1]}, {'scores': {'scores': {'a': 3}}}, {'samples': {'a': 'x'}},
    {'swd': {'samples': {'16': None}}, 'images': 'x'}])
def test_odd_summaries_have_no_numbers(run, odd):
  found = score_columns([run('a', odd)])
  assert all(math.isnan(x.value) for column in found for x in column.runs[0])

"""Laws of what is gathered: each run once, and nothing that is not alike."""
import dataclasses
import json
import pathlib

import numpy as np
import pytest
import synthetic_studies as synthetic

from msg_gan_jax.files.atomic import append_json
from msg_gan_jax.runs.workdir import Workdir
from msg_gan_jax.study import analysis, space, storage, values

RUNS = synthetic.landscape()


def written(folder, runs=None, study=synthetic.LANDSCAPE, **more):
  return str(synthetic.write(
      folder, 'landscape_small', study, RUNS if runs is None else runs, **more))


def of(*args, **named):
  return values.results(analysis.gather(*args), **named)


def test_a_study_has_the_values_of_its_records(tmp_path):
  found, notes = of(written(tmp_path))
  assert found.axes == ('loss', 'norm', 'rate') and found.lower
  assert len(found.rows) == 90
  wanted = {(*point.values(), seed): min(record['curve'][record['metric']])
            for point, seed, record in RUNS if not record['diverged']}
  for row in found.rows:
    key = (*row.point.values(), row.seed)
    assert (row.value == wanted[key] if key in wanted
            else np.isnan(row.value))
  assert len(wanted) < 90
  assert notes == []


def test_any_score_is_a_metric_with_its_direction(tmp_path):
  folder = written(tmp_path)
  by_score, _ = of(folder, metric='is', which='last')
  assert by_score.metric == 'classifier_score_classifier'
  assert not by_score.lower
  assert [x for x in by_score.values if np.isfinite(x)] == [
      r['curve'][by_score.metric][-1] for *_, r in RUNS if not r['diverged']]
  with pytest.raises(ValueError, match="metric: no run has 'kidd'.*kid_cl"):
    of(folder, metric='kidd')


def test_two_journals_of_one_study_are_one_and_count_once(tmp_path):
  one = written(tmp_path / 'a1', RUNS[:60])
  two = written(tmp_path / 'a2', RUNS[30:])
  for names in (f'{one},{two}', str(tmp_path / 'a*')):
    found, _ = of(names)
    assert len(found.rows) == 90
    assert found.axes == ('loss', 'norm', 'rate')


def test_a_study_that_cannot_be_read_is_not_taken_for_loose_settings(tmp_path):
  path = pathlib.Path(written(tmp_path, RUNS[:9])) / storage.JOURNAL
  path.write_text(path.read_text().replace('d_norm', 'd_nurm'))
  with pytest.raises(ValueError, match="small' cannot be read: .*d_nurm"):
    analysis.gather(str(tmp_path))


def test_what_was_drawn_is_what_the_study_drew(tmp_path):
  axes = {'rate': synthetic.log_uniform(1e-5, 1e-2, of=synthetic.RATES),
          'n_dis': space.integers(1, 5, of='train.n_dis'),
          'many': space.integers(1, 90, of='train.accumulate'),
          'beta1': synthetic.choices(
              *(i / 10 for i in range(9)), of='optimizer.beta1')}
  study = space.Study(axes, metric='fid', sampler='random', points=10)
  rng = np.random.default_rng(0)
  runs = [({'rate': 1e-4, 'n_dis': 1, 'many': 2 + i, 'beta1': i / 10}, 0,
           synthetic.record(rng, 30., 100, 2)) for i in range(9)]
  found, _ = of(written(tmp_path, runs, study))
  assert found.drawn == ['rate', 'many']
  assert [x for x in found.axes if found.is_drawn(x)] == ['many']


def test_what_has_not_ended_is_left_out_and_told(tmp_path):
  gathered = analysis.gather(written(
      tmp_path, RUNS[:10], waiting=3, running=1, failed=2))
  assert len(gathered.runs) == 10
  text = ' '.join(gathered.notes)
  assert '2 runs failed' in text and '4 runs not ended yet' in text


def test_a_metric_that_some_runs_lack_is_told(tmp_path):
  runs = [(p, s, {**r, 'curve': {k: v for k, v in r['curve'].items()
                                 if i or k != 'kid_classifier'}})
          for i, (p, s, r) in enumerate(RUNS[:9])]
  found, notes = of(written(tmp_path, runs), metric='kid')
  assert len(found.rows) == 8
  assert '1 run without kid_classifier, left out.' in notes


def test_seeds_that_differ_are_told(tmp_path):
  _, notes = of(written(tmp_path, RUNS[:7]))
  assert any('lack a seed that others have' in x for x in notes)


def with_record(change, runs=RUNS[:6]):
  return [(p, s, {**r, **change(i)}) for i, (p, s, r) in enumerate(runs)]


@pytest.mark.parametrize(('runs', 'text'), [
    ([], 'no run has ended yet'),
    (with_record(lambda i: {'protocol': f'local {i % 2}'}),
     "unlike protocols, 'local 0' and 'local 1'"),
    (with_record(lambda i: {'diverged': 'nan'}), 'each of the 6 has diverged')])
def test_what_cannot_be_compared_says_why(tmp_path, runs, text):
  with pytest.raises(ValueError, match=text):
    of(written(tmp_path, runs))


def test_folders_that_are_neither_are_refused_or_left_out(tmp_path):
  folder = written(tmp_path / 'a1', RUNS[:9])
  (tmp_path / 'a2').mkdir()
  with pytest.raises(ValueError, match='neither a study.*nor a run'):
    of(f'{folder},{tmp_path / "a2"}')
  with pytest.raises(ValueError, match='no folder has such a name'):
    of(str(tmp_path / 'b*'))
  assert 'a2' in analysis.gather(str(tmp_path / 'a*')).notes[0]


def test_settings_that_differ_are_axes_and_those_that_go_together_one():
  axes, points = analysis.differing([
      {'optimizer.g_rate': rate, 'optimizer.d_rate': rate, 'seed': seed,
       'objective.loss': loss, 'data.path': str(seed)}
      for rate in (.1, .2) for loss in 'ab' for seed in (0, 1)])
  assert axes == {'rate': 'optimizer.g_rate, optimizer.d_rate',
                  'loss': 'objective.loss'}
  assert points[0] == {'rate': .1, 'loss': 'a'}
  assert points[-1] == {'rate': .2, 'loss': 'b'}


@pytest.fixture
def ordinary(tmp_path, small):
  """(rate, seed, *warnings) -> an ordinary run: its folder, a score at 8, 16..
  """
  def make(rate, seed, *warnings):
    config = dataclasses.replace(
        small(optimizer__g_rate=rate, evaluate__best=''), seed=seed)
    folder = tmp_path / f'a{rate}_{seed}'
    with Workdir(folder) as workdir:
      workdir.start(config)
    (folder / 'metrics.jsonl').write_text(''.join(
        json.dumps({'images': 8 * i, 'swd_mean': rate * 1e3 + seed / i,
                    'clock': {'seconds': i}}) + '\n' for i in (1, 2, 4)))
    for warning in warnings:
      append_json(folder / 'warnings.jsonl', warning)
  return make


def test_ordinary_runs_are_grouped_and_their_seeds_found(tmp_path, ordinary):
  for rate in (1e-3, 2e-3):
    for seed in (0, 1):
      ordinary(rate, seed)
  found, _ = of(str(tmp_path / 'a*'))
  assert found.metric == 'swd_mean' and found.lower
  assert found.axes == ('g_rate',) and found.seeds == [0, 1]
  assert found.by_point() == {(1e-3,): {0: 1., 1: 1.25},
                              (2e-3,): {0: 2., 1: 2.25}}
  assert found.rows[0].cost['seconds'] == 4


def test_an_ordinary_run_that_diverged_is_the_worst(tmp_path, ordinary):
  told = {'text': 'the run diverged: d_loss = nan', 'date': ''}
  ordinary(1e-3, 0, {**told, 'diverged': 1})
  ordinary(2e-3, 0, {**told, 'diverged': 0})  # A start before the newest.
  ordinary(3e-3, 0)
  found, _ = of(str(tmp_path / 'a*'))
  assert np.isnan(found.values).tolist() == [True, False, False]
  assert found.by_point()[1e-3,] == {0: 3.}

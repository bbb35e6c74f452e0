"""Laws of one table: what was measured otherwise is not in it."""
import pytest
import synthetic_studies as synthetic

from msg_gan_jax.study import analysis, values

RUNS = synthetic.rates()
REALS = {'count': 2048, 'shape': [32, 32, 3], 'digest': 'abcdefghij'}


def of(folder, change, metric='', **settings):
  """What comes of runs whose records have `change(i)` in addition."""
  runs = [(point, seed, {
      **record, **change(i),
      'curve': {**record['curve'], 'swd_mean': record['curve']['images']}})
      for i, (point, seed, record) in enumerate(RUNS)]
  return values.results(analysis.gather(str(synthetic.write(
      folder, 'rates', synthetic.OF_RATES, runs, **settings))), metric)[0]


def against(**change):
  return {'reals': {name: {**REALS, **change} for name in ('swd', 'scores')}}


def test_runs_against_the_same_reals_are_in_one_table(tmp_path):
  for i, metric in enumerate(('fid', 'swd')):
    found = of(tmp_path / str(i), lambda i: against(), metric)
    assert len(found.rows) == len(RUNS)


@pytest.mark.parametrize('metric', ['fid', 'swd'])
@pytest.mark.parametrize(('other', 'text'), [
    ({'count': 64}, "'2,048 reals of 32 x 32 x 3' and '64 reals of 32 x 32 x"),
    ({'shape': [28, 28, 1]}, "'2,048 reals of 28 x 28 x 1' and '2,048 reals "),
    ({'digest': 'bcd'}, "'digest abcdefgh' and 'digest bcd'")])
def test_unlike_reals_are_refused(tmp_path, metric, other, text):
  with pytest.raises(ValueError, match='measured by unlike proto') as error:
    of(tmp_path, lambda i: against(**other if i == 3 else {}), metric)
  assert text in str(error.value)
  assert '1 run such as rate 0.003' in str(error.value)
  assert 'folders in runs/ of their study' in str(error.value)


def test_scores_and_the_sliced_distance_have_reals_of_their_own(tmp_path):
  def change(i):
    return {'reals': {'swd': REALS, 'scores': {**REALS, 'count': 9 + i % 2}}}
  assert of(tmp_path / 'a', change, 'swd').metric == 'swd_mean'
  with pytest.raises(ValueError, match="'10 reals of .* and '9 reals of "):
    of(tmp_path / 'b', change, 'fid')


def test_records_that_do_not_tell_their_reals_are_taken_as_they_are(tmp_path):
  found = of(tmp_path / 'a', lambda i: against() if i % 2 else {})
  assert len(found.rows) == len(RUNS)
  # Nor does the digest of a set that is streamed.
  found = of(tmp_path / 'b', lambda i: against(digest='abc' if i % 2 else ''))
  assert len(found.rows) == len(RUNS)
  with pytest.raises(ValueError, match="'7 .*' and '8 .*' and 'unknown'"):
    of(tmp_path / 'c', lambda i: against(count=7 + i % 2) if i % 3 else {})


def test_other_weights_are_another_protocol_and_not_of_the_sliced_distance(
    tmp_path):
  of(tmp_path, lambda i: {})
  gathered = analysis.gather(str(tmp_path))
  gathered = gathered._replace(runs=[run._replace(settings={
      **run.settings, 'evaluate.weights_file': '/w.pt' if i else ''})
      for i, run in enumerate(gathered.runs)])
  with pytest.raises(ValueError, match="protocols, '' and '/w.pt'"):
    values.results(gathered)
  assert values.results(gathered, 'swd')[0].metric == 'swd_mean'

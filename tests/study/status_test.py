"""Laws of the status: it counts what the storage has."""
import datetime

import pytest
import synthetic_studies as synthetic

from msg_gan_jax.study import status
from msg_gan_jax.study.stored import read_stored


def test_it_counts_each_state_and_names_the_best(tmp_path):
  runs = synthetic.landscape()[:20]
  folder = synthetic.write(tmp_path, 'small', synthetic.LANDSCAPE, runs,
                           waiting=5, running=2, failed=1)
  text = '\n'.join(status.lines(
      read_stored(folder), folder,
      datetime.datetime.now() + datetime.timedelta(seconds=280)))
  assert 'small: 20 of 28 runs done' in text
  assert '2 running, 5 waiting, 1 failed' in text
  best = min(min(r['curve'][r['metric']]) for *_, r in runs)
  assert f'{best:.4g}' in text
  assert text.count('by process 4711 of node1') == 2 and '(4:40)' in text
  assert 'data.path: no such folder' in text
  assert 'left with 2 workers' in text and 'disk: ' in text


def test_a_study_whose_points_come_later_says_how_many(tmp_path):
  folder = synthetic.write(
      tmp_path, 'bandit', synthetic.BANDIT, synthetic.bandit(10))
  text = status.lines(read_stored(folder), folder)
  assert text[0].startswith('bandit: 20 of 240 runs done')
  assert '220 not chosen yet' in text[1]


def test_storages_without_a_study_of_ours_say_so(tmp_path):
  import optuna

  from msg_gan_jax.study.storage import open_storage
  with pytest.raises(ValueError, match='not a study'):
    read_stored(tmp_path)
  storage = open_storage(tmp_path)
  with pytest.raises(ValueError, match='no study is there'):
    read_stored(tmp_path)
  optuna.create_study(storage=storage, study_name='foreign')
  with pytest.raises(ValueError, match='another program'):
    read_stored(tmp_path)
  with pytest.raises(ValueError, match="no study 'foreing'.*foreign"):
    read_stored(tmp_path, name='foreing')
  optuna.create_study(storage=storage, study_name='other')
  with pytest.raises(ValueError, match='foreign, other; wanted one'):
    read_stored(tmp_path)

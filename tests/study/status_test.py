"""Laws of the status: it counts what the storage has."""
import dataclasses
import datetime

import pytest
import synthetic_studies as synthetic

from msg_gan_jax.files import process
from msg_gan_jax.study import definition, plan, status
from msg_gan_jax.study.space import RATES, Study, choices
from msg_gan_jax.study.storage import open_storage
from msg_gan_jax.study.stored import read_stored
from msg_gan_jax.study.trials import Queue
from msg_gan_jax.study.worker import Worker


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


def test_what_a_dead_worker_has_left_does_not_run(tmp_path):
  folder = synthetic.write(
      tmp_path, 'small', synthetic.LANDSCAPE, synthetic.landscape()[:20],
      running=3)
  trials = Queue(open_storage(folder), name='small')
  number = [x.number for x in trials.trials() if x.state == 'running'][1]
  trials._set(number, 'lease', [process.me()._replace(number=999_999_999), 0])
  text = '\n'.join(status.lines(read_stored(folder), folder))
  assert '  2 running, 0 waiting, 0 failed, 1 left by a worker that is' in text
  assert text.count('  running: ') == 2 and 'left with 2 workers' in text


@pytest.mark.parametrize('sampler', ['random', 'tpe'])
def test_a_space_that_is_used_up_has_no_run_that_is_not_chosen_yet(
    small, tmp_path, sampler):
  axes = {'rate': choices(1e-4, 1e-3, of=RATES),
          'beta1': choices(0., .5, of='optimizer.beta1')}
  study = Study(axes, sampler=sampler, points=20, metric='swd')
  trials = Queue(open_storage(tmp_path))

  def work(study):
    written = definition.dump('mine', small(), study)
    trials.define(written)
    before = status.lines(read_stored(tmp_path), tmp_path)[1]
    one = Worker(tmp_path, plan.judged(small(), study), study, trials, print)
    while not one.enqueue():
      while claim := trials.claim():
        trials.finish(claim, 1., {})
    return before, status.lines(read_stored(tmp_path), tmp_path)[1]

  before, after = work(study)
  assert '20 not chosen yet' in before and 'not chosen' not in after
  # And once it grows, there may be more to come.
  before, after = work(dataclasses.replace(study, seeds=(0, 1)))
  assert '36 not chosen yet' in before and 'not chosen' not in after


def test_storages_without_a_study_of_ours_say_so(tmp_path):
  import optuna
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

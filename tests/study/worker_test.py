"""A study of real runs, from its space to its findings."""
import errno
import math
import os
import signal
import threading
import time

import numpy as np
import pytest

from msg_gan_jax.gan.build import build
from msg_gan_jax.study import cost, plan
from msg_gan_jax.study.space import RATES, Study, choices
from msg_gan_jax.study.storage import open_storage
from msg_gan_jax.study.trials import Queue
from msg_gan_jax.study.worker import RUNS, Worker


@pytest.mark.parametrize('settings, d, g', [
    ({}, 3, 3), ({'train__n_dis': 2}, 4, 2),
    ({'train__n_dis_more': 2, 'train__more_first_g_steps': 1,
      'train__more_every_g_steps': 0}, 3, 2)])
def test_updates_are_those_that_training_makes(small, settings, d, g):
  of_d, of_g = cost.updates(build(small(**settings)), [24, 0, math.nan])
  np.testing.assert_array_equal(of_d, [d, 0, math.nan])
  np.testing.assert_array_equal(of_g, [g, 0, math.nan])


def test_seconds_of_all_starts_are_added_up():
  np.testing.assert_allclose(
      cost.seconds([1., 5., 2., math.nan, 4., 1.]), [1, 5, 7, 7, 9, 10])


@pytest.mark.slow
def test_a_study_trains_its_runs_once_and_records_what_came_of_them(
    small, tmp_path):
  base = small(train__total_images=16, train__measure_every_images=8,
               train__log_every_images=8, train__sample_every_images=16,
               train__checkpoint_every_images=16)
  study = Study({'rate': choices(1e-4, 1e-3, of=RATES),
                 'norm': choices('none', 'batch', of='networks.d_norm')})
  queue, said = Queue(open_storage(tmp_path)), []
  worker = Worker(tmp_path, plan.judged(base, study), study, queue, said.append)
  assert worker.work() == 0
  first, second = queue.trials()
  assert [x.work.about['point']['rate'] for x in (first, second)] == [
      1e-4, 1e-3]
  for trial in first, second:
    assert trial.state == 'done' and trial.record['diverged'] == ''
    curve = trial.record['curve']
    assert curve['images'] == [8., 16.] and curve['g_steps'] == [1., 2.]
    assert trial.value == min(curve[trial.record['metric']])
    assert (tmp_path / RUNS / trial.work.digest / 'best').is_dir()
  before = len(said)
  assert Worker(tmp_path, plan.judged(base, study), study, queue,
                said.append).work() == 0
  assert len(said) == before  # Nothing is left.


def test_on_a_full_disk_a_worker_ends_and_its_run_waits(
    small, tmp_path, monkeypatch):
  def full(*args, **named):
    raise OSError(errno.ENOSPC, 'No space left on device')

  monkeypatch.setattr('msg_gan_jax.training.loop.train', full)
  study = Study({'rate': choices(1e-4, 1e-3, of=RATES)}, metric='swd')
  queue = Queue(open_storage(tmp_path))
  worker = Worker(tmp_path, plan.judged(small(), study), study, queue, print)
  with pytest.raises(OSError, match='No space'):
    worker.work()
  assert {x.state for x in queue.trials()} == {'waiting'}


def away(*unused, **named):
  raise OSError(errno.ENOSPC, 'No space left on device')


@pytest.fixture
def one(small, tmp_path):
  """A worker whose study is in a journal."""
  study = Study({'rate': choices(1e-4, 1e-3, of=RATES)}, metric='swd')
  return Worker(tmp_path, plan.judged(small(), study), study,
                Queue(open_storage(tmp_path)), print)


def test_a_worker_that_waits_for_its_storage_hears_a_signal(one, monkeypatch):
  monkeypatch.setattr(one.queue._stored, 'get_all_trials', away)
  one.queue._say = lambda line: os.kill(os.getpid(), signal.SIGTERM)
  assert one.work() == signal.SIGTERM


def test_a_run_that_a_signal_ends_waits_for_no_storage(one, monkeypatch):
  waits = threading.Event()

  def train(*unused, **named):
    for name in 'set_trial_state_values', 'set_trial_user_attr':
      monkeypatch.setattr(one.queue._stored, name, away)
    assert waits.wait(60)  # Whoever renews the lease.
    return signal.SIGTERM

  monkeypatch.setattr('msg_gan_jax.training.loop.train', train)
  one.queue._lease, one.queue._say = .04, lambda line: waits.set()
  began = time.monotonic()
  assert one.work() == signal.SIGTERM and time.monotonic() - began < 60
  monkeypatch.undo()
  assert [x.state for x in one.queue.trials()] == ['running', 'waiting']

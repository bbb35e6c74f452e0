"""A study of real runs, from its space to its findings."""
import errno
import os
import signal
import threading
import time

import pytest

from msg_gan_jax.runs.owner import InUseError
from msg_gan_jax.study import plan
from msg_gan_jax.study.space import RATES, Study, choices
from msg_gan_jax.study.storage import open_storage
from msg_gan_jax.study.trials import Queue
from msg_gan_jax.study.worker import FAILURES, RUNS, Worker
from msg_gan_jax.training.divergence import DivergedError
from msg_gan_jax.training.stop import Stop


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


class Trained:
  """Stands for training: does what it is told, run by run."""

  def __init__(self, *outcomes):
    self.outcomes, self.paths = [*outcomes], []

  def __call__(self, config, path, say, **named):
    self.paths.append(path)
    outcome = self.outcomes.pop(0) if self.outcomes else OSError('broken')
    if callable(outcome):
      outcome = outcome(**named)
    if isinstance(outcome, BaseException):
      raise outcome
    return outcome


@pytest.fixture
def at_work(small, tmp_path, monkeypatch):
  """(*outcomes) -> (Worker whose runs have these, its Queue, said lines)."""
  def make(*outcomes, count=2):
    trained = Trained(*outcomes)
    monkeypatch.setattr('msg_gan_jax.training.loop.train', trained)
    monkeypatch.setattr('msg_gan_jax.study.worker.read', lambda path: None)
    monkeypatch.setattr(
        'msg_gan_jax.study.worker.outcome',
        lambda *unused: (1., {'metric': 'swd_mean', 'scores': {}}))
    study = Study({'rate': choices(
        *(1e-4 * 2**i for i in range(count)), of=RATES)}, metric='swd')
    said, queue = [], Queue(open_storage(tmp_path))
    return Worker(tmp_path, plan.judged(small(), study), study, queue,
                  said.append), queue, said
  return make


def states(queue):
  return [x.state for x in queue.trials()]


def test_a_run_that_fails_is_told_and_the_next_one_is_trained(at_work):
  worker, queue, said = at_work(ValueError('no such thing'), 0)
  assert worker.work() == 0
  assert states(queue) == ['failed', 'done']
  assert queue.trials()[0].reason == 'ValueError: no such thing'
  assert 'rate 0.0001, seed 0: failed: no such thing' in said[0]
  assert queue.again() == 1
  assert states(queue) == ['waiting', 'done']


def test_where_run_after_run_fails_for_one_reason_the_worker_ends(at_work):
  worker, queue, _ = at_work(*[OSError('no data')] * 7, count=7)
  with pytest.raises(ValueError, match='5 runs in a row .* no data Mend it'):
    worker.work()
  assert states(queue) == ['failed'] * FAILURES + ['waiting'] * 2


def test_failures_that_differ_or_are_apart_end_nothing(at_work):
  worker, queue, _ = at_work(
      *[OSError('no data')] * 4, 0, *[OSError('no data')] * 4, OSError('x'),
      count=10)
  assert worker.work() == 0
  assert states(queue).count('failed') == 9


def test_a_diverged_run_is_done_without_a_value(at_work):
  worker, queue, said = at_work(DivergedError('d_loss = nan'), 0)
  assert worker.work() == 0
  first, second = queue.trials()
  assert (first.state, first.value) == ('done', None)
  assert first.record['diverged'] == 'd_loss = nan'
  assert second.record['diverged'] == '' and 'diverged' in said[0]


def test_what_is_in_use_elsewhere_is_left_alone(at_work):
  worker, queue, _ = at_work(InUseError('in use'), 0)
  assert worker.enqueue()
  for _ in range(2):
    worker._do(queue.claim())
  assert states(queue) == ['waiting', 'done']
  assert queue.claim() is None  # It is left alone for a while.


def test_a_signal_ends_the_work_and_gives_the_run_back(at_work):
  worker, queue, _ = at_work(0, signal.SIGTERM)
  assert worker.work() == signal.SIGTERM
  assert states(queue) == ['done', 'waiting']


def test_a_signal_at_the_end_of_a_run_ends_the_work_after_it(at_work):
  def last_moment(**unused):
    with Stop():  # As training has one of its own.
      os.kill(os.getpid(), signal.SIGTERM)
    return 0

  worker, queue, _ = at_work(last_moment, 0)
  assert worker.work() == signal.SIGTERM
  assert states(queue) == ['done', 'waiting']


def test_a_worker_that_was_taken_for_dead_leaves_its_run(at_work):
  worker, queue, said = at_work()
  worker.enqueue()
  claim = queue.claim()

  def lost(show, **unused):
    claim.lost.set()
    show(8, 'training')
    raise AssertionError('it went on')

  worker, *_ = at_work(lost)
  assert worker._do(claim) == 0
  assert states(queue) == ['running', 'waiting']


@pytest.mark.parametrize('error', [
    OSError(errno.ENOSPC, 'No space left on device'),
    OSError('RESOURCE_EXHAUSTED: ENOSPC No space left on device')])
def test_on_a_full_disk_a_worker_ends_and_its_run_waits(at_work, error):
  whole = OSError('could not write the checkpoint')
  whole.__cause__ = error
  worker, queue, _ = at_work(whole)
  with pytest.raises(OSError, match='could not write'):
    worker.work()
  assert set(states(queue)) == {'waiting'}


def away(*unused, **named):
  raise OSError(errno.ENOSPC, 'No space left on device')


@pytest.fixture
def one(at_work):
  return at_work()[0]


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

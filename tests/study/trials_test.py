"""Laws of the queue: each piece of work is done once, whoever dies."""
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import pytest

from msg_gan_jax.files import process
from msg_gan_jax.study import alive
from msg_gan_jax.study.storage import open_storage
from msg_gan_jax.study.trials import DEADLY, Queue
from msg_gan_jax.study.work import Work

ME, NOBODY = process.me(), 999_999_999
ELSEWHERE = [ME._replace(host='elsewhere'), 0]  # A lease.
WORKER = '''
import sys, time
from msg_gan_jax.files import process
from msg_gan_jax.study.storage import open_storage
from msg_gan_jax.study.trials import Queue
queue = Queue(open_storage(*sys.argv[1:3]), lease=float(sys.argv[3]))
while not all(x.state == 'done' for x in queue.trials()):
  claim = queue.claim()
  if claim is None:
    time.sleep(.05)
    continue
  with queue.held(claim):
    with open(sys.argv[1] + '/done', 'a') as file:
      file.write(claim.work.digest + '\\n')
    time.sleep(float(sys.argv[4]))
  queue.finish(claim, claim.work.about['i'] ** 2, {'i': claim.work.about['i']})
'''


def works(n):
  return [Work(f'd{i}', {'i': i}) for i in range(n)]


def queue(folder, **settings):
  return Queue(open_storage(folder), **settings)


def start(folder, address='', lease=1., seconds=.02):
  return subprocess.Popen(
      [sys.executable, '-c', WORKER, str(folder), address, str(lease),
       str(seconds)],
      env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)})


def table(trials):
  return [(x.work.digest, x.state, x.value, x.record) for x in trials.trials()]


def test_what_is_added_is_done_once_and_added_once(tmp_path):
  trials = queue(tmp_path)
  assert trials.add(works(3)) == 3
  assert trials.add(works(5)) == 2
  seen = []
  while claim := trials.claim():
    with trials.held(claim):
      seen.append(claim.work.about['i'])
    trials.finish(claim, 2. * claim.work.about['i'], {'x': 1})
  assert seen == list(range(5))
  assert table(queue(tmp_path)) == [
      (f'd{i}', 'done', 2. * i, {'x': 1}) for i in range(5)]
  assert trials.add(works(5)) == 0


def test_what_diverged_is_done_without_a_value_and_what_failed_says_why(
    tmp_path):
  trials = queue(tmp_path)
  trials.add(works(2))
  trials.finish(trials.claim(), None, {'diverged': 'd_loss = nan'})
  trials.fail(trials.claim(), 'no such folder')
  diverged, failed = trials.trials()
  assert (diverged.state, diverged.value) == ('done', None)
  assert (failed.state, failed.reason) == ('failed', 'no such folder')
  assert trials.recover() == 0 and trials.claim() is None


def test_a_copy_that_another_worker_enqueued_is_not_done_again(tmp_path):
  trials = queue(tmp_path)
  trials.add(works(1))
  trials._enqueue(works(1)[0])  # As two workers do that look at once.
  first = trials.claim()
  assert trials.claim() is None
  trials.finish(first, 1., {})
  assert table(trials) == [('d0', 'done', 1., {})]


def test_what_is_given_back_comes_again(tmp_path):
  trials = queue(tmp_path)
  trials.add(works(1))
  trials.give_back(trials.claim())
  assert [x.state for x in trials.trials()] == ['waiting']
  trials.fail(trials.claim(), 'broken')
  assert trials.recover() == 0  # The newest word on it counts.
  assert trials.again() == 1 and trials.claim().work.digest == 'd0'


def test_a_worker_that_is_silent_loses_its_trial_and_is_told(tmp_path):
  silent, other = queue(tmp_path, lease=.2), queue(tmp_path, lease=.2)
  silent.add(works(1))
  claim = silent.claim()
  other._stored.set_trial_user_attr(claim.number, 'lease', ELSEWHERE)
  assert other.recover() == 0  # It is seen for the first time.
  taken, began = None, time.monotonic()
  while taken is None and time.monotonic() - began < 20:
    time.sleep(.05)
    taken = other.claim()
  assert time.monotonic() - began > .2
  assert taken.work == claim.work
  other.finish(taken, 4., {})
  silent.finish(claim, 5., {})  # It wakes up, too late.
  assert [x[2] for x in table(other)] == [4.]


def die(trials, begins):
  """Claims a trial, as a worker that is killed at once."""
  claim = trials.claim()
  trials._stored.set_trial_user_attr(
      claim.number, 'lease', [ME._replace(number=NOBODY), 0, begins])
  return trials.recover()


def test_what_kills_worker_after_worker_fails_at_last(tmp_path):
  trials = queue(tmp_path)
  trials.add(works(1))
  for _ in range(DEADLY - 1):
    assert die(trials, 400) == 1
  assert die(trials, 400) == 0 and trials.claim() is None
  trial, = trials.trials()
  assert trial.state == 'failed' and trial.reason.startswith('5 workers')
  assert trials.again() == 1  # And is asked once more, as patiently.
  assert die(trials, 400) == 1


def test_what_gets_further_each_time_comes_again_without_end(tmp_path):
  trials = queue(tmp_path)
  trials.add(works(1))
  assert [die(trials, 100 * (i // 3)) for i in range(12)] == [1] * 12


def test_a_storage_that_was_away_kills_nobody(tmp_path, monkeypatch):
  trials = queue(tmp_path, lease=10.)
  trials.add(works(1))
  claim = trials.claim()
  trials._stored.set_trial_user_attr(claim.number, 'lease', ELSEWHERE)
  now = 100.
  monkeypatch.setattr(time, 'monotonic', lambda: now)
  assert trials.recover() == 0
  now = 1000.  # Nobody could renew in between, nor could this one look.
  assert trials.recover() == 0
  now = 1004.
  assert trials.recover() == 0
  now = 1008.
  assert trials.recover() == 0
  now = 1012.
  assert trials.recover() == 1


def test_a_worker_leaves_alone_what_is_in_use_and_others_may_have_it(tmp_path):
  trials, other = queue(tmp_path), queue(tmp_path)
  trials.add(works(2))
  trials.give_back(trials.claim(), pause=600.)
  assert trials.claim().work.digest == 'd1'
  assert trials.claim() is None
  assert other.claim().work.digest == 'd0'


def test_who_lost_a_trial_before_its_lease_began_is_told(tmp_path):
  trials, other = queue(tmp_path), queue(tmp_path)
  trials.add(works(1))
  claim = trials.claim()  # It is suspended here, for long.
  other._end(claim.number, other._states.FAIL, reason='elsewhere')
  with trials.held(claim):
    assert claim.lost.is_set()
  trials.finish(claim, 1., {})
  trials.fail(claim, 'too late')
  trials.give_back(claim)
  assert [x.state for x in other.trials()] == ['failed']


@pytest.mark.parametrize(('lease', 'gone'), [
    (None, False), ([ME, 3], False), ([ME._replace(number=NOBODY), 3], True),
    ([ME._replace(host='elsewhere', number=NOBODY), 3], False),
    ([ME._replace(place='another container', number=NOBODY), 3], False)])
def test_only_processes_of_this_machine_are_looked_for(lease, gone):
  assert alive.is_gone(lease) == gone


@pytest.mark.slow
def test_a_worker_that_is_suspended_does_nothing_twice(tmp_path):
  trials = queue(tmp_path, lease=1.)
  trials.add(works(4))
  stopped = start(tmp_path, lease=1., seconds=.5)
  while not any(x.state == 'running' for x in trials.trials()):
    time.sleep(.02)
  stopped.send_signal(signal.SIGSTOP)
  other = start(tmp_path, lease=1., seconds=.1)
  assert other.wait(120) == 0  # It has done them all.
  before = table(trials)
  stopped.send_signal(signal.SIGCONT)
  assert stopped.wait(120) == 0
  assert table(trials) == before == [
      (f'd{i}', 'done', float(i**2), {'i': i}) for i in range(4)]
  complete = [x for x in trials.study.trials if x.state.name == 'COMPLETE']
  assert len(complete) == 4


def survive(folder, kills, count=24, address='', workers=3):
  """Workers of which some are killed at random until all is done."""
  trials = Queue(open_storage(folder, address))
  trials.add(works(count))
  rng, running = random.Random(0), []
  deadline = time.monotonic() + 120
  while not all(x.state == 'done' for x in trials.trials()):
    assert time.monotonic() < deadline
    running = [x for x in running if x.poll() is None]
    while len(running) < workers:
      running.append(start(folder, address))
    time.sleep(.3)
    if kills:
      kills -= 1
      victim = rng.choice(running)
      running.remove(victim)
      victim.send_signal(signal.SIGKILL)
      victim.wait()
  for worker in running:
    assert worker.wait(60) == 0
  return trials


@pytest.mark.slow
def test_workers_that_are_killed_lose_nothing(tmp_path):
  trials = survive(tmp_path, kills=5)
  assert table(trials) == [
      (f'd{i}', 'done', float(i**2), {'i': i}) for i in range(24)]
  done = pathlib.Path(tmp_path / 'done').read_text().split()
  assert len(done) <= 24 + 5  # What a worker that was killed had begun.


def test_studies_that_go_the_other_way_are_others(tmp_path):
  queue(tmp_path)
  with pytest.raises(ValueError, match='less is better|more is better'):
    queue(tmp_path, lower=True) and queue(tmp_path, lower=False)
  with pytest.raises(ValueError, match='no study'):
    queue(tmp_path, name='other', create=False)

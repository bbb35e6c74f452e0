"""Laws of worker processes: each has its cores, is heard, stopped, renewed."""
import os
import signal
import subprocess
import sys
import threading
import time

from helpers import ROOT
import pytest

from msg_gan_jax.study.board import Board
from msg_gan_jax.study.jobs import JOB, Jobs
from msg_gan_jax.study.standing import standing

pytestmark = pytest.mark.slow

HEAD = f'''
import os, signal, sys, time
from msg_gan_jax.files.cores import available
me = os.environ[{JOB!r}]
def say(word):
  print(word, me, available(), flush=True)
'''


def work(tmp_path, body, count=2, said=None):
  """(exit status, what was said) of worker processes that run a program."""
  (tmp_path / 'program.py').write_text(HEAD + body)
  said = [] if said is None else said
  board = Board(count, lambda: standing([]), said.append, sys.stderr)
  status = Jobs([sys.executable, str(tmp_path / 'program.py')], count,
                board).work()
  return status, said


@pytest.fixture(autouse=True)
def path(monkeypatch):
  monkeypatch.setenv('PYTHONPATH', str(ROOT))


def test_each_has_its_share_of_the_cores_and_is_heard(tmp_path):
  cores = len(os.sched_getaffinity(0))
  status, said = work(tmp_path, "say('works')")
  assert status == 0
  assert sorted(said) == [
      f'works 1 {max(1, cores // 2)}', f'works 2 {max(1, (cores + 1) // 2)}']
  assert len(os.sched_getaffinity(0)) == cores  # As before.


def test_one_that_is_killed_is_told_and_started_again(tmp_path):
  body = f'''
path = {str(tmp_path / 'once')!r} + me
if me == '1' and not os.path.exists(path):
  open(path, 'w').close()
  os.kill(os.getpid(), signal.SIGKILL)
say('works')
'''
  status, said = work(tmp_path, body)
  assert status == 0 and len(said) == 3
  line, = [line for line in said if 'SIGKILL' in line]
  assert line.startswith('worker 1 (process ')
  assert line.endswith('ended by SIGKILL; it is started again')


def test_where_all_are_killed_again_and_again_that_is_the_end(tmp_path):
  status, said = work(tmp_path, 'os.kill(os.getpid(), signal.SIGKILL)', 1)
  assert status == 1 and len(said) == 4
  assert said[-1].endswith('ended by SIGKILL; it is not started again')


def test_one_that_fails_is_not_started_again(tmp_path):
  status, said = work(tmp_path, "sys.exit('no storage')", 1)
  assert status == 1
  assert said[0] == 'no storage' and 'with status 1; it is not' in said[1]


@pytest.mark.parametrize('number, status', [
    (signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_a_signal_reaches_all_and_all_may_save(tmp_path, number, status):
  body = '''
def saved(number, frame):
  say(f'saved after {number}')
  sys.exit(75)
for number in signal.SIGTERM, signal.SIGINT:
  signal.signal(number, saved)
say('works')
time.sleep(60)
'''

  said = []

  def stop():
    while len(said) < 2:
      time.sleep(.05)
    os.kill(os.getpid(), number)

  # A job of a shell may have been begun with Ctrl-C ignored.
  before = signal.signal(number, signal.SIG_DFL)
  threading.Thread(target=stop).start()
  try:
    found, _ = work(tmp_path, body, said=said)
  finally:
    signal.signal(number, before)
  assert found == status
  assert sum(f'saved after {int(number)}' in line for line in said) == 2


def test_a_worker_stops_with_the_process_that_began_it(tmp_path):
  body = '''
from msg_gan_jax.study import jobs
def saved(number, frame):
  say('saved')
  sys.exit(75)
signal.signal(signal.SIGTERM, saved)
jobs.stop_with_parent()
time.sleep(60)
'''
  (tmp_path / 'program.py').write_text(HEAD + body)
  process = subprocess.Popen(
      [sys.executable, str(tmp_path / 'program.py')], stdin=subprocess.PIPE,
      stdout=subprocess.PIPE, text=True, env={**os.environ, JOB: '1'})
  process.stdin.close()
  with process.stdout as out:
    assert out.read().startswith('saved 1')
  assert process.wait() == 75

"""A study in a real PostgreSQL on loopback, whose workers and server die."""
import os
import subprocess
import sys
import time

import optuna
from postgres_server import Server, binaries
import pytest

from msg_gan_jax.study.storage import open_storage
from msg_gan_jax.study.trials import Queue
from msg_gan_jax.study.work import Work

COUNT = 40
WORKER = '''
import sys, time
from msg_gan_jax.study.storage import open_storage
from msg_gan_jax.study.trials import Queue
trials = Queue(open_storage('', sys.argv[1], say=print))
while not all(x.state == 'done' for x in trials.trials()):
  claim = trials.claim()
  if claim is None:
    time.sleep(.05)
    continue
  with trials.held(claim):
    time.sleep(.02)
  trials.finish(claim, claim.work.about['i'] / 3, {'i': claim.work.about['i']})
'''


@pytest.fixture(scope='module')
def server():
  pytest.importorskip('psycopg', reason='psycopg is not installed')
  if binaries() is None:
    pytest.skip('PostgreSQL is not installed')
  try:
    made = Server()
  except OSError as error:
    pytest.skip(str(error))
  yield made
  made.close()


@pytest.fixture(autouse=True)
def closed(monkeypatch):
  """Closes what tests have opened, or later ones would be told of it."""
  made, init = [], optuna.storages.RDBStorage.__init__

  def keep(self, *args, **named):
    made.append(self)
    init(self, *args, **named)

  monkeypatch.setattr(optuna.storages.RDBStorage, '__init__', keep)
  yield
  for storage in made:
    storage.engine.dispose()


def start(address):
  return subprocess.Popen(
      [sys.executable, '-c', WORKER, address],
      env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)})


@pytest.mark.slow
def test_nothing_is_lost_or_done_twice_when_workers_and_server_are_killed(
    server):
  said = []
  trials = Queue(open_storage('', server.address), say=said.append)
  trials.add(Work(f'd{i}', {'i': i}) for i in range(COUNT))
  workers, killed, away = [start(server.address) for _ in range(2)], 0, False
  until = time.monotonic() + 300
  while not all(x.state == 'done' for x in trials.trials()):
    assert time.monotonic() < until
    done = sum(x.state == 'done' for x in trials.trials())
    assert not any(x.poll() for x in workers)  # All wait for the server.
    if killed < 3 and done >= 8 * (killed + 1):
      victim = workers.pop(0)
      victim.kill()
      victim.wait()
      workers.append(start(server.address))
      killed += 1
    if not away and done >= COUNT // 2:
      server.kill()
      workers.append(start(server.address))
      time.sleep(4.)
      server.start()
      away = True
    time.sleep(.02)
  for worker in workers:
    assert worker.wait(120) == 0
  assert killed == 3 and away
  assert [(x.work.digest, x.value, x.record) for x in trials.trials()] == [
      (f'd{i}', i / 3, {'i': i}) for i in range(COUNT)]
  complete = [x.user_attrs['digest'] for x in trials.study.get_trials()
              if x.state.name == 'COMPLETE']
  assert len(complete) == len(set(complete)) == COUNT


@pytest.mark.slow
def test_workers_that_begin_at_once_in_an_empty_database_all_work(server):
  import psycopg
  with psycopg.connect(server.address, autocommit=True) as connection:
    connection.execute('CREATE DATABASE empty')
  address = server.at(database='empty')
  workers = [start(address) for _ in range(4)]
  assert [worker.wait(120) for worker in workers] == [0] * 4


@pytest.mark.slow
def test_a_server_that_refuses_says_why(server):
  for address, why in (
      (server.at('wrong'), 'password authentication failed'),
      (server.at(database='none'), 'database "none" does not exist'),
      (server.at(port=1), 'refused')):
    with pytest.raises(ValueError, match=f'cannot be reached: .*{why}'):
      open_storage('', address)

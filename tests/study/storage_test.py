"""Laws of where trials are recorded: what is broken is mended, or told."""
import errno
import json
import os
import re
import subprocess
import sys

import pytest

from msg_gan_jax.study import storage, stored
from msg_gan_jax.study.storage import JOURNAL, drop_partial_line, open_storage
from msg_gan_jax.study.trials import Queue
from msg_gan_jax.study.work import Work


def works(n):
  return [Work(f'd{i}', {'i': i}) for i in range(n)]


def queue(folder):
  return Queue(open_storage(folder))


def lines(folder):
  return (folder / JOURNAL).read_bytes().splitlines(keepends=True)


LEFT = {
    'half a line': b'{"op_code": 6, "trial',
    'zeros': bytes(9000),
    'half a line and zeros': b'{"op_code": 6' + bytes(5000),
    'rubbish that ends': b'rubbish\n'}


@pytest.mark.parametrize('left', LEFT)
def test_what_a_kill_or_a_power_cut_left_at_the_end_costs_nothing(
    tmp_path, left):
  before = queue(tmp_path)
  before.add(works(2))
  whole = lines(tmp_path)
  with open(tmp_path / JOURNAL, 'ab') as file:
    file.write(LEFT[left])
  assert len(Queue(open_storage(tmp_path, readonly=True),
                   create=False).trials()) == 2
  assert queue(tmp_path).add(works(3)) == 1
  assert len(before.trials()) == 3  # And one that was there all the time.
  assert lines(tmp_path)[:len(whole)] == whole
  assert all(json.loads(line) for line in lines(tmp_path))


@pytest.mark.parametrize(('text', 'kept'), [
    (b'', b''), (b'a', b''), (b'{}\n', b'{}\n'), (b'{}\nb', b'{}\n'),
    (b'{}\nb\n', b'{}\n'), (b'{}\n' + b'b' * 9000, b'{}\n'),
    *((b'{' + b'c' * n + b'}\n' + b'd' * more, b'{' + b'c' * n + b'}\n')
      for n in (9000, 4) for more in range(4093, 4099)),
    (b'{' + b'c' * 9000 + b'}\n', b'{' + b'c' * 9000 + b'}\n')])
def test_only_what_follows_the_last_record_is_dropped(tmp_path, text, kept):
  path = tmp_path / 'file'
  path.write_bytes(text)
  drop_partial_line(path)
  assert path.read_bytes() == kept


@pytest.mark.parametrize('damage', [b'rubbish\n', bytes(40) + b'\n', b'\n'])
def test_a_line_damaged_in_the_middle_is_named_and_its_advice_works(
    tmp_path, damage):
  trials = queue(tmp_path)
  trials.add(works(3))
  whole = lines(tmp_path)
  whole[2] = damage
  (tmp_path / JOURNAL).write_bytes(b''.join(whole))
  with pytest.raises(ValueError, match='line 3 of journal.log is damaged'
                     ) as told:
    queue(tmp_path)
  advice = re.search(r'(head -n .*?) \(', str(told.value)).group(1)
  subprocess.run(advice, shell=True, check=True)
  trials = queue(tmp_path)
  assert len(trials.trials()) == 1
  assert trials.add(works(3)) == 2


def test_a_journal_that_cannot_be_opened_is_named(tmp_path):
  (tmp_path / 'a' / JOURNAL).mkdir(parents=True)
  (tmp_path / 'b').write_text('')
  for place in 'a', 'b':
    with pytest.raises(ValueError, match=f'workdir .*{place}: .*cannot be'):
      open_storage(tmp_path / place)
  for place in 'a', 'b', 'nothing':
    with pytest.raises(ValueError, match='not a study'):
      open_storage(tmp_path / place, readonly=True)


def test_a_folder_without_symbolic_links_has_another_lock(
    tmp_path, monkeypatch):
  def refuse(*args, **named):
    raise OSError(errno.EPERM, 'Operation not permitted')

  with_links = queue(tmp_path)
  monkeypatch.setattr(os, 'symlink', refuse)
  trials = queue(tmp_path)
  trials.add(works(2))
  assert trials.claim().work == works(1)[0]
  monkeypatch.undo()
  assert with_links.claim().work == works(2)[1]
  assert sorted(os.listdir(tmp_path)) == [JOURNAL]


def test_a_worker_that_was_suspended_with_the_lock_goes_on(tmp_path):
  lock = open_storage(tmp_path)._backend._lock
  lock.acquire()
  os.remove(f'{tmp_path / JOURNAL}.lock')  # As others do, 30 s later.
  lock.release()
  lock.acquire()
  lock.release()


def test_a_full_disk_is_waited_for(tmp_path):
  """In a process of its own: no file there may grow beyond a limit."""
  trials = queue(tmp_path)
  trials.add(works(1))
  program = f'''
import resource, signal, sys, threading, time
from msg_gan_jax.study.storage import open_storage
from msg_gan_jax.study.trials import Queue
from msg_gan_jax.study.work import Work
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
said = []
trials = Queue(open_storage({str(tmp_path)!r}), say=said.append)
claim = trials.claim()
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
size = {str(tmp_path / JOURNAL)!r}
import os
resource.setrlimit(resource.RLIMIT_FSIZE, (os.path.getsize(size) + 40, most))
threading.Timer(.8, lambda: resource.setrlimit(
    resource.RLIMIT_FSIZE, (most, most))).start()
trials.finish(claim, 7., {{}})
assert len(said) == 2 and 'does not answer' in said[0], said
'''
  subprocess.run([sys.executable, '-c', program], check=True, env={
      **os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)})
  assert [x.value for x in trials.trials()] == [7.]
  assert all(json.loads(line) for line in lines(tmp_path))


ADDRESSES = {
    'postgres://me:secret@h/x': "kind of database 'postgres'. did you mean "
                                "'postgresql'",
    'redis://:secret@h': "kind of database 'redis'",
    'me:secret@h/x': 'not an address',
    'runs/a': 'not an address',
    'postgresql://me:secret@h:port/x': 'not an address',
    'postgresql+psycopg2://me:sec:ret@h/x': 'pip install .psycopg2-binary',
    'mysql://me@h/x?password=secret': 'pip install .mysqlclient',
    'sqlite:////dev/null/x.db':
        'cannot be reached: unable to open .*without an address the journal'}


@pytest.mark.parametrize('address', ADDRESSES)
def test_an_address_that_is_wrong_says_what_is_and_hides_its_password(
    tmp_path, monkeypatch, address):
  for driver in 'psycopg2', 'MySQLdb':
    monkeypatch.setitem(sys.modules, driver, None)
  with pytest.raises(ValueError, match=ADDRESSES[address]) as told:
    open_storage(tmp_path, address)
  assert str(told.value).startswith('storage ')
  assert not re.search('sec(:)?ret', str(told.value))
  assert not os.listdir(tmp_path)


@pytest.mark.parametrize(('address', 'shown'), [
    ('postgresql://me:secret@h/x', 'postgresql://me@h/x'),
    ('mysql://me@h/x?password=secret&a=b', 'mysql://me@h/x?password=...&a=b'),
    ('mysql://me@h/x?passwd=s@cret', 'mysql://me@h/x?passwd=...'),
    ('sqlite:///x.db', 'sqlite:///x.db')])
def test_an_address_is_shown_without_its_password(address, shown):
  assert storage.without_password(address) == shown


def test_a_database_without_a_study_is_named_without_its_password(
    tmp_path, monkeypatch):
  empty = open_storage(tmp_path)
  monkeypatch.setattr(stored, 'open_storage', lambda *unused, **named: empty)
  with pytest.raises(ValueError, match=re.escape(
      'storage mysql://me@h/x?password=...: no study is there')):
    stored.read_stored('', 'mysql://me@h/x?password=secret')


def test_a_file_of_a_database_that_is_only_read_is_not_made(
    tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  for address in 'sqlite:///mistyped.db', f'sqlite:///{tmp_path}/mistyped.db':
    with pytest.raises(ValueError, match=f'^storage {address}: .*no such file'):
      stored.read_stored('', address)
  assert not os.listdir(tmp_path)
  assert open_storage('', 'sqlite://', readonly=True)  # In memory.


def test_a_database_in_a_file_does_as_the_journal_does(tmp_path):
  address = f'sqlite:///{tmp_path}/study.db'
  trials = Queue(open_storage(tmp_path, address))
  assert trials.add(works(2)) == 2
  trials.finish(trials.claim(), 1 / 3, {'x': [1e-300]})
  again = Queue(open_storage(tmp_path, address))
  assert [(x.state, x.value, x.record) for x in again.trials()] == [
      ('done', 1 / 3, {'x': [1e-300]}), ('waiting', None, {})]
  assert storage.JOURNAL not in os.listdir(tmp_path)

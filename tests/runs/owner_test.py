"""Laws of who writes a run: one process, whatever the disk knows of locks."""
import errno
import json
import os
import re
import subprocess
import sys
import threading
import time

from helpers import ROOT
import pytest

from msg_gan_jax.files import process
from msg_gan_jax.runs import owner, workdir

FULL = errno.ENOLCK  # What a disk without locks says.
# Opens the run; stays until it is killed, if it is told so.
CODE = '''import sys, fcntl, time
from msg_gan_jax.runs import workdir
def refuse(*_): raise OSError(37, 'No locks available')
fcntl.flock = refuse
try:
  held = workdir.Workdir(sys.argv[1])
  print('open', flush=True)
  time.sleep(int(sys.argv[2]))
except ValueError as error: print(error)
'''


@pytest.fixture
def without_locks(monkeypatch):
  def refuse(*_):
    raise OSError(FULL, os.strerror(FULL))
  monkeypatch.setattr(workdir.fcntl, 'flock', refuse)


@pytest.fixture
def quick(monkeypatch):
  monkeypatch.setattr(owner, 'BEAT', .05)
  monkeypatch.setattr(owner, 'SILENT', .4)


def test_without_locks_a_second_process_is_refused_until_a_crash(
    tmp_path, without_locks):
  """Of what is left then, one process of two that come at once goes on."""
  code = [sys.executable, '-c', CODE, str(tmp_path / 'run')]
  env = {**os.environ, 'PYTHONPATH': str(ROOT)}
  with subprocess.Popen(
      [*code, '60'], env=env, text=True, stdout=-1) as first:
    try:
      assert first.stdout.readline() == 'open\n'
      with pytest.raises(ValueError, match=(
          rf'in use by process {first.pid} on \S+, since')):
        workdir.Workdir(tmp_path / 'run')
    finally:
      first.kill()
  opened = []

  def begin():
    try:
      opened.append(workdir.Workdir(tmp_path / 'run'))
    except owner.InUseError:
      pass

  both = [threading.Thread(target=begin) for _ in range(2)]
  for thread in both:
    thread.start()
  for thread in both:
    thread.join()
  one, = opened
  one.check_ours()
  one.close()
  assert not (tmp_path / 'run').exists() or os.listdir(
      tmp_path / 'run') == ['.lock']


def test_who_slept_while_another_came_and_went_has_lost_the_run(
    tmp_path, monkeypatch):
  monkeypatch.setattr(owner, 'BEAT', 1e3)
  one = owner.Owner(tmp_path, False, print)
  os.remove(tmp_path / owner.FILE)
  one.check()  # Nobody else can have had it in so short a time.
  monkeypatch.setattr(owner, 'SILENT', 0.)
  with pytest.raises(owner.InUseError, match='taken over and left by another'):
    one.check()
  one.close()


def test_a_beat_never_hits_the_file_of_another(tmp_path, quick, monkeypatch):
  one = owner.Owner(tmp_path, False, print)
  right = owner._read

  def slow(path):
    found = right(path)
    if threading.current_thread() is not threading.main_thread():
      (tmp_path / 'theirs').write_text('{"token": "theirs"}')
      os.replace(tmp_path / 'theirs', path)  # Between its look and its word.
    return found

  monkeypatch.setattr(owner, '_read', slow)
  time.sleep(.3)
  one.close()
  assert (tmp_path / owner.FILE).read_text() == '{"token": "theirs"}'


HERE = process.me()
THERE = HERE._replace(place='another')
ME = {'process': HERE, 'started': process.started(os.getpid())}
INIT = {'process': HERE._replace(number=1), 'started': process.started(1)}


@pytest.mark.parametrize('found, age, locks, taken', [
    (ME, 0, True, True),  # It would hold the lock.
    (ME, 0, False, True),  # This process has left it unclosed.
    (INIT, 0, False, False),
    (INIT | {'started': 'before'}, 0, False, True),
    (INIT | {'process': HERE._replace(number=2**22 + 1)}, 0, False, True),
    ({'process': THERE}, 0, True, True),  # After a while without beats.
    ({'process': 'x', 'started': 3}, 0, False, True),
    ({'process': THERE}, 1000, True, True),
    (None, 0, True, True),
])
def test_what_a_crash_leaves_is_found_out(
    found, age, locks, taken, tmp_path, quick, request):
  if not locks:
    request.getfixturevalue('without_locks')
  path = tmp_path / owner.FILE
  path.write_text('{"half' if found is None else json.dumps(
      {'token': 'x', **found}))
  os.utime(path, (time.time() - age,) * 2)
  said, begin = [], time.monotonic()
  try:
    with workdir.Workdir(tmp_path, say=said.append) as folder:
      folder.check_ours()
      assert taken
  except owner.InUseError:
    assert not taken
  waited = time.monotonic() - begin > .3
  assert waited == bool(said) == (
      not age and (found is None or found['process'] in (THERE, 'x')))
  assert [*map(str, tmp_path.iterdir())] == [] or taken or path.exists()


def test_a_run_of_another_machine_is_known_by_its_beats(
    tmp_path, quick, monkeypatch):
  with workdir.Workdir(tmp_path) as folder:
    monkeypatch.setattr(process, 'me', lambda: THERE)
    monkeypatch.setattr(process, 'machine', lambda: 'another')
    monkeypatch.setattr(workdir.fcntl, 'flock', lambda *_: None)
    with pytest.raises(owner.InUseError, match='in use by process'):
      workdir.Workdir(tmp_path)
    folder.check_ours()
    # Suspended, and taken over: it finds that out, and leaves what is there.
    path = tmp_path / owner.FILE
    record = json.loads(path.read_text())
    path.unlink()
    path.write_text(json.dumps(record | {'token': 'y'}))
    with pytest.raises(owner.InUseError, match='taken over by .* nothing more'):
      folder.check_ours()
  assert json.loads(path.read_text())['token'] == 'y'


PARTS = ('.lock', '.owner', 'changes.jsonl', 'metrics.jsonl', 'samples',
         'checkpoints', 'tensorboard', 'config.json', 'best/damaged')


@pytest.mark.parametrize('name', PARTS)
@pytest.mark.parametrize('there', [True, False])
def test_no_part_of_a_run_leads_out_of_it(name, there, tmp_path):
  """The run may: people keep runs on other disks."""
  (tmp_path / 'disk').mkdir()
  run, outside = tmp_path / 'run', tmp_path / 'precious'
  run.symlink_to('disk')
  if there:
    outside.write_text('mine')
  (run / name).parent.mkdir(exist_ok=True)
  (run / name).symlink_to(outside)
  if name != 'config.json':
    (run / 'config.json').write_text('{}')
  with pytest.raises(ValueError, match=(
      rf'^workdir \S+run: \S*{re.escape(name)} .*link.*precious')):
    workdir.Workdir(run).close()
  assert outside.exists() == there and [*tmp_path.glob('.*')] == []
  assert not there or outside.read_text() == 'mine'
  (run / name).unlink()
  with workdir.Workdir(run):
    pass

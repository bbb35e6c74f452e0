"""Runs that a signal stops, or that are killed, end as one that is not."""
import os
import pty
import queue
import re
import signal
import subprocess
import sys
import time

from endurance import tiny_run
from helpers import ROOT
import pytest

from msg_gan_jax.training import loop, stop
from msg_gan_jax.training.stop import AGAIN, SIGNALS, Stop, exit_status

GUIDE = ROOT / 'docs' / 'guide' / 'training.md'
# Speaks as a run does, until it is asked to stop.
SPEAKER = '''
import fcntl, sys, termios, time
from msg_gan_jax.files.console import say
from msg_gan_jax.training.stop import Stop, exit_status
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # Its terminal sends it SIGHUP.
with Stop() as stop:
  while not stop.wanted(1):
    say('training')
    time.sleep(.01)
  say('stopped and saved')
  open(sys.argv[1], 'w').write('saved')
sys.exit(exit_status(stop.signal))
'''


@pytest.fixture(autouse=True)
def heard():
  """Signals as a terminal has them, whatever this process ignores."""
  before = {number: signal.signal(number, signal.SIG_DFL)
            for number in SIGNALS}
  signal.signal(signal.SIGINT, signal.default_int_handler)
  yield
  for number, handler in before.items():
    signal.signal(number, handler)


def test_a_second_ctrl_c_interrupts_at_once():
  with Stop() as stop:
    os.kill(os.getpid(), signal.SIGINT)
    assert stop.wanted(8) and stop.signal == signal.SIGINT
    with pytest.raises(KeyboardInterrupt):
      os.kill(os.getpid(), signal.SIGINT)
      time.sleep(5)


def test_a_signal_leaves_only_so_long_to_save(monkeypatch):
  """And a second one no time, unless it is the first one again."""
  ends = queue.Queue()
  monkeypatch.setattr(stop.member, 'give_up', lambda *why: ends.put(why))
  with stop.Deadline(.3, 'runs/a'), Stop() as asked:
    os.kill(os.getpid(), signal.SIGINT)  # Whoever presses it can wait.
    assert asked.wanted(8)
    time.sleep(.7)
    assert ends.empty()
  monkeypatch.setattr(stop, 'TWICE', .2)
  with stop.Deadline(3600., 'runs/a') as deadline, Stop():
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGTERM)
    assert ends.empty()
    time.sleep(.3)
    os.kill(os.getpid(), signal.SIGTERM)
    assert ends.get(timeout=5) == (
        'a second signal ended it at once', 'runs/a', AGAIN)
    deadline._seconds = .1
    text, run = ends.get(timeout=5)
    assert 'not saved within 0.1 s of the signal' in text and run == 'runs/a'


@pytest.mark.parametrize('name', [
    'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'])
def test_a_signal_asks_to_stop_unless_it_was_ignored(name):
  number = getattr(signal, name)
  with Stop() as stop:
    assert not stop.wanted(8)
    os.kill(os.getpid(), number)
    assert stop.wanted(16) and stop.signal == number
  signal.signal(number, signal.SIG_IGN)  # As `nohup` leaves SIGHUP.
  with Stop() as stop:
    os.kill(os.getpid(), number)
    assert not stop.wanted(8)
  assert signal.getsignal(number) == signal.SIG_IGN


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_before_there_is_anything_to_save_a_signal_ends_a_run_at_once(
    number, small, tmp_path, monkeypatch):
  """As while many pictures are read."""
  def read_for_long(config):
    os.kill(os.getpid(), number)
    time.sleep(60)
    raise AssertionError('it went on')

  monkeypatch.setattr(loop, 'open_source', read_for_long)
  said, handler = [], signal.getsignal(number)
  assert loop.train(small(), tmp_path / 'run', said.append) == number
  assert said == ['stopped before training began; nothing is lost, and the '
                  'same command continues']
  assert not (tmp_path / 'run').exists()
  assert signal.getsignal(number) == handler


def test_the_guide_has_the_exit_status_of_every_signal():
  rows = dict(re.findall(r'^\| (\d+) \| (.*?) \|', GUIDE.read_text(), re.M))
  assert list(rows) == ['0', '1', '75', '130']
  assert exit_status(0) == 0
  for number in SIGNALS:
    assert f'`{signal.Signals(number).name}`' in rows[str(exit_status(number))]


@pytest.mark.parametrize('disowned', [False, True])
def test_a_terminal_may_be_closed(disowned, tmp_path):
  """What is said to it afterwards is no error, and the end is as told."""
  if disowned:  # Children begin with what their parent ignores.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
  ours, theirs = pty.openpty()
  child = subprocess.Popen(
      [sys.executable, '-c', SPEAKER, str(tmp_path / 'said')],
      stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
      env={**os.environ, 'PYTHONPATH': str(ROOT)})
  try:
    os.close(theirs)
    assert b'training' in os.read(ours, 1000)
    os.close(ours)
    if disowned:
      time.sleep(.1)
      child.terminate()
    assert child.wait(60) == AGAIN
  finally:
    child.kill()
  assert (tmp_path / 'said').read_text() == 'saved'


@pytest.mark.slow
@pytest.mark.parametrize('number, status', [
    (signal.SIGINT, 130), (signal.SIGHUP, 75)])
def test_a_signal_saves_and_exits_with_its_status(number, status, tmp_path):
  tiny_run.prepare(tmp_path)
  process = tiny_run.launch(tmp_path, 'run')
  try:
    tiny_run.wait_for_checkpoint(process, tmp_path / 'run' / 'checkpoints')
    process.send_signal(number)
    assert process.wait(60) == status
  finally:
    process.kill()
  log = (tmp_path / 'run.log').read_text()
  images, = re.findall(r'stopped and saved at ([\d,]+) images; the same', log)
  assert tiny_run.newest(tmp_path / 'run' / 'checkpoints') == int(
      images.replace(',', ''))
  assert 'Traceback' not in log and 'error' not in log

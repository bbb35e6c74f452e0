"""Runs that a signal stops, or that are killed, end as one that is not."""
import os
import random
import re
import signal
import time

import kills
import pytest

from msg_gan_jax.training.stop import Stop


def test_a_second_ctrl_c_interrupts_at_once():
  with Stop() as stop:
    os.kill(os.getpid(), signal.SIGINT)
    assert stop.wanted(8) and stop.signal == signal.SIGINT
    with pytest.raises(KeyboardInterrupt):
      os.kill(os.getpid(), signal.SIGINT)
      time.sleep(5)


@pytest.mark.slow
def test_killed_again_and_again_it_ends_as_unbroken(tmp_path):
  lines = []
  assert kills.main(2, random.randrange(10**6), tmp_path, lines.append), (
      '\n'.join(lines))


@pytest.mark.slow
def test_ctrl_c_saves_and_exits_with_its_status(tmp_path):
  (tmp_path / 'experiment.py').write_text(kills.EXPERIMENT)
  process = kills.launch(tmp_path, 'run')
  try:
    until = time.monotonic() + 200
    while not kills.newest(tmp_path / 'run' / 'checkpoints'):
      assert process.poll() is None and time.monotonic() < until
      time.sleep(.01)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 128 + signal.SIGINT
  finally:
    process.kill()
  log = (tmp_path / 'run.log').read_text()
  images, = re.findall(r'stopped and saved at ([\d,]+) images; the same', log)
  assert kills.newest(tmp_path / 'run' / 'checkpoints') == int(
      images.replace(',', ''))
  assert 'Traceback' not in log and 'error' not in log

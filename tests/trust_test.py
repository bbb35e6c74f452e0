"""The script that users run finds the first difference, and only real ones."""
import os
import re
import shutil
import signal
import sys

from helpers import save
import jax.numpy as jnp
import numpy as np
import pytest
import trust

from msg_gan_jax.runs import records
from msg_gan_jax.runs.checkpoints import Checkpoints

# It records every 20 ms until its end or a signal, and goes on from there.
TRAINS = '''
import json, os, signal, sys, time
given = dict(x.lstrip('-').split('=', 1) for x in sys.argv[1:])
os.makedirs(given['workdir'], exist_ok=True)
path = os.path.join(given['workdir'], 'metrics.jsonl')
shown = sum(1 for _ in open(path)) if os.path.exists(path) else 0
offset = shown * (given['promise'] == 'broken')
signal.signal(signal.SIGTERM, lambda *unused: sys.exit(75))
while shown < int(given['config.train.total_images']):
  shown += 1
  with open(path, 'a') as file:
    file.write(json.dumps({
        'images': shown, 'd_loss': shown / 7 + offset,
        'clock': {'images_per_second': 50, 'seconds': time.time()}}) + '\\n')
  time.sleep(.02)
'''


@pytest.mark.parametrize('promise', ['kept', 'broken'])
def test_a_run_is_stopped_as_often_as_asked_and_then_compared(
    promise, tmp_path, monkeypatch):
  monkeypatch.setattr(trust, 'LOOK', .02)
  (tmp_path / 'trains.py').write_text(TRAINS)
  said = []
  same = trust.main(
      tmp_path / 'out', [sys.executable, str(tmp_path / 'trains.py')],
      [f'--promise={promise}'], minutes=.03, stops=2, say=said.append)
  assert same == (promise == 'kept')
  *_, last = said
  assert last.startswith('OK: 90 images, 90 records') if same else (
      last.startswith('DIFFERENT, first in metrics.jsonl, record '))
  stops = [int(line.split()[-2]) for line in said if line.startswith('stop ')]
  assert len(stops) == 2 and 30 <= stops[0] <= stops[1] >= 60


def test_a_launch_that_fails_is_told_with_its_last_lines(tmp_path):
  with pytest.raises(SystemExit, match='(?s)pace ended with 2;.*Errno 2'):
    trust.main(tmp_path, [sys.executable, str(tmp_path / 'none.py')], [],
               number=signal.SIGTERM, say=[].append)


@pytest.fixture(scope='module')
def one(tmp_path_factory):
  """A folder as a run leaves it."""
  run = tmp_path_factory.mktemp('runs') / 'one'
  run.mkdir()
  metrics = records.Metrics(run)
  for images in 8, 16:
    metrics.write(images, {'d_loss': images / 3}, {'seconds': images})
  metrics.close()
  save(run / 'samples' / 'images_8.png', np.zeros((4, 4, 3), np.uint8))
  (run / 'summary.json').write_text('{}')
  write_state(run, 0.)
  return run


def write_state(run, change):
  shutil.rmtree(run / 'checkpoints', ignore_errors=True)
  kernel = np.arange(12, dtype=np.float32).reshape(3, 4)
  kernel[1, 2] += change
  with Checkpoints(run / 'checkpoints') as checkpoints:
    checkpoints.save(16, {'kernel': jnp.array(kernel), 'bias': jnp.ones(
        3, jnp.bfloat16)}, {'means': 1, 'clock': os.urandom(2).hex()})


def with_record(run):
  path = run / 'metrics.jsonl'
  path.write_text(path.read_text().replace('5.333333333333333', '5.333334'))


@pytest.mark.parametrize('change, says', [
    (lambda run: write_state(run, 0.), None),
    (lambda run: write_state(run, 1e-6), 'checkpoints/16: kernel: 1 of 12 '
     r'numbers differ; the first, \[1, 2\], is 6.0 and 6.00000'),
    (with_record, r'record 2: d_loss at 16 images is 5.333333333333333 and 5'),
    (lambda run: (run / 'samples' / 'images_8.png').unlink(),
     'samples/images_8.png: is there once'),
    (lambda run: (run / 'summary.json').write_text('{"a": 1}'),
     'summary.json: differs'),
    (lambda run: shutil.rmtree(run / 'checkpoints'),
     r'checkpoints: the newest are \[16\] and \[\]')])
def test_what_differs_is_named_and_the_clock_does_not_count(
    one, change, says, tmp_path):
  two = shutil.copytree(one, tmp_path / 'two')
  change(two)
  found = [*trust.differences(one, two)]
  if says is None:
    assert found == []
  else:
    line, = found
    assert re.search(says, line)

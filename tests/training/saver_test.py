"""Laws of saving: nothing that was measured or trained is lost on the way."""
import json
import os
import shutil
import socket
import subprocess
import sys

from helpers import ROOT
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.runs import best, records
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.training import loop
from msg_gan_jax.training.saver import Saver

pytestmark = pytest.mark.slow
# One of two processes: two measurements, each with a grid, the best checkpoint
# and one of the latest; then the last one is lost, and the run goes on.
PROCESS = '''
import shutil, sys, time
import jax
path, port, me = sys.argv[1], sys.argv[2], int(sys.argv[3])
jax.distributed.initialize('127.0.0.1:' + port, num_processes=2, process_id=me,
                           initialization_timeout=60)
import orbax.checkpoint
from msg_gan_jax.config import schema
from msg_gan_jax.runs import processes
from msg_gan_jax.training import loop, scorer
manager = orbax.checkpoint.CheckpointManager
ends = manager._finalize
if not me:  # So that the other one waits for it, and would begin another.
  manager._finalize = lambda *args: (time.sleep(.3), ends(*args))[1]
# Each score is better than the one before.
scorer.Scorer.sought = lambda self, values: -time.monotonic()
config = schema.template()
for name, value in {
    'data.resolution': 16, 'data.count': 24, 'data.held_out': 8,
    'networks.latent': 8, 'networks.fmap_max': 8, 'networks.fmap_base': 64,
    'objective.loss': 'non_saturating', 'objective.penalty': 'none',
    'objective.drift': 0., 'train.batch': 8, 'evaluate.metrics': '',
    'evaluate.best': 'swd',
    **{f'train.{every}_every_images': 16 for every in (
        'log', 'sample', 'measure', 'checkpoint')}}.items():
  section, field = name.split('.')
  config[section][field] = value
for total in 32, 48:
  config.train.total_images = total
  assert loop.train(config, path) == 0
  processes.meet(f'trained {total}')
  if not me and total == 32:
    shutil.rmtree(path + '/checkpoints/32')
  processes.meet(f'lost {total}')
'''


def steps(path):
  return Checkpoints(path, read_only=True).steps()


def test_two_processes_save_the_best_and_the_latest_at_the_same_images(
    tmp_path):
  with socket.socket() as s:
    s.bind(('127.0.0.1', 0))
    port = s.getsockname()[1]
  run = tmp_path / 'run'
  children = [subprocess.Popen(
      [sys.executable, '-c', PROCESS, str(run), str(port), str(me)],
      text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
      env={**os.environ, 'PYTHONPATH': str(ROOT)}) for me in range(2)]
  try:
    said = [child.communicate(timeout=200)[0] for child in children]
  finally:
    for child in children:
      child.kill()
  assert [child.returncode for child in children] == [0, 0], '\n'.join(said)
  assert 'continuing after 16 images' in said[0]
  assert 'warning' not in said[0]
  assert steps(run / 'checkpoints') == [32, 48]
  assert steps(run / 'best') == [48]
  aside, = (run / 'best' / 'damaged').iterdir()  # It came again.
  assert aside.name.startswith('32-')
  assert [r['images'] for r in records.read(run / 'metrics.jsonl')] == [
      16, 24, 32, 48]
  assert len([*(run / 'samples').iterdir()]) == 4

"""A tiny model for 50,000 steps in one process: nothing may grow.

It trains as launch.py does, with a record every 10 steps, a grid and a
checkpoint every 100, a measurement, and the best, every 500. In between it is
looked at from inside: how much memory is resident, how many files, threads and
compiled programs there are, and how many files in the run's folder besides its
pictures. What each gains in 1,000 steps is Theil and Sen's slope of the longest
start, without its first fifth.
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
from typing import Any, NamedTuple

from helpers import ROOT
import numpy as np

N = 50_000  # Steps.
LOOKS = 200  # As many at most as there are pairs for in a moment.
BATCH = 8
# What may be gained in 1,000 steps and still be called flat. Of memory that is
# .1 MB a checkpoint: each costs 57 kB that tensorstore does not give back,
# where it says a spec or its counters as JSON.
FLAT = {'resident': 1., 'files': .05, 'threads': .05, 'compiled': 0.,
        'in_folder': .01}


class Slope(NamedTuple):
  """What is gained in 1,000 steps, and its interval of 95 %."""
  value: float
  low: float
  high: float

  def __str__(self) -> str:
    return f'{self.value:+.3f} ({self.low:+.3f} to {self.high:+.3f})'


def settings(steps):
  """Settings of the model, as a ConfigDict."""
  from msg_gan_jax.config import template
  config = template()
  config.data.update(resolution=8, count=256, held_out=64)
  config.networks.update(latent=8, fmap_max=8)
  config.objective.update(loss='non_saturating', penalty='r1',
                          penalty_every_d_steps=4)
  config.optimizer.name = 'adam'
  config.train.update(
      batch=BATCH, total_images=steps * BATCH, ema_half_life_images=500.,
      log_every_images=10 * BATCH, sample_every_images=100 * BATCH,
      checkpoint_every_images=100 * BATCH, measure_every_images=500 * BATCH)
  config.evaluate.update(metrics='', best='swd')
  return config


def train(out, steps):
  """Trains in this process and writes down what it sees; the exit status."""
  import jax

  from msg_gan_jax.training import loop, stop
  from msg_gan_jax.training.observers import Observer
  compiled = []
  jax.monitoring.register_event_duration_secs_listener(
      lambda event, *unused, **more: compiled.append(event)
      if event.endswith('backend_compile_duration') else None)
  start = 1 + max((look['start'] for look in looks(out)), default=0)

  class Looks(Observer):
    every = max(1, steps // LOOKS) * BATCH

    def due(self, moment):
      return moment.passed(self.every)

    def run(self, view):
      in_folder = sum(
          len(names) for folder, _, names in os.walk(view.folder)
          if not folder.endswith('samples'))
      with open(out / 'looks.jsonl', 'a') as file:
        file.write(json.dumps({
            'start': start, 'step': view.images // BATCH,
            'resident': resident(), 'files': len(os.listdir('/proc/self/fd')),
            'threads': len(os.listdir('/proc/self/task')),
            'compiled': len(compiled), 'in_folder': in_folder}) + '\n')
      return {}

  return stop.exit_status(
      loop.train(settings(steps), out / 'run', observers=[Looks()]))


def resident():
  """MB of memory that this process has now."""
  pages = int(pathlib.Path('/proc/self/statm').read_text().split()[1])
  return pages * os.sysconf('SC_PAGE_SIZE') / 2**20


def looks(out):
  """All that was seen so far, in all starts."""
  path = out / 'looks.jsonl'
  return [json.loads(line) for line in path.read_text().splitlines()
          ] if path.exists() else []


def slopes(seen: list[dict[str, Any]]) -> dict[str, Slope]:
  """{what of FLAT: what it gains in 1,000 steps} of the longest start.

  Source: Sen 1968, Estimates of the regression coefficient based on Kendall's
  tau, J. Am. Stat. Assoc. 63(324).
  """
  from scipy import stats
  starts = [[look for look in seen if look['start'] == start]
            for start in {look['start'] for look in seen}]
  longest = max(starts, key=lambda x: x[-1]['step'] - x[0]['step'])
  settled = longest[len(longest) // 5:]
  steps = np.array([look['step'] for look in settled]) / 1000
  found = {}
  for name in FLAT:
    values = np.array([look[name] for look in settled], float)
    value, _, low, high = stats.theilslopes(values, steps, .95)
    found[name] = Slope(float(value), float(low), float(high))
  return found


def main(out, n, seconds, seed, table, say):
  """Trains until `n` steps or for so long; returns whether nothing grows."""
  del seed
  sys.path.insert(0, str(ROOT))
  from msg_gan_jax.commands import memory
  command = [sys.executable, str(pathlib.Path(__file__)), str(out), str(n)]
  process = subprocess.Popen(command, env={
      **os.environ, **memory.tunables(), 'JAX_PLATFORMS': 'cpu',
      'PYTHONPATH': os.pathsep.join([str(ROOT), str(ROOT / 'tests')])})
  try:
    status = process.wait(seconds)
  except subprocess.TimeoutExpired:
    process.send_signal(signal.SIGTERM)
    status = process.wait(60)
  finally:
    process.kill()
  seen = looks(out)
  if status not in (0, 75) or len(seen) < 10:
    say(f'the run ended with {status} after {len(seen)} looks')
    return False
  found = slopes(seen)
  flat = all(slope.value <= FLAT[name] for name, slope in found.items())
  say(table.write({
      'steps': f'{seen[-1]["step"]:,} of {n:,}',
      'starts': seen[-1]['start'],
      'checkpoints': seen[-1]['step'] // 100,
      'resident, MB': f'{seen[-1]["resident"]:.0f}',
      'gained in 1,000 steps: MB': found['resident'],
      **{name: found[name] for name in ('files', 'threads', 'compiled')},
      'in the folder': found['in_folder'], 'flat': 'yes' if flat else 'NO'}))
  return flat and status == 0


if __name__ == '__main__':
  from msg_gan_jax.commands.memory import keep_memory
  from msg_gan_jax.commands.processes import collect_less_often
  keep_memory()
  collect_less_often()
  sys.exit(train(pathlib.Path(sys.argv[1]), int(sys.argv[2])))

"""Kills the workers of a study, and its database, and counts what is lost.

  python tests/study_kills.py --out=FOLDER [--storage=postgres|journal]
      [--sampler=grid|tpe|bandit] [--kills=10] [--away=60] [--seed=0]

Four workers of one core each train 40 small runs. Some of them are killed at
random moments, and begun again; so is the server, which is away for a while. No
run may be lost or counted twice. With a grid, its table must then equal bit for
bit that of one worker of one core with a journal, which nobody disturbs. The
same command goes on where it was stopped, and fails where too little is left to
kill anybody; FOLDER/table.md keeps what came out.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import time

from helpers import ROOT

WORKERS, RUNS, PATIENCE = 4, 40, 3600.  # Seconds in which all must be done.
sys.path.insert(0, str(ROOT))
# Of 40 runs, each of a few seconds.
STUDY = '''"""Small runs for a study whose workers are killed."""
from msg_gan_jax.config import template
from msg_gan_jax.study.space import RATES, Study, choices, log_uniform, uniform

LOSSES = choices('non_saturating', 'hinge', of='objective.loss')


def get_config(sampler):
  config = template()
  config.update_from_flattened_dict({
      'data.resolution': 16, 'data.channels': 1, 'data.count': 256,
      'data.held_out': 64, 'networks.name': 'mlp', 'networks.latent': 8,
      'networks.fmap_max': 32, 'networks.stddev': 'none',
      'objective.penalty': 'none', 'optimizer.name': 'adam', 'train.batch': 8,
      'train.total_images': 800, 'train.ema_half_life_images': 500.,
      'train.log_every_images': 400, 'train.sample_every_images': 800,
      'train.measure_every_images': 400, 'train.checkpoint_every_images': 200,
      'evaluate.metrics': '', 'evaluate.best': 'swd'})
  return config


def get_study(sampler):
  if sampler == 'grid':
    return Study({'loss': LOSSES, 'rate': choices(1e-3, 3e-3, of=RATES)},
                 seeds=range(10))
  return Study(
      {'loss': LOSSES, 'rate': log_uniform(1e-4, 1e-2, of=RATES),
       'beta1': uniform(0., .9, of='optimizer.beta1')},
      seeds=(0, 1), sampler=sampler, points=20, at_once=5)
'''


def start(folder, address, sampler, core):
  """A worker on one core, whose words go to a log."""
  with open(folder / 'workers.log', 'a') as log:
    return subprocess.Popen(
        [sys.executable, ROOT / 'launch.py', '--mode=study',
         f'--config={folder / "kills.py"}:{sampler}', f'--workdir={folder}',
         f'--storage={address}'], stdout=log, stderr=log,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        env={**os.environ, 'JAX_PLATFORMS': 'cpu'})


class Trouble:
  """Kills of workers and of the server, each at its share of the study."""

  def __init__(self, kills, server, away, seed, say):
    self._rng, self._say = random.Random(seed), say
    self._server, self._away, self._back = server, away, 0.
    # None so late that nobody works any more.
    self._at = [.85 * (i + self._rng.random()) / kills for i in range(kills)]
    self._kills, self.workers, self.servers = kills, 0, 0

  def make(self, share, running):
    """Kills what is due; brings a server back that was away long enough."""
    works = share < 1  # To kill who has nothing to do shows nothing.
    if works and self._at and share >= self._at[0]:
      del self._at[0]
      time.sleep(self._rng.uniform(0, 3))
      victim = self._rng.choice(running)
      victim.kill()
      victim.wait()
      self.workers += 1
      self._say(f'at {share:.0%}: kill -9 of worker {victim.pid}')
    if works and self._server and not self.servers and share >= .4:
      self._server.kill()
      self.servers, self._back = 1, time.monotonic() + self._away
      self._say(f'at {share:.0%}: kill -9 of the server')
    if self._back and time.monotonic() > self._back:
      self._server.start()
      self._back = 0.
      self._say(f'the server is back after {self._away:.0f} s')

  def missing(self):
    """What it was asked for and has not done."""
    found = []
    if self.workers < self._kills:
      found.append(f'{self.workers} of {self._kills} workers were killed')
    if self._server and not self.servers:
      found.append('the server was not killed')
    return found

  @property
  def away(self):
    """Whether the server is, now."""
    return bool(self._back)


def run(folder, address, sampler, workers, trouble):
  """Workers until the study is whole; seconds that it took."""
  folder.mkdir(parents=True, exist_ok=True)
  (folder / 'kills.py').write_text(STUDY)
  cores = sorted(os.sched_getaffinity(0))
  running, began = {}, time.monotonic()
  share, ended = 0., 0
  try:
    while ended < workers:
      if time.monotonic() - began > PATIENCE:
        raise SystemExit(f'{folder}: not done after {PATIENCE:.0f} s')
      for i in range(workers):
        status = running[i].poll() if i in running else 1
        if status:  # It was killed, or has not begun.
          running[i] = start(folder, address, sampler, cores[i % len(cores)])
      ended = sum(x.poll() == 0 for x in running.values())
      if not trouble.away:
        share = done(folder, address) / RUNS
      alive = [x for x in running.values() if x.poll() is None]
      if alive:
        trouble.make(share, alive)
      time.sleep(.5)
  finally:
    for process in running.values():
      process.kill()
  return time.monotonic() - began


def done(folder, address):
  """How many runs are; 0 before the first worker has made the study."""
  from msg_gan_jax.study.stored import read_stored
  try:
    return sum(x.state == 'done' for x in read_stored(folder, address).trials)
  except ValueError:
    return 0


def table(folder, address):
  """{digest: what came of it, without seconds}, and what is wrong with it."""
  from msg_gan_jax.study import worker
  from msg_gan_jax.study.stored import read_stored
  study = read_stored(folder, address)
  complete = [x.user_attrs['digest'] for x in study.raw.values()
              if x.state.name == 'COMPLETE']
  found = {}
  for x in study.trials:
    curve = {k: v for k, v in x.record['curve'].items() if k != 'seconds'}
    found[x.work.digest] = [x.value, x.record['scores'], x.record['at'], curve]
  wrong = []
  if len(found) != RUNS or set(complete) != set(found):
    wrong.append(f'{RUNS - len(set(complete))} of {RUNS} runs are lost')
  if len(complete) != len(set(complete)):
    wrong.append(f'{len(complete) - len(set(complete))} runs count twice')
  if {x.name for x in (folder / worker.RUNS).iterdir()} != set(found):
    wrong.append('folders of runs are not those of the trials')
  return found, wrong, len(study.raw)


def main(out, storage, sampler, kills, away, seed, say=print):
  """The whole of it; returns whether nothing is lost, twice or unlike."""
  out = pathlib.Path(out).resolve()
  folder = out / f'{storage}_{sampler}'
  folder.mkdir(parents=True, exist_ok=True)
  server = None
  if storage == 'postgres':
    from postgres_server import Server
    server = Server(out / f'server_{sampler}')
  address = server.address if server else ''
  try:
    trouble = Trouble(kills, server, away, seed, say)
    seconds = run(folder, address, sampler, WORKERS, trouble)
    found, wrong, attempts = table(folder, address)
    wrong += trouble.missing()
  finally:
    if server:
      server.close()
  if sampler == 'grid':
    alone = out / 'alone_grid'
    run(alone, '', sampler, 1, Trouble(0, None, 0, 0, say))
    other, more, _ = table(alone, '')
    wrong += [f'alone: {x}' for x in more]
    if json.dumps(found, sort_keys=True) != json.dumps(other, sort_keys=True):
      wrong.append('the table is not that of one worker alone')
  compared = ', table of one worker alone' if sampler == 'grid' else ''
  line = (f'| {storage} | {sampler} | {len(found)} | {attempts} | '
          f'{trouble.workers} | {trouble.servers} | {seconds:.0f} | '
          f'{"; ".join(wrong) or f"none lost, none twice{compared}"} |')
  path = out / 'table.md'
  if not path.exists():
    path.write_text(
        '| storage | sampler | runs | trials | kills of workers | of the '
        'server | seconds | |\n|---|---|---|---|---|---|---|---|\n')
  with path.open('a') as file:
    file.write(line + '\n')
  say(line)
  return not wrong


if __name__ == '__main__':
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--out', required=True)
  parser.add_argument(
      '--storage', default='postgres', choices=('postgres', 'journal'))
  parser.add_argument(
      '--sampler', default='grid', choices=('grid', 'tpe', 'bandit'))
  parser.add_argument('--kills', type=int, default=10)
  parser.add_argument('--away', type=float, default=60.)
  parser.add_argument('--seed', type=int, default=0)
  sys.exit(not main(**vars(parser.parse_args())))

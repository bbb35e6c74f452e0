"""Kills the workers of a study, and its database, and counts what is lost.

  python tests/study_kills.py --out=FOLDER [--storage=postgres|journal]
      [--sampler=grid|tpe|bandit] [--kills=10] [--away=60] [--seed=0]

Four workers of one core each train 40 small runs. Some of them are killed at
random moments, and begun again; so is the server, which is away for a while. No
run may be lost or counted twice. With a grid, its table must then equal bit for
bit that of one worker of one core with a journal, which nobody disturbs. The
same command goes on where it was stopped; FOLDER/table.md keeps what came out.
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

WORKERS, PATIENCE = 4, 3600.  # Seconds in which all must be done.
sys.path.insert(0, str(ROOT))


def the_study(sampler):
  """(base, Study) of 40 runs, each of a few seconds."""
  from msg_gan_jax.config import schema
  from msg_gan_jax.study import plan, space
  config = schema.template()
  for section, settings in {
      'data': dict(resolution=16, channels=1, count=256, held_out=64),
      'networks': dict(name='mlp', latent=8, fmap_max=32, stddev='none'),
      'objective': dict(penalty='none'), 'optimizer': dict(name='adam'),
      'train': dict(
          batch=8, total_images=800, ema_half_life_images=500.,
          log_every_images=400, sample_every_images=800,
          measure_every_images=400, checkpoint_every_images=200),
      'evaluate': dict(metrics='', best='swd')}.items():
    for name, value in settings.items():
      config[section][name] = value
  losses = space.choices('non_saturating', 'hinge', of='objective.loss')
  if sampler == 'grid':
    study = space.Study(
        {'loss': losses, 'rate': space.choices(1e-3, 3e-3, of=space.RATES)},
        seeds=range(10), metric='swd')
  else:
    study = space.Study(
        {'loss': losses, 'rate': space.log_uniform(1e-4, 1e-2, of=space.RATES),
         'beta1': space.uniform(0., .9, of='optimizer.beta1')},
        seeds=(0, 1), sampler=sampler, points=20, at_once=5, metric='swd')
  return plan.judged(schema.parse(config), study), study


def work(folder, address, sampler):
  """What a worker process does."""
  import jax

  from msg_gan_jax.study.storage import open_storage
  from msg_gan_jax.study.trials import Queue
  from msg_gan_jax.study.worker import Worker
  jax.config.update('jax_compilation_cache_dir', f'{folder}/xla')
  jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.)

  def say(line):
    print(f'{time.strftime("%H:%M:%S")} {os.getpid()} {line}', flush=True)

  worker = Worker(pathlib.Path(folder), *the_study(sampler),
                  Queue(open_storage(folder, address), say=say), say)
  status = worker.work()
  say(f'the study itself took {worker.own_seconds:.2f} s')
  return status


def start(folder, address, sampler, core):
  """A worker on one core, whose words go to a log."""
  with open(folder / 'workers.log', 'a') as log:
    return subprocess.Popen(
        [sys.executable, __file__, '--worker', str(folder), address, sampler],
        stdout=log, stderr=log,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        env={**os.environ, 'JAX_PLATFORMS': 'cpu'})


class Trouble:
  """Kills of workers and of the server, each at its share of the study."""

  def __init__(self, kills, server, away, seed, say):
    self._rng, self._say = random.Random(seed), say
    self._server, self._away, self._back = server, away, 0.
    # None so late that nobody works any more.
    self._at = [.85 * (i + self._rng.random()) / kills for i in range(kills)]
    self.workers = self.servers = 0

  def make(self, share, running):
    """Kills what is due; brings a server back that was away long enough."""
    if self._at and share >= self._at[0]:
      del self._at[0]
      time.sleep(self._rng.uniform(0, 3))
      victim = self._rng.choice(running)
      victim.kill()
      victim.wait()
      self.workers += 1
      self._say(f'at {share:.0%}: kill -9 of worker {victim.pid}')
    if self._server and not self.servers and share >= .4:
      self._server.kill()
      self.servers, self._back = 1, time.monotonic() + self._away
      self._say(f'at {share:.0%}: kill -9 of the server')
    if self._back and time.monotonic() > self._back:
      self._server.start()
      self._back = 0.
      self._say(f'the server is back after {self._away:.0f} s')

  @property
  def away(self):
    """Whether the server is, now."""
    return bool(self._back)


def run(folder, address, sampler, workers, trouble):
  """Workers until the study is whole; seconds that it took."""
  from msg_gan_jax.study.storage import open_storage
  from msg_gan_jax.study.trials import Queue
  folder.mkdir(parents=True, exist_ok=True)
  trials = Queue(open_storage(folder, address))
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
        share = sum(x.state == 'done' for x in trials.trials()) / 40
      alive = [x for x in running.values() if x.poll() is None]
      if alive:
        trouble.make(share, alive)
      time.sleep(.5)
  finally:
    for process in running.values():
      process.kill()
  return time.monotonic() - began


def table(folder, address):
  """{digest: what came of it, without seconds}, and what is wrong with it."""
  from msg_gan_jax.study.storage import open_storage
  from msg_gan_jax.study.trials import Queue
  from msg_gan_jax.study.worker import RUNS
  trials = Queue(open_storage(folder, address))
  complete = [x.user_attrs['digest'] for x in trials.study.get_trials()
              if x.state.name == 'COMPLETE']
  found = {}
  for x in trials.trials():
    curve = {k: v for k, v in x.record['curve'].items() if k != 'seconds'}
    found[x.work.digest] = [x.value, x.record['scores'], x.record['at'], curve]
  wrong = []
  if len(found) != 40 or set(complete) != set(found):
    wrong.append(f'{40 - len(set(complete))} of 40 runs are lost')
  if len(complete) != len(set(complete)):
    wrong.append(f'{len(complete) - len(set(complete))} runs count twice')
  if {x.name for x in (folder / RUNS).iterdir()} != set(found):
    wrong.append('folders of runs are not those of the trials')
  return found, wrong, len(trials.study.trials)


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
  if sys.argv[1] == '--worker':
    sys.exit(work(*sys.argv[2:]))
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

"""Kills a run at random moments, and compares it with one that never was.

  python tests/kills.py [--kills=5] [--seed=0]

The same command is given again after each kill -9. At the end parameters, the
average, optimizer state, the fixed samples, metrics and pictures must be equal
bit for bit; the exit status is 1 where they are not.
"""
import argparse
import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

from helpers import ROOT

EXPERIMENT = '''
from msg_gan_jax.config import template


def get_config():
  config = template()
  config.data.resolution = 8
  config.data.count = 256
  config.data.held_out = 64
  config.networks.latent = 8
  config.networks.fmap_max = 8
  config.objective.loss = 'non_saturating'
  config.objective.penalty = 'r1'
  config.objective.penalty_every_d_steps = 4
  config.optimizer.name = 'adam'
  config.train.batch = 8
  config.train.n_dis = 2
  config.train.total_images = 2400
  config.train.ema_half_life_images = 500.
  config.train.log_every_images = 24
  config.train.sample_every_images = 600
  config.train.measure_every_images = 600
  # So often that a random moment often finds one being written.
  config.train.checkpoint_every_images = 64
  config.evaluate.metrics, config.evaluate.best = '', 'swd'
  return config
'''
TOTAL = 2400
PATIENCE = 300  # Seconds until a child that does nothing is given up.


def launch(folder, workdir):
  """Starts the run, its output appended to a log beside the workdir."""
  log = open(folder / f'{workdir}.log', 'a')  # noqa: SIM115
  with log:
    return subprocess.Popen(
        [sys.executable, str(ROOT / 'launch.py'),
         f'--config={folder / "experiment.py"}', f'--workdir={workdir}'],
        cwd=folder, stdout=log, stderr=log,
        env={**os.environ, 'PYTHONPATH': str(ROOT)})


def to_the_end(folder, workdir):
  """Runs it until it ends by itself."""
  process = launch(folder, workdir)
  try:
    status = process.wait(PATIENCE)
  finally:
    process.kill()
  if status:
    raise SystemExit(f'{workdir} ended with {status}:\n'
                     f'{(folder / f"{workdir}.log").read_text()[-2000:]}')


def newest(path):
  """Images of the newest finished checkpoint; 0 where there is none."""
  with contextlib.suppress(FileNotFoundError):
    return max((int(x) for x in os.listdir(path) if x.isdigit()), default=0)
  return 0


def half_written(path):
  with contextlib.suppress(FileNotFoundError):
    return [x for x in os.listdir(path) if '.orbax-checkpoint-tmp' in x]
  return []


def kill_one(folder, workdir, moment, after, rng):
  """Starts the run and kills it.

  Args:
    folder, workdir: of the run.
    moment: 'starting': in the first seconds; 'writing': when a checkpoint is
      half-written; 'training': at any other time.
    after: images of a checkpoint that must have been passed before.
    rng: random.Random.

  Returns:
    (images of the newest checkpoint, names of half-written ones) as they lie
    on the disk after it.
  """
  path = folder / workdir / 'checkpoints'
  process = launch(folder, workdir)
  until = time.monotonic() + PATIENCE
  try:
    if moment == 'starting':
      time.sleep(rng.uniform(.5, 6))
    else:
      while newest(path) <= after or (
          moment == 'writing' and not half_written(path)):
        if process.poll() is not None or time.monotonic() > until:
          raise SystemExit(
              f'{workdir} ended, or stood still, before it could be killed:\n'
              f'{(folder / f"{workdir}.log").read_text()[-2000:]}')
        time.sleep(.001)
      time.sleep(rng.uniform(0, .01 if moment == 'writing' else .3))
  finally:
    process.kill()
    process.wait()
  return newest(path), half_written(path)


def kill_often(folder, workdir, kills, rng, say=print):
  """Kills a run `kills` times, at least once while a checkpoint is written."""
  say(f'{"kill":>4}  {"moment":<10}{"checkpoint":>10}  half-written')
  number = hits = 0
  while number < kills or not hits:
    last = number >= kills - 1 and not hits
    moment = 'writing' if last else rng.choice(
        ['starting', 'writing', 'training', 'training'])
    # Each at its share of the run, or the first could be close to the end.
    after = TOTAL * (min(number, kills - 1) + rng.random()) / (kills + 1)
    images, half = kill_one(folder, workdir, moment, after, rng)
    number += 1
    hits += bool(half)
    say(f'{number:>4}  {moment:<10}{images:>10,}  {" ".join(half) or "-"}')
    if number > 3 * kills + 10:
      raise SystemExit('no kill found a checkpoint half-written')
  return number, hits


def records(path):
  """Records of metrics.jsonl without what depends on the clock."""
  lines = (path / 'metrics.jsonl').read_text().splitlines()
  found = [json.loads(line) for line in lines]
  for record in found:
    record.pop('clock')
  return found


def final(path):
  """{what: tree} of a run's last checkpoint."""
  import jax

  from msg_gan_jax.arrays.mesh import data_mesh, replicated
  from msg_gan_jax.gan.build import build
  from msg_gan_jax.runs import checkpoints, config_file, fingerprints
  from msg_gan_jax.runs.load import state_like
  from msg_gan_jax.training import monitor
  config = config_file.load_config(path)
  gan = build(config)
  same = replicated(data_mesh())
  saved = checkpoints.Checkpoints(path / 'checkpoints', read_only=True)
  like = {'state': state_like(gan, same), 'before': jax.tree.map(
      lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=same),
      monitor.like_grid(gan))}
  images, tree = saved.restore(like)
  if saved.passed_over:
    raise SystemExit(f'{path}: {saved.passed_over}')
  state = tree['state']
  return {
      'images': images, 'fingerprint': fingerprints.fingerprint(tree),
      # Records have seconds, and so a digest of their own in each run.
      'of the next record': json.dumps(
          {k: v for k, v in saved.notes.items() if k != 'clock'}),
      'parameters of G': state.g.params, 'parameters of D': state.d.params,
      'average of G': state.ema, 'optimizer of G': state.g.opt,
      'optimizer of D': state.d.opt,
      'rest of the state': (state.images, state.hyper, state.aux),
      'fixed samples': tree['before']}


def compare(one, two, say=print):
  """Prints what is equal bit for bit; returns whether all is."""
  import jax
  import numpy as np

  def bits(tree):
    return [np.asarray(x).tobytes() for x in jax.tree.leaves(tree)]

  a, b = final(one), final(two)
  rows = {}
  for name in a:
    if isinstance(a[name], int | str):
      rows[name] = a[name] == b[name], f'{a[name]} and {b[name]}'
    else:
      size = sum(x.size for x in jax.tree.leaves(a[name]))
      rows[name] = bits(a[name]) == bits(b[name]), f'{size:,} numbers'
  a, b = records(one), records(two)
  rows['metrics.jsonl'] = a == b, f'{len(a)} and {len(b)} records'
  a, b = ({x.name: x.read_bytes() for x in (path / 'samples').iterdir()}
          for path in (one, two))
  rows['samples/'] = a == b, f'{len(a)} and {len(b)} pictures'
  for name, (equal, what) in rows.items():
    say(f'{name:<20}{"identical" if equal else "DIFFERENT":<11}{what}')
  return all(equal for equal, _ in rows.values())


def main(kills=5, seed=None, folder=None, say=print):
  """The whole of it; returns whether all is identical."""
  seed = random.randrange(10**6) if seed is None else seed
  with tempfile.TemporaryDirectory() as made:
    folder = pathlib.Path(folder or made).resolve()
    (folder / 'experiment.py').write_text(EXPERIMENT)
    to_the_end(folder, 'unbroken')
    say(f'unbroken run: {TOTAL:,} images; now kills, --seed={seed}')
    done, hits = kill_often(
        folder, 'killed', kills, random.Random(seed), say)
    to_the_end(folder, 'killed')
    same = compare(folder / 'unbroken', folder / 'killed', say)
    say(f'{done} kills, {hits} of them in a half-written checkpoint: '
        f'{"identical" if same else "NOT identical"}')
    return same


if __name__ == '__main__':
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--kills', type=int, default=5)
  parser.add_argument('--seed', type=int)
  parser.add_argument('--folder', help='kept; a temporary one if not given')
  sys.path.insert(0, str(ROOT))
  chosen = parser.parse_args()
  sys.exit(not main(chosen.kills, chosen.seed, chosen.folder))

"""Kills a run at random moments, and compares it with one that never was.

The same command is given again after each kill -9. At the end parameters, the
average, optimizer state, the best, the fixed samples, metrics, pictures and
the names of all files must be equal bit for bit.
"""
import itertools
import os
import random
import shutil
import time

from endurance import tiny_run

N = 100
# moment -> names, one of which lies there then, below the run's folder or,
# for the cache, beside it. At each of the others the clock alone decides.
MOMENTS = {
    'saving': ['checkpoints/*.orbax-checkpoint-tmp*'],
    'best': ['best/*.orbax-checkpoint-tmp*'],
    'drawing': ['samples/.*.tmp'],
    'measuring': ['.summary.json.*.tmp'],
    'filling': ['../cache/.*.tmp'],
    'pruning': [], 'starting': [], 'training': []}
EACH = 64  # Images between two checkpoints.


def kill_one(folder, workdir, total, moment, after, rng):
  """Starts the run and kills it.

  Args:
    folder, workdir, total: of the run.
    moment: one of MOMENTS.
    after: images of a checkpoint that must have been passed before.
    rng: random.Random.

  Returns:
    (images of the newest checkpoint, names of half-written ones) as they lie
    on the disk after it.
  """
  run = folder / workdir
  path = run / 'checkpoints'
  if moment == 'filling':
    shutil.rmtree(folder / 'cache', ignore_errors=True)
  process = tiny_run.launch(folder, workdir, total)
  try:
    if moment == 'starting':
      time.sleep(rng.uniform(.3, 5))
    elif moment != 'filling':
      tiny_run.wait_for_checkpoint(process, path, after)
    until = time.monotonic() + 20
    while MOMENTS[moment] and not _left(run, MOMENTS[moment]):
      # Some moments pass unseen: each is waited for as long as there are steps.
      if process.poll() is not None or time.monotonic() > until or (
          tiny_run.newest(path) > after + 4 * EACH and moment != 'filling'):
        break
    if moment == 'pruning':  # A newer one is there, and the older goes.
      tiny_run.wait_for_checkpoint(process, path, tiny_run.newest(path))
    time.sleep(rng.uniform(0, .2 if moment == 'training' else .005))
  finally:
    process.kill()
    status = process.wait()
  if status >= 0:
    log = (folder / f'{workdir}.log').read_text()[-2000:]
    raise SystemExit(f'{workdir} ended with {status} before its kill:\n{log}')
  return tiny_run.newest(path), _left(run, itertools.chain(*MOMENTS.values()))


def _left(run, patterns):
  """Names of what is half-written."""
  return [os.path.relpath(x, run.parent) for pattern in patterns
          for x in run.glob(pattern)]


def main(out, n, seconds, seed, table, say=print):
  """The whole of it; returns whether all is identical."""
  until = time.monotonic() + seconds
  total = EACH * max(2 * n, 8)
  tiny_run.prepare(out)
  tiny_run.to_the_end(out, 'unbroken', total)
  say(f'unbroken run: {total:,} images; now kills, --seed={seed}')
  moments = [*MOMENTS]
  for number in range(len(table.cases), n):
    if time.monotonic() > until - 60:
      break
    rng = random.Random(f'{seed} {number}')
    moment = moments[number % len(moments)]
    # Each at its share of the run, or the first could be close to the end.
    after = total * (number + rng.random()) / (n + 2)
    images, half = kill_one(out, 'killed', total, moment, after, rng)
    table.add(moment=moment, images=images, half=half)
    say(f'{number + 1:>4}  {moment:<10}{images:>10,}  {" ".join(half) or "-"}')
  done = len(table.cases)
  result = 'not yet compared'
  if done >= n:
    tiny_run.to_the_end(out, 'killed', total)
    same = tiny_run.compare(out / 'unbroken', out / 'killed', say)
    left = _left(out / 'killed', itertools.chain(*MOMENTS.values()))
    result = ('identical, no stray files' if same and not left else
              f'DIFFERENT; left: {left}')
  say(table.write({
      'kills': done, **{f'half-written: {name}': sum(
          any(_is(name, x) for x in case['half']) for case in table.cases)
          for name in ('checkpoint', 'best', 'other file')},
      'result': result}))
  return not result.startswith('DIFFERENT')


def _is(kind, name):
  folder = name.split('/')[1] if '/' in name else ''
  return {'checkpoints': 'checkpoint', 'best': 'best'}.get(
      folder, 'other file') == kind

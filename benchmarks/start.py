"""Seconds from the command to the first training step, cold and warm.

  python benchmarks/start.py
  python benchmarks/start.py --config=quickstart --warm=5
  python benchmarks/start.py --before=../other_checkout

Other flags go to launch.py. Each start has a fresh workdir; the first has an
empty cache folder, which the others then share. With --before another checkout
is started in turn.
"""
import argparse
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

# So that a checkout need not be installed.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from msg_gan_jax.runs import records

TREE = pathlib.Path(__file__).resolve().parents[1]
LOOK_SECONDS = .01  # How often the record of the first step is looked for.


def first_step(command, workdir, cache, limit):
  """Runs a command until its first record is there, then stops it.

  Args:
    command: list of words; without --workdir.
    workdir: a folder that does not exist.
    cache: XDG_CACHE_HOME of the command.
    limit: seconds to wait.

  Returns:
    (seconds since the command, seconds of them that the run's own clock
    counts: the first step's, with what was left of its compilation).

  Raises:
    RuntimeError: the command ended, or the limit came, before a record.
  """
  environment = {k: v for k, v in os.environ.items()
                 if k != 'JAX_COMPILATION_CACHE_DIR'}
  environment['XDG_CACHE_HOME'] = str(cache)
  metrics = workdir / 'metrics.jsonl'
  log = workdir.with_suffix('.log')
  with open(log, 'wb') as file:
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, f'--workdir={workdir}'], stdout=file,
        stderr=subprocess.STDOUT, env=environment)
    try:
      while True:
        ended = process.poll() is not None
        seconds = time.perf_counter() - start
        lines = records.read(metrics) if metrics.exists() else []
        if lines:
          return seconds, lines[0]['clock']['seconds']
        if ended or seconds > limit:
          tail = '\n'.join(log.read_text(errors='replace').splitlines()[-20:])
          raise RuntimeError(
              f'no step after {seconds:.0f} s; the last that it said:\n{tail}')
        time.sleep(LOOK_SECONDS)
    finally:
      _stop(process)


def _stop(process):
  """Lets the run save and end, so that the cache has no half of a program."""
  if process.poll() is None:
    process.send_signal(signal.SIGTERM)
    try:
      process.wait(300)
    except subprocess.TimeoutExpired:
      process.kill()
      process.wait()


def main():
  flags = argparse.ArgumentParser(
      description=__doc__, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('--config', default='quickstart', help='an experiment')
  flags.add_argument('--warm', type=int, default=3, help='starts after the '
                     'cold one')
  flags.add_argument('--before', type=pathlib.Path,
                     help='another checkout of this project')
  flags.add_argument('--limit', type=float, default=600., help='seconds')
  options, others = flags.parse_known_args()
  trees = {'': TREE}
  if options.before:
    trees = {' (before)': options.before.resolve()} | trees
  warm = {name: [] for name in trees}
  with tempfile.TemporaryDirectory() as folder:
    for i in range(1 + options.warm):
      title = f'warm {i}' if i else 'cold'
      for name, tree in trees.items():
        command = [sys.executable, str(tree / 'launch.py'),
                   f'--config={options.config}',
                   '--config.train.log_every_images=1', *others]
        try:
          seconds, step_seconds = first_step(
              command, pathlib.Path(folder, f'run_{i}{name}'),
              pathlib.Path(folder, f'cache{name}'), options.limit)
        except RuntimeError as error:
          sys.exit(f'error: {title}{name}: {error}')
        print(f'{title:8} {seconds:6.2f} s to the first step, '
              f'{step_seconds:6.2f} s of them the step itself{name}',
              flush=True)
        warm[name] += [seconds] if i else []
  for name, found in warm.items():
    if found:
      print(f'warm: median {statistics.median(found):.2f} s, '
            f'{min(found):.2f} to {max(found):.2f}{name}')


if __name__ == '__main__':
  main()

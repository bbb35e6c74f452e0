"""Whether a run that is stopped and started is the run that never was.

  python tests/trust.py --out=FOLDER [--minutes=20] [--stops=10]
  python tests/trust.py --out=/scratch/trust --launch='srun python launch.py' \\
    -- --config=mine.py --config.train.batch=64

It trains twice, for so many minutes each, on this machine and as you train:
what comes after -- is given to each start. The second run is stopped so often
on its way, by a signal (--signal=KILL: without a word), and started again.
Then records, scores, pictures, and the last and the best state must be the
same, bit for bit. The last line says OK, or the first difference; the exit
status is 1 where there is one. The same command goes on where it was cut off.

A CPU keeps this promise, and so does a TPU as far as its compiler does. On a
GPU some sums have no fixed order, and the fastest kernels are chosen anew by
each process. XLA_FLAGS=--xla_gpu_deterministic_ops=true does without both.
"""
import argparse
from collections.abc import Callable, Iterator
import json
import os
import pathlib
import random
import shlex
import signal
import subprocess
import sys
import time
from typing import Any

from helpers import ROOT
import numpy as np

PACE = 'pace', 'unbroken', 'stopped'  # Folders, in this order.
LOOK = .2  # Seconds between two looks at how far a run is.


class Trial:
  """Two runs in a folder, and what is done of them.

  Args:
    out: the folder.
    launch: the command that trains; --workdir and `arguments` come after it.
    arguments: of each start.
    number: of the signal that stops a run.
    say: prints a line for people.
  """

  def __init__(self, out: pathlib.Path, launch: list[str],
               arguments: list[str], number: int, say: Callable[[str], Any]):
    self.out, self.say = out, say
    self._launch, self._arguments, self._number = launch, arguments, number
    self._file = out / 'trust.json'
    self.done: dict[str, Any] = json.loads(
        self._file.read_text()) if self._file.exists() else {'stops': []}

  def note(self, **done: Any) -> None:
    """Writes down what is done, so that the same command goes on."""
    self.done |= done
    self._file.write_text(json.dumps(self.done))

  def start(self, name: str, images: int, until: int | None = None) -> None:
    """Trains a run, to its end or until it has so many images, then stops it.

    Raises:
      SystemExit: it ended otherwise than it should.
    """
    run, log = self.out / name, self.out / f'{name}.log'
    with open(log, 'a') as file:
      process = subprocess.Popen(
          [*self._launch, f'--workdir={run}', *self._arguments,
           f'--config.train.total_images={images}'],
          stdout=file, stderr=file, start_new_session=True)
    try:
      while process.poll() is None and (
          until is None or newest(run).get('images', 0) < until):
        time.sleep(LOOK)
      if process.poll() is None:
        time.sleep(LOOK * random.random())  # Between two records.
        os.killpg(process.pid, self._number)
      status = process.wait(600)
    finally:
      if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    wanted = [0] if until is None else [0, 75, 130, -self._number]
    if status not in wanted:
      raise SystemExit(f'{name} ended with {status}; the end of {log}:\n' +
                       log.read_text()[-2000:])

  def images(self, minutes: float) -> int:
    """As many as are shown in so many minutes; a short run finds out."""
    if 'images' not in self.done:
      self.start('pace', 10**9, until=1)
      of_step = newest(self.out / 'pace')
      self.start('pace', 10**9, until=3 * of_step['images'])
      pace = newest(self.out / 'pace')['clock']['images_per_second']
      self.note(images=max(8 * of_step['images'], int(pace * 60 * minutes)))
    return self.done['images']


def newest(run: pathlib.Path) -> dict[str, Any]:
  """The newest record of a run; {} of none."""
  from msg_gan_jax.runs import record_lines
  path = run / 'metrics.jsonl'
  return record_lines.newest(path) if path.exists() else {}


def differences(one: pathlib.Path, two: pathlib.Path) -> Iterator[str]:
  """Lines about what differs between two runs, the first to look at first."""
  yield from _of_records(one, two)
  for name in 'summary.json', 'scores.jsonl', 'classes.json':
    a, b = ((run / name).read_bytes() if (run / name).exists() else None
            for run in (one, two))
    if a != b:
      yield f'{name}: {"is there once" if None in (a, b) else "differs"}'
  a, b = ({x.name: x.read_bytes() for x in (run / 'samples').glob('*')}
          for run in (one, two))
  for name in sorted(a.keys() | b.keys()):
    if a.get(name) != b.get(name):
      yield f'samples/{name}: ' + (
          'other pixels' if name in a and name in b else 'is there once')
  for folder in 'checkpoints', 'best':
    yield from _of_states(one / folder, two / folder)


def _of_records(one, two):
  from msg_gan_jax.runs import records
  a, b = (records.read(run / 'metrics.jsonl') for run in (one, two))
  for number, (x, y) in enumerate(zip(a, b, strict=False), 1):
    x.pop('clock', None), y.pop('clock', None)
    for name in x.keys() | y.keys():
      if json.dumps(x.get(name)) != json.dumps(y.get(name)):
        yield (f'metrics.jsonl, record {number}: {name} at '
               f'{x["images"]:,} images is {x.get(name)} and {y.get(name)}')
  if len(a) != len(b):
    yield f'metrics.jsonl: {len(a)} and {len(b)} records'


def _of_states(one, two):
  """Of the newest checkpoints in two folders, leaf by leaf."""
  from msg_gan_jax.runs import checkpoints, orbax_storage
  steps = [checkpoints.Checkpoints(x, read_only=True).steps()[-1:]
           for x in (one, two)]
  if steps[0] != steps[1]:
    yield f'{one.name}: the newest are {steps[0]} and {steps[1]}'
  if not (steps[0] and steps[0] == steps[1]):
    return
  folders = [x / str(steps[0][0]) for x in (one, two)]
  records = [orbax_storage.read_record(x) for x in folders]
  place = f'{one.name}/{steps[0][0]}'
  notes = [{k: v for k, v in x['notes'].items() if k != 'clock'}
           for x in records]
  if notes[0] != notes[1]:
    yield f'{place}: its notes differ: {notes[0]} and {notes[1]}'
  kinds = [{name: about[:2] for name, about in x['leaves'].items()}
           for x in records]
  if kinds[0] != kinds[1]:
    yield f'{place}: the states have other leaves'
    return
  a, b = (_leaves(*x) for x in zip(folders, kinds, strict=True))
  for name in a:
    x, y = a[name], b[name]
    if x.tobytes() != y.tobytes():
      words = [np.frombuffer(v.tobytes(), np.uint8).reshape(v.size, -1)
               for v in (x, y)]
      others = np.flatnonzero((words[0] != words[1]).any(1))
      i = np.unravel_index(others[0], x.shape)
      yield (f'{place}: {name}: {len(others):,} of {x.size:,} numbers '
             f'differ; the first, {[*map(int, i)]}, is {x[i]} and {y[i]}')


def _leaves(folder, kinds):
  """{name: array} of a checkpoint, for which no GAN has to be built."""
  import jax

  from msg_gan_jax.runs import orbax_storage
  wanted = {name: jax.ShapeDtypeStruct(shape, jax.numpy.dtype(dtype))
            for name, (dtype, shape) in kinds.items()}
  return {name: np.asarray(x)
          for name, x in orbax_storage.read_leaves(folder, wanted).items()}


def main(out: pathlib.Path, launch: list[str], arguments: list[str],
         minutes: float = 20, stops: int = 10, number: int = signal.SIGTERM,
         say: Callable[[str], Any] = print) -> bool:
  """Trains both runs; returns whether they are the same."""
  out.mkdir(parents=True, exist_ok=True)
  trial = Trial(out, launch, arguments, number, say)
  total = trial.images(minutes)
  _, unbroken, stopped = PACE
  if not trial.done.get(unbroken):
    if (out / unbroken).exists():
      raise SystemExit(f'{out / unbroken}: this run was to go to its end at '
                       'once, and was cut off. Remove it, and start again.')
    say(f'the run that goes to its end at once: {total:,} images')
    trial.start(unbroken, total)
    trial.note(**{unbroken: True})
  while len(trial.done['stops']) < stops:
    at = total * (len(trial.done['stops']) + 1) // (stops + 1)
    trial.start(stopped, total, until=at)
    where = newest(out / stopped).get('images', 0)
    trial.note(stops=[*trial.done['stops'], where])
    say(f'stop {len(trial.done["stops"])} of {stops}: after {where:,} images')
  trial.start(stopped, total)
  found = list(differences(out / unbroken, out / stopped))
  for line in found[1:10]:
    say(line)
  records = len((out / stopped / 'metrics.jsonl').read_bytes().splitlines())
  say(f'DIFFERENT, first in {found[0]}' if found else
      f'OK: {total:,} images, {records:,} records, '
      f'{len([*(out / stopped / "samples").glob("*")])} pictures and the '
      f'states are the same after {stops} stops')
  return not found


if __name__ == '__main__':
  sys.path.insert(0, str(ROOT))
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--out', required=True, help='of the runs, on a disk '
                      'that all processes see')
  parser.add_argument('--minutes', type=float, default=20.)
  parser.add_argument('--stops', type=int, default=10)
  parser.add_argument('--signal', default='TERM')
  parser.add_argument('--launch', default=shlex.join(
      [sys.executable, str(ROOT / 'launch.py')]))
  parser.add_argument('arguments', nargs='*', help='of each start')
  chosen = parser.parse_args()
  sys.exit(not main(
      pathlib.Path(chosen.out).resolve(), shlex.split(chosen.launch),
      chosen.arguments, chosen.minutes, chosen.stops,
      signal.Signals[f'SIG{chosen.signal}']))

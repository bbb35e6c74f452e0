"""Several processes: layouts, whole runs, kills, signals, and who hangs.

Of parts that are not kills each is done once; n counts the kills.
"""
import contextlib
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from helpers import ROOT

N = 30
STEPS, MORE, BATCH = 30, 5, 8
TOTAL = 9600  # Images of the run that is killed: a kill costs up to 150.
# Sums of float32 in another order differ in the last bits, which Adam and
# RMSprop enlarge: they divide a gradient by its own size.
NEAR = 1e-5
PATIENCE = 20  # Seconds of --patience_seconds in these trials.
LONGEST = 600  # Seconds until a child that does nothing is given up.
PRESETS = {  # {name: settings}: one layer norm or another, and none.
    'msg_progan': {'data.resolution': 8},
    'dcgan_32': {'data.resolution': 32},
    # With rectifiers and batches of 8, 1e-5 grows to 3e-5 at .01.
    'sngan_resnet': {'data.resolution': 32, 'optimizer.epsilon': 1.},
    'bmsg_gan': {'data.resolution': 16},
}
LAYOUTS = {'1x1': (1, 1), '1x4': (1, 4), '2x2': (2, 2)}  # Processes, devices.
SAVING = 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'
MOMENTS = 'starting', 'compiling', 'training', 'measuring', 'saving'
EXPERIMENT = f'''
from msg_gan_jax.config import template


def get_config(preset):
  config = template(preset)
  config.data.count = 80
  config.data.held_out = 16
  config.networks.latent = 8
  config.networks.fmap_max = 8
  # With 1e-8 a first step is one of the rate, also where the gradient is
  # nothing but rounding; see tests/gan/devices_test.py.
  config.optimizer.epsilon = .01
  config.update_from_flattened_dict({PRESETS!r}[preset])
  config.train.batch = {BATCH}
  config.train.total_images = {STEPS * BATCH}
  config.train.log_every_images = 40
  config.train.sample_every_images = 120
  config.train.measure_every_images = 120
  config.train.checkpoint_every_images = 40
  return config
'''
UNMEASURED = '--config.evaluate.metrics=', '--config.evaluate.best='
KILLED = ('--config.evaluate.metrics=', '--config.evaluate.best=swd',
          '--config.train.checkpoint_every_images=64')


class Run:
  """A run of several processes; a context that kills what is left of them.

  Args:
    folder: of the trial; the run is `name` in it, and its logs lie beside it.
    name: of the run.
    preset: one of PRESETS.
    layout: (processes, devices of each).
    more: further flags.
  """

  def __init__(self, folder, name, preset='bmsg_gan', layout=(2, 1), *more):
    self.path, self._folder, self._preset = folder / name, folder, preset
    self._layout, self._more = layout, more

  def __enter__(self):
    processes, devices = self._layout
    (self._folder / 'experiment.py').write_text(EXPERIMENT)
    with socket.create_server(('127.0.0.1', 0)) as server:
      port = server.getsockname()[1]
    self.children = []
    for i in range(processes):
      of = [f'--coordinator=127.0.0.1:{port}', f'--processes={processes}',
            f'--process={i}', f'--patience_seconds={PATIENCE}']
      with self._log(i).open('w') as log:
        self.children.append(subprocess.Popen(
            [sys.executable, ROOT / 'launch.py', f'--workdir={self.path}',
             f'--config={self._folder / "experiment.py"}:{self._preset}',
             *(of if processes > 1 else []), *self._more],
            cwd=self._folder, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, 'JAX_PLATFORMS': 'cpu', 'PYTHONPATH': str(ROOT),
                 'XLA_FLAGS': os.environ.get('XLA_FLAGS', '') +
                 f' --xla_force_host_platform_device_count={devices}'}))
    return self

  def __exit__(self, *unused):
    for child in self.children:
      child.kill()
      child.wait()

  def _log(self, i):
    return self.path.with_name(f'{self.path.name}.{i}.log')

  def said(self, i):
    """What a process has printed."""
    return self._log(i).read_text()

  def end(self, status=0):
    """Waits for all; asserts their status, and that no program's text shows."""
    for i, child in enumerate(self.children):
      child.wait(LONGEST)
      assert child.returncode == status, (i, child.returncode, self.said(i))
      assert_for_people(self.said(i))
    return self

  def until(self, test):
    """Waits for what `test` says; all processes have to be there."""
    end = time.monotonic() + LONGEST
    while not test():
      assert time.monotonic() < end, self.said(0)
      for i, child in enumerate(self.children):
        assert child.poll() is None, self.said(i)
      time.sleep(.001)

  def until_moment(self, moment, rng):
    """Waits for one of MOMENTS, and a little more."""
    first = newest(self.path)
    if moment == 'starting':  # Those that have not met yet wait for minutes.
      self.until(lambda: 'ank' in self.said(0) or 'images' in self.said(0))
    elif moment == 'compiling':
      self.until(lambda: 'images, ' in self.said(0))
    else:
      self.until(lambda: newest(self.path) > first)
    if moment == 'measuring':  # It comes after the grid.
      pictures = len(names(self.path / 'samples'))
      self.until(lambda: len(names(self.path / 'samples')) > pictures)
    if moment == 'saving':
      self.until(lambda: any(
          'tmp' in x for x in names(self.path / 'checkpoints')))
    else:
      time.sleep(rng.uniform(0, .3))


def names(folder):
  with contextlib.suppress(FileNotFoundError):
    return os.listdir(folder)
  return []


def newest(path):
  """Images of a run's newest checkpoint; 0 where there is none."""
  return max((int(x) for x in names(path / 'checkpoints') if x.isdigit()),
             default=0)


def assert_for_people(text):
  """Asserts that it has no traceback, nor what a library's abort prints."""
  bad = re.search(r'Traceback|Fatal Python|^[EF]\d{4} |^ +@ +0x|terminate call'
                  '|Gloo [a-z]|DEADLINE|UNAVAILABLE', text, re.M)
  assert not bad, text


def leaves(path, images):
  """{name: array} of the State in a run's last checkpoint."""
  import jax
  import numpy as np

  from msg_gan_jax.gan.build import build
  from msg_gan_jax.runs import checkpoints, config_file
  from msg_gan_jax.runs.load import state_like
  gan = build(config_file.load_config(path))
  one = jax.sharding.SingleDeviceSharding(jax.devices()[0])
  found, tree = checkpoints.Checkpoints(
      path / 'checkpoints', read_only=True).restore(
          {'state': state_like(gan, one)}, partial=True)
  assert found == images, found
  return {jax.tree_util.keystr(where, simple=True, separator='.'):
          np.asarray(x, np.float64) for where, x in
          jax.tree_util.tree_flatten_with_path(tree['state'])[0]}


def furthest(a, b, of=''):
  """(largest difference, leaf) of two states, among names that have `of`."""
  assert a.keys() == b.keys()
  return max((float(abs(a[name] - b[name]).max(initial=0)), name)
             for name in a if of in name)


def layouts(folder, preset, streamed, over=tuple(LAYOUTS)):
  """Trains in each layout, then goes on in the next; the largest difference."""
  more = *UNMEASURED, *(['--config.data.device_gb=0'] if streamed else [])
  states, further, worst = {}, {}, 0.
  total = (STEPS + MORE) * BATCH
  for name in over:
    with Run(folder, name, preset, LAYOUTS[name], *more) as run:
      run.end()
    states[name] = leaves(run.path, STEPS * BATCH)
    entry, = json.loads((run.path / 'versions.json').read_text())
    processes, devices = LAYOUTS[name]
    assert entry['devices']['count'] == processes * devices, entry
    assert entry['devices']['processes'] == processes, entry
  for name, following in zip(over, [*over[1:], over[0]], strict=True):
    with Run(folder, name, preset, LAYOUTS[following], *more,
             f'--config.train.total_images={total}') as run:
      run.end()
    further[name] = leaves(run.path, total)
  for of_one in states, further:
    for a, b in itertools.combinations(of_one.values(), 2):
      distance, leaf = furthest(a, b, '.params')
      assert distance < NEAR, (distance, leaf)
      worst = max(worst, distance)
  return worst


def records(path):
  """Records of metrics.jsonl, without what depends on the clock."""
  found = [json.loads(line) for line in
           (path / 'metrics.jsonl').read_text().splitlines()]
  for record in found:
    record.pop('clock')
  return found


def whole(folder, processes):
  """Default settings, stopped and started again; the farthest record."""
  runs, status = {}, 75
  for name, layout in ('one', (1, 1)), ('several', (processes, 1)):
    with Run(folder, name, 'bmsg_gan', layout) as run:
      run.until(lambda run=run: newest(run.path) >= 120)
      run.children[-1].send_signal(signal.SIGTERM)
      run.end(status)
    with Run(folder, name, 'bmsg_gan', layout) as run:
      run.end()
    runs[name] = records(run.path)
    assert names(run.path / 'best'), name
    for mode in '--mode=sample', '--mode=evaluate':  # In one process.
      done = subprocess.run(
          [sys.executable, ROOT / 'launch.py', mode, f'--workdir={run.path}'],
          cwd=folder, capture_output=True, text=True, env={
              **os.environ, 'PYTHONPATH': str(ROOT)}, timeout=LONGEST)
      assert not done.returncode, done.stderr
  one, several = ({*names(folder / name / 'samples')} for name in runs)
  assert one == several, one ^ several
  return furthest_record(*runs.values())


def furthest_record(one, two):
  """The largest difference of numbers, next to 1, in the same records."""
  assert [x['images'] for x in one] == [x['images'] for x in two]
  worst = 0.
  for a, b in zip(one, two, strict=True):
    assert a.keys() == b.keys(), (a.keys() ^ b.keys())
    for name in a:
      if isinstance(a[name], int | float):
        away = abs(a[name] - b[name]) / max(1., abs(a[name]))
        assert away < 1e-3, (name, a['images'], a[name], b[name])
        worst = max(worst, away)
  return worst


def fault(folder, name, who, moment, rng):
  """Sends SIGKILL or SIGSTOP to one of two; seconds until the other ended."""
  with Run(folder, 'run', 'bmsg_gan', (2, 1), *KILLED,
           '--config.train.total_images=40000000') as run:
    run.until_moment(moment, rng)
    begun = time.monotonic()
    run.children[who].send_signal(getattr(signal, name))
    other = run.children[1 - who]
    other.wait(LONGEST)
    took = round(time.monotonic() - begun, 1)
    assert other.returncode == 75, (other.returncode, run.said(1 - who))
    last = run.said(1 - who).strip().splitlines()[-1]
    assert last.startswith(f'error: process {who} of 2 has '), last
    assert 'start the same commands again' in last and 'checkpoint' in last
    assert_for_people(run.said(1 - who))
    if name == 'SIGSTOP':  # It finds that the others have gone on.
      run.children[who].send_signal(signal.SIGCONT)
      run.children[who].wait(30)
      assert run.children[who].returncode == 75, run.said(who)
      assert 'stood still for' in run.said(who)
      assert_for_people(run.said(who))
  return took


def signalled(folder, name, who, moment, rng):
  """Sends a signal that saves to one of two; seconds until both ended."""
  with Run(folder, 'run', 'bmsg_gan', (2, 1), *KILLED,
           '--config.train.total_images=40000000') as run:
    run.until_moment(moment, rng)
    begun = time.monotonic()
    run.children[who].send_signal(getattr(signal, name))
    for i, child in enumerate(run.children):
      child.wait(LONGEST)
      own = 130 if name == 'SIGINT' and i == who else 75
      assert child.returncode == own, (i, child.returncode, run.said(i))
      assert_for_people(run.said(i))
    took = round(time.monotonic() - begun, 1)
    if saved := re.search('stopped and saved at ([0-9,]+) im', run.said(0)):
      assert newest(run.path) == int(saved[1].replace(',', ''))
    else:
      assert moment in ('starting', 'compiling'), run.said(0)
  return took


def own_error(folder):
  """The folder is in use: process 0 says so, and 1 what it was; seconds."""
  from msg_gan_jax.runs.workdir import Workdir
  with Workdir(folder / 'run'), Run(folder, 'run') as run:
    run.children[0].wait(LONGEST)
    begun = time.monotonic()
    run.children[1].wait(LONGEST)
    took = round(time.monotonic() - begun, 1)
    run.end(1)
    first, other = (run.said(i).splitlines() for i in range(2))
    why = f'--workdir=.*run.?: in use by process {os.getpid()}'
    assert re.match(f'error: {why}', first[-2]), first
    assert re.match(
        f'error: process 0 of 2 has ended: {why}', other[-1]), other
  return took


def killed(folder, rng):
  """Kills a random one of two at a random moment; what it was."""
  who, moment = rng.randrange(2), rng.choice([*MOMENTS, 'training'])
  with Run(folder, 'killed', 'bmsg_gan', (2, 1), *KILLED,
           f'--config.train.total_images={TOTAL}') as run:
    try:
      run.until_moment(moment, rng)
    except AssertionError as error:
      run.end()
      raise AssertionError('it came to its end before, and nobody was killed'
                           ) from error
    begun = time.monotonic()
    run.children[who].kill()
    run.children[1 - who].wait(LONGEST)
    took = round(time.monotonic() - begun, 1)
    status = run.children[1 - who].returncode
    assert status in (0, 75), (status, run.said(1 - who))
    assert_for_people(run.said(1 - who))
  return {'who': who, 'moment': moment, 'took': took}


def assert_same_bits(folder):
  """Asserts that the killed run has come to what the unbroken one has."""
  for name in 'unbroken', 'killed':
    with Run(folder, name, 'bmsg_gan', (2, 1), *KILLED,
             f'--config.train.total_images={TOTAL}') as run:
      run.end()
  a, b = (leaves(folder / name, TOTAL) for name in ('unbroken', 'killed'))
  assert furthest(a, b)[0] == 0, furthest(a, b)
  assert records(folder / 'unbroken') == records(folder / 'killed')


def within(most, took):
  """{'took': seconds}; asserts that they are as few as is promised."""
  assert took <= most, f'it took {took} s; wanted at most {most} s'
  return {'took': took}


def parts(folder, rng):
  """{name: a function} of all that is not a kill."""
  def fresh(name):
    shutil.rmtree(folder / name, ignore_errors=True)
    (folder / name).mkdir()
    return folder / name

  found = {}
  for preset in [*PRESETS][:3]:
    for streamed in False, True:
      name = f'layout {preset} {"streamed" if streamed else "resident"}'
      found[name] = lambda name=name, preset=preset, streamed=streamed: {
          'apart': layouts(fresh(name), preset, streamed)}
  for n in 2, 4:
    found[f'whole {n}'] = lambda n=n: {'apart': whole(fresh(f'whole {n}'), n)}
  (folder / 'faults').mkdir(exist_ok=True)
  for name, who, moment in itertools.product(
      ('SIGKILL', 'SIGSTOP'), (0, 1), MOMENTS):
    found[f'{name} {who} {moment}'] = (
        lambda name=name, who=who, moment=moment: within(
            PATIENCE + 10, fault(folder / 'faults', name, who, moment, rng)))
  for (i, name), who in itertools.product(enumerate(SAVING), (0, 1)):
    moment = MOMENTS[(i + 2 * who) % len(MOMENTS)]
    found[f'{name} {who} {moment}'] = (
        lambda name=name, who=who, moment=moment: within(
            30, signalled(folder / 'faults', name, who, moment, rng)))
  found['own error'] = lambda: within(10, own_error(fresh('own error')))
  return found


def main(out, n, seconds, seed, table, say):
  """Does what is not done yet; returns whether nothing was lost."""
  os.environ.setdefault('JAX_COMPILATION_CACHE_DIR', str(out / 'compiled'))
  end = time.monotonic() + seconds
  rng = random.Random(seed + len(table.cases))
  done = {case['name'] for case in table.cases}
  todo = parts(pathlib.Path(out), rng)
  todo.update({f'kill {i}': lambda: killed(out, rng) for i in range(n)})
  todo['same bits'] = lambda: assert_same_bits(out)
  for name, work in todo.items():
    if name in done or time.monotonic() > end - min(300, seconds / 2):
      continue
    try:
      table.add(name=name, well=True, **(work() or {}))
    except (AssertionError, subprocess.TimeoutExpired) as error:
      table.add(name=name, well=False, why=str(error)[-2000:])
    say(f'{name}: {table.cases[-1]}')
  well = [case['well'] for case in table.cases]
  say(table.write(row(table.cases)))
  return all(well) and len(well) == len(todo)


def row(cases):
  """{column: what it counts} of the table."""
  def share(begins):
    of = [case['well'] for case in cases if case['name'].startswith(begins)]
    return f'{sum(of)} of {len(of)}'

  def longest(begins):
    return max((case['took'] for case in cases if 'took' in case and
                case['name'].startswith(begins)), default='-')

  return {
      'layouts': share('layout'), 'whole runs': share('whole'),
      'kills': share('kill'), 'same bits': share('same'),
      'SIGKILL': share('SIGKILL'), 'SIGSTOP': share('SIGSTOP'),
      'signals': share(tuple(SAVING)),
      'own error': share('own'),
      'longest s after SIGKILL': longest('SIGKILL'),
      'after SIGSTOP': longest('SIGSTOP'), 'after a signal': longest(SAVING),
  }

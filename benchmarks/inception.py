"""Images a second of the Inception that FID is defined by.

  python benchmarks/inception.py
  python benchmarks/inception.py --python=other/bin/python --repeats=7

`--python` is an interpreter with torch-fidelity: its extractor then takes
turns with ours, on the same random weights, from uint8 images through the
resize to features and logits. README.md beside this file has results.
"""
import argparse
import json
import math
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

FEATURES = ('2048', 'logits_unbiased')


def images(side, batch):
  """uint8 [batch, side, side, 3], equal in every process."""
  return np.random.default_rng(0).integers(
      0, 256, (batch, side, side, 3), np.uint8)


def random_params(convs):
  """Params whose features neither vanish nor grow."""
  rng = np.random.default_rng(0)

  def normal(*shape):
    scale = math.sqrt(2 / math.prod(shape[:-1]))
    return rng.standard_normal(shape, np.float32) * np.float32(scale)

  params = {
      name: {'kernel': normal(*plan.window, plan.wide, width),
             'bias': .1 * normal(1, width)[0]}
      for name, plan in convs.items() for width in [sum(plan.parts.values())]}
  return params | {
      'fc_kernel': normal(2048, 1008), 'fc_bias': .1 * normal(1, 1008)[0]}


def ours(folder):
  """(about, images -> features): this package, by jit."""
  sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
  import jax

  from msg_gan_jax.files import tensors
  from msg_gan_jax.metrics.features import inception, resizes

  @jax.jit
  def features(params, x):
    x = resizes.resize(x, inception.SIDE, inception.SIDE, 'tf1')
    taps = inception.Inception().apply({'params': params}, (x - 128) / 128)
    return [taps[name] for name in FEATURES]

  weights = pathlib.Path(folder, 'weights.pth')
  params = jax.device_put(
      inception.from_tensors(tensors.read(weights)) if weights.exists()
      else random_params(inception.CONVS))
  return (f'jax {jax.__version__}, {jax.devices()[0].device_kind}',
          lambda x: [np.asarray(y) for y in features(params, x)])


def theirs(folder):
  """(about, images -> features): torch-fidelity's; leaves its weights."""
  import torch
  from torch_fidelity import feature_extractor_inceptionv3 as peer
  from torch_fidelity import version

  class Random(peer.FeatureExtractorInceptionV3):

    def load_state_dict(self, _):
      """Weights whose features neither vanish nor grow, none downloaded."""
      torch.manual_seed(0)
      for module in self.modules():
        if isinstance(module, torch.nn.Conv2d):
          torch.nn.init.kaiming_normal_(module.weight)

  peer.load_state_dict_from_url = lambda *_, **__: {}
  network = Random('inception-v3-compat', list(FEATURES))
  torch.save(network.state_dict(), pathlib.Path(folder, 'weights.pth'))

  def features(x):
    x = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    with torch.no_grad():
      return [y.numpy() for y in network(x)]

  return (f'torch-fidelity {version.__version__}, torch {torch.__version__}, '
          f'{torch.get_num_threads()} threads', features)


def work(which, folder):
  """Answers each line 'side batch seconds' by images a second."""
  about, features = {'ours': ours, 'theirs': theirs}[which](folder)
  np.save(pathlib.Path(folder, f'{which}.npy'),
          np.concatenate(features(images(32, 2)), -1))
  print(about, flush=True)
  warm = set()
  for line in sys.stdin:
    side, batch, seconds = map(float, line.split())
    x = images(int(side), int(batch))
    if (side, batch) not in warm:
      features(x)
      warm.add((side, batch))
    count, start, processor = 0, time.perf_counter(), time.process_time()
    while (passed := time.perf_counter() - start) < seconds or not count:
      features(x)
      count += 1
    used = time.process_time() - processor
    print(json.dumps([count * batch / passed, used / count / batch]),
          flush=True)


class Worker:
  """A process that measures when asked, and sleeps in between."""

  def __init__(self, python, which, folder):
    self.process = subprocess.Popen(
        [python, __file__, f'--worker={which}', f'--folder={folder}'],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    self.about = self.answer()

  def answer(self):
    line = self.process.stdout.readline()
    if not line:
      raise RuntimeError(f'{self.process.args[:3]} ended without an answer.')
    return line.strip()

  def measure(self, side, batch, seconds):
    """(images a second, seconds of processors an image)."""
    print(side, batch, seconds, file=self.process.stdin, flush=True)
    return json.loads(self.answer())

  def close(self):
    self.process.stdin.close()
    self.process.wait()


def row(name, workers, options, side, batch):
  """A line of the table; workers take turns."""
  results = {which: [] for which in workers}
  for worker in workers.values():  # Compiles, and fills caches.
    worker.measure(side, batch, 0)
  for _ in range(options.repeats):
    for which, worker in workers.items():
      results[which].append(worker.measure(side, batch, options.seconds))
  rates = {which: [x[0] for x in values] for which, values in results.items()}
  cells = [name]
  for which, values in results.items():
    cells += [f'{statistics.median(rates[which]):.2f}',
              f'{min(rates[which]):.2f}-{max(rates[which]):.2f}',
              f'{statistics.median(x[1] for x in values):.3f}']
  if len(workers) == 2:
    pairs = [a / b for a, b in zip(*rates.values(), strict=True)]
    medians = [statistics.median(x) for x in rates.values()]
    cells += [f'{medians[0] / medians[1]:.2f}',
              ' '.join(f'{x:.2f}' for x in pairs)]
  return cells


def run(options):
  with tempfile.TemporaryDirectory() as folder:
    workers = {}
    try:
      if options.python:  # First: its weights are then ours as well.
        workers['theirs'] = Worker(options.python, 'theirs', folder)
      workers = {'ours': Worker(sys.executable, 'ours', folder), **workers}
      load = os.getloadavg()[0] if hasattr(os, 'getloadavg') else None
      print(f'{os.cpu_count()} cores, load {load}; python '
            f'{platform.python_version()}; {options.repeats} repeats of '
            f'{options.seconds:g} s')
      for which, worker in workers.items():
        print(f'{which}: {worker.about}')
      if len(workers) == 2:
        a, b = (np.load(pathlib.Path(folder, f'{x}.npy')) for x in workers)
        print(f'features differ by at most {np.abs(a - b).max():.1e}, the '
              f'largest being {np.abs(b).max():.1f}')
      heads = [f'{which} {x}' for which in workers
               for x in ('img/s', 'low-high', 'CPU s/img')]
      heads += ['ratio', 'of each pair'] if len(workers) == 2 else []
      print('| side, batch | ' + ' | '.join(heads) + ' |')
      print('|---' * (len(heads) + 1) + '|')
      for side in options.sides:
        for batch in options.batches:
          cells = row(f'{side}, {batch}', workers, options, side, batch)
          print('| ' + ' | '.join(cells) + ' |', flush=True)
    finally:
      for worker in workers.values():
        worker.close()


def main():
  def numbers(text):
    return [int(x) for x in text.split(',')]

  flags = argparse.ArgumentParser(
      description=__doc__, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument(
      '--python', default='', help='an interpreter that has torch-fidelity')
  flags.add_argument('--sides', type=numbers, default=[32, 299])
  flags.add_argument('--batches', type=numbers, default=[8, 32])
  flags.add_argument('--repeats', type=int, default=5)
  flags.add_argument('--seconds', type=float, default=6., help='of a repeat')
  flags.add_argument('--worker', default='', help=argparse.SUPPRESS)
  flags.add_argument('--folder', default='', help=argparse.SUPPRESS)
  options = flags.parse_args()
  if options.worker:
    work(options.worker, options.folder)
    return
  try:
    if options.repeats < 1 or options.seconds <= 0:
      raise ValueError('--repeats, --seconds: wanted more than nothing.')
    run(options)
  except (ValueError, RuntimeError, OSError) as error:
    sys.exit(f'error: {error}')


if __name__ == '__main__':
  main()

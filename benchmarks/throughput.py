"""Images a second of the training step, alone or beside another program.

  python benchmarks/throughput.py
  python benchmarks/throughput.py --rows='4,64,32;5,256,16' --repeats=3
  python benchmarks/throughput.py --config=quickstart --json=speed.jsonl
  python benchmarks/throughput.py --beside='python other.py --depth={depth}'

README.md beside this file says what the columns mean.
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import platform
import re
import runpy
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import numpy as np

# So that a checkout need not be installed.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from msg_gan_jax import config as config_lib

ROWS = '4,64,32;4,128,32;5,256,16'
GEMM = 2048  # Big enough for the peak, and 40 ms on two cores.
SET_BYTES = 2**28  # The random pictures: many batches, and small everywhere.


class Row(NamedTuple):
  """A size of BMSG-GAN, in its own words."""
  depth: int
  latent: int
  batch: int


def parse_rows(text):
  """'4,64,32;5,256,16' -> [Row, Row]."""
  rows = []
  for part in text.split(';'):
    numbers = part.split(',')
    if len(numbers) != 3 or not all(n.strip().isdigit() for n in numbers):
      raise ValueError(
          f"--rows: found {part!r}; wanted depth,latent,batch, as '4,64,32', "
          "and ';' between rows.")
    rows.append(Row(*map(int, numbers)))
  return rows


def bmsg_gan(row):
  """Row -> Config: BMSG-GAN's network, loss, optimizer and averaging."""
  config = config_lib.template('bmsg_gan')
  config.data.resolution = 2**(row.depth + 1)
  config.networks.latent = config.networks.fmap_max = row.latent
  config.networks.fmap_base = 16 * row.latent  # Full width up to 32 px.
  config.train.batch = row.batch
  return config_lib.parse(config)


def experiment(name):
  """An experiment's file, or the name of one that ships -> Config."""
  from msg_gan_jax import cli
  path, colon, argument = name.partition(':')
  get_config = runpy.run_path(cli.find(path))['get_config']
  return config_lib.parse(get_config(*[argument] if colon else []))


def fill(template, config, seconds):
  """Puts a Config's numbers into a command's {depth}, {latent}, ..."""
  values = {
      'depth': config.data.resolution.bit_length() - 2,
      'latent': config.networks.latent, 'batch': config.train.batch,
      'seconds': f'{seconds:g}', 'resolution': config.data.resolution}

  def value(match):
    if match[1] not in values:
      raise ValueError(
          f'--beside: nothing is known as {match[0]}; known: '
          f'{", ".join(f"{{{v}}}" for v in values)}.')
    return str(values[match[1]])

  # The shell's own ${name} stays.
  return re.sub(r'(?<!\$)\{(\w+)\}', value, template)


class Noise:
  """Random pictures in memory; implements source.Source."""
  name, classes, notes = 'noise', (), {}

  def __init__(self, count, shape):
    self.shape = shape
    self._pixels = np.random.default_rng(0).integers(
        0, 256, (count, *shape), np.uint8)

  def __len__(self):
    return len(self._pixels)

  def images(self, indices):
    return self._pixels[indices]

  def labels(self, indices):
    return np.zeros(len(indices), np.int32)

  def factors(self, indices):
    return {}

  def digest(self):
    return 'noise'


def measure(config, seconds, repeats):
  """Times the step that a run does, on all devices of this process.

  Args:
    config: Config; its data are replaced by random pictures on the device.
    seconds: at least so long is a repeat; it has whole cycles of phases.
    repeats: how many; the gemm peak is measured before each.

  Returns:
    dict for JSON: the device, the step's cost, and lists with a number for
    each repeat.
  """
  import jax

  from msg_gan_jax.data import batches as batches_lib
  from msg_gan_jax.gan import build
  from msg_gan_jax.training import sharding
  began = time.perf_counter()
  sharding.keep_memory()
  gan, over = build(config), sharding.mesh()
  sharding.check(config, over)
  shape = config.train.n_dis, config.train.batch
  picture = (config.data.resolution,) * 2 + (config.data.channels,)
  count = max(gan.step_images, min(2048, SET_BYTES // math.prod(picture)))
  batches = batches_lib.open_batches(Noise(count, picture), config, over)
  key = jax.random.key(config.seed)
  state = jax.jit(gan.init, out_shardings=sharding.replicated(over))(key)
  step = sharding.step(gan, over)
  every = config.objective.penalty_every_d_steps
  cycle = every // math.gcd(every, config.train.n_dis)
  flops, memory = _cost(
      step, (state, batches.at(0, shape), key),
      [gan.phase(i * gan.step_images) for i in range(cycle)])
  images = 0

  def run(steps):
    """Seconds that `steps` steps take, as the loop does them."""
    nonlocal state, images
    start = time.perf_counter()
    for _ in range(steps):
      state, logs = step(
          state, batches.at(images, shape), key, gan.phase(images))
      images += gan.step_images
    jax.block_until_ready((state, logs))
    return time.perf_counter() - start

  run(max(3, cycle))  # Compiles every phase.
  once = run(cycle)
  # The clock is read about ten times a repeat: the device is kept busy.
  chunk = cycle * max(1, round(seconds / 10 / once))
  warm_up = time.perf_counter() - began
  gemm, rates = [], []
  for _ in range(repeats):
    gemm.append(_gemm_peak())
    done = taken = 0
    while taken < seconds:
      taken += run(chunk)
      done += chunk
    rates.append(done * gan.step_images / taken)
  device = jax.devices()[0]
  devices = over.devices.size
  return {
      'platform': device.platform, 'device': device.device_kind,
      'devices': devices, 'step_images': gan.step_images,
      'warm_up_seconds': warm_up, 'images_per_second': rates,
      'flops_a_step': flops * devices, 'memory_bytes': memory,
      'most_memory_bytes_in_use':
          (device.memory_stats() or {}).get('peak_bytes_in_use'),
      'gemm_gflops': [devices * g for g in gemm]}


def _cost(step, arguments, phases):
  """(FLOPs of a step, bytes it needs), of one device.

  The FLOPs are the mean over a cycle of phases, the bytes the largest.
  """
  flops, memory = {}, 0
  for phase in set(phases):
    compiled = step.lower(*arguments, phase).compile()
    flops[phase] = (compiled.cost_analysis() or {}).get('flops', 0)
    needs = compiled.memory_analysis()
    if needs is not None:
      memory = max(
          memory, needs.argument_size_in_bytes + needs.temp_size_in_bytes
          + needs.output_size_in_bytes - needs.alias_size_in_bytes)
  return statistics.mean(flops[phase] for phase in phases), memory


def _gemm_peak():
  """GFLOP/s of float32 products of 2048 x 2048 matrices, the best of five."""
  import jax
  import jax.numpy as jnp
  b = jax.random.normal(jax.random.key(0), (GEMM, GEMM)) / GEMM**.5
  product = jax.jit(jnp.matmul)

  def run(times):
    start, a = time.perf_counter(), b
    for _ in range(times):  # In a chain, so that none runs beside another.
      a = product(a, b)
    a.block_until_ready()
    return (time.perf_counter() - start) / times

  run(1)
  # On an accelerator one product takes no longer than its start.
  times = min(1000, math.ceil(.05 / run(1)))
  return 2 * GEMM**3 / min(run(times) for _ in range(5)) / 1e9


def in_worker(which, seconds, repeats, environment):
  """`measure` in a process of its own."""
  command = [sys.executable, __file__, '--worker', which,
             f'--seconds={seconds}', f'--repeats={repeats}']
  done = subprocess.run(
      command, stdout=subprocess.PIPE, text=True, env=environment)
  if done.returncode:
    raise RuntimeError(f'{which}: the worker ended with {done.returncode}.')
  return json.loads(done.stdout.splitlines()[-1])


def outside(command):
  """Runs an outside command; the number in its last line."""
  done = subprocess.run(
      command, shell=True, stdout=subprocess.PIPE, text=True)
  lines = done.stdout.strip().splitlines() or ['']
  try:
    if done.returncode == 0:
      return float(lines[-1])
  except ValueError:
    pass
  raise RuntimeError(
      f'--beside: {command!r} ended with {done.returncode} and the line '
      f'{lines[-1]!r}; wanted 0, and images a second alone in the last line.')


def compare(which, config, options, environment):
  """Ours and theirs in turn; `measure`'s dict with 'theirs'."""
  command = fill(options.beside, config, options.seconds)
  found, theirs = None, []
  for i in range(options.repeats):
    ours = in_worker(which, options.seconds, 1, environment)
    theirs.append(outside(command))
    if found is None:
      found = ours
    else:
      for name in ('images_per_second', 'gemm_gflops'):
        found[name] += ours[name]
    _say(f'  {i + 1}: ours {found["images_per_second"][-1]:.1f}, '
         f'theirs {theirs[-1]:.1f} img/s')
  return found | {'theirs': theirs}


def columns(found):
  """What the table shows of `measure`'s dict."""
  rates, gemm = found['images_per_second'], found['gemm_gflops']
  rate, work = statistics.median(rates), found['flops_a_step'] / 1e9
  an_image = work / found['step_images']
  share = statistics.median(
      r * an_image / g for r, g in zip(rates, gemm, strict=True))
  return {
      'img/s': f'{rate:.1f}', 'low-high': _spread(rates),
      'ms/step': f'{1e3 * found["step_images"] / rate:.1f}',
      'GFLOP/step': f'{work:.2f}', 'GFLOP/img': f'{an_image:.3f}',
      'GFLOP/s': f'{rate * an_image:.0f}',
      'gemm': f'{statistics.median(gemm):.0f}', 'share': f'{share:.0%}',
      'MB': f'{found["memory_bytes"] / 2**20:.0f}'}


def beside_columns(found):
  """What the second table shows: ours against theirs."""
  ours, theirs = found['images_per_second'], found['theirs']
  ratio = statistics.median(ours) / statistics.median(theirs)
  return {
      'ours': f'{statistics.median(ours):.1f}',
      'theirs': f'{statistics.median(theirs):.1f}',
      'low-high': _spread(theirs), 'ratio': f'{ratio:.2f}',
      'of each pair': ' '.join(
          f'{a / b:.2f}' for a, b in zip(ours, theirs, strict=True))}


def _spread(values):
  return f'{min(values):.1f}-{max(values):.1f}'


def table(rows):
  """{name: {column: text}} -> lines of a Markdown table."""
  lines = [['', *next(iter(rows.values()))]]
  lines += [[name, *row.values()] for name, row in rows.items()]
  widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
  lines.insert(1, ['-' * width for width in widths])
  for line in lines:
    yield '| ' + ' | '.join(
        x.rjust(w) for x, w in zip(line, widths, strict=True)) + ' |'


def _say(text):
  print(text, file=sys.stderr, flush=True)


def about():
  """The machine and the versions, for the record."""
  from importlib import metadata
  cores = (len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity')
           else os.cpu_count())
  return {
      'date': datetime.datetime.now(datetime.UTC).isoformat('T', 'seconds'),
      'cores': cores, 'machine': platform.machine(),
      'load': os.getloadavg()[0] if hasattr(os, 'getloadavg') else None,
      'python': platform.python_version(),
      **{name: metadata.version(name) for name in ('jax', 'jaxlib', 'flax')}}


def run(options):
  """Measures all that was asked for, and prints it."""
  if options.config:
    asked = {options.config: (
        f'--config={options.config}', experiment(options.config))}
  else:
    asked = {','.join(map(str, row)): (
        f'--rows={",".join(map(str, row))}', bmsg_gan(row))
        for row in parse_rows(options.rows)}
  for _, config in asked.values():  # A mistake shows before the first hour.
    fill(options.beside, config, options.seconds)
  record = about() | {
      'seconds': options.seconds, 'beside': options.beside, 'rows': {}}
  with tempfile.TemporaryDirectory() as cache:
    environment = {  # The second process of a row compiles nothing.
        'JAX_COMPILATION_CACHE_DIR': cache,
        'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0', **os.environ}
    for name, (which, config) in asked.items():
      _say(name)
      record['rows'][name] = (
          compare(which, config, options, environment) if options.beside else
          in_worker(which, options.seconds, options.repeats, environment))
  rows = record['rows']
  first = next(iter(rows.values()))
  print(f'{first["devices"]} {first["device"]}, {record["cores"]} cores, load '
        f'{record["load"]} before; python {record["python"]}, jax '
        f'{record["jax"]}; {options.repeats} repeats of {options.seconds:g} s')
  print(*table({k: columns(v) for k, v in rows.items()}), sep='\n')
  if options.beside:
    print(*table({k: beside_columns(v) for k, v in rows.items()}), sep='\n')
  if options.json:
    with open(options.json, 'a', encoding='utf-8') as file:
      file.write(json.dumps(record) + '\n')


def main():
  flags = argparse.ArgumentParser(
      description=__doc__, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('--rows', default=ROWS, help='depth,latent,batch;...')
  flags.add_argument('--config', default='', help='an experiment instead')
  flags.add_argument('--repeats', type=int, default=5)
  flags.add_argument('--seconds', type=float, default=8., help='of a repeat')
  flags.add_argument(
      '--beside', default='', help='a command that prints images a second, '
      'with {depth} {latent} {batch} {seconds} {resolution}')
  flags.add_argument('--json', default='', help='append a line to this file')
  flags.add_argument('--worker', action='store_true', help=argparse.SUPPRESS)
  options = flags.parse_args()
  try:
    if options.repeats < 1 or options.seconds <= 0:
      raise ValueError('--repeats, --seconds: wanted more than nothing.')
    if options.worker:
      config = (experiment(options.config) if options.config
                else bmsg_gan(parse_rows(options.rows)[0]))
      print(json.dumps(measure(config, options.seconds, options.repeats)))
    else:
      run(options)
  except (ValueError, RuntimeError) as error:
    if options.worker:
      raise
    sys.exit(f'error: {error}')


if __name__ == '__main__':
  main()

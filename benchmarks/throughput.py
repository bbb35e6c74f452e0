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
import os
import pathlib
import platform
import re
import runpy
import statistics
import subprocess
import sys
import tempfile
from typing import NamedTuple

# So that a checkout need not be installed.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from msg_gan_jax.config import schema

ROWS = '4,64,32;4,128,32;5,256,16'


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
  config = schema.template('bmsg_gan')
  config.data.resolution = 2**(row.depth + 1)
  config.networks.latent = config.networks.fmap_max = row.latent
  config.networks.fmap_base = 16 * row.latent  # Full width up to 32 px.
  config.train.batch = row.batch
  return schema.parse(config)


def experiment(name):
  """An experiment's file, or the name of one that ships -> Config."""
  from msg_gan_jax.commands import experiments
  path, colon, argument = name.partition(':')
  get_config = runpy.run_path(experiments.find(path))['get_config']
  return schema.parse(get_config(*[argument] if colon else []))


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
  """Ours and theirs, alternating; `measure`'s dict with 'theirs'."""
  command = fill(options.beside, config, options.seconds)
  record, theirs = None, []
  for i in range(options.repeats):
    ours = in_worker(which, options.seconds, 1, environment)
    theirs.append(outside(command))
    if record is None:
      record = ours
    else:
      for name in ('images_per_second', 'gemm_gflops'):
        record[name] += ours[name]
    _say(f'  {i + 1}: ours {record["images_per_second"][-1]:.1f}, '
         f'theirs {theirs[-1]:.1f} img/s')
  return record | {'theirs': theirs}


def columns(record):
  """What the table shows of `measure`'s dict."""
  rates, gemm = record['images_per_second'], record['gemm_gflops']
  rate, work = statistics.median(rates), record['flops_a_step'] / 1e9
  an_image = work / record['step_images']
  share = statistics.median(
      r * an_image / g for r, g in zip(rates, gemm, strict=True))
  return {
      'img/s': f'{rate:.1f}', 'low-high': _spread(rates),
      'ms/step': f'{1e3 * record["step_images"] / rate:.1f}',
      'GFLOP/step': f'{work:.2f}', 'GFLOP/img': f'{an_image:.3f}',
      'GFLOP/s': f'{rate * an_image:.0f}',
      'gemm': f'{statistics.median(gemm):.0f}', 'share': f'{share:.0%}',
      'MB': f'{record["memory_bytes"] / 2**20:.0f}'}


def beside_columns(record):
  """What the second table shows: ours against theirs."""
  ours, theirs = record['images_per_second'], record['theirs']
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
      import timing  # beside this file; loads jax, which only workers need
      print(json.dumps(
          timing.measure(config, options.seconds, options.repeats)))
    else:
      run(options)
  except (ValueError, RuntimeError) as error:
    if options.worker:
      raise
    sys.exit(f'error: {error}')


if __name__ == '__main__':
  main()

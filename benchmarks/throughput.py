"""Images a second of the training step, alone or beside another program.

  python benchmarks/throughput.py
  python benchmarks/throughput.py --rows='4,64,32;5,256,16' --repeats=3
  python benchmarks/throughput.py --config=quickstart --json=speed.jsonl
  python benchmarks/throughput.py --config=quickstart --config.train.batch=64
  python benchmarks/throughput.py --rows=4,64,32 --profile=traces
  python benchmarks/throughput.py --beside='python other.py --depth={depth}'

README.md beside this file says what the columns mean.
"""
import argparse
from collections.abc import Iterable
import json
import os
import pathlib
import re
import runpy
import statistics
import subprocess
import sys
import tempfile
from typing import NamedTuple

# So that a checkout need not be installed.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from absl import flags as absl_flags
import machine  # beside this file
import workers  # beside this file

from msg_gan_jax.commands import experiments
from msg_gan_jax.commands.memory import keep_memory
from msg_gan_jax.config import schema

ROWS = '4,64,32;4,128,32;5,256,16'
EIGEN_THREADS = 'xla_cpu_multi_thread_eigen'


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


def bmsg_gan(row, settings=()):
  """Row -> Config: BMSG-GAN's network, loss, optimizer and averaging."""
  config = schema.template('bmsg_gan')
  config.data.resolution = 2**(row.depth + 1)
  config.networks.latent = config.networks.fmap_max = row.latent
  config.networks.fmap_base = 16 * row.latent  # Full width up to 32 px.
  config.train.batch = row.batch
  return changed(config, settings)


def experiment(name, settings=()):
  """An experiment's file, or the name of one that ships -> Config."""
  path, colon, argument = name.partition(':')
  get_config = runpy.run_path(experiments.find(path))['get_config']
  return changed(get_config(*[argument] if colon else []), settings)


def changed(config: schema.Settings, words: Iterable[str]) -> schema.Config:
  """Sets what words such as '--config.train.batch=64' say, as launch.py does.

  Raises:
    ValueError: there is no such setting, or it has no such value.
  """
  from msg_gan_jax.gan.ablation import change  # It loads jax.
  kinds = {name: type(value)
           for name, value in schema.flatten(schema.Config()).items()}
  changes = {}
  for word in words:
    name, equals, value = word.removeprefix('--config.').partition('=')
    if not equals and kinds.get(name) is not bool:
      raise ValueError(f'{word}: wanted a value, as in {word}=VALUE.')
    experiments.check_setting(name, value if equals else None)
    read = (absl_flags.BooleanParser().parse if kinds[name] is bool
            else kinds[name])
    changes[name] = read(value if equals else 'true')
  return change(config, changes)


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


def in_worker(which, seconds, repeats, environment, *others):
  """`measure` in a process of its own, which gets the other words too."""
  return workers.call(__file__, which, [
      '--worker', which, f'--seconds={seconds}', f'--repeats={repeats}',
      *others], environment)


def profile(name, which, record, options, environment):
  """The step's time by kind of operation, in a process of its own.

  On a CPU it has one core: see profiling.py.
  """
  folder = os.path.join(options.profile, re.sub(r'[^\w.,-]+', '_', name))
  others = [*options.settings, f'--profile={folder}']
  if record['platform'] == 'cpu':
    flags = environment.get('XLA_FLAGS', '')
    if EIGEN_THREADS not in flags:
      environment = environment | {
          'XLA_FLAGS': f'{flags} --{EIGEN_THREADS}=false'.strip()}
    others.append('--one_core')
  return in_worker(which, options.seconds, 1, environment, *others)


def one_core():
  """Leaves this process one of its cores, where the system can."""
  if hasattr(os, 'sched_setaffinity'):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


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
    ours = in_worker(
        which, options.seconds, 1, environment, *options.settings)
    theirs.append(outside(command))
    if record is None:
      record = ours
    else:
      for name in ('images_per_second', 'gemm_gflops', 'busy_cores'):
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
      'MB': f'{record["memory_bytes"] / 2**20:.0f}',
      'cores': f'{statistics.median(record["busy_cores"]):.2f}'}


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


def run(options):
  """Measures all that was asked for, and prints it."""
  if options.config:
    asked = {options.config: (
        f'--config={options.config}',
        experiment(options.config, options.settings))}
  else:
    asked = {','.join(map(str, row)): (
        f'--rows={",".join(map(str, row))}', bmsg_gan(row, options.settings))
        for row in parse_rows(options.rows)}
  for _, config in asked.values():  # A mistake shows before the first hour.
    fill(options.beside, config, options.seconds)
  record = machine.about() | {
      'seconds': options.seconds, 'beside': options.beside,
      'settings': options.settings, 'rows': {}}
  with tempfile.TemporaryDirectory() as cache:
    environment = {  # The second process of a row compiles nothing.
        'JAX_COMPILATION_CACHE_DIR': cache,
        'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0', **os.environ}
    for name, (which, config) in asked.items():
      _say(name)
      record['rows'][name] = (
          compare(which, config, options, environment) if options.beside else
          in_worker(which, options.seconds, options.repeats, environment,
                    *options.settings))
      if options.profile:
        record['rows'][name]['profile'] = profile(
            name, which, record['rows'][name], options, environment)
  rows = record['rows']
  first = next(iter(rows.values()))
  print(f'{first["devices"]} {first["device"]}, {record["cores"]} cores, load '
        f'{record["load"]} before; python {record["python"]}, jax '
        f'{record["jax"]}; {options.repeats} repeats of {options.seconds:g} s')
  print(*table({k: columns(v) for k, v in rows.items()}), sep='\n')
  if options.beside:
    print(*table({k: beside_columns(v) for k, v in rows.items()}), sep='\n')
  for name, row in rows.items():
    if options.profile:
      print('', *profile_lines(name, row), sep='\n')
  if options.json:
    with open(options.json, 'a', encoding='utf-8') as file:
      file.write(json.dumps(record) + '\n')


def work(options):
  """What a worker measures; a dict for JSON."""
  keep_memory()
  if options.one_core:
    one_core()
  config = (experiment(options.config, options.settings) if options.config
            else bmsg_gan(parse_rows(options.rows)[0], options.settings))
  if options.profile:
    import profiling  # beside this file; loads jax, which only workers need
    return profiling.measure(config, options.profile)
  import timing
  return timing.measure(config, options.seconds, options.repeats)


def profile_lines(name, row):
  """The table of a row's profile, under what it is of."""
  import profiling  # beside this file; loads jax
  found = row['profile']
  where = 'on one core' if row['platform'] == 'cpu' else 'on one device'
  return [f'{name}: {found["steps"]} steps {where}, gemm peak '
          f'{found["gemm_gflops"]:.0f} GFLOP/s there', '',
          *table(profiling.columns(found))]


def main():
  flags = workers.flags(__doc__, 5, 8., worker='store_true')
  flags.add_argument('--rows', default=ROWS, help='depth,latent,batch;...')
  flags.add_argument('--config', default='', help='an experiment instead')
  flags.add_argument(
      '--beside', default='', help='a command that prints images a second, '
      'with {depth} {latent} {batch} {seconds} {resolution}')
  flags.add_argument('--json', default='', help='append a line to this file')
  flags.add_argument(
      '--profile', default='', metavar='FOLDER', help='trace a cycle of each '
      "row there, and tell the step's time by kind of operation")
  flags.add_argument(
      '--one_core', action='store_true', help=argparse.SUPPRESS)
  options, options.settings = flags.parse_known_args()
  for word in options.settings:
    if not word.startswith('--config.'):
      sys.exit(f'error: {word}: no such flag; --help lists them.')
  workers.main(options, work, run)


if __name__ == '__main__':
  main()

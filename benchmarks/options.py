"""Images a second of the training step under one compiler option or several.

  python benchmarks/options.py
  python benchmarks/options.py --config=quickstart --repeats=5

What `msg_gan_jax/arrays/compilation.py` gives to each program is chosen by this
table. Every row is a process of its own, and the rows take turns. A row with an
option that is not in force, since this jaxlib does not know it or XLA_FLAGS
sets it, is told and left out. All of them are of XLA's CPU backend.
"""
import statistics
import sys

# These lie beside this file.
import machine
import throughput
import workers

from msg_gan_jax.commands.memory import keep_memory

YNN = {'xla_cpu_experimental_ynn_fusion_type': ''}
# fast_math is here to be seen: it may drop the NaN that a run must stop at.
ALONE = {
    "XLA's own": {},
    'no YNNPACK': YNN,
    'fast min and max': {'xla_cpu_enable_fast_min_max': True},
    'fast math': {'xla_cpu_enable_fast_math': True},
    'oneDNN': {'xla_cpu_use_onednn': True},
    'vectors of 512 bits': {'xla_cpu_prefer_vector_width': 512},
    'old emitters': {'xla_cpu_use_fusion_emitters': False},
    'order for memory': {'xla_cpu_enable_concurrency_optimized_scheduler':
                         False},
}
ROWS = ALONE | {
    f'no YNNPACK, {name}': YNN | options for name, options in ALONE.items()
    if options not in ({}, YNN)}


def configured(options):
  """(words that name it, Config) of what is measured."""
  if options.config:
    return f'--config={options.config}', throughput.experiment(options.config)
  row, = throughput.parse_rows(options.row)
  return f'--row={options.row}', throughput.bmsg_gan(row)


def measure(name, config, seconds):
  """Images a second of the step, with the options of a row and no others."""
  keep_memory()
  import platform

  import jax
  import timing  # beside this file

  from msg_gan_jax.arrays import compilation
  compilation.OPTIONS = (compilation.Row(
      'cpu', (platform.machine().lower(),), (0, 0), ROWS[name]),)
  if jax.default_backend() != 'cpu':
    raise ValueError(f'wanted a CPU, found {jax.default_backend()}.')
  missing = ROWS[name].keys() - compilation.options().keys()
  if missing:
    return {'missing': sorted(missing)}
  return timing.measure(config, seconds, 1)


def in_worker(name, which, seconds):
  """`measure` in a process of its own."""
  return workers.call(__file__, name, [
      f'--worker={name}', which, f'--seconds={seconds}'])


def run(options):
  """Measures all rows, and prints the table."""
  which, _ = configured(options)
  about = machine.about()
  rates, missing = {name: [] for name in ROWS}, {}
  for i in range(options.repeats):
    for name in ROWS:
      if name in missing:
        continue
      record = in_worker(name, which, options.seconds)
      if 'missing' in record:
        missing[name] = record['missing']
        continue
      rates[name] += record['images_per_second']
      print(f'  {i + 1}: {name}: {rates[name][-1]:.1f} img/s',
            file=sys.stderr, flush=True)
  print(f'{which}; {about["cores"]} cores, load {about["load"]}; python '
        f'{about["python"]}, jax {about["jax"]}; {options.repeats} repeats of '
        f'{options.seconds:g} s')
  first = statistics.median(rates["XLA's own"])
  print(*throughput.table({
      name: {'img/s': f'{statistics.median(x):.1f}',
             'low-high': f'{min(x):.1f}-{max(x):.1f}',
             'ratio': f'{statistics.median(x) / first:.2f}'}
      for name, x in rates.items() if x}), sep='\n')
  for name, flags in missing.items():
    print(f'{name}: not in force here: {", ".join(flags)}')


def work(options):
  """What a worker measures."""
  return measure(options.worker, configured(options)[1], options.seconds)


def main():
  flags = workers.flags(__doc__, 3, 5.)
  flags.add_argument('--row', default='4,64,32',
                     help='depth,latent,batch of BMSG-GAN')
  flags.add_argument('--config', default='', help='an experiment instead')
  workers.main(flags.parse_args(), work, run)


if __name__ == '__main__':
  main()

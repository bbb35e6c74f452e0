"""Memory of one training step: what --dry_run foresees, and what it took.

  python benchmarks/memory.py --preset=msg_progan --resolution=256 --batch=4
  python benchmarks/memory.py --preset=stylegan2 --resolution=1024 --batch=1 \\
    --remat --json=memory.jsonl

README.md beside this file says what the columns mean.
"""
import argparse
import json
import os
import pathlib
import sys
import time

# So that a checkout need not be installed.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

PRESETS = 'msg_progan', 'msg_stylegan', 'stylegan2'


def config_of(options):
  """Config of the flags: a preset at full width."""
  from msg_gan_jax.config import schema
  config = schema.template(options.preset)
  config.data.resolution, config.train.batch = (
      options.resolution, options.batch)
  config.networks.remat = options.remat
  config.networks.dtype = options.dtype
  return schema.parse(config)


def measure(config):
  """dict: seconds and bytes of the compiled step and of its execution."""
  import jax
  import numpy as np

  from msg_gan_jax.arrays.mesh import data_mesh, replicated
  from msg_gan_jax.commands import dry_run
  from msg_gan_jax.data.batches import Batch
  from msg_gan_jax.gan.build import build
  gan, over = build(config), data_mesh()
  begun = time.perf_counter()
  _, stages = dry_run.lower_steps(gan, config, over)
  phase = max(stages, key=lambda phase: (sum(phase.penalties),
                                         phase.penalize_g))
  program, = stages[phase]  # These presets have one update of D a step.
  compiled = program.compile()
  record = {'compile_seconds': time.perf_counter() - begun,
            'foreseen': dry_run.peak_bytes([compiled.memory_analysis()])}
  key = jax.random.key(0)
  state = jax.jit(gan.init, out_shardings=replicated(over))(key)
  size = config.data.resolution
  shape = phase.batches, config.train.batch
  batch = Batch(*jax.device_put((
      np.random.default_rng(0).integers(
          0, 256, (*shape, size, size, 3), np.uint8),
      np.zeros(shape, np.int32)), replicated(over)))
  jax.block_until_ready((state, batch))
  resident_from_now()
  begun = time.perf_counter()
  state, logs = jax.block_until_ready(compiled(state, batch, key))
  record |= {'step_seconds': time.perf_counter() - begun,
             'taken': most_resident(),
             'finite': bool(all(np.isfinite(x) for x in logs.values()))}
  return record


def resident_from_now():
  """Linux forgets the most memory that this process ever had."""
  with open('/proc/self/clear_refs', 'w') as file:
    file.write('5')


def most_resident():
  """Bytes: the device's peak where it tells, else the process's since then."""
  import jax
  stats = jax.devices()[0].memory_stats() or {}
  if 'peak_bytes_in_use' in stats:
    return stats['peak_bytes_in_use']
  for line in pathlib.Path('/proc/self/status').read_text().splitlines():
    if line.startswith('VmHWM:'):
      return int(line.split()[1]) * 1024
  raise OSError('/proc/self/status: no VmHWM; wanted Linux.')


def main():
  parser = argparse.ArgumentParser(
      description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--preset', choices=PRESETS, default=PRESETS[0])
  parser.add_argument('--resolution', type=int, default=256)
  parser.add_argument('--batch', type=int, default=4)
  parser.add_argument('--remat', action='store_true')
  parser.add_argument('--dtype', default='float32')
  parser.add_argument('--json', help='a file to append a line to')
  options = parser.parse_args()
  record = {**vars(options), **measure(config_of(options))}
  del record['json']
  gb = {name: record[name] / 2**30 for name in ('foreseen', 'taken')}
  print(f'{options.preset} {options.resolution} px, batch {options.batch}, '
        f'{options.dtype}{", remat" if options.remat else ""}: '
        f'foreseen {gb["foreseen"]:.2f} GiB, taken {gb["taken"]:.2f} GiB '
        f'({record["taken"] / record["foreseen"]:.2f}); compiled in '
        f'{record["compile_seconds"]:.0f} s, a step of '
        f'{record["step_seconds"]:.1f} s'
        f'{"" if record["finite"] else ", NOT FINITE"}')
  if options.json:
    with open(options.json, 'a') as file:
      file.write(json.dumps({**record, 'cores': os.cpu_count()}) + '\n')


if __name__ == '__main__':
  main()

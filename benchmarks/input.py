"""The share of a step that it takes to make its batch on the device.

  python benchmarks/input.py
  python benchmarks/input.py --rows='4,64,32;4,128,32' --config=

A batch is made of uint8 pictures that lie on the device: their order, the
gather and the mirroring. It is timed alone, until it is there; in a run it may
hide behind the step before. README.md beside this file has results.
"""
import statistics
import time

# These lie beside this file.
import machine
import throughput
import workers

from msg_gan_jax.commands.memory import keep_memory

PICTURES = 20_000


def measure(config, seconds, repeats):
  """{'step_ms', 'batch_ms': a list, one a repeat} of a Config."""
  keep_memory()
  import jax
  import timing  # beside this file; loads jax, which only workers need

  from msg_gan_jax.arrays.mesh import data_mesh
  from msg_gan_jax.data.batches import open_batches
  from msg_gan_jax.gan.build import build
  found = timing.measure(config, seconds, repeats)
  side = config.data.resolution
  batches = open_batches(
      timing.Noise(PICTURES, (side, side, config.data.channels)), config,
      data_mesh())
  phase = build(config).phase(0)
  taken, shown = [], 0
  for _ in range(repeats + 1):  # The first compiles.
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
      jax.block_until_ready(batches.at(*phase.reads(shown, 1)))
      shown, count = shown + found['step_images'], count + 1
    taken.append(1e3 * (time.perf_counter() - start) / count)
  return {'batch_ms': taken[1:], 'step_ms': [
      1e3 * found['step_images'] / rate for rate in found['images_per_second']]}


def in_worker(name, options):
  """`measure` in a process of its own."""
  return workers.call(__file__, name, [
      f'--worker={name}', f'--seconds={options.seconds}',
      f'--repeats={options.repeats}'])


def config_of(name):
  """An experiment's name, or depth,latent,batch of BMSG-GAN -> Config."""
  if name[:1].isdigit():
    return throughput.bmsg_gan(*throughput.parse_rows(name))
  return throughput.experiment(name)


def run(options):
  """Measures all that was asked for, and prints it."""
  names = [name for name in [*options.config.split(','),
                             *options.rows.split(';')] if name]
  for name in names:  # A mistake shows before the first row.
    config_of(name)
  about = machine.about()
  print(f'{about["cores"]} cores, load {about["load"]}; python '
        f'{about["python"]}, jax {about["jax"]}; {PICTURES:,} pictures, '
        f'{options.repeats} repeats of {options.seconds:g} s')
  rows = {}
  for name in names:
    found = in_worker(name, options)
    batch, step = (
        statistics.median(found[k]) for k in ('batch_ms', 'step_ms'))
    rows[name] = {'batch, ms': f'{batch:.3f}', 'step, ms': f'{step:.1f}',
                  'share': f'{batch / step:.2%}'}
  print(*throughput.table(rows), sep='\n')


def work(options):
  """What a worker measures."""
  return measure(config_of(options.worker), options.seconds, options.repeats)


def main():
  flags = workers.flags(__doc__, 3, 4.)
  flags.add_argument('--config', default='quickstart',
                     help='experiments, with commas')
  flags.add_argument('--rows', default='4,64,32',
                     help='depth,latent,batch;... of BMSG-GAN')
  workers.main(flags.parse_args(), work, run)


if __name__ == '__main__':
  main()

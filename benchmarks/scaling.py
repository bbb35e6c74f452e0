"""What a training step, a start and an evaluation cost as the work grows.

  python benchmarks/scaling.py --out=scaling.jsonl
  python benchmarks/scaling.py --out=scaling.jsonl --picture=scaling.png
  python benchmarks/scaling.py --out=scaling.jsonl --list

Every row is measured in a process of its own and appended to the file as soon
as it is done. The same command goes on where it was stopped; --again measures
all rows anew. README.md beside this file says what the panels show.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import sys
import tempfile
import time

# So that a checkout need not be installed.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

# These lie beside this file.
import machine
import measured
import scaling_panels
from scaling_rows import Evaluation, Start, Step, check, measure
import workers

from msg_gan_jax.files.atomic import append_json

AXES = {  # What is varied, and its values in a run without flags.
    'resolution': (16, 32, 64, 128),
    'batch': (4, 8, 16, 32, 64, 128),
    'width': (16, 32, 64, 128, 256),
    'devices': (1, 2, 4, 8),
    'pictures': (500, 1_500, 5_000, 15_000, 50_000),
}
UNITS = {
    'resolution': 'resolution, px', 'batch': 'batch, images',
    'width': 'width, feature maps', 'devices': 'simulated devices',
    'pictures': 'pictures'}
BASE = '32,32,32'  # Resolution, batch and width where another is varied.


def rows_of(values, base):
  """{axis: values}, (resolution, batch, width) -> [Step, .., Start, ..]."""
  base, rows = Step(*base), []
  for axis, each in values.items():
    if axis == 'pictures':
      rows += [kind(n) for kind in (Start, Evaluation) for n in each]
    else:
      rows += [base._replace(**{axis: value}) for value in each]
  return list({str(row): row for row in rows}.values())


def points(panel, records, values, base):
  """The measured (x, y) of a panel, x ascending; what is not there is left."""
  found = {}
  for value in values[panel.axis]:
    row = (Step(*base)._replace(**{panel.axis: value})
           if panel.kind is Step else panel.kind(value))
    if str(row) in records:
      found[value] = statistics.median(records[str(row)][panel.quantity])
  return list(found), list(found.values())


def in_worker(row, options, cache):
  """`measure` in a process of its own, with a compilation cache for steps."""
  environment = dict(os.environ)
  if isinstance(row, Step):
    # A step is compiled once to count its cost, and then to be called.
    environment = {'JAX_COMPILATION_CACHE_DIR': cache,
                   'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0',
                   **environment}
    if row.devices:
      environment['JAX_PLATFORMS'] = 'cpu'
      environment['XLA_FLAGS'] = (
          f'{environment.get("XLA_FLAGS", "")} '
          f'--xla_force_host_platform_device_count={row.devices}')
  which = json.dumps([type(row).__name__, *row])
  return workers.call(__file__, str(row), [
      f'--worker={which}', f'--seconds={options.seconds}',
      f'--repeats={options.repeats}'], environment, options.limit)


def run(options):
  """Measures what is not in the file yet, then prints and draws all of it."""
  values = {axis: getattr(options, axis) for axis in AXES}
  rows = rows_of(values, options.base)
  for row in rows:  # A mistake shows before the first row.
    check(row)
  records = {x['row']: x for x in measured.read(options.out)}
  if options.list:
    for row in rows:
      print('done ' if str(row) in records else 'to do', row)
    return
  failed = []
  with tempfile.TemporaryDirectory() as cache:
    for i, row in enumerate(rows, 1):
      if str(row) in records and not options.again:
        continue
      began = time.perf_counter()
      try:
        record = {'row': str(row), **machine.about()} | in_worker(
            row, options, cache)
      except RuntimeError as error:
        failed.append(str(row))
        print(f'{i}/{len(rows)} {error}', file=sys.stderr, flush=True)
        continue
      append_json(options.out, record)
      records[str(row)] = record
      print(f'{i}/{len(rows)} {row}: {time.perf_counter() - began:.0f} s',
            file=sys.stderr, flush=True)
  if records:
    report({panel: points(panel, records, values, options.base)
            for panel in scaling_panels.PANELS},
           next(iter(records.values())), options)
  if failed:
    raise RuntimeError(f'no figures of: {"; ".join(failed)}. The same command '
                       'tries them again.')


def report(found, about, options):
  """Prints {panel: (x, y)}, and draws it where that is asked for."""
  resolution, batch, width = options.base
  cores = f'{about["cores"]} core{"s" * (about["cores"] > 1)}'
  title = (f'BMSG-GAN at {resolution} px, batch {batch}, width {width}, except '
           f'for what is varied; {cores}, jax {about["jax"]}')
  print(title)
  # Of one point alone nothing can be said.
  found = {k: (x, y) for k, (x, y) in found.items() if len(x) > 1}
  for panel, (x, y) in found.items():
    print(f'{panel.title}, {panel.unit}: '
          + ', '.join(f'{a:,}: {b:,.4g}' for a, b in zip(x, y, strict=True)))
    print(f'  {scaling_panels.explanation(panel, x, y)}')
  if options.picture and found:
    import scaling_picture  # beside this file; needs matplotlib
    scaling_picture.draw(
        [scaling_panels.plot(panel, UNITS[panel.axis], x, y)
         for panel, (x, y) in found.items()], title, options.picture)


def numbers(text):
  """'4,8' -> (4, 8), ascending."""
  if not re.fullmatch(r'(\d+(,\d+)*)?', text):
    raise argparse.ArgumentTypeError(
        f"found {text!r}; wanted whole numbers, such as '4,8'")
  return tuple(sorted({int(n) for n in text.split(',') if n}))


def base_of(text):
  """'32,32,32' -> (32, 32, 32)."""
  if not re.fullmatch(r'\d+,\d+,\d+', text):
    raise argparse.ArgumentTypeError(
        f"found {text!r}; wanted resolution,batch,width, as '{BASE}'")
  return tuple(map(int, text.split(',')))


def work(options):
  """What a worker measures."""
  kind, *settings = json.loads(options.worker)
  kinds = {x.__name__: x for x in (Step, Start, Evaluation)}
  return measure(kinds[kind](*settings), options.seconds, options.repeats)


def main():
  flags = workers.flags(__doc__, 3, 3.)
  flags.add_argument('--out', default='scaling.jsonl', help='a line a row')
  flags.add_argument('--picture', default='', help='a PNG to write')
  flags.add_argument('--list', action='store_true', help='what is done')
  flags.add_argument('--again', action='store_true', help='all rows anew')
  flags.add_argument('--base', default=BASE, type=base_of,
                     help='resolution,batch,width where they are not varied')
  for axis, each in AXES.items():
    flags.add_argument(f'--{axis}', type=numbers, default=each,
                       metavar='N,N', help=f'{UNITS[axis]}; empty: none')
  flags.add_argument('--limit', type=float, default=300., help='seconds of a '
                     'row, after which it is given up')
  workers.main(flags.parse_args(), work, run)


if __name__ == '__main__':
  main()

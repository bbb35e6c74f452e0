"""All figures of a GPU or a TPU, in one run of at most eight minutes.

  python benchmarks/gpu.py
  python benchmarks/gpu.py --torch=PYTHON --peers=FOLDER
  python benchmarks/gpu.py --rows=stylegan2-256,msg_progan-1024
  python benchmarks/gpu.py --tiny                       # tries it on a CPU

Every row is a process of its own, and is printed and appended to --out as soon
as it is done, the smallest first. The same command goes on where it ended.
README.md beside this file says what the columns mean.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

# These lie beside this file.
import gpu_rows
import machine
import measured
import throughput

from msg_gan_jax.config import tables
from msg_gan_jax.files import atomic

OUT_OF_MEMORY, OUT_OF_TIME = 'out of memory', 'not done within its limit'
# As jax and PyTorch say it.
MEMORY_WORDS = 'resource_exhausted', 'out of memory'


def chosen(options, records):
  """[Row] that --rows names, or all; before them the gemm where it is missing.

  Raises:
    ValueError: no such row.
  """
  rows = tables.Table('--rows', 'row', {
      row.name: row for row in gpu_rows.plan(options.tiny)})
  names = [name.strip() for name in options.rows.split(',') if name.strip()]
  # Shares and the device are told by the gemm's.
  first = [] if 'gemm' in records else ['gemm']
  return [rows.look_up(name) for name in dict.fromkeys(
      [*first, *(names or rows)])]


def missing(row, options):
  """Why a row cannot be measured here; '' where it can."""
  if not row.peer:
    return ''
  _, checkout = gpu_rows.PEERS[row.network, row.dtype]
  if not options.torch:
    return 'no --torch=PYTHON'
  if not shutil.which(options.torch):
    return f'--torch: nothing at {options.torch!r}'
  if not pathlib.Path(options.peers, checkout).is_dir():
    return f'--peers: no {checkout} in {options.peers!r}'
  return ''


def in_worker(row, options, limit):
  """What a row's own process tells, a dict; {'error': why it does not}."""
  if row.peer:
    command = gpu_rows.peer_command(
        row, options.tiny, options.seconds, options.torch, options.peers)
  else:
    command = [
        sys.executable, __file__, f'--worker={row.name}',
        f'--batch={row.batch}', f'--seconds={options.seconds}',
        *['--tiny'] * options.tiny]
  environment = {  # A row that was cut off compiles less the next time.
      'JAX_COMPILATION_CACHE_DIR': os.path.abspath(options.cache),
      'JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS': '0', **os.environ}
  if options.tiny:  # Where compiling is most of the work.
    environment['JAX_PLATFORMS'] = 'cpu'
    environment.setdefault('XLA_FLAGS', '--xla_backend_optimization_level=0')
  with subprocess.Popen(
      command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
      env=environment, start_new_session=True) as process:
    try:
      out, err = process.communicate(timeout=limit)
    except BaseException as error:  # Such as Ctrl-C.
      # With what it has started itself.
      os.killpg(process.pid, signal.SIGKILL)
      if not isinstance(error, subprocess.TimeoutExpired):
        raise
      return {'error': OUT_OF_TIME}
  if process.returncode:
    lines = err.strip().splitlines() or [f'it ended with {process.returncode}']
    no_memory = any(word in err.lower() for word in MEMORY_WORDS)
    return {'error': OUT_OF_MEMORY if no_memory else lines[-1][:300]}
  last = (out.splitlines() or [''])[-1]
  try:
    return {'images_per_second': float(last)} if row.peer else json.loads(last)
  except ValueError:
    return {'error': f'its last line is no figure: {last[:100]!r}'}


def attempts(row, options, end):
  """Yields the records of a row: a second one of half the batch, if need be.

  Yields nothing more where the budget ends first.
  """
  for batch in (row.batch, row.batch // 2):
    limit = min(options.limit, end - time.monotonic())
    if limit <= 0:
      return
    found = in_worker(row._replace(batch=batch), options, limit)
    error = found.get('error')
    if error == OUT_OF_TIME and limit < options.limit:
      return
    yield {'row': row.name, 'batch': batch, **machine.about(), **found}
    if error != OUT_OF_MEMORY or batch < 2:
      return


def is_done(row, records):
  """Whether nothing of a row is left to try, such as half of its batch."""
  record = records.get(row.name)
  return record is not None and (
      record.get('error') != OUT_OF_MEMORY or record['batch'] < row.batch)


def columns(record, records):
  """What the table shows of a record; shares are of the gemm's in `records`."""
  cells = dict.fromkeys((
      'batch', 'img/s', 'ms/step', 'TFLOP/s', 'of bf16', 'of float32',
      'GB planned', 'GB at the peak', 'compile s', 'peer img/s', 'ratio',
      'note'), '')
  notes = [record['error']] if 'error' in record else []
  if record['commit'] != records['gemm']['commit']:
    notes.append(f'commit {record["commit"]}')
  if record.get('from_cache'):
    notes.append(f'{record["from_cache"]} of {record["programs"]} programs '
                 'from the cache')
  cells |= {'batch': str(record['batch']), 'note': '; '.join(notes)}
  rate = record.get('images_per_second')
  if rate is None:
    return cells
  cells['img/s'] = f'{rate:.1f}'
  if 'step_images' in record:
    cells['ms/step'] = f'{1e3 * record["step_images"] / rate:.1f}'
  if 'flops_a_step' in record:
    speed = record['flops_a_step'] * rate / record['step_images'] / 1e9
    peaks = records['gemm']['gflops']
    cells |= {'TFLOP/s': f'{speed / 1e3:.3g}',
              'of bf16': f'{speed / peaks["bfloat16"]:.0%}',
              'of float32': f'{speed / peaks["float32"]:.0%}'}
  for column, name in (('GB planned', 'planned_bytes'),
                       ('GB at the peak', 'peak_bytes')):
    if record.get(name):
      cells[column] = f'{record[name] / 1e9:.2f}'
  if 'compile_seconds' in record:
    cells['compile s'] = f'{record["compile_seconds"]:.1f}'
  return cells


def with_peer(row, records):
  """`columns` of a row, with its peer's figure where there is one."""
  record = records[row.name]
  cells = columns(record, records)
  peer = records.get(gpu_rows.peer_of(row), {})
  ours, theirs = (x.get('images_per_second') for x in (record, peer))
  if theirs:
    cells['peer img/s'] = f'{theirs:.1f}'
  if ours and theirs and record['batch'] == peer['batch']:
    cells['ratio'] = f'{ours / theirs:.2f}'
  return cells


def without_empty(table):
  """{name: {column: text}}, without columns that no row has a text in."""
  used = {column for cells in table.values()
          for column, cell in cells.items() if cell}
  return {name: {column: cell for column, cell in cells.items()
                 if column in used} for name, cells in table.items()}


def about(record):
  """The device, versions, date and commit of a record, in one line."""
  size = record['device_bytes']
  return ', '.join([
      f'{record["devices"]} {record["device"]}'
      + (f' of {size / 1e9:.0f} GB' if size else ''),
      f'{record["cores"]} cores',
      *(f'{name} {record[name]}' for name in (
          'python', 'jax', 'jaxlib', 'flax')), record['date'],
      f'commit {record["commit"] or "unknown"}'])


def describe_gemm(record):
  """Peaks of products, in words."""
  return 'products: ' + ', '.join(
      f'{dtype} {value / 1e3:.4g} TFLOP/s'
      for dtype, value in record['gflops'].items())


def keep(record, records, options):
  """Appends a record to the file, which must be of the same device.

  Raises:
    ValueError: it is of another one.
  """
  if 'device' in record and 'gemm' in records:
    old, new = records['gemm']['device'], record['device']
    if old != new:
      raise ValueError(f'--out: {options.out} has figures of {old}, and this '
                       f'is {new}; wanted another file.')
  atomic.append_json(options.out, record)
  records[record['row']] = record


def show(row, records):
  """Prints a row that is done."""
  record = records[row.name]
  if row.network == 'gemm':
    print(about(record), describe_gemm(record), sep='\n', flush=True)
    return
  cells = with_peer(row, records)
  print(f'{row.name}: ' + ', '.join(
      f'{name} {cell}' for name, cell in cells.items() if cell), flush=True)


def run(options):
  """Measures what is not in the file yet, as long as the budget allows."""
  end = time.monotonic() + 60 * options.minutes
  records = {x['row']: x for x in measured.read(options.out)}
  rows, skipped, left = chosen(options, records), {}, []
  if 'gemm' in records:
    show(gpu_rows.Row('gemm'), records)
  for row in rows:
    if is_done(row, records) and not options.again:
      continue
    if reason := missing(row, options):
      skipped.setdefault(reason, []).append(row.name)
      continue
    tried = False
    for record in attempts(row, options, end):
      if row.network == 'gemm' and 'error' in record:
        raise ValueError(record['error'].removeprefix('error: '))
      keep(record, records, options)
      show(row, records)
      tried = True
    if not tried:
      left.append(row.name)
  table = {row.name: with_peer(row, records) for row in gpu_rows.plan(
      options.tiny) if row.name in records and row.network != 'gemm'}
  if table:
    print(*throughput.table(without_empty(table)), sep='\n')
  for reason, names in skipped.items():
    print(f'skipped, {reason}: {", ".join(names)}')
  if left:
    print(f'{options.minutes:g} minutes are over. The same command goes on, or '
          f'--rows={",".join(left)}')


def main():
  flags = argparse.ArgumentParser(
      description=__doc__, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('--rows', default='', help='names of rows; all if empty')
  flags.add_argument(
      '--minutes', type=float, default=8., help='no row goes on after these')
  flags.add_argument(
      '--limit', type=float, default=180., help='of one row, in seconds')
  flags.add_argument(
      '--seconds', type=float, default=3., help='a row is timed, at least')
  flags.add_argument('--out', default='', help='the file of results; '
                     'gpu.jsonl, or gpu_tiny.jsonl')
  flags.add_argument('--cache', default='gpu_cache',
                     help='the folder of compiled programs')
  flags.add_argument('--again', action='store_true',
                     help='measure rows that are in the file already')
  flags.add_argument('--torch', default='',
                     help="an interpreter with PyTorch, for the peers' rows")
  flags.add_argument('--peers', default='.',
                     help="the folder of the peers' checkouts")
  flags.add_argument('--tiny', action='store_true',
                     help='all rows at tiny sizes, on a CPU')
  flags.add_argument('--worker', default='', help=argparse.SUPPRESS)
  flags.add_argument('--batch', type=int, default=0, help=argparse.SUPPRESS)
  options = flags.parse_args()
  options.out = options.out or f'gpu{"_tiny" * options.tiny}.jsonl'
  try:
    for name in ('minutes', 'limit', 'seconds'):
      if getattr(options, name) <= 0:
        raise ValueError(f'--{name}: wanted more than nothing.')
    if options.worker:
      row, = (row for row in gpu_rows.plan(options.tiny)
              if row.name == options.worker)
      print(json.dumps(gpu_rows.measure(
          row._replace(batch=options.batch), options.tiny, options.seconds)))
    else:
      run(options)
  except (ValueError, OSError) as error:
    sys.exit(f'error: {error}')
  except KeyboardInterrupt:
    sys.exit('stopped; the same command goes on')


if __name__ == '__main__':
  main()

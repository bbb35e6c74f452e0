"""Figures beside the peers, of starts and of input, into one file of results.

  python benchmarks/measure.py --out=results.jsonl --peers=DIR --torch=PYTHON
  python benchmarks/measure.py --list
  python benchmarks/measure.py --rows=quickstart,start_quickstart
  python benchmarks/measure.py --table

A row is appended as soon as it is measured, and the same command goes on where
it was stopped: what the file has of this commit, machine and Python is left
alone. --peers is a folder of checkouts, each named as its repository (README.md
beside this file lists them), --torch an interpreter with PyTorch; rows beside a
peer need both. --also is a second interpreter with this package, such as one
with another jax: it measures the rows of the step and of the quickstart too.
"""
import argparse
from collections.abc import Iterable
import json
import os
import sys
import time
from typing import Any

# These lie beside this file.
import machine
from measure_rows import ROWS, Tools, lines_of
import measured

from msg_gan_jax.files.atomic import append_json


def about_peers(names: Iterable[str], tools: Tools) -> dict[str, Any]:
  """The commits of checkouts, and PyTorch's version."""
  commits = {name: machine.commit(tools.peer(name)) for name in names}
  version, = lines_of([
      tools.torch, '-c', 'import torch; print(torch.__version__)'])
  return {'peers': commits, 'torch': version}


def about_of(python: str) -> dict[str, Any]:
  """`machine.about` in another interpreter."""
  return json.loads(lines_of([python, __file__, '--about'])[-1])


def asked(options: argparse.Namespace) -> list[tuple[str, str]]:
  """[(name of a row, interpreter)] of what the flags ask for."""
  names = options.rows.split(',') if options.rows else [*ROWS]
  for name in names:
    if name not in ROWS:
      raise ValueError(f'--rows: no row {name!r}; known: {", ".join(ROWS)}.')
  return [(name, python) for name in names
          for python in dict.fromkeys([sys.executable, options.also])
          if python == sys.executable or (python and ROWS[name].twice)]


def lacks(name: str, tools: Tools) -> str:
  """What a row cannot be measured without; ''."""
  row = ROWS[name]
  if not row.peers:
    return ''
  missing = [x for x in row.peers if not os.path.isdir(tools.peer(x))]
  if not tools.peers or missing:
    return f'--peers with {", ".join(missing or row.peers)}'
  return '' if tools.torch else '--torch'


def run(options: argparse.Namespace) -> bool:
  """Measures what is not in the file yet; whether all rows have figures."""
  jobs, machines, left, failed = asked(options), {}, 0., []
  records = measured.read(options.out)
  to_do = []
  for name, python in jobs:
    tools = Tools(python, options.torch, options.peers, options.out,
                  options.before)
    if python not in machines:
      machines[python] = about_of(python)
    lack = lacks(name, tools)
    done = measured.find(records, name, machines[python])
    if lack:
      state = f'left out: needs {lack}'
    elif done and 'failed' not in done and not options.again:
      state = 'done'
    else:
      state = 'to do' if not done or options.again else 'failed, to do'
      to_do.append((name, tools))
      left += ROWS[name].minutes
    if options.list or lack:
      print(f'{name:30} python {machines[python]["python"]:8} '
            f'{ROWS[name].minutes:4.1f} min  {state}', flush=True)
  print(f'{len(to_do)} rows to do, about {left:.0f} minutes on two cores',
        flush=True)
  if options.list:
    return True
  for i, (name, tools) in enumerate(to_do, 1):
    print(f'{i}/{len(to_do)} {name}, python '
          f'{machines[tools.python]["python"]}', flush=True)
    began = time.perf_counter()
    record = {'row': name, **about_of(tools.python)}
    try:
      if ROWS[name].peers:
        record |= about_peers(ROWS[name].peers, tools)
      if tools.before:
        record['before'] = machine.commit(tools.before)
      record['result'] = ROWS[name].measure(tools)
    except Exception as error:  # The others go on, whatever it was.
      record['failed'] = f'{error}' or type(error).__name__
      failed.append(name)
    record['minutes'] = (time.perf_counter() - began) / 60
    append_json(options.out, record)
    told = record.get('failed') or measured.summary(record, ROWS)
    print(f'  {record["minutes"]:.1f} min: {told}', flush=True)
  if failed:
    print(f'failed: {", ".join(failed)}; the same command tries them again')
  return not failed


def main():
  flags = argparse.ArgumentParser(
      description=__doc__, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  flags.add_argument('--out', default='results.jsonl', help='a line a row')
  flags.add_argument('--rows', default='', help='names with commas between')
  flags.add_argument('--peers', default='', help='a folder of checkouts')
  flags.add_argument('--torch', default='', help='an interpreter with PyTorch')
  flags.add_argument('--also', default='', help='a second interpreter of ours')
  flags.add_argument('--before', default='', help='another checkout of this '
                     'project, started in turn with this one')
  for name, about_it in (('list', 'what there is, and what is done'),
                         ('again', 'measure what is done anew'),
                         ('table', 'print the file as Markdown')):
    flags.add_argument(f'--{name}', action='store_true', help=about_it)
  flags.add_argument('--about', action='store_true', help=argparse.SUPPRESS)
  options = flags.parse_args()
  options.peers = options.peers and os.path.abspath(
      os.path.expanduser(options.peers))
  try:
    if options.about:
      print(json.dumps(machine.about()))
    elif options.table:
      print(*measured.tables(measured.read(options.out), ROWS), sep='\n')
    elif not run(options):
      sys.exit(1)
  except KeyboardInterrupt:
    sys.exit('stopped: the same command goes on')
  except (ValueError, RuntimeError, OSError) as error:
    sys.exit(f'error: {error}')


if __name__ == '__main__':
  main()

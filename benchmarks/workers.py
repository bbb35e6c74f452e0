"""A script that measures in processes of its own: their flags, and their call.

Only what a worker prints in its last line is read, and only it loads jax.
"""
import argparse
from collections.abc import Callable, Mapping, Sequence
import json
import os
import subprocess
import sys
from typing import Any

from msg_gan_jax.commands.memory import tunables


def flags(about: str | None, repeats: int, seconds: float,
          worker: str = 'store') -> argparse.ArgumentParser:
  """A parser with what every script has.

  Args:
    about: the script's docstring.
    repeats, seconds: how often it measures something, and for how long.
    worker: the action of --worker, which says what a worker measures.
  """
  parser = argparse.ArgumentParser(
      description=about, allow_abbrev=False,
      formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument('--repeats', type=int, default=repeats)
  parser.add_argument(
      '--seconds', type=float, default=seconds, help='of a repeat')
  parser.add_argument('--worker', action=worker, help=argparse.SUPPRESS)
  return parser


def call(script: str, name: str, words: Sequence[str],
         environment: Mapping[str, str] | None = None,
         limit: float | None = None) -> Any:
  """What a worker of a script tells, in memory as launch.py asks for it.

  Args:
    script: its file.
    name: of what is measured.
    words: its flags.
    environment: in place of this process's.
    limit: seconds that it may take.

  Raises:
    RuntimeError: it did not end well, or not in time.
  """
  try:
    done = subprocess.run(
        [sys.executable, script, *words], stdout=subprocess.PIPE, text=True,
        env={**(os.environ if environment is None else environment),
             **tunables()}, timeout=limit)
  except subprocess.TimeoutExpired as error:
    raise RuntimeError(f'{name}: no figure within {limit:g} s.') from error
  lines = done.stdout.splitlines()
  if done.returncode or not lines:
    raise RuntimeError(f'{name}: the worker ended with {done.returncode}'
                       f'{"" if lines else " and told nothing"}.')
  return json.loads(lines[-1])


def main(options: argparse.Namespace, work: Callable[[Any], Any],
         run: Callable[[Any], None]) -> None:
  """Prints what a worker measures, or runs the script.

  Args:
    options: of `flags`.
    work: options -> what a worker tells, for JSON.
    run: what the script does with its options; its mistakes are a line.
  """
  if options.worker:
    print(json.dumps(work(options)))
    return
  try:
    if options.repeats < 1 or options.seconds <= 0:
      raise ValueError('--repeats, --seconds: wanted more than nothing.')
    run(options)
  except (ValueError, RuntimeError, OSError) as error:
    sys.exit(f'error: {error}')

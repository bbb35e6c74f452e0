"""What a figure is of: the machine, the versions, the date and the commit."""
import datetime
from importlib import metadata
import os
import pathlib
import platform
import re
import subprocess
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent


def about() -> dict[str, Any]:
  """The machine, the versions and the commit, for the record."""
  return {
      'date': datetime.datetime.now(datetime.UTC).isoformat('T', 'seconds'),
      'cores': (len(os.sched_getaffinity(0))
                if hasattr(os, 'sched_getaffinity') else os.cpu_count()),
      'machine': platform.machine(), 'cpu': cpu(),
      'load': os.getloadavg()[0] if hasattr(os, 'getloadavg') else None,
      'python': platform.python_version(),
      **{name: metadata.version(name) for name in ('jax', 'jaxlib', 'flax')},
      'commit': commit(HERE)}


def cpu() -> str:
  """The kind of processor, its family and its widest vectors, if told."""
  try:
    text = pathlib.Path('/proc/cpuinfo').read_text('utf-8')
  except OSError:
    return platform.processor() or platform.machine()

  def told(name):
    found = re.search(rf'^{name}\s*: (.*)$', text, re.M)
    return found[1].strip() if found else ''

  words = told('flags').split()
  vectors = ('AVX-512' if 'avx512f' in words else
             'AVX2' if 'avx2' in words else '')
  family = told('cpu family')
  return ', '.join(filter(None, [
      told('model name') or platform.machine(), family and f'family {family}',
      vectors]))


def commit(path: str | os.PathLike[str]) -> str:
  """A checkout's commit, with '+' where it was changed since; '' of no such.

  Files that git does not track do not count, nor do files of results: a row
  that is recorded changes nothing of what the next one measures.
  """
  def git(*words):
    return subprocess.run(
        ['git', '-C', str(path), *words], capture_output=True, text=True)

  try:
    head = git('rev-parse', 'HEAD')
  except OSError:  # There is no git.
    return ''
  # A checkout's own folder, and not one that lies in some other checkout.
  if head.returncode or git('ls-files', '--error-unmatch', '.').returncode:
    return ''
  changed = git(
      'diff', '--quiet', 'HEAD', '--', ':/', ':(top,exclude)*.jsonl').returncode
  return head.stdout.strip()[:10] + '+' * bool(changed)

"""What the starts of a run were made with: packages, devices, commit, date."""
from collections.abc import Sequence
import contextlib
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import sys
from typing import Any

from msg_gan_jax.arrays import compilation
from msg_gan_jax.files import plain

PACKAGES = ('jax', 'jaxlib', 'flax', 'optax', 'orbax-checkpoint', 'chex',
            'numpy', 'grain', 'pillow', 'msg_gan_jax')


def versions(devices: Sequence[Any] | None = None) -> dict[str, Any]:
  """What a run was started with: packages, machine, devices, commit, date.

  With the compiler options that are this project's, and those of the user.

  Args:
    devices: jax devices; None for jax.devices().
  """
  if devices is None:
    import jax
    devices = jax.devices()
  packages = {}
  for name in PACKAGES:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
      packages[name] = importlib.metadata.version(name)
  if 'msg_gan_jax' not in packages:  # Used from its checkout.
    packages['msg_gan_jax'] = sys.modules['msg_gan_jax'].__version__
  return {
      'date': now(),
      'packages': packages,
      'python': platform.python_version(),
      'platform': platform.platform(),
      'devices': {
          'count': len(devices),
          'kinds': sorted({d.device_kind for d in devices}),
          'processes': len({d.process_index for d in devices}),
      },
      'compiler_options': compilation.options(),
      'xla_flags': os.environ.get('XLA_FLAGS', ''),
      'git': commit(pathlib.Path(__file__).resolve()),
  }


def commit(file: pathlib.Path) -> dict[str, Any] | None:
  """{'commit', 'dirty'} of the git checkout that tracks a file, or None."""
  def git(*words):
    return subprocess.run(
        ['git', '-C', str(file.parent), *words], capture_output=True,
        text=True, timeout=10, check=True, stdin=subprocess.DEVNULL).stdout
  try:
    # An installed package may lie in some other project's checkout.
    git('ls-files', '--error-unmatch', file.name)
    head = git('rev-parse', 'HEAD').strip()
    top = git('rev-parse', '--show-toplevel').strip()
    return {'commit': head, 'dirty': bool(git(
        '-C', top, 'status', '--porcelain').strip())}
  except (OSError, subprocess.SubprocessError):
    return None


def read_versions(path: pathlib.Path,
                  mend: bool = True) -> list[dict[str, Any]]:
  """The entries of earlier starts; none of a damaged file.

  Args:
    path: versions.json in the run's folder.
    mend: whether a damaged file is moved aside.
  """
  if not path.exists():
    return []
  try:
    return [dict(x) for x in json.loads(
        plain.read(path, plain.MOST_JSON))]
  except (ValueError, TypeError):
    # A record of the past must not stop a run; it is kept for a person.
    if mend:
      os.replace(path, path.with_name('versions.damaged.json'))
    return []


def last_digest(folder: pathlib.Path) -> str:
  """That of the pictures of a run's last start; '' where none is on record."""
  try:
    entries = json.loads(
        plain.read(folder / 'versions.json', plain.MOST_JSON))
    return str(entries[-1]['data_digest'])
  except (OSError, ValueError, LookupError, TypeError):
    return ''


def now() -> str:
  """The date and time, ISO 8601, to the second."""
  return datetime.datetime.now().astimezone().isoformat(timespec='seconds')

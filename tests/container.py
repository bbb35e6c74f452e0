"""The steps of the Dockerfile in an empty environment, without a builder."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

from helpers import ROOT

KEPT = ('HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy',
        'SSL_CERT_FILE')  # What a download needs in this place.


class Image(NamedTuple):
  """What the steps have made.

  Attributes:
    python: its interpreter.
    work: the folder that its commands begin in.
    env: the environment of its commands.
    entrypoint: what its arguments come after.
  """
  python: pathlib.Path
  work: pathlib.Path
  env: dict[str, str]
  entrypoint: list[str]


def steps(text: str) -> list[tuple[str, str]]:
  """(instruction, arguments) of a Dockerfile; comments are left out."""
  lines = re.sub(r'\\\n', ' ', text).splitlines()
  return [(word, rest) for word, _, rest in (
      line.strip().partition(' ') for line in lines
      if line.strip() and not line.startswith('#'))]


def copied(arguments: str) -> tuple[list[str], str]:
  """(sources, target) of COPY."""
  *sources, target = arguments.split()
  return sources, target


def build(folder: pathlib.Path, extra: str = '') -> Image:
  """Carries out the steps below a folder, which stands for the image's root.

  This interpreter stands for that of the base image.

  Raises:
    ValueError: an instruction that is not known here.
    CalledProcessError: a RUN that failed.
  """
  venv, root = folder / 'venv', folder / 'root'
  subprocess.run([sys.executable, '-m', 'venv', venv], check=True)
  env = {name: os.environ[name] for name in KEPT if name in os.environ}
  env |= {'PATH': f'{venv / "bin"}:/usr/bin:/bin', 'HOME': str(folder)}
  arguments, work, entrypoint = {}, root, []
  for word, rest in steps((ROOT / 'Dockerfile').read_text()):
    if word == 'ARG':
      name, _, value = rest.partition('=')
      arguments[name] = extra if name == 'EXTRA' else value
    elif word == 'WORKDIR':
      work = root / rest.lstrip('/')
      work.mkdir(parents=True, exist_ok=True)
    elif word == 'COPY':
      sources, target = copied(rest)
      for source in sources:
        if (ROOT / source).is_dir():
          shutil.copytree(ROOT / source, work / target)
        else:
          shutil.copy(ROOT / source, work / target)
    elif word == 'ENV':
      name, _, value = rest.partition('=')
      env[name] = str(root / value.lstrip('/'))  # Ours are folders.
    elif word == 'RUN':
      subprocess.run(['/bin/sh', '-c', rest], cwd=work, check=True,
                     env={**env, 'HOME': str(folder), **arguments})
    elif word == 'ENTRYPOINT':
      entrypoint = json.loads(rest)
    elif word != 'FROM':
      raise ValueError(f'Dockerfile: {word} is not carried out here.')
  return Image(venv / 'bin' / 'python', work, env, entrypoint)

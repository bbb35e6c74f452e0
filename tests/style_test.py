"""The linter and the type checker of pyproject.toml find nothing."""
import subprocess
import sys

from helpers import ROOT
import pytest


@pytest.mark.parametrize('command', [
    ('ruff', 'check', '.'),
    pytest.param(('mypy',), marks=pytest.mark.slow)], ids=lambda x: x[0])
def test_a_checker_finds_nothing(command):
  done = subprocess.run(
      [sys.executable, '-m', *command], cwd=ROOT, text=True,
      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
  assert not done.returncode, done.stdout

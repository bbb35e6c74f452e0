"""What tests of several rooms share."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def environment(tree=ROOT):
  """That of a process which imports the package from a tree."""
  return {**os.environ, 'PYTHONPATH': str(tree)}

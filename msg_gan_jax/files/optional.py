"""Packages that only some sources, films, logs, tables and shells need."""
import importlib
import types

# {module: what brings it}; each is in an extra of setup.cfg. This package
# itself may lie in a checkout, and on no index: pip is asked for theirs.
PACKAGES = {
    'argcomplete': 'argcomplete',
    'datasets': 'datasets',
    'imageio_ffmpeg': 'imageio-ffmpeg',
    'lmdb': 'lmdb',
    'optuna': 'optuna',
    'pandas': 'pandas',
    'sklearn': 'scikit-learn',
    'tensorboardX': 'tensorboardX',
    'tensorflow_datasets': 'tensorflow-datasets',
}


def require(module: str, place: str) -> types.ModuleType:
  """Imports a module of PACKAGES.

  Args:
    module: its name.
    place: what needs it, with which the error begins.

  Raises:
    ValueError: it is not installed, or does not import; how to install it.
  """
  try:
    return importlib.import_module(module)
  except ImportError as error:
    raise ValueError(
        f'{place} needs {module}, which does not import: {error}. '
        f'Run: {install(module)}') from error


def install(module: str) -> str:
  """The command that installs a module of PACKAGES."""
  return f'pip install {PACKAGES[module]}'

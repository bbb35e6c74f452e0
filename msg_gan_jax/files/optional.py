"""Packages that only some sources need, and how to get them."""
import importlib


def load(module, source):
  """The module; the extra of setup.cfg that holds it is named as the source.

  Raises:
    ValueError: it is not installed, or does not import.
  """
  try:
    return importlib.import_module(module)
  except ImportError as error:
    raise ValueError(
        f'config.data.name: {source!r} needs {module}, which does not import: '
        f"{error}. Run: pip install 'msg_gan_jax[{source}]'") from error

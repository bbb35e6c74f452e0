"""Imports packages that only some sources need."""
import importlib
import types


def require(module: str, extra: str) -> types.ModuleType:
  """Imports a module that an extra of setup.cfg brings.

  Args:
    module: its name, such as 'tensorflow_datasets'.
    extra: the extra, which is called like the source that needs it.

  Raises:
    ValueError: it is not installed, or does not import; how to install it.
  """
  try:
    return importlib.import_module(module)
  except ImportError as error:
    raise ValueError(
        f'config.data.name: {extra!r} needs {module}, which does not import: '
        f"{error}. Run: pip install 'msg_gan_jax[{extra}]'") from error

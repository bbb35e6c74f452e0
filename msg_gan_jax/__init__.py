"""MSG-GAN and the GANs it is compared with, as pure functions in JAX and Flax.

`build`, `template` and the rest are looked up on first use, so that importing
the package, or an experiment file, loads no jax.
"""
import importlib

__version__ = '0.1.0'

_HOME = {
    'build': 'gan.build',
    'evaluate': 'metrics.evaluate',
    'Config': 'config.schema',
    'parse': 'config.schema',
    'template': 'config.schema',
    'open_source': 'data.sources',
}
__all__ = sorted(_HOME)


def __getattr__(name):
  if name not in _HOME:
    raise AttributeError(f'msg_gan_jax has no {name!r}; it has {__all__}')
  module = importlib.import_module(f'{__name__}.{_HOME[name]}')
  return getattr(module, name)

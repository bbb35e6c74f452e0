"""Every setting, and the presets; loads no jax."""
from msg_gan_jax.config.schema import (
  Config,
  differences,
  flatten,
  metadata,
  parse,
  template,
)

__all__ = ['Config', 'differences', 'flatten', 'metadata', 'parse', 'template']

"""jax.jit with the compiler options that are fast on this machine.

XLA's own choices are not the fastest for convolutions of a GAN everywhere.
OPTIONS says which ones are, and where that was measured. jax takes options for
outermost programs alone, and ours nest: `jit` gives them to what is called
while nothing is being traced.
"""
from collections.abc import Callable
from concurrent import futures
import functools
import importlib.metadata
import logging
import os
import platform
from typing import Any, NamedTuple

import jax
import jax.extend

Options = dict[str, str | bool | int]

_LOG = logging.getLogger(__name__)


class Row(NamedTuple):
  """Options, and where they are in force.

  Attributes:
    backend: such as 'cpu'.
    machines: what platform.machine() may say, in small letters.
    jaxlib: the first version, such as (0, 10).
    options: {name: value}, as jax.jit takes them.
  """
  backend: str
  machines: tuple[str, ...]
  jaxlib: tuple[int, ...]
  options: Options


# Where nothing is listed, XLA's defaults are in force.
OPTIONS = (
    # YNNPACK, to which jaxlib 0.10 and later give convolutions, is slow at
    # those of a GAN, and slowest at the gradients of their kernels:
    # benchmarks/README.md has the figures.
    Row('cpu', ('x86_64', 'amd64'), (0, 10),
        {'xla_cpu_experimental_ynn_fusion_type': ''}),
)


@functools.cache
def options() -> Options:
  """The options that are in force in this process.

  Those of OPTIONS for this machine, but for what XLA_FLAGS sets otherwise and
  what this jaxlib does not know. Starts the backend.
  """
  chosen: Options = {}
  for row in OPTIONS:
    if (row.backend == jax.default_backend()
        and platform.machine().lower() in row.machines
        and _version('jaxlib') >= row.jaxlib):
      chosen |= row.options
  words = os.environ.get('XLA_FLAGS', '').split()
  own = dict(word.lstrip('-').partition('=')[::2] for word in words)
  chosen = {name: value for name, value in chosen.items()
            if own.get(name, value) == value and _is_known(name, value)}
  _LOG.debug('compiler options: %s', chosen or "XLA's own")
  return chosen


def _version(package):
  """The first two numbers of a package's version."""
  major, minor = importlib.metadata.version(package).split('.')[:2]
  return int(major), int(minor)


def _is_known(name, value):
  try:
    jax.jit(lambda: 0, compiler_options={name: value}).lower().compile()
  except Exception as error:  # Which one it is differs between versions.
    _LOG.debug('compiler option %s=%r is left out: %s', name, value, error)
    return False
  return True


class Jitted:
  """What `jit` returns: it is called and lowered as what jax.jit returns."""

  def __init__(self, function: Callable[..., Any], **settings: Any):
    functools.update_wrapper(self, function)
    self._function, self._settings = function, settings
    # In a program that is being traced, and where there are no options.
    self._plain = jax.jit(function, **settings)

  @functools.cached_property
  def _outermost(self):
    # Not before the first call: to look for options starts the backend.
    return self._plain if not options() else jax.jit(
        self._function, compiler_options=options(), **self._settings)

  def __call__(self, *args: Any, **kwargs: Any) -> Any:
    program = self._plain if is_tracing() else self._outermost
    return program(*args, **kwargs)

  def lower(self, *args: Any, **kwargs: Any) -> jax.stages.Lowered:
    """As the method of what jax.jit returns, with the options."""
    return self._outermost.lower(*args, **kwargs)


def jit(function: Callable[..., Any], **settings: Any) -> Jitted:
  """jax.jit, with the options of this machine where they may be given.

  Args:
    function: as of jax.jit.
    **settings: as of jax.jit: static_argnames, donate_argnums, ...
  """
  return Jitted(function, **settings)


def is_tracing() -> bool:
  """Whether a function is being transformed, as by jax.jit, vmap or grad."""
  return _trace_state() != _outside()


def _trace_state():
  return jax.extend.core.get_opaque_trace_state(convention='msg_gan_jax')


@functools.cache
def _outside():
  with futures.ThreadPoolExecutor(1) as thread:  # A new one traces nothing.
    return thread.submit(_trace_state).result()

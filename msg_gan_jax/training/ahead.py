"""Compiles in the background what the first step needs.

Data are opened, parameters drawn and pictures shown meanwhile: XLA compiles
without Python's lock. Only compiling happens here. Whatever runs on the devices
is called by the main thread, in the same order in every process of a run.
"""
from collections.abc import Callable, Iterable
from concurrent import futures
import logging
import threading

import jax

_LOG = logging.getLogger(__name__)


class Ahead:
  """Programs that a thread compiles; jax's cache of programs keeps them.

  An error is not told here. Whoever calls the program meets it once more.

  Args:
    lower: returns the programs; the same one may be in it several times.
  """

  def __init__(self, lower: Callable[[], Iterable[jax.stages.Lowered]]):
    self._thread = threading.Thread(target=self._compile, args=(lower,))
    self._thread.start()

  def wait(self) -> None:
    """Returns once they are compiled: nothing is compiled twice."""
    self._thread.join()

  def _compile(self, lower):
    try:
      with futures.ThreadPoolExecutor() as pool:
        # All of them at once: parts of a compilation use one core.
        [*pool.map(lambda program: program.compile(), set(lower()))]
    except Exception as error:
      _LOG.debug('not compiled ahead: %s', error)

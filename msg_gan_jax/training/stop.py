"""Ctrl-C and SIGTERM: finish the step, save, leave."""
import os
import signal

import jax
from jax.experimental import multihost_utils


class Stop:
  """A context in which the first signal only asks to stop.

  A second Ctrl-C interrupts at once. In runs of several processes jax's
  preemption service agrees on the step at which all of them stop.

  Attributes:
    signal: the number of the signal that came, or 0.
  """

  def __init__(self):
    self.signal = 0
    self._before = {}

  def __enter__(self):
    handlers = {signal.SIGINT: self._interrupt, signal.SIGTERM: self._note}
    if jax.process_count() > 1:
      del handlers[signal.SIGTERM]  # the preemption service has it
    for number, handler in handlers.items():
      self._before[number] = signal.signal(number, handler)
    return self

  def __exit__(self, *unused):
    for number, handler in self._before.items():
      signal.signal(number, handler)

  def _note(self, number, frame):
    del frame
    self.signal = number

  def _interrupt(self, number, frame):
    if self.signal:
      raise KeyboardInterrupt
    self._note(number, frame)
    if jax.process_count() > 1:
      os.kill(os.getpid(), signal.SIGTERM)

  def wanted(self, step):
    """Whether to stop after this step.

    Args:
      step: its number. Every process asks at every step, and numbers follow
        each other: the service names the next one, and waits to hear it.
    """
    if jax.process_count() > 1:
      if multihost_utils.reached_preemption_sync_point(step):
        self.signal = self.signal or signal.SIGTERM
        return True
      return False
    return bool(self.signal)

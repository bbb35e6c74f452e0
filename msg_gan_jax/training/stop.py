"""Ctrl-C and SIGTERM: finish the step, save, leave."""
import os
import signal
from typing import Any, Self

import jax

from msg_gan_jax.runs import processes


class Stop:
  """A context in which the first signal only asks to stop.

  A second Ctrl-C interrupts at once. In runs of several processes, jax's
  preemption service agrees on the step at which all of them stop.

  Attributes:
    signal: the number of the signal that came, or 0.
  """

  def __init__(self) -> None:
    self.signal = 0
    self._handlers: dict[int, Any] = {}  # Those that were there before.

  def __enter__(self) -> Self:
    handlers = {signal.SIGINT: self._interrupt, signal.SIGTERM: self._note}
    if jax.process_count() > 1:
      del handlers[signal.SIGTERM]  # The preemption service handles it.
    for number, handler in handlers.items():
      self._handlers[number] = signal.signal(number, handler)
    return self

  def __exit__(self, *unused: object) -> None:
    for number, handler in self._handlers.items():
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

  def wanted(self, step: int) -> bool:
    """Whether to stop after this step.

    Args:
      step: its number; see runs.processes.asked_to_stop.
    """
    if jax.process_count() == 1:
      return bool(self.signal)
    if not processes.asked_to_stop(step):
      return False
    self.signal = self.signal or signal.SIGTERM
    return True

"""Signals that ask a run to end: finish the step, save, leave."""
import os
import signal
from typing import Any, Self

import jax

from msg_gan_jax.runs import processes

# Ctrl-C, an end, a closed terminal, and two that schedulers send before a limit
# of time. Windows has the first two.
SIGNALS = tuple(
    getattr(signal, name)
    for name in ('SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2')
    if hasattr(signal, name))
AGAIN = 75  # EX_TEMPFAIL of sysexits.h, by which schedulers start a job again.


def exit_status(number: int) -> int:
  """The exit status of a process whose run a signal ended.

  Args:
    number: that of the signal; 0 where there was none.

  Returns:
    0; 130 for Ctrl-C, as shells have it; 75 for the others: saved, and the same
    command continues.
  """
  if number == signal.SIGINT:
    return 128 + number
  return AGAIN if number else 0


class _Stopped(BaseException):
  """A signal came before there was anything to save."""


class Stop:
  """A context in which the first signal only asks to stop.

  A second Ctrl-C interrupts at once. Signals that are ignored as it begins stay
  ignored, as `nohup` wants of SIGHUP. In runs of several processes, jax's
  preemption service agrees on the step at which all of them stop.

  Args:
    at_once: whether a signal ends the context itself, since there is nothing to
      save. In a run of several processes it asks all the same: one that is gone
      would leave the others waiting.

  Attributes:
    at_once: the same; it may be changed.
    signal: the number of the signal that came, or 0.
  """

  def __init__(self, at_once: bool = False) -> None:
    self.at_once, self.signal = at_once, 0
    self._handlers: dict[int, Any] = {}  # Those that were there before.
    self._terminals: list[int] = []

  def __enter__(self) -> Self:
    self._terminals = [fd for fd in (1, 2) if os.isatty(fd)]
    for number in SIGNALS:
      if number == signal.SIGTERM and jax.process_count() > 1:
        continue  # The preemption service handles it.
      # None is a handler that is not Python's, and could not be put back.
      if signal.getsignal(number) not in (signal.SIG_IGN, None):
        self._handlers[number] = signal.signal(number, self._note)
    return self

  def __exit__(self, kind: type | None, *unused: object) -> bool:
    for number, handler in self._handlers.items():
      signal.signal(number, handler)
    return kind is _Stopped

  def _note(self, number, frame):
    del frame
    if number == signal.SIGINT and self.signal:
      raise KeyboardInterrupt
    self.signal = number
    # Whoever has begun this context is asked, too: the run may be at its end.
    outer = getattr(self._handlers.get(number), '__self__', None)
    if isinstance(outer, Stop):
      outer.signal = number
    self._leave_closed_terminals()
    if self.at_once and jax.process_count() == 1:
      raise _Stopped
    if jax.process_count() > 1:
      os.kill(os.getpid(), signal.SIGTERM)

  def wanted(self, step: int) -> bool:
    """Whether to stop after this step.

    Args:
      step: its number; see runs.processes.asked_to_stop.
    """
    self._leave_closed_terminals()
    if jax.process_count() == 1:
      return bool(self.signal)
    if not processes.asked_to_stop(step):
      return False
    self.signal = self.signal or signal.SIGTERM
    return True

  def _leave_closed_terminals(self):
    """Lets what is said to a terminal that is gone go nowhere.

    Each line would be an error, also in a run that is to go on (`disown`).
    """
    for fd in self._terminals:
      if not os.isatty(fd):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, fd)
        os.close(nowhere)
    self._terminals = [fd for fd in self._terminals if os.isatty(fd)]

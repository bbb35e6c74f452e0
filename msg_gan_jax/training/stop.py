"""Signals that ask a run to end: finish the step, save, leave."""
import os
import signal
import threading
import time
from typing import Any, ClassVar, Optional, Self

import jax

from msg_gan_jax.runs import member
from msg_gan_jax.runs.member import AGAIN

# Ctrl-C, an end, a closed terminal, and two that schedulers send before a limit
# of time. Windows has the first two.
SIGNALS = tuple(
    getattr(signal, name)
    for name in ('SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2')
    if hasattr(signal, name))
TWICE = 1.  # Seconds in which two signals are one.


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


class Deadline:
  """A context in which a signal leaves only so long to save.

  Whoever sends a signal other than Ctrl-C ends the process soon, whatever it
  does then. Where a save takes longer, the checkpoint before it counts, and
  that is said. A second signal then ends the run at once.

  Args:
    seconds: from the signal; 0 is no limit.
    run: the run's folder, to say what was saved last.
  """
  current: ClassVar[Optional['Deadline']] = None  # That training is inside of.

  def __init__(self, seconds: float, run: str | os.PathLike) -> None:
    self.run, self._seconds = run, seconds
    self._since, self._closed = 0., threading.Event()

  def __enter__(self) -> Self:
    Deadline.current = self
    threading.Thread(target=self._watch, name='deadline', daemon=True).start()
    return self

  def __exit__(self, *unused: object) -> None:
    Deadline.current = None
    self._closed.set()

  def begin(self, number: int) -> None:
    """Counts from now on, if it does not yet."""
    if number != signal.SIGINT:
      self._since = self._since or time.monotonic()

  def _watch(self):
    while self._seconds and not self._closed.wait(.25):
      if (one := member.member()) and one.signal:
        self.begin(one.signal)
      if self._since and time.monotonic() - self._since > self._seconds:
        member.give_up(f'not saved within {self._seconds:g} s of the signal '
                       '(--stop_seconds)', self.run)


class Stop:
  """A context in which the first signal only asks to stop.

  A second Ctrl-C interrupts at once, and inside of a Deadline so does a second
  signal of any kind. Signals that are ignored as it begins stay ignored, as
  `nohup` wants of SIGHUP. Several processes agree on the step at which all of
  them stop; see runs.member.

  Args:
    at_once: whether a signal ends the context itself, since there is nothing to
      save. Of several processes, the others then end too.

  Attributes:
    at_once: the same; it may be changed.
    signal: the number of the signal that came, or 0.

  Raises:
    ValueError: several processes that do not know each other.
  """

  def __init__(self, at_once: bool = False) -> None:
    self.at_once, self.signal = at_once, 0
    self._since = 0.
    self._handlers: dict[int, Any] = {}  # Those that were there before.
    self._terminals: list[int] = []

  def __enter__(self) -> Self:
    if jax.process_count() > 1 and not member.member():
      raise ValueError(
          'several processes train together once '
          'msg_gan_jax.commands.processes.join has joined them; with '
          'jax.distributed.initialize alone they would not stop together.')
    self._terminals = [fd for fd in (1, 2) if os.isatty(fd)]
    for number in SIGNALS:
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
    # One that another process was sent counts not: a scheduler sends it to all.
    if self._since:
      return self._note_another(number)
    self.signal, self._since = number, time.monotonic()
    # Whoever has begun this context is asked, too: the run may be at its end.
    outer = getattr(self._handlers.get(number), '__self__', None)
    if isinstance(outer, Stop):
      outer.signal, outer._since = number, self._since
    self._leave_closed_terminals()
    if Deadline.current:
      Deadline.current.begin(number)
    one = member.member()
    if one and self.at_once:
      one.leave(exit_status(number), 'a signal came before training began')
    elif one:
      one.ask_to_stop(number)
    if self.at_once:
      raise _Stopped

  def _note_another(self, number):
    """Ends the run at once; the others of several, too."""
    # A shell that is closed, and who passes signals on, send one twice.
    if number != signal.SIGINT and time.monotonic() - self._since < TWICE:
      return
    if Deadline.current and (member.member() or number != signal.SIGINT):
      member.give_up('a second signal ended it at once', Deadline.current.run,
                     exit_status(number))
    if number == signal.SIGINT:
      raise KeyboardInterrupt
    self.signal = number

  def wanted(self, step: int) -> bool:
    """Whether to stop after this step.

    Args:
      step: its number; see Member.is_last.
    """
    self._leave_closed_terminals()
    one = member.member()
    if one is None:
      return bool(self.signal)
    if not one.is_last(step):
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

"""One of several processes of a run: whom it hears, and how it ends with them.

Where one of them dies or hangs, the others cannot go on. jax would let them
wait for minutes and then abort them, so that each has a thread with a
connection of its own to process 0, whatever its main thread is stuck in. The
thread says what has happened and ends the process, by os._exit: a program that
waits for another machine cannot be interrupted in another way. A supervisor of
each process would do the same, but doubles the processes that may be killed.
"""
import atexit
import os
import pathlib
import re
import selectors
import socket
import sys
import threading
import time
from typing import NoReturn

from msg_gan_jax.files import console, disk
from msg_gan_jax.runs.hub import BEAT, WITHOUT_A_WORD
from msg_gan_jax.runs.messages import Messages

AGAIN = 75  # EX_TEMPFAIL of sysexits.h, by which schedulers start a job again.
JOINING = 300.  # Seconds, as of jax: schedulers start hosts minutes apart.
GRACE = 2.  # Seconds in which one that has an error of its own can say it.
STATUS = re.compile('[A-Z_]+: ')  # How errors of XLA begin.
# What errors say of a connection between processes, and no error of ours.
OF_OTHERS = re.compile(
    'Gloo|NCCL|CoordinationService|[Bb]arrier|DEADLINE_EXCEEDED|UNAVAILABLE|'
    'CANCELLED|ABORTED|Connection (closed|reset) by peer|Socket closed')


def last_saved(run: str | os.PathLike | None) -> str:
  """What a run's folder has, as a sentence; it is read at this moment."""
  try:
    saved = [int(x.name) for x in pathlib.Path(
        run or '', 'checkpoints').iterdir() if x.name.isdigit()]
  except OSError:
    saved = []
  if not saved:
    return 'There is no checkpoint yet, and the run begins anew'
  return f'The last checkpoint has {max(saved):,} images, where the run goes on'


def end(text: str, run: str | os.PathLike | None = None,
        status: int = AGAIN) -> NoReturn:
  """Says why, and ends this process at once, from any thread.

  Args:
    text: the reason, without a full stop.
    run: the run's folder, to say what was saved last; None says nothing of it.
    status: the exit status.
  """
  def speak():
    more = f'. {last_saved(run)}' if run is not None else ''
    console.say_aside(f'error: {text}{more}')
    sys.stdout.flush()

  # The folder, or the terminal, may hang as well.
  speaking = threading.Thread(target=speak, daemon=True)
  speaking.start()
  speaking.join(5)
  os._exit(status)


class Member:
  """This process, as one of several; its thread begins with it.

  Args:
    address: HOST and port at which process 0 hears the others.
    processes, process: how many there are, and which this one is.
    patience: seconds until one that says nothing counts as gone.
    run: the run's folder, to say what was saved last.
    joining: seconds until all have to be there.

  Attributes:
    service: port of jax's coordination service on process 0's machine.
    signal: that a process was sent, from when all have been asked to stop; 0.

  Raises:
    TimeoutError: some did not come.
    ValueError: process 0 was told of another number of processes, or has one
      of this number.
  """

  def __init__(self, address: tuple[str, int], processes: int, process: int,
               patience: float, run: str | os.PathLike,
               joining: float = JOINING):
    self.process, self.processes = process, processes
    self.signal = 0
    self._address, self._patience, self._run = address, patience, run
    self._change = threading.Condition()
    self._at = 0
    self._frozen: int | None = None  # The step that is told, once asked.
    self._until: int | None = None
    self._own, self._all_left = threading.Event(), threading.Event()
    self._heard_me = threading.Event()
    self._came: list[dict] = []  # What came together with `begin`.
    self._messages = self._join(time.monotonic() + joining, joining)
    threading.Thread(target=self._watch, name='member', daemon=True).start()

  def connect(self) -> socket.socket:
    """A new connection to process 0."""
    return socket.create_connection(self._address, 5)

  def _join(self, until, joining):
    """Waits until all are there; returns the connection."""
    soon = time.monotonic() + 10
    while time.monotonic() < until + BEAT:
      try:
        messages = Messages(self.connect())
      except OSError:  # It has not begun, or ends just now.
        time.sleep(BEAT)
        continue
      if self._is_welcome(messages, until, soon):
        return messages
      messages.close()
      time.sleep(BEAT)
    host, port = self._address
    raise TimeoutError(f'process 0 did not answer at {host}:{port} within '
                       f'{joining:g} s. Start the same command on all hosts.')

  def _is_welcome(self, messages, until, soon):
    """Whether all came to be there; False where it is worth another try."""
    messages.send(process=self.process, processes=self.processes)
    try:
      # Process 0 tells who is late; where it hangs, this one knows it.
      while time.monotonic() < until + 5:
        came = messages.receive()
        for i, message in enumerate(came):
          if 'begin' in message:
            self.service, self._came = int(message['begin']), came[i + 1:]
            return True
          if 'late' in message:
            messages.close()
            raise TimeoutError(_late(message['late'], self.processes,
                                     message['seconds']))
          if 'refused' in message and time.monotonic() > soon:
            messages.close()
            raise ValueError(
                f'--processes, --process: {message["refused"]}. Wanted the '
                'same number of processes in each command, and a process of '
                'its own.')
          if 'refused' in message:  # It may be one that is about to end.
            return False
    except ConnectionError:
      pass
    return False

  def _watch(self):
    """What the thread does, until all have left or it ends the process."""
    selector = selectors.DefaultSelector()
    selector.register(self._messages.connection, selectors.EVENT_READ)
    last = heard = time.monotonic()
    beaten, zero = 0., self._name(0)
    for message in self._came:
      self._take(message)
    while not self._all_left.is_set():
      ready = selector.select(BEAT / 2)
      now = time.monotonic()
      if now - last > self._patience:
        self._end(f'this process stood still for {now - last:.0f} s, and the '
                  'others have ended without it')
      last = now
      try:
        messages = self._messages.receive() if ready else []
      except ConnectionError:
        return self._end(f'{zero} {WITHOUT_A_WORD}')
      for message in messages:
        heard = now
        self._take(message)
      if now - heard > self._patience:
        self._end(f'{zero} has not been heard from for {self._patience:g} s')
      if now - beaten >= BEAT:
        beaten = now
        self._messages.send(beat=True)
    selector.close()
    self._messages.close()

  def _take(self, message):
    """Does what process 0 says."""
    if 'gone' in message:
      process, status = message['gone'], message['status']
      if process == self.process:
        return
      if status is None:
        self._end(f'{self._name(process)} {message["text"]}')
      # All may have come to the same error: then each says it.
      if not self._own.wait(GRACE):
        self._end(f'{self._name(process)} has ended: {message["text"]}',
                  1 if status == 1 else AGAIN)
    elif 'asked' in message:
      with self._change:
        self._frozen, self.signal = self._at, int(message['signal'])
      self._messages.send(at=self._frozen)
    elif 'until' in message:
      with self._change:
        self._until = int(message['until'])
        self._change.notify_all()
    elif 'heard' in message:
      self._heard_me.set()
    elif 'all_left' in message:
      self._all_left.set()

  def _name(self, process):
    return f'process {process} of {self.processes}'

  def _end(self, text, status=AGAIN):
    """Ends this process, unless its main thread does: it has said why."""
    if self._own.is_set():
      return
    what = '' if status == 1 else (
        '; it takes all of them to go on, so start the same commands again')
    end(text.rstrip('.') + what, self._run, status)

  def ask_to_stop(self, signal: int) -> None:
    """Asks all processes to stop after the same step."""
    self._messages.send(stop=signal)

  def is_last(self, step: int) -> bool:
    """Whether all processes stop after this step.

    The step is the one after the latest that any process is in as they are
    asked. Whoever has not come so far goes on; whoever has waits to hear it.

    Args:
      step: its number; each call has the next one.
    """
    with self._change:
      while self._until is None and self._frozen is not None and (
          step > self._frozen):
        self._change.wait(1)
      self._at = step
      return self._until is not None and step >= self._until

  def leave(self, status: int, text: str = '',
            error: BaseException | None = None) -> None:
    """Says farewell; returns once all have, or at once where it is an error.

    Args:
      status: the exit status that this process will have.
      text: what went wrong, for the others; '' if nothing did.
      error: the same. Where it is of a connection, the thread is given the time
        to find out who is gone; either way that ends this process.
    """
    if self._own.is_set():
      return
    if error is not None and _of_others(error):
      time.sleep(self._patience + GRACE)
      give_up('its connections to the others broke, though all of them answer '
              '(--debug shows more)', self._run)
    if text:
      self._own.set()
    self._messages.send(left=status, text=text[:4000])
    if not text:  # Another one may still fail.
      self._all_left.wait()
      return
    self._heard_me.wait(GRACE)
    # At its end jax would wait for the others, and abort.
    atexit.register(_exit, status)


def _exit(status):
  sys.stdout.flush()
  os._exit(status)


def _late(missing, processes, seconds):
  names = ' and '.join(map(str, missing))
  return (f'process{"es" if len(missing) > 1 else ""} {names} of {processes} '
          f'did not come within {seconds:g} s. Start the same command on all '
          'hosts.')


def _of_others(error):
  """Whether an error, or what led to it, is of a connection to others."""
  if disk.is_full(error):  # The others wait for this one then.
    return False
  seen: BaseException | None = error
  while seen is not None:
    text = str(seen)
    # Words for people, which are ours, may be any; XLA's begin with a status.
    ours = isinstance(seen, ValueError) and not STATUS.match(text)
    if not ours and OF_OTHERS.search(text):
      return True
    seen = seen.__cause__ or (
        None if seen.__suppress_context__ else seen.__context__)
  return False


_SELF: list[Member] = []


def join(*given, **more) -> Member:
  """Makes this process one of several; see Member."""
  _SELF[:] = [Member(*given, **more)]
  return _SELF[0]


def member() -> Member | None:
  """This process as one of several; None if it is alone."""
  return _SELF[0] if _SELF else None


def leave(status: int, text: str = '',
          error: BaseException | None = None) -> None:
  """Says farewell to the other processes, if there are any; see Member."""
  if one := member():
    one.leave(status, text, error)


def give_up(text: str, run: str | os.PathLike, status: int = AGAIN) -> NoReturn:
  """Ends this process at once, and the others of its run; see `end`."""
  leave(status, text)
  end(text, run, status)

"""What process 0 hears from all processes of a run, and tells them."""
from collections.abc import Mapping
import contextlib
import selectors
import socket
import threading
import time
from typing import Any

from msg_gan_jax.runs import relay
from msg_gan_jax.runs.messages import Messages

BEAT = .5  # Seconds between two signs of life.
WITHOUT_A_WORD = 'has ended without a word, as one that is killed does'


class _Of:
  """A connection, and what is known of the process at its other end."""

  def __init__(self, connection):
    self.messages = Messages(connection)
    self.process = -1  # Until it has said which one it is.
    self.heard = time.monotonic()
    self.left = False


class Hub:
  """The middle of a star: each process has one connection, also process 0.

  A process says `process` and `processes` first, then `beat` again and again,
  and at the end `left` with its exit status, and a text if it was an error. It
  hears `begin` once all are there; `beat`; `gone`, with a text, where a process
  has ended, has not been heard from for the patience, or has left with an
  error; and `all_left`. `stop` of one is told to all as `asked`; each says `at`
  which step it is, and all hear the step `until` which they go on.

  A connection that begins with `relay` is one of jax's service.

  Args:
    port: of this machine.
    processes: how many there are.
    patience: seconds until one that says nothing counts as gone.
    joining: seconds until all have to be there.
    service: port of jax's coordination service on this machine.

  Raises:
    OSError: the port cannot be had.
  """

  def __init__(self, port: int, processes: int, patience: float,
               joining: float, service: int):
    self._processes, self._patience = processes, patience
    self._service = service
    self._until = time.monotonic() + joining
    self._joining = joining
    both = socket.has_dualstack_ipv6()
    self._server = socket.create_server(
        ('', port), backlog=4 * processes, dualstack_ipv6=both,
        family=socket.AF_INET6 if both else socket.AF_INET)
    self._selector = selectors.DefaultSelector()
    self._selector.register(self._server, selectors.EVENT_READ)
    self._of: dict[int, _Of] = {}
    self._strangers: set[_Of] = set()
    self._begun = self._over = False
    self._asked = False
    self._at: dict[int, int] = {}
    threading.Thread(target=self._listen, name='hub', daemon=True).start()

  def _listen(self):
    beaten = 0.
    while not self._over:
      for key, _ in self._selector.select(BEAT / 2):
        if key.data is None:
          self._accept()
        else:
          self._hear(key.data)
      now = time.monotonic()
      if now - beaten >= BEAT:
        beaten = now
        self._tell(beat=True)
      self._judge(now)
    for of in [*self._of.values(), *self._strangers]:
      of.messages.close()
    self._server.close()
    self._selector.close()

  def _accept(self):
    with contextlib.suppress(OSError):
      of = _Of(self._server.accept()[0])
      self._strangers.add(of)
      self._selector.register(
          of.messages.connection, selectors.EVENT_READ, of)

  def _hear(self, of):
    try:
      for message in of.messages.receive():
        of.heard = time.monotonic()
        self._take(of, message)
        if 'relay' in message:
          return
    except (ConnectionError, TypeError, ValueError):  # Strangers say anything.
      self._drop(of)
      if of.process >= 0 and not of.left:
        self._tell_gone(of.process, WITHOUT_A_WORD)

  def _drop(self, of):
    self._selector.unregister(of.messages.connection)
    self._strangers.discard(of)
    of.messages.close()
    if not self._begun:
      self._of.pop(of.process, None)

  def _take(self, of, message: Mapping[str, Any]):
    """Does what one message asks for."""
    if 'relay' in message:
      self._selector.unregister(of.messages.connection)
      self._strangers.discard(of)
      threading.Thread(target=relay.pass_on_to, args=(
          self._service, of.messages), name='relay', daemon=True).start()
    elif 'process' in message:
      self._welcome(of, message['process'], message.get('processes'))
    elif of.process < 0:
      raise ConnectionError('not one of this run')
    elif 'stop' in message and not self._asked:
      self._asked = True
      self._tell(asked=of.process, signal=message['stop'])
    elif 'at' in message:
      self._at[of.process] = int(message['at'])
      if len(self._at) == self._processes:
        # One that is a step ahead of another cannot stop any sooner.
        self._tell(until=max(self._at.values()) + 1)
    elif 'left' in message:
      of.left = True
      if text := message.get('text'):
        self._tell_gone(of.process, text, int(message['left']))
      of.messages.send(heard=True)
      if all(x.left for x in self._of.values()) and self._begun:
        self._tell(all_left=True)
        self._over = True

  def _welcome(self, of, process, processes):
    if processes != self._processes:
      of.messages.send(refused=f'process 0 was told of {self._processes} '
                       f'processes, and process {process} of {processes}')
    elif process in self._of or self._begun:
      of.messages.send(refused=f'there is a process {process} already')
    elif process not in range(processes):
      raise ConnectionError('no such process')
    else:
      of.process = process
      self._of[process] = of
      self._strangers.discard(of)
      if len(self._of) == self._processes:
        self._begun = True
        for one in self._of.values():
          one.heard = time.monotonic()
        self._tell(begin=self._service)

  def _judge(self, now):
    """Tells of who has not come in time, or has been silent for too long."""
    for of in [x for x in self._strangers if now - x.heard > self._patience]:
      self._drop(of)
    if not self._begun:
      if now > self._until:
        missing = [i for i in range(self._processes) if i not in self._of]
        self._tell(late=missing, seconds=self._joining)
        self._over = True
      return
    for process, of in self._of.items():
      if not of.left and now - of.heard > self._patience:
        self._tell_gone(process, 'has not been heard from for '
                        f'{self._patience:g} s')

  def _tell_gone(self, process, text, status=None):
    if self._begun or status is not None:
      self._tell(gone=process, text=text, status=status)

  def _tell(self, **message):
    for of in self._of.values():
      of.messages.send(**message)

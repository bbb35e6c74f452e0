"""Passes on the bytes of jax's coordination service, and hides its end.

A client of that service aborts its process, with a page of C++, as soon as the
connection to process 0 ends, and no setting of jax's holds that off. So every
client speaks to a port of its own process. What comes there goes on to the port
at which process 0 hears the others (`runs.hub`), and from there to the service.
When process 0 ends, the client's connection stays open, and silent.
"""
from collections.abc import Callable
import contextlib
import socket
import threading
import time

from msg_gan_jax.runs.messages import Messages

READY = b'!'  # Process 0 passes on what comes from now on.


def open_port(connect: Callable[[], socket.socket]) -> int:
  """A port of this machine alone, whose connections go to process 0.

  Args:
    connect: connects to where process 0 hears the others.
  """
  server = socket.create_server(('127.0.0.1', 0))
  kept = []  # Connections of the client that lead nowhere, and stay open.

  def accept():
    while True:
      inner, _ = server.accept()
      try:
        outer = connect()
        Messages(outer).send(relay=True)
        outer.settimeout(60)  # The service may not have begun.
        # What comes before this would be taken for messages.
        if not outer.recv(len(READY)):
          raise ConnectionError
        pass_on(inner, outer, hide_end=True)
      except OSError:  # Process 0 is gone, and `runs.member` ends this one.
        kept.append(inner)

  threading.Thread(target=accept, name='relay', daemon=True).start()
  return server.getsockname()[1]


def pass_on_to(port: int, outer: Messages) -> None:
  """Passes on what comes to a port of this machine, once that is open.

  Args:
    port: of jax's service, which may still be about to begin.
    outer: a connection of another process.
  """
  inner = None
  while inner is None:
    try:
      inner = socket.create_connection(('127.0.0.1', port))
    except OSError:
      time.sleep(.1)
  with contextlib.suppress(OSError):
    outer.connection.sendall(READY)
    pass_on(inner, outer.connection)


def pass_on(inner: socket.socket, outer: socket.socket,
            hide_end: bool = False) -> None:
  """Begins to pass on bytes between two sockets, both ways, until one ends.

  Args:
    inner, outer: connected sockets; they are closed at the end.
    hide_end: whether `inner` stays open where `outer` ends.
  """
  for connection in (inner, outer):
    connection.settimeout(None)
  ended = threading.Semaphore(0)
  for source, sink in (inner, outer), (outer, inner):
    threading.Thread(
        target=_copy, name='relay', daemon=True,
        args=(source, sink, source is inner and hide_end,
              sink is inner and hide_end, ended)).start()


def _copy(source, sink, to_the_end, leave_open, ended):
  """Passes on what comes; whoever is the second to end closes both.

  Args:
    source, sink: sockets.
    to_the_end: whether to read on where the sink is gone.
    leave_open: whether the sink is not told of the end.
    ended: a semaphore of both directions.
  """
  with contextlib.suppress(OSError):
    while data := source.recv(2**16):
      with contextlib.suppress(OSError) if to_the_end else (
          contextlib.nullcontext()):
        sink.sendall(data)
  if not leave_open:
    with contextlib.suppress(OSError):
      sink.shutdown(socket.SHUT_RDWR)
  if ended.acquire(blocking=False):
    source.close()
    sink.close()
  ended.release()

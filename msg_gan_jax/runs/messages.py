"""Lines of JSON between two processes, over a socket."""
import contextlib
import json
import socket
from typing import Any

LONGEST = 16 * 2**10  # Bytes of a line; longer ones are not from a run.
SECONDS = 5.  # A line that does not go away in this time never will.


class Messages:
  """One end of a connection; at the other is one of the same kind.

  Args:
    connection: a socket that is connected; it is closed by `close`.
  """

  def __init__(self, connection: socket.socket):
    self.connection = connection
    self._rest = b''  # What came after the last whole line.
    connection.settimeout(SECONDS)

  def send(self, **message: Any) -> bool:
    """Sends a message of plain JSON; False if the other end is gone."""
    try:
      self.connection.sendall(json.dumps(message).encode() + b'\n')
    except OSError:
      return False
    return True

  def receive(self) -> list[dict[str, Any]]:
    """The messages that have come, once anything has; it blocks until then.

    Raises:
      ConnectionError: the other end is gone, or says what is no message.
    """
    try:
      came = self.connection.recv(2**16)
    except TimeoutError:
      return []
    except OSError as error:
      raise ConnectionError(str(error)) from None
    *lines, self._rest = (self._rest + came).split(b'\n')
    try:
      messages = [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
      messages = [None]
    if not came and not lines or len(self._rest) > LONGEST or not all(
        isinstance(message, dict) for message in messages):
      raise ConnectionError('the connection ended')
    return messages

  def close(self) -> None:
    """Ends the connection; what was sent still arrives."""
    with contextlib.suppress(OSError):
      self.connection.shutdown(socket.SHUT_RDWR)
    self.connection.close()

"""A small server for one person: by default on this machine alone.

Others of the same machine reach its loopback addresses too, and so does any
page that is open in a browser. Hence every request needs the token (as
Jupyter's do), and must call the server by a name that is its own: a page of
elsewhere whose name leads here, by DNS, has another one.
"""
from collections.abc import Callable, Mapping, Sequence
import contextlib
import hashlib
import hmac
from http import server
import ipaddress
import re
import secrets
import socket
import socketserver
import sys
import threading
import time
from typing import Any, NamedTuple
from urllib import parse

from msg_gan_jax.files import console

HEADERS = {
    'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff', 'X-Frame-Options': 'DENY',
    'Cross-Origin-Resource-Policy': 'same-origin'}
_HOST = re.compile(r'(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?', re.ASCII)
LOOPBACK = '127.0.0.1', '::1', 'localhost'
PATIENCE = 10.  # Seconds for one who has connected to say what is wanted.
AT_ONCE = 64  # Connections: whoever has no token can hold no more than these.
TRIED = 20  # Ports, after a first one that is taken.


class Answer(NamedTuple):
  """What a request gets.

  Attributes:
    content: bytes of it.
    kind: of it, a media type.
    status: of HTTP.
  """
  content: bytes
  kind: str = 'text/html; charset=utf-8'
  status: int = 200


# A path and the values of a query -> what is answered; it is called by one
# thread at a time or by several.
Answers = Callable[[str, Mapping[str, Sequence[str]]], Answer]


class Loopback(socketserver.ThreadingTCPServer):
  """A server that answers GET alone, to those who have its token.

  Args:
    answers: what it says; no request without the token gets there.
    host: the address that it listens at.
    port: of it; 0 takes any.
    try_others: whether the ports that follow are tried where it is taken.

  Attributes:
    token: of this server, new each time.
    names: that it is called by.

  Raises:
    ValueError: no such address here, or the port is taken.
  """
  allow_reuse_address = True
  request_queue_size = 128
  daemon_threads = True
  block_on_close = False

  def __init__(self, answers: Answers, host: str, port: int,
               try_others: bool = False):
    self.answers, self.host = answers, host
    self._free = threading.BoundedSemaphore(AT_ONCE)
    self.token = secrets.token_urlsafe(24)
    self.names = {*LOOPBACK, host}
    if not self.is_private:
      self.names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
    if ':' in host:
      self.address_family = socket.AF_INET6
    ports = range(port, port + TRIED) if port and try_others else [port]
    for place in ports:
      try:
        super().__init__((host, place), _Handler)
        return
      except (OSError, OverflowError) as error:
        failed = error
    raise ValueError(f'host={host}, port={port}: no server can listen there '
                     f'({failed}). Give another host or port; port=0 takes any '
                     'that is free.') from failed

  @property
  def port(self) -> int:
    """The port that it listens at."""
    return self.server_address[1]

  @property
  def is_private(self) -> bool:
    """Whether it can be reached from this machine alone."""
    return self.host in LOOPBACK

  @property
  def address(self) -> str:
    """Where a browser finds it, with the token."""
    name = self.host
    if name in ('0.0.0.0', '::', ''):
      name = socket.gethostname()
    name = f'[{name}]' if ':' in name else name
    return f'http://{name}:{self.port}/?token={self.token}'

  def is_called(self, host: str) -> bool:
    """Whether a Host header has a name of this server."""
    found = _HOST.fullmatch(host.lower())
    name = found[1].strip('[]') if found else ''
    return name in self.names or (not self.is_private and _is_address(name))

  def get_request(self) -> tuple[Any, Any]:
    """The next connection; where no file can be opened, not at once."""
    try:
      return super().get_request()
    except OSError:
      time.sleep(.1)
      raise

  def process_request(self, request: Any, client_address: Any) -> None:
    """In a thread, as long as there are not too many."""
    if self._free.acquire(blocking=False):
      super().process_request(request, client_address)
    else:
      self.shutdown_request(request)

  def process_request_thread(self, request: Any, client_address: Any) -> None:
    """The thread of one connection."""
    try:
      super().process_request_thread(request, client_address)
    finally:
      self._free.release()

  def handle_error(self, request: object, client_address: object) -> None:
    """One who has gone away is no error; others are told in a line."""
    del request, client_address
    error = sys.exception()
    if not isinstance(error, ConnectionError | TimeoutError):
      console.say_aside(f'warning: {type(error).__name__}: {error}')


def _is_address(name):
  """No name of elsewhere leads to a server by its number."""
  try:
    ipaddress.ip_address(name)
  except ValueError:
    return False
  return True


class _Handler(server.BaseHTTPRequestHandler):
  """One request."""
  server: Loopback
  timeout = PATIENCE
  server_version, sys_version = 'msg_gan_jax', ''

  def handle(self) -> None:
    """One request, which must have come whole in time."""
    self._clock = threading.Timer(PATIENCE, self._hang_up)
    self._clock.daemon = True
    self._clock.start()
    try:
      super().handle()
    finally:
      self._clock.cancel()

  def _hang_up(self):
    with contextlib.suppress(OSError):
      self.connection.shutdown(socket.SHUT_RDWR)

  def do_GET(self) -> None:
    """Answers, or refuses."""
    self._clock.cancel()
    self._send(self._answer())

  def _answer(self):
    try:
      hosts = self.headers.get_all('Host', [])
      called = len(hosts) == 1 and self.server.is_called(hosts[0])
      address = parse.urlsplit(self.path)
      values = parse.parse_qs(address.query, errors='surrogateescape')
    except ValueError:  # Nothing that a browser would send.
      return _text('This is no address.', 400)
    if not called:
      return _text('This server is not called so.', 403)
    given = values.pop('token', [''])[0]
    if not hmac.compare_digest(
        given.encode(errors='replace'), self.server.token.encode()):
      return _text('This server wants its token: open the whole address that '
                   'it printed as it started.', 403)
    try:
      return self.server.answers(address.path, values)
    except Exception as error:  # It goes on for all others.
      console.say_aside(f'warning: {type(error).__name__}: {error}')
      return _text(f'{type(error).__name__}: {error}', 500)

  def _send(self, answer):
    tag = f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
    same = answer.status == 200 and self.headers.get('If-None-Match') == tag
    self.send_response(304 if same else answer.status)
    for name, value in HEADERS.items():
      self.send_header(name, value)
    self.send_header('ETag', tag)
    if not same:
      self.send_header('Content-Type', answer.kind)
      self.send_header('Content-Length', str(len(answer.content)))
    self.end_headers()
    if not same:
      self.wfile.write(answer.content)

  def log_message(self, format: str, *args: object) -> None:
    """Nothing: a line for each look would hide the address."""


def _text(words, status):
  return Answer(words.encode(), 'text/plain; charset=utf-8', status)

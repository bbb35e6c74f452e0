"""A server of --mode=watch within a test."""
import contextlib
import threading

from msg_gan_jax.commands.loopback import Loopback
from msg_gan_jax.commands.watched import Watched


@contextlib.contextmanager
def serve(root):
  watched = Watched(root)
  with Loopback(watched, '127.0.0.1', 0) as server:
    watched.token = server.token
    threading.Thread(
        target=server.serve_forever, args=(.01,), daemon=True).start()
    yield server
    server.shutdown()

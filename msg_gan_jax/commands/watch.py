"""--mode=watch: runs as they train, as pages of a small server."""
import getpass
import os
import pathlib
import socket
import threading

from absl import flags

from msg_gan_jax.commands import shared_flags as shared
from msg_gan_jax.commands.loopback import Loopback
from msg_gan_jax.config import tables
from msg_gan_jax.files import console

SHARED: shared.Flags = ()
EXAMPLES: shared.Examples = (
    ' --mode=watch --workdir=runs',
    ' --mode=watch --workdir=runs --port=9000',
)
HOST = flags.DEFINE_string(
    'host', '127.0.0.1', 'The address that others reach; this one is for this '
    'machine alone, and 0.0.0.0 for all that reach it.')
PORT = flags.DEFINE_integer(
    'port', 8650, 'Where it is taken, and not asked for, the next one that is '
    'free; 0 takes any.', lower_bound=0, upper_bound=65535)


def run() -> int:
  """Serves pages until it is interrupted."""
  from msg_gan_jax.commands.watched import Watched
  workdir = shared.existing_run()
  if not os.path.isdir(workdir):
    raise ValueError(f'workdir {workdir}: no such folder.{_near(workdir)}')
  watched = Watched(workdir)
  with Loopback(watched, HOST.value, PORT.value,
                not flags.FLAGS['port'].present) as server:
    watched.token = server.token
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    console.say(server.address)
    _tell(server)
    try:
      thread.join()
    except KeyboardInterrupt:
      server.shutdown()
  console.say_aside('Stopped.')
  return 0


def _near(workdir):
  """' Did you mean FOLDER?' of one beside it with a like name, or ''."""
  path = pathlib.Path(os.path.abspath(workdir))
  beside = [x.name for x in path.parent.iterdir() if x.is_dir()] if (
      path.parent.is_dir()) else []
  close = tables.closest(path.name, beside)
  return f' Did you mean {os.path.join(os.path.dirname(workdir), close)}?' if (
      close) else ''


def _tell(server):
  """How to get there, and what to take care of."""
  if server.is_private:
    place = f'{server.port}:{server.host}:{server.port}'
    console.say_aside(
        'Seen from this machine alone. From another one: ssh -L '
        f'{place} {getpass.getuser()}@{socket.gethostname()}, and then the '
        'same address there.')
  else:
    console.say_aside(
        'warning: whoever reaches this machine and has the address sees the '
        'runs, and nothing is encrypted on the way.')
  console.say_aside('Whoever has the address may look. Ctrl-C ends it.')

"""Debian's PostgreSQL on loopback, for a test: started, killed, started again.
"""
import contextlib
import glob
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

USER = 'postgres'  # Of the machine, where tests run as root; and of the server.
PASSWORD = 'not a secret'


def binaries():
  """The folder of initdb and postgres, or None."""
  asked = []
  if shutil.which('pg_config'):
    asked.append(subprocess.run(
        ['pg_config', '--bindir'], capture_output=True, text=True,
        check=False).stdout.strip())
  if shutil.which('initdb'):
    asked.append(os.path.dirname(shutil.which('initdb')))
  asked += sorted(glob.glob('/usr/lib/postgresql/*/bin'), reverse=True)
  for folder in map(pathlib.Path, filter(None, asked)):
    if all((folder / x).is_file() for x in ('initdb', 'postgres')):
      return folder
  return None


class Server:
  """A server with a database of its own.

  Args:
    folder: it is kept, and a server that has been in it goes on; a temporary
      one if None.

  Attributes:
    address: of it, as `storage.open_storage` takes it.

  Raises:
    OSError: there is none, or it cannot be started here.
  """

  def __init__(self, folder=None):
    self._bin = binaries()
    if self._bin is None:
      raise OSError('PostgreSQL is not installed')
    # The server refuses to be root.
    self._user = {'user': USER, 'group': USER, 'extra_groups': []} if (
        os.getuid() == 0) else {}
    self._kept = folder is not None
    self._folder = pathlib.Path(
        folder or tempfile.mkdtemp(prefix='study_postgres_'))
    self._folder.mkdir(parents=True, exist_ok=True)
    self._process = None
    with socket.socket() as probe:
      probe.bind(('127.0.0.1', 0))
      self._port = probe.getsockname()[1]
    self.address = self.at()
    try:
      if self._user:
        shutil.chown(self._folder, USER, USER)
      if not (self._folder / 'data').is_dir():
        self._make()
      self.start()
    except (LookupError, subprocess.CalledProcessError) as error:
      self.close()
      raise OSError(f'PostgreSQL cannot be started: {error}') from error

  def _make(self):
    secret = self._folder / 'password'
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    self._run('initdb', '--no-sync', '-D', self._folder / 'data', '-U', USER,
              '--auth=scram-sha-256', f'--pwfile={secret}', '--no-locale',
              '-E', 'UTF8')

  def at(self, password=PASSWORD, database='postgres', port=None):
    """An address of this server, or of one that is not there."""
    return (f'postgresql://{USER}:{password.replace(" ", "%20")}@127.0.0.1:'
            f'{port or self._port}/{database}')

  def _run(self, name, *arguments):
    subprocess.run([self._bin / name, *arguments], check=True, cwd='/',
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                   **self._user)

  def start(self, seconds=60.):
    """Starts it and waits until it answers, after its recovery."""
    log = open(self._folder / 'log', 'ab')  # noqa: SIM115
    with log:
      self._process = subprocess.Popen(
          [self._bin / 'postgres', '-D', self._folder / 'data',
           '-p', str(self._port), '-c', 'listen_addresses=127.0.0.1',
           '-c', 'unix_socket_directories='],
          stdout=log, stderr=log, cwd='/', start_new_session=True,
          **self._user)
    until = time.monotonic() + seconds
    while not self.answers():
      if self._process.poll() is not None or time.monotonic() > until:
        raise OSError('PostgreSQL cannot be started: ' + (
            self._folder / 'log').read_text()[-1000:])
      time.sleep(.05)

  def answers(self):
    """Whether a database can be opened."""
    import psycopg
    with contextlib.suppress(psycopg.OperationalError):
      psycopg.connect(self.address, connect_timeout=5).close()
      return True
    return False

  def kill(self, how=signal.SIGKILL):
    """kill -9 of the server; its children end by themselves."""
    with contextlib.suppress(ProcessLookupError):
      self._process.send_signal(how)
    self._process.wait()

  def close(self):
    """Ends it; nothing is left of one that was not to be kept."""
    if self._process is not None:
      self.kill(signal.SIGQUIT)  # At once, and with its children.
    if not self._kept:
      shutil.rmtree(self._folder, ignore_errors=True)

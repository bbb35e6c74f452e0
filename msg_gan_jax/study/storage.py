"""Where a study's trials are recorded: a journal file, or a database.

Optuna's storage is the record. It is a file in the study's folder, which needs
no server, or any database that Optuna knows, such as
postgresql://user@host/studies, which many machines share.
"""
from collections.abc import Callable
import contextlib
import errno
import importlib.util
import os
import pathlib
import random
import re
import time
from typing import Any

from msg_gan_jax.config.tables import nearest
from msg_gan_jax.files import plain
from msg_gan_jax.files.optional import require
from msg_gan_jax.study.patience import AT_START, is_down, patiently, reason

JOURNAL = 'journal.log'
KINDS = ('mariadb', 'mysql', 'postgresql', 'sqlite')
# {driver: what pip calls it, where that is not its name}
_PACKAGES = {'psycopg': 'psycopg[binary]', 'psycopg2': 'psycopg2-binary',
             'mysqldb': 'mysqlclient', 'mariadbconnector': 'mariadb'}
# What a folder says that cannot hold symbolic links, as of FAT.
_WITHOUT_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP)
# A connection that a dead network leaves hangs for hours by itself.
_POSTGRES = {'connect_timeout': 10, 'keepalives_idle': 30,
             'keepalives_interval': 10, 'keepalives_count': 3}


def open_storage(folder: str | os.PathLike, address: str = '',
                 readonly: bool = False,
                 say: Callable[[str], Any] | None = None) -> Any:
  """Optuna's storage of a study.

  Args:
    folder: of the study; it is made, unless readonly.
    address: of a database; '' is the journal in the folder.
    readonly: whether a file that is not there is an error.
    say: gets a line where a server is down, which is then waited for; None:
      that is an error at once.

  Raises:
    ValueError: Optuna is missing, an address that it does not know, a database
      that does not answer, or no file, or one that cannot be read.
  """
  optuna: Any = require('optuna', 'a study')
  optuna.logging.set_verbosity(optuna.logging.ERROR)
  if readonly and not is_there(folder, address):
    raise ValueError(
        f'storage {address}: there is no such file. Wanted the database of a '
        'study.' if address else
        f'workdir {folder}: not a study, it has no {JOURNAL}. Wanted the '
        'folder of a study, or the address of its storage.')
  if address:
    return _database(optuna, address, say)
  path = pathlib.Path(folder) / JOURNAL
  try:
    if not readonly:
      path.parent.mkdir(parents=True, exist_ok=True)
      # Whether it can be written is known now.
      os.close(plain.open_own(path, os.O_WRONLY | os.O_CREAT))
    return optuna.storages.JournalStorage(_backend(optuna, path))
  except OSError as error:
    raise ValueError(
        f'workdir {folder}: {error.filename or path} cannot be '
        f'{"read" if readonly else "read and written"}: {error.strerror}. '
        'Wanted a folder of yours, or the address of a database.') from error


def is_there(folder: str | os.PathLike, address: str = '') -> bool:
  """Whether a storage's file is there; True of what is no file.

  Args:
    folder: of the study.
    address: of a database; '' is the journal in the folder.

  Raises:
    ValueError: it is not an address.
  """
  if not address:
    return (pathlib.Path(folder) / JOURNAL).is_file()
  url = _url(address)
  file = url.database if url.get_backend_name() == 'sqlite' else ''
  # Others are in memory, or have an address of their own.
  return not file or file.startswith((':', 'file:')) or os.path.isfile(file)


def _backend(optuna, path):
  kind: Any = optuna.storages.journal.JournalFileBackend

  class Journal(kind):

    def read_logs(self, log_number_from):
      try:
        yield from super().read_logs(log_number_from)
      except ValueError as error:  # Of JSON, or of bytes that are no text.
        raise _damaged(path) from error

  return Journal(str(path), _lock(optuna, path))


def _damaged(path):
  """The error of a journal of which a line in the middle is no record.

  Trials are counted by lines, so that none can be left out.
  """
  whole = 0
  with open(path, 'rb') as file:
    for line in file:
      if not _is_record(line):
        break
      whole += 1
  return ValueError(
      f'workdir {path.parent}: line {whole + 1} of {path.name} is damaged: '
      f'{line[:40]!r}. Wanted a line of JSON. Keep those before it: '
      f'head -n {whole} {path} > {path}.whole && mv {path}.whole {path} '
      '(runs that were recorded later are in their folders, and are recorded '
      'again without training).')


def _is_record(line):
  return line.startswith(b'{') and line.endswith(b'}\n') and b'\0' not in line


def _lock(optuna: Any, path: pathlib.Path) -> Any:
  """A lock of the journal that also drops half a line, which a kill left.

  Optuna would glue the next line to it, and then read neither.
  """
  kind: Any = optuna.storages.journal.JournalFileSymlinkLock
  # It has the same file, and so keeps out those that can make links.
  plain: Any = optuna.storages.journal.JournalFileOpenLock(str(path))

  class Lock(kind):

    def acquire(self):
      try:
        super().acquire()
      except OSError as error:
        if error.errno not in _WITHOUT_LINKS:
          raise
        plain.acquire()
      try:
        drop_partial_line(path)
      except BaseException:
        self.release()
        raise
      return True

    def release(self):
      # A worker that was suspended meanwhile has lost the lock to others.
      with contextlib.suppress(RuntimeError):
        super().release()

  return Lock(str(path))


def drop_partial_line(path: str | os.PathLike) -> None:
  """Cuts a journal after its last whole line.

  What follows is half a line, or the zeros and rubbish that a power cut leaves.
  """
  with open(path, 'rb+') as file:
    end = at = file.seek(0, os.SEEK_END)
    kept = b''
    while at and b'}\n' not in kept:
      size = min(at, 4096)
      at = file.seek(at - size)
      # One byte more, for an end of line between two pieces.
      kept = file.read(size + 1)
    whole = at + kept.rfind(b'}\n') + 2 if b'}\n' in kept else 0
    if whole < end:
      file.truncate(whole)


def _url(address):
  import sqlalchemy
  shown = without_password(address)
  try:
    url = sqlalchemy.engine.make_url(address)
  except Exception as error:
    raise ValueError(
        f'storage {shown}: not an address ({reason(error)}). Wanted '
        'KIND://USER:PASSWORD@HOST:PORT/DATABASE, such as '
        'postgresql://me@host/studies; in a password %40 stands for @, %2F for '
        '/ and %3A for :.') from error
  kind = url.get_backend_name()
  if kind not in KINDS:
    raise ValueError(
        f'storage {shown}: unknown kind of database {kind!r}. '
        f'{nearest(kind, KINDS)}')
  return url


def _database(optuna, address, say):
  shown, url = without_password(address), _url(address)
  if url.drivername == 'postgresql' and importlib.util.find_spec('psycopg'):
    url = url.set(drivername='postgresql+psycopg')
  arguments = {k: v for k, v in _POSTGRES.items() if k not in url.query} if (
      url.drivername in ('postgresql+psycopg', 'postgresql+psycopg2')) else {}
  try:
    return patiently(
        _made, optuna, url.render_as_string(hide_password=False),
        {'pool_pre_ping': True, 'connect_args': arguments}, away=is_down,
        say=say or (lambda line: None), patience=AT_START if say else 0.)
  except ImportError as error:
    driver = url.get_driver_name()
    raise ValueError(
        f'storage {shown}: its driver {driver} does not import: '
        f'{error.__cause__ or error}. Run: pip install '
        f"'{_PACKAGES.get(driver, driver)}'") from error
  except Exception as error:  # SQLAlchemy's and each driver's own.
    raise ValueError(
        f'storage {shown}: cannot be reached: {reason(error)}. Wanted a '
        'database that answers, such as postgresql://me@host/studies; without '
        "an address the journal in the study's folder is used.") from error


def _made(optuna, address, settings):
  """Optuna's storage; its tables are made where there are none.

  Workers that begin at once all make them, and all but one of them fail.
  """
  import sqlalchemy
  for _ in range(9):
    try:
      return optuna.storages.RDBStorage(address, engine_kwargs=dict(settings))
    except (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.ProgrammingError,
            optuna.exceptions.StorageInternalError):
      time.sleep(random.uniform(.2, 1.))
  return optuna.storages.RDBStorage(address, engine_kwargs=dict(settings))


def without_password(address: str) -> str:
  """An address as it may be shown."""
  scheme, slashes, rest = address.partition('://')
  if not slashes:
    scheme, rest = '', address
  user, at, host = rest.rpartition('@')
  shown = f'{scheme}{slashes}{user.partition(":")[0]}{at}{host}'
  return re.sub('(passw[^=&]*=)[^&]*', r'\1...', shown)

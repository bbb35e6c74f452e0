"""Where a study's trials are recorded: a journal file, or a database.

Optuna's storage is the record. It is a file in the study's folder, which needs
no server, or any database that Optuna knows, such as
postgresql://user@host/studies, which many machines share.
"""
from collections.abc import Callable
import os
import pathlib
import time
from typing import Any, TypeVar

from msg_gan_jax.files.optional import require

Result = TypeVar('Result')
JOURNAL = 'journal.log'
PATIENCE = 600.  # Seconds for which a storage may be away.


def open_storage(folder: str | os.PathLike, address: str = '',
                 readonly: bool = False) -> Any:
  """Optuna's storage of a study.

  Args:
    folder: of the study; it is made, unless readonly.
    address: of a database; '' is the journal in the folder.
    readonly: whether a journal that is not there is an error.

  Raises:
    ValueError: Optuna is missing, an address that it does not know, a database
      that does not answer, or no journal.
  """
  optuna: Any = require('optuna', 'a study')
  optuna.logging.set_verbosity(optuna.logging.ERROR)
  if address:
    return _database(optuna, address)
  path = pathlib.Path(folder) / JOURNAL
  if readonly and not path.is_file():
    raise ValueError(
        f'workdir {folder}: not a study, it has no {JOURNAL}. Wanted the '
        'folder of a study, or the address of its storage.')
  path.parent.mkdir(parents=True, exist_ok=True)
  return optuna.storages.JournalStorage(
      optuna.storages.journal.JournalFileBackend(
          str(path), _lock(optuna, str(path))))


def _database(optuna, address):
  try:
    return optuna.storages.RDBStorage(
        address, engine_kwargs={'pool_pre_ping': True})
  except ImportError as error:
    raise ValueError(
        f'storage {_without_password(address)}: its driver is missing '
        f'({error}). For PostgreSQL that is psycopg (pip install '
        "'psycopg[binary]').") from error
  except Exception as error:  # SQLAlchemy's and each driver's own.
    raise ValueError(
        f'storage {_without_password(address)}: cannot be reached: '
        f'{_first_line(error)}. Wanted a database that answers, such as '
        'postgresql://user@host/studies; without an address the journal in '
        "the study's folder is used.") from error


def _lock(optuna: Any, path: str) -> Any:
  """A lock of the journal that also drops half a line, which a kill left.

  Optuna would glue the next line to it, and then read neither.
  """
  kind: Any = optuna.storages.journal.JournalFileSymlinkLock

  class Lock(kind):

    def acquire(self):
      super().acquire()
      drop_partial_line(path)
      return True

  return Lock(path)


def drop_partial_line(path: str | os.PathLike) -> None:
  """Cuts a file after its last line break."""
  with open(path, 'rb+') as file:
    end = file.seek(0, os.SEEK_END)
    at, kept = end, b''
    while at and b'\n' not in kept:
      size = min(at, 4096)
      at = file.seek(at - size)
      kept = file.read(size)
    whole = at + kept.rfind(b'\n') + 1 if b'\n' in kept else 0
    if whole < end:
      file.truncate(whole)


def patiently(call: Callable[..., Result], *args: Any,
              say: Callable[[str], Any] = lambda line: None,
              patience: float = PATIENCE, **named: Any) -> Result:
  """Calls a storage, again and again where it does not answer.

  Args:
    call: a method of it, with its arguments.
    say: gets one line when it does not answer, and one when it does again.
    patience: seconds, after which its error is raised.
  """
  began, pause = time.monotonic(), .5
  while True:
    try:
      result = call(*args, **named)
    except Exception as error:
      if not _is_away(error) or time.monotonic() - began > patience:
        raise
      if pause == .5:
        say('the storage of the study does not answer '
            f'({_first_line(error)}); trying again')
      time.sleep(pause)
      pause = min(2 * pause, 10.)
    else:
      if pause > .5:
        say('the storage answers again')
      return result


def _is_away(error):
  """Whether a storage that comes back would do without this error."""
  names = {kind.__name__ for kind in type(error).__mro__}
  return bool(names & {'StorageInternalError', 'OperationalError',
                       'InterfaceError'})


def _without_password(address):
  scheme, slashes, rest = address.partition('://')
  user, at, host = rest.rpartition('@')
  return f'{scheme}{slashes}{user.partition(":")[0]}{at}{host}'


def _first_line(error):
  return str(error).strip().partition('\n')[0] or type(error).__name__

"""Laws of waiting for a storage: what passes is waited for, and not for ever.
"""
import errno

import optuna
import pytest
import sqlalchemy

from msg_gan_jax.study import storage
from msg_gan_jax.study.patience import (
  UnansweredError,
  is_away,
  is_down,
  patiently,
)


def away():
  raise OSError(errno.ENOSPC, 'No space left on device')


def of_database(kind, text='', lost=False):
  """SQLAlchemy's error, and Optuna's of it."""
  error = kind('SELECT 1', {}, Exception(text), connection_invalidated=lost)
  of_optuna = optuna.exceptions.StorageInternalError('raised during the commit')
  of_optuna.__cause__ = error
  return error, of_optuna


def test_patience_ends_and_says_so():
  said = []
  with pytest.raises(UnansweredError, match='not answered for 0 s.*No space'):
    patiently(away, say=said.append, patience=0.)
  with pytest.raises(ZeroDivisionError):  # It is not the storage's.
    patiently(lambda: 1 / 0, say=said.append)
  assert not said


def test_who_is_to_end_does_not_wait():
  said = []
  with pytest.raises(UnansweredError, match='the same command goes on'):
    patiently(away, say=said.append, stopping=lambda: bool(said))
  assert len(said) == 1 and 'No space' in said[0] and 'Ctrl-C' in said[0]


@pytest.mark.parametrize(('kind', 'lost', 'passes'), [
    (sqlalchemy.exc.OperationalError, False, True),
    (sqlalchemy.exc.InterfaceError, False, True),
    (sqlalchemy.exc.DatabaseError, True, True),
    (sqlalchemy.exc.DatabaseError, False, False),
    (sqlalchemy.exc.DataError, False, False),
    (sqlalchemy.exc.ProgrammingError, False, False)])
def test_only_what_passes_is_waited_for(kind, lost, passes):
  assert [is_away(x) for x in of_database(kind, lost=lost)] == [passes] * 2


def test_half_a_transaction_of_a_lost_connection_passes():
  assert is_away(sqlalchemy.exc.PendingRollbackError("Can't reconnect"))


@pytest.mark.parametrize(('text', 'down'), [
    ('connection to server at "127.0.0.1", port 1 failed: Connection refused',
     True),
    ('connection timeout expired', True),
    ('FATAL:  the database system is starting up', True),
    ('FATAL:  the database system is shutting down', True),
    ('terminating connection due to unexpected postmaster exit', True),
    ("Can't connect to MySQL server on 'h:3306' (111)", True),
    ('FATAL:  password authentication failed for user "me"', False),
    ('FATAL:  database "none" does not exist', False),
    ("failed to resolve host 'h': Name or service not known", False),
    ('unable to open database file', False)])
def test_a_server_that_never_answered_may_only_be_down(text, down):
  for error in of_database(sqlalchemy.exc.OperationalError, text):
    assert is_down(error) == down


def test_a_server_that_is_down_as_a_worker_begins_is_waited_for(monkeypatch):
  answers, said = [], []

  def made(*unused):
    if not said:
      raise of_database(
          sqlalchemy.exc.OperationalError, 'port 5432: Connection refused')[0]
    return answers

  monkeypatch.setattr(storage, '_made', made)
  address = 'sqlite:///x.db'
  with pytest.raises(ValueError, match='cannot be reached: port 5432: Connect'):
    storage.open_storage('', address)
  assert storage.open_storage('', address, say=said.append) is answers
  assert 'port 5432: Connection refused' in said[0] and 'for 60 s' in said[0]
  said.clear()
  monkeypatch.setattr(storage, 'AT_START', 0.)
  with pytest.raises(ValueError, match='cannot be reached: port 5432: Connect'):
    storage.open_storage('', address, say=said.append)

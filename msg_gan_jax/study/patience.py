"""How long a storage that does not answer is waited for, and when it is not."""
from collections.abc import Callable
import errno
import time
from typing import Any, TypeVar

Result = TypeVar('Result')
PATIENCE = 600.  # Seconds for which a storage may be away.
AT_START = 60.  # The same of one that has not answered yet: a wrong address?
LOOK = .5  # Seconds between two looks whether to end.
# What a full disk, a quota or a share that is away says to who writes.
_PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ESTALE)
# Errors of drivers and of SQLAlchemy; the last, of a transaction of which a
# lost connection has left half.
_AWAY = {'OperationalError', 'InterfaceError', 'PendingRollbackError'}
# What is said for a server that is down or begins, and for no wrong password.
_DOWN = ('refused', '(111)', 'timeout', 'timed out', 'starting up',
         'shutting down', 'recovery mode', 'not yet accepting',
         'closed the connection', 'terminating connection')


class UnansweredError(ValueError):
  """A storage has not answered, and is not waited for any longer."""


def is_away(error: Exception) -> bool:
  """Whether a storage that comes back would do without this error."""
  if isinstance(error, OSError):
    return error.errno in _PASSING
  error = _said(error)
  names = {kind.__name__ for kind in type(error).__mro__}
  return bool(names & _AWAY) or getattr(error, 'connection_invalidated', False)


def is_down(error: Exception) -> bool:
  """The same of a server that never answered: its address may be wrong."""
  text = str(_said(error)).lower()
  return is_away(error) and any(word in text for word in _DOWN)


def patiently(call: Callable[..., Result], *args: Any,
              say: Callable[[str], Any] = lambda line: None,
              patience: float = PATIENCE,
              stopping: Callable[[], bool] = lambda: False,
              away: Callable[[Exception], bool] = is_away,
              **named: Any) -> Result:
  """Calls a storage, again and again where it does not answer.

  Args:
    call: a method of it, with its arguments.
    say: gets one line when it does not answer, and one when it does again.
    patience: seconds for which it is asked again; 0 is once.
    stopping: whether who asks is to end, and so cannot wait.
    away: whether an error may pass.

  Raises:
    UnansweredError: its patience is over, or it is to end.
  """
  began, pause = time.monotonic(), LOOK
  while True:
    try:
      result = call(*args, **named)
    except Exception as error:
      if not away(error):
        raise
      waited = time.monotonic() - began
      if waited >= patience or stopping():
        raise UnansweredError(
            f'storage: it has not answered for {waited:.0f} s '
            f'({reason(error)}). Once it does, the same command goes on.'
        ) from error
      if pause == LOOK:
        say(f'the storage of the study does not answer ({reason(error)}); '
            f'trying again for {patience:.0f} s, or until Ctrl-C')
      _sleep(pause, stopping)
      pause = min(2 * pause, 10.)
    else:
      if pause > LOOK:
        say('the storage answers again')
      return result


def _sleep(seconds, stopping):
  until = time.monotonic() + seconds
  while (left := until - time.monotonic()) > 0 and not stopping():
    time.sleep(min(left, LOOK))


def reason(error: Exception) -> str:
  """The line of a driver's error that says what was wrong."""
  error = _said(error)
  lines = [line.strip() for line in str(
      getattr(error, 'orig', None) or error).splitlines() if line.strip()]
  told = [line for line in lines if 'FATAL' in line or 'refused' in line]
  return (told or lines or [type(error).__name__])[0].rstrip('.')


def _said(error):
  """What the database said; Optuna has one error for all of SQLAlchemy's."""
  while error.__cause__ and type(error).__name__ in (
      'StorageInternalError', 'UnansweredError'):
    error = error.__cause__
  return error

"""What a disk says that has no room left, and how a person reads it."""
from collections.abc import Iterator
import contextlib
import errno
import os
import pathlib
import re
import shutil
import sys

try:
  import resource
except ImportError:  # Windows has no such limits.
  resource = None  # type: ignore[assignment]

_FULL = {
    errno.ENOSPC: 'there is no room left',
    errno.EDQUOT: 'the quota of this user is used up',
    errno.EFBIG: 'the file would be larger than a file may be there'}
# Libraries have the number in their words only: TensorStore, SQLite, and
# numpy, whose np.save says what the disk took and not why.
_WORDS = {
    **{re.escape(os.strerror(number)): number for number in _FULL},
    'database or disk is full': errno.ENOSPC,
    r'\d+ requested and \d+ written': errno.ENOSPC}


def is_full(error: BaseException | None) -> bool:
  """Whether an error, or one that led to it, is of a disk without room."""
  return any(_number(x) for x in _chain(error))


def says_so_itself(error: BaseException) -> bool:
  """Whether it is of a disk without room, in the words of a library."""
  return bool(_number(error))


def told(error: BaseException, place: str | os.PathLike) -> str:
  """What `found` has of a full disk, and what to do."""
  limited = any(_number(x) == errno.EFBIG for x in _chain(error))
  return (f'{found(error, place)}. '
          + ('Raise that limit, or choose another disk' if limited else
             'Make room there')
          + ', and give the same command again; what was whole before is '
          'intact.')


def found(error: BaseException, place: str | os.PathLike) -> str:
  """What an error says, and of a full disk where, and how much is left.

  Args:
    error: of a write that failed.
    place: the folder that is written to, where no error names a file.
  """
  if not is_full(error):
    return str(error)
  first = next(x for x in _chain(error) if _number(x))
  number, path = _number(first), os.fspath(place)
  if isinstance(first, OSError) and isinstance(first.filename, str | bytes):
    path = os.fsdecode(first.filename)
  what = _FULL[number]
  limit = _limit()
  if number == errno.EFBIG and limit is not None:
    what += f' ({size(limit)} by ulimit -f)'
  return f'{path}: {what}; {size(room(path))} are free on that disk'


def room(path: str | os.PathLike) -> int:
  """Bytes that are free for this user where a path is, or would be.

  A disk that does not know how large it is has room for all.
  """
  folder = pathlib.Path(os.path.abspath(path))
  while not folder.is_dir() and folder != folder.parent:
    folder = folder.parent
  if not hasattr(os, 'statvfs'):
    return shutil.disk_usage(folder).free
  found = os.statvfs(folder)
  blocks = found.f_bavail if os.geteuid() else found.f_bfree  # root has all
  return blocks * found.f_frsize if found.f_blocks else sys.maxsize


def held(folder: str | os.PathLike) -> int:
  """Bytes of all files of a folder; of what goes away meanwhile, none."""
  total = 0
  for place, _, names in os.walk(os.fspath(folder)):
    for name in names:
      try:
        total += os.lstat(os.path.join(place, name)).st_size
      except OSError:
        continue
  return total


def size(count: float) -> str:
  """Bytes: 376.1e6 -> '376.1 MB', 156_000 -> '156 kB'."""
  for unit, scale in (('GB', 1e9), ('MB', 1e6)):
    if count >= scale:
      return f'{count / scale:,.1f} {unit}'
  return f'{count / 1e3:,.0f} kB'


@contextlib.contextmanager
def naming(path: str | os.PathLike) -> Iterator[None]:
  """Errors of a disk name this file, and not none or its temporary one."""
  try:
    yield
  except OSError as error:
    if _number(error):
      error.filename = os.fspath(path)
    raise


def _chain(error):
  """An error, and those that led to it."""
  while error is not None:
    yield error
    error = error.__cause__ or error.__context__


def _number(error):
  """Which of _FULL it is, or None."""
  if isinstance(error, OSError) and error.errno in _FULL:
    return error.errno
  return next((number for words, number in _WORDS.items()
               if re.search(words, str(error))), None)


def _limit():
  """The most bytes that this process may have in a file; None is any."""
  if resource is None:
    return None
  soft = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
  return None if soft == resource.RLIM_INFINITY else soft

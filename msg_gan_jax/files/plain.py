"""Plain files: never what a link, a pipe or another user has put in place."""
import errno
import os
import stat

from msg_gan_jax.files import room

MOST_BYTES = 1_000_000_000  # No picture or list of labels is longer.
MOST_JSON = 100_000_000  # Nor a run's settings, classes or summary.


def open_own(path: str | os.PathLike, flags: int, mode: int = 0o666) -> int:
  """Opens a file that is written in place, by its name in a folder of ours.

  A link would lead the writing elsewhere, to a file that the user never named.

  Args:
    path: of the file; the folder that it lies in may be a link.
    flags: as of os.open.
    mode: as of os.open, of a new file.

  Returns:
    Its descriptor.

  Raises:
    OSError: as of os.open; or a link, or something that is no plain file.
  """
  opened = -1
  try:
    # No waiting for the other end of a pipe.
    opened = os.open(path, flags | getattr(os, 'O_NOFOLLOW', 0)
                     | getattr(os, 'O_NONBLOCK', 0), mode)
    if stat.S_ISREG(os.fstat(opened).st_mode):
      return opened
    os.close(opened)
  except OSError as error:
    if not os.path.islink(path):
      raise
    path = os.fspath(path)
    raise OSError(
        errno.ELOOP, f'it is a link to {os.readlink(path)!r}; wanted a file, '
        'or nothing: remove the link', path) from error
  raise OSError(errno.EINVAL, 'it is no plain file', os.fspath(path))


def within(folder: str | os.PathLike, name: str) -> str:
  """The path of what a command writes into a folder unless it is told where.

  Raises:
    ValueError: a link has this name, and would lead the writing elsewhere.
  """
  path = os.path.join(folder, name)
  if os.path.islink(path):
    raise ValueError(
        f'{path}: is a link, to {os.readlink(path)!r}, and nothing is written '
        'through it. Remove it, or give out=PATH.')
  return path


def read(path: str | os.PathLike, most: int = MOST_BYTES) -> bytes:
  """All bytes of a file, in one go.

  Args:
    path: of the file, or of a link to one.
    most: how many bytes it may have.

  Raises:
    OSError: it cannot be read; it is a pipe, a device or the like, of which
      there is no end; or it is longer, or than there is memory for.
  """
  opened = os.open(path, os.O_RDONLY | getattr(os, 'O_NONBLOCK', 0)
                   | getattr(os, 'O_BINARY', 0))
  try:
    facts = os.fstat(opened)
    if stat.S_ISDIR(facts.st_mode):
      raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(facts.st_mode):
      raise OSError(errno.EINVAL, 'it is no plain file')
    if facts.st_size > most:
      raise OSError(errno.EFBIG, f'it has {facts.st_size:,} bytes; wanted at '
                    f'most {most:,}')
    room.check(facts.st_size)
    with open(opened, 'rb', buffering=0, closefd=False) as file:
      return file.read()
  except OSError as error:
    error.filename = os.fspath(path)
    raise
  except ValueError as error:  # There is no room for it.
    raise OSError(errno.EFBIG, f'{error}', os.fspath(path)) from None
  finally:
    os.close(opened)

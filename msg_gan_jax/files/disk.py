"""What a disk says that has no room left."""
import errno
import os

_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
# Libraries in C++ have the number in their words only.
_WORDS = tuple(os.strerror(number) for number in _NUMBERS)


def is_full(error: BaseException | None) -> bool:
  """Whether an error, or one that led to it, is of a disk without room."""
  while error is not None:
    if (isinstance(error, OSError) and error.errno in _NUMBERS) or any(
        words in str(error) for words in _WORDS):
      return True
    error = error.__cause__ or error.__context__
  return False

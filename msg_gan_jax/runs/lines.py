"""Files of JSON that a run has written, read whatever became of them."""
from collections.abc import Callable
import errno
import json
import pathlib
from typing import Any

from msg_gan_jax.files import plain


def read_lines(path: pathlib.Path,
               **forms: Callable[[Any], bool]) -> tuple[dict[str, Any], ...]:
  """Dicts of a file of JSON lines, without what a kill has left half.

  Args:
    path: of the file; where there is none, there are no lines.
    forms: {key: test of its value} of each line; others are passed over.

  Raises:
    OSError: it cannot be read.
  """
  if not is_there(path):
    return ()
  found = []
  text = plain.read(path, plain.MOST_JSON).decode(errors='replace')
  for line in text.split('\n'):
    try:
      value = json.loads(line)
    except (ValueError, RecursionError):  # The second: brackets without end.
      continue
    if isinstance(value, dict) and all(
        key in value and fits(value[key]) for key, fits in forms.items()):
      found.append(value)
  return tuple(found)


def is_there(path: pathlib.Path) -> bool:
  """Whether there is a file.

  Raises:
    OSError: something else is there that would be waited for, such as a pipe.
  """
  if not path.exists():
    return False
  if not path.is_file() and not path.is_dir():
    raise OSError(errno.EINVAL, 'no file', str(path))
  return True


def read_json(path: pathlib.Path, missing: Any) -> Any:
  """What a JSON file holds, if it is there and of the kind of `missing`.

  Raises:
    OSError: it cannot be read.
  """
  if not is_there(path):
    return missing
  try:
    value = json.loads(plain.read(path, plain.MOST_JSON))
  except (FileNotFoundError, ValueError, RecursionError):
    return missing
  return value if isinstance(value, type(missing)) else missing

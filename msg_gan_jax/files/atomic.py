"""Writes files whole or not at all."""
from collections.abc import Callable, Iterator
import contextlib
import json
import os
import re
import secrets
import time
from typing import IO, Any

from msg_gan_jax.files import disk, plain

DAY = 86_400  # seconds
_LEFT = re.compile(r'\.(.+)\.\d+-[0-9a-f]{8}\.tmp')


@contextlib.contextmanager
def replacing(path: str | os.PathLike) -> Iterator[str]:
  """Yields a path to write to, which takes the place of `path` at the end.

  Whoever reads `path`, or whoever is killed here, has the old file or the whole
  new one. After an error the old file stays.
  """
  # Hidden, so that what a kill leaves does not look like a file of a run.
  folder, name = os.path.split(os.fspath(path))
  temporary = os.path.join(
      folder, f'.{name}.{os.getpid()}-{secrets.token_hex(4)}.tmp')
  try:
    with disk.naming(path):
      yield temporary
      os.replace(temporary, path)
  except BaseException:
    with contextlib.suppress(FileNotFoundError):
      os.remove(temporary)
    raise


def sweep(folder: str | os.PathLike[str], own: Callable[[str], bool]) -> None:
  """Removes what writers that were killed have left of files in a folder.

  Args:
    folder: where `replacing` has written.
    own: name -> whether nobody else may be writing that file now. What is left
      of others goes once nobody has touched it for a day.
  """
  with contextlib.suppress(FileNotFoundError):
    for entry in os.scandir(os.fspath(folder)):
      if (left := _LEFT.fullmatch(entry.name)) and (
          own(left[1]) or time.time() - entry.stat().st_mtime > DAY):
        with contextlib.suppress(FileNotFoundError):
          os.remove(entry.path)


def readable(path: str, flags: int) -> int:
  """An opener of `open`: what others may read, and nobody else write.

  Whatever the umask lets them do elsewhere.
  """
  return os.open(path, flags, 0o644)


def write_json(path: str | os.PathLike, value: Any) -> None:
  """Writes a JSON file, sorted and indented, whole or not at all."""
  text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False,
                    ensure_ascii=False)
  with replacing(path) as temporary:
    with open(temporary, 'w', encoding='utf-8') as f:
      f.write(text + '\n')
      flush_to_disk(f)


def append_json(path: str | os.PathLike, value: Any) -> None:
  """Appends one line of JSON, on a line of its own whatever stood before.

  Raises:
    OSError: the disk refuses it; or the path is a link, which would lead it
      elsewhere, or no file.
  """
  with disk.naming(path), open(plain.open_own(
      path, os.O_RDWR | os.O_APPEND | os.O_CREAT), 'ab+') as f:
    # A writer that was killed may have left half a line.
    f.seek(0, os.SEEK_END)
    if f.tell():
      f.seek(-1, os.SEEK_END)
      if f.read(1) != b'\n':
        f.write(b'\n')
    f.write(json.dumps(value, ensure_ascii=False).encode() + b'\n')
    flush_to_disk(f)


def flush_to_disk(file: IO) -> None:
  """Waits until the disk has a file: a power cut cannot empty it any more."""
  file.flush()
  os.fsync(file.fileno())

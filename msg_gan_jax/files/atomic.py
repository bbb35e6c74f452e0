"""Files that are written whole or not at all."""
import contextlib
import json
import os


@contextlib.contextmanager
def replacing(path):
  """A path beside `path` to write to, which takes its place at the end.

  A reader, or a run that was killed, has the old file or the whole new one.
  After an error the old file stays.
  """
  path = os.fspath(path)
  # Hidden: what a kill leaves is no file of a run's.
  folder, name = os.path.split(path)
  temporary = os.path.join(folder, f'.{name}.{os.getpid()}.tmp')
  try:
    yield temporary
    os.replace(temporary, path)
  except BaseException:
    with contextlib.suppress(FileNotFoundError):
      os.remove(temporary)
    raise


def write_json(path, value):
  """Writes a JSON file such that a reader finds the old or the new, whole."""
  text = json.dumps(value, indent=2, sort_keys=True, allow_nan=False,
                    ensure_ascii=False)
  with replacing(path) as temporary:
    with open(temporary, 'w', encoding='utf-8') as f:
      f.write(text + '\n')
      f.flush()
      os.fsync(f.fileno())


def append_json(path, value):
  with open(path, 'ab+') as f:
    # A writer that was killed may have left half a line.
    f.seek(0, os.SEEK_END)
    if f.tell():
      f.seek(-1, os.SEEK_END)
      if f.read(1) != b'\n':
        f.write(b'\n')
    f.write(json.dumps(value, ensure_ascii=False).encode() + b'\n')
    f.flush()
    os.fsync(f.fileno())

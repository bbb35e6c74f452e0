"""Lines of metrics.jsonl: which of them are records, and the last one."""
from collections.abc import Iterator
import json
import math
import os
from typing import Any

# JSON has no such numbers, and a reader of another language would refuse the
# bare words that Python writes for them: they are strings, which `restored`
# undoes.
NOT_FINITE = {
    'NaN': math.nan, 'Infinity': math.inf, '-Infinity': -math.inf}
MOST = 1 << 53  # Images; a larger number is damage.
TAIL = 1 << 16  # Bytes, in which the last record usually lies whole.
LONGEST = 1 << 26  # Bytes; no record is as long.


def lines(path: str | os.PathLike, begin: int = 0
          ) -> Iterator[tuple[bytes, dict[str, Any] | None]]:
  """Yields (bytes, dict) of whole lines; None is that of one without a record.

  A line is whole when its end is there.

  Args:
    path: of the file.
    begin: the first byte that is read, where a line begins.
  """
  with open(path, 'rb') as file:
    file.seek(begin)
    while line := file.readline(LONGEST):
      if line.endswith(b'\n'):
        yield line, _record(line)
      elif len(line) == LONGEST:
        yield line, None  # A part of what is no record.


def newest(path: str | os.PathLike) -> dict[str, Any]:
  """The last whole record of a metrics.jsonl, read from its end; {} if none.

  Raises:
    OSError: it cannot be read.
  """
  with open(path, 'rb') as file:
    size, length = file.seek(0, os.SEEK_END), TAIL
    while True:
      file.seek(max(0, size - length))
      lines = file.read(length).split(b'\n')
      # The first is whole if the file begins there.
      for line in reversed(lines if length >= size else lines[1:]):
        if record := _record(line):
          return record
      if length >= min(size, LONGEST):
        return {}
      length *= 8


def restored(value: Any) -> Any:
  """A value of a record, with numbers in place of NOT_FINITE's words."""
  if isinstance(value, dict):
    return {k: restored(v) for k, v in value.items()}
  return NOT_FINITE.get(value, value) if isinstance(value, str) else value


def _record(line):
  try:
    record = json.loads(line)
    # Other files of a run have lines with images too, beside what is no number.
    is_one = (isinstance(record, dict) and _is_count(record.get('images'))
              and isinstance(record.get('clock', {}), dict)
              and all(isinstance(x, int | float | dict)
                      or isinstance(x, str) and x in NOT_FINITE
                      for x in record.values()))
  except (ValueError, RecursionError):  # The second: brackets without end.
    return None
  return record if is_one else None


def _is_count(value):
  # For Python, true of JSON is an int.
  return (isinstance(value, int) and not isinstance(value, bool)
          and 0 <= value < MOST)

"""What may be asked of memory, before it is: files say what they like."""
import contextlib
import math
import os
import pathlib
import re

# What unpacks to more bytes than this, and to more times its size, is no data:
# deflate makes zeros a thousandth, and black and white shapes a hundredth.
SMALL_BYTES = 100_000_000
MOST_TIMES = 200
_LIMIT = pathlib.Path('/sys/fs/cgroup/memory.max')  # Of a container.


def most_unpacked(packed: int, times: int = MOST_TIMES) -> int:
  """How many bytes so many that are packed may become.

  Args:
    packed: bytes.
    times: how many times as many there may be, if they are not few.
  """
  return max(SMALL_BYTES, times * packed)


def check(size: float) -> None:
  """Refuses what this machine has no memory for.

  Args:
    size: bytes that are wanted.

  Raises:
    ValueError: fewer are free.
  """
  if size > SMALL_BYTES and size > (there := free()):
    raise ValueError(f'it takes {size / 1e9:,.1f} GB of memory, of which '
                     f'{there / 1e9:,.1f} GB are free')


def free() -> float:
  """Bytes of memory that this process may ask for; inf where nothing says.

  Those of the machine, and those that a container's or a process's limit
  leaves, whichever are fewer.
  """
  found = [math.inf]
  with contextlib.suppress(OSError):
    text = pathlib.Path('/proc/meminfo').read_text(encoding='ascii')
    found += [1024 * int(x) for x in re.findall(
        r'MemAvailable:\s+(\d+) kB', text)]
  with contextlib.suppress(OSError, ValueError):  # 'max' is none.
    found.append(int(_LIMIT.read_text(encoding='ascii')))
  with contextlib.suppress(ImportError, OSError, ValueError):
    import resource
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(pathlib.Path('/proc/self/statm').read_text().split()[0])
    if limit != resource.RLIM_INFINITY:
      found.append(max(0, limit - pages * os.sysconf('SC_PAGE_SIZE')))
  return min(found)

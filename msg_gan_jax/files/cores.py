"""How many cores this process may use."""
import os


def available() -> int:
  """Those of its affinity where there is such a thing, else of the machine."""
  if hasattr(os, 'sched_getaffinity'):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1

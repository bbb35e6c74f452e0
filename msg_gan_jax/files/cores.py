"""Which cores this process may use."""
import os


def numbers() -> list[int]:
  """Those of its affinity; [] where there is no such thing."""
  if hasattr(os, 'sched_getaffinity'):
    return sorted(os.sched_getaffinity(0))
  return []


def available() -> int:
  """How many they are; without an affinity, those of the machine."""
  return len(numbers()) or os.cpu_count() or 1

"""What NumPy's loops are made of; it comes before NumPy, and loads none."""
from importlib import metadata
import os
import pathlib
import re

CPUS = '/proc/cpuinfo'
AVX512 = 'AVX512_ICL', 'AVX512_SPR'
# What is common to these has another name since NumPy 2.4.
OLD = 'AVX512F', 'AVX512CD', 'AVX512_SKX', 'AVX512_CLX', 'AVX512_CNL'
NEW = 'X86_V4',


def avoid_slow_sort() -> None:
  """Keeps NumPy from AVX-512 on AMD's Zen 4.

  Its sort writes with an instruction that is slow there: with AVX2 it takes a
  fifth of the time, and sorting is most of a sliced Wasserstein distance.
  """
  # NumPy refuses to load where both are set.
  if is_zen4() and 'NPY_ENABLE_CPU_FEATURES' not in os.environ:
    version = tuple(map(int, metadata.version('numpy').split('.')[:2]))
    names = (NEW if version >= (2, 4) else OLD) + AVX512
    os.environ.setdefault('NPY_DISABLE_CPU_FEATURES', ' '.join(names))


def is_zen4() -> bool:
  """Whether Linux says so: of AMD's family 25, Zen 3 has no AVX-512."""
  try:
    text = pathlib.Path(CPUS).read_text('utf-8')
  except OSError:
    return False
  return all(re.search(pattern, text, re.M) for pattern in (
      r'^vendor_id\s*: AuthenticAMD$', r'^cpu family\s*: 25$',
      r'^flags\s*:.*\bavx512f\b'))

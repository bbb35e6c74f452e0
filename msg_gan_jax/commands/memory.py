"""What the C library does with memory, on CPUs; loads no jax and no numpy."""
import ctypes
from importlib import metadata, util
import os
import pathlib
import platform
import sys

MMAP_MAX, TRIM_THRESHOLD = -4, -1  # from malloc.h
HUGE_PAGES = pathlib.Path('/sys/kernel/mm/transparent_hugepage/enabled')
VARIABLE, TUNABLE = 'GLIBC_TUNABLES', 'glibc.malloc.hugetlb'


def keep_memory() -> None:
  """Lets the C library keep what a step frees for the next one.

  By default glibc gives blocks of some MB back to the system, which fills them
  with zeros again: 9,500 page faults and a tenth of the time of a quickstart
  step. Blocks above 64 MB it gives back in any case: see `tunables`.
  """
  if platform.libc_ver()[0] != 'glibc' or _may_have_accelerator():
    return
  mallopt = ctypes.CDLL(None).mallopt
  mallopt(MMAP_MAX, 0)
  mallopt(TRIM_THRESHOLD, -1)  # Never.


def start_again_with_tunables() -> None:
  """The same command in this process, with `tunables` in its environment.

  The C library reads them where a program begins, and not later.
  """
  more = tunables()
  if more and sys.executable and sys.orig_argv:
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]],
              {**os.environ, **more})


def tunables() -> dict[str, str]:
  """What the environment lacks for huge pages; {} where there is no use.

  Where the system gives them to who asks, glibc 2.35 can ask: what a step needs
  is then made of pages of 2 MB, a 500th as many to fill. A step of BMSG-GAN at
  32 px has 600 page faults instead of 39,600.
  """
  name, version = platform.libc_ver()
  given = os.environ.get(VARIABLE, '')
  if (name != 'glibc' or tuple(map(int, version.split('.')[:2])) < (2, 35)
      or TUNABLE in given or _may_have_accelerator()):
    return {}
  try:
    if '[madvise]' not in HUGE_PAGES.read_text('utf-8'):
      return {}
  except OSError:
    return {}
  return {VARIABLE: ':'.join(filter(None, [given, f'{TUNABLE}=1']))}


def _may_have_accelerator():
  """Whether jax may find one; asks the packages, and starts nothing."""
  chosen = os.environ.get('JAX_PLATFORMS')
  if chosen:
    return chosen.split(',')[0] != 'cpu'
  return bool(metadata.entry_points(group='jax_plugins')) or any(
      util.find_spec(name) for name in ('jax_plugins', 'libtpu'))

"""What the C library does with memory; it comes before jax, and loads none."""
import ctypes
from importlib import metadata, util
import os
import platform

ARENA_MAX, MMAP_MAX, TRIM_THRESHOLD = -8, -4, -1  # from malloc.h


def keep_memory() -> None:
  """On a CPU, lets the C library keep what a step frees for the next one.

  By default glibc gives large blocks back to the system, which fills them with
  zeros again: 9,500 page faults a step of the quickstart, 39,000 a step of
  BMSG-GAN at 32 px, and a tenth of their time. It keeps large blocks in the
  heap of the first thread alone, so that the others have to share that one.
  A thread that is there already keeps its own: this comes before numpy and jax
  are loaded, which start some.
  """
  if platform.libc_ver()[0] != 'glibc' or _may_have_accelerator():
    return
  mallopt = ctypes.CDLL(None).mallopt
  mallopt(ARENA_MAX, 1)
  mallopt(MMAP_MAX, 0)
  mallopt(TRIM_THRESHOLD, -1)  # Never.


def _may_have_accelerator():
  """Whether jax may find one; asks the packages, and starts nothing."""
  chosen = os.environ.get('JAX_PLATFORMS')
  if chosen:
    return chosen.split(',')[0] != 'cpu'
  return bool(metadata.entry_points(group='jax_plugins')) or any(
      util.find_spec(name) for name in ('jax_plugins', 'libtpu'))

"""Lists a set before its pictures are read: once, and keeps the list."""
from collections.abc import Callable, Iterable
import hashlib
import json
import os
from typing import Any

from msg_gan_jax.files import cache, progress

VERSION = 1  # Add 1 when a source lists something else.
BAR_FROM = 20_000  # Fewer pictures are listed within a second or two.


def fetch(cache_dir: str, facts: list, produce: Callable[[], dict]) -> dict:
  """Returns the dict that produce() made of the set, now or earlier.

  Args:
    cache_dir: where it is kept; '' is the user's cache folder. Nothing is kept
      if nothing can be written there.
    facts: what tells this listing from every other, plain values: the source,
      the place, sizes and times of the files, settings.
    produce: () -> dict for JSON.
  """
  folder = cache.folder(cache_dir)
  key = hashlib.sha256(
      json.dumps(['listing', VERSION, *facts]).encode()).hexdigest()
  try:
    return cache.fetch(folder, key, None, 0, lambda _: produce())[1]
  except OSError:  # The cache fails; pictures.Pictures will tell.
    return produce()


def stats(paths: Iterable[str]) -> list[list]:
  """Returns [[name, size in bytes, mtime in ns], ...] of files."""
  statuses = [(path, os.stat(path)) for path in paths]
  return [[os.path.basename(path), status.st_size, status.st_mtime_ns]
          for path, status in statuses]


def bar(items: Iterable, total: int, name: str) -> Iterable[Any]:
  """Returns the items, with a progress bar if there are many."""
  return progress.bar(items, total=total, desc=f'Listing {name}',
                      unit=' pictures', disable=total < BAR_FROM)

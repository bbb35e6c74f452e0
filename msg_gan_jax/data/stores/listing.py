"""What is known of a set before its pictures: read once, and kept."""
import hashlib
import json
import os

from msg_gan_jax.files import cache, progress

VERSION = 1  # A change of what a source lists adds 1.
BAR_FROM = 20_000  # A second or two of listing.


def fetch(cache_dir, facts, produce):
  """The dict that produce() made of the set, now or at an earlier start.

  Args:
    cache_dir: config.data.cache_dir; where it takes nothing, nothing is kept.
    facts: what tells this listing from every other, plain values: the source,
      the place, sizes and times of the files, settings.
    produce: () -> dict for JSON.
  """
  folder = cache.folder(cache_dir)
  key = hashlib.sha256(
      json.dumps(['listing', VERSION, *facts]).encode()).hexdigest()
  try:
    return cache.fetch(folder, key, None, 0, lambda _: produce())[1]
  except OSError:  # Of the cache, of which pictures.Pictures will say so.
    return produce()


def stats(paths):
  """[[name, size in bytes, mtime in ns]] of files."""
  found = [(path, os.stat(path)) for path in paths]
  return [[os.path.basename(path), s.st_size, s.st_mtime_ns]
          for path, s in found]


def bar(items, total, name):
  """The items, with a progress bar if there are many."""
  return progress.bar(items, total=total, desc=f'Listing {name}',
                      unit=' pictures', disable=total < BAR_FROM)

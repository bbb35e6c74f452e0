"""A bar on stderr that says how far a long reading is."""
import sys

import tqdm


def bar(items=None, **options):
  """tqdm.tqdm; in a log a new line comes every ten seconds and no sooner."""
  return tqdm.tqdm(items, file=sys.stderr, **options,
                   mininterval=.5 if sys.stderr.isatty() else 10)

"""Shows on stderr how far a long task is."""
from collections.abc import Iterable
import sys
from typing import Any

import tqdm


def bar(items: Iterable | None = None, **options: Any) -> tqdm.tqdm:
  """Returns tqdm.tqdm; in a log it writes at most a line in ten seconds."""
  return tqdm.tqdm(items, file=sys.stderr, **options,
                   mininterval=.5 if sys.stderr.isatty() else 10)

"""Shows on stderr how far a long task is."""
from collections.abc import Iterable
import sys
from typing import Any

import tqdm

from msg_gan_jax.files.console import visible


def bar(items: Iterable | None = None, desc: str = '',
        **options: Any) -> tqdm.tqdm:
  """Returns tqdm.tqdm; in a log it writes at most a line in ten seconds."""
  return tqdm.tqdm(items, desc=visible(desc), file=sys.stderr, **options,
                   mininterval=.5 if sys.stderr.isatty() else 10)

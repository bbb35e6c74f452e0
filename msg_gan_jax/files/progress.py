"""Shows on stderr how far a long task is."""
from collections.abc import Callable, Iterable
import functools
import sys
from typing import Any

import tqdm

from msg_gan_jax.files.console import visible


def bar(items: Iterable | None = None, desc: str = '',
        **options: Any) -> tqdm.tqdm:
  """Returns tqdm.tqdm; in a log it writes at most a line in ten seconds."""
  return tqdm.tqdm(items, desc=visible(desc), file=sys.stderr, **options,
                   mininterval=.5 if sys.stderr.isatty() else 10)


def beside_bars(say: Callable[[str], Any]) -> Callable[[str], None]:
  """`say`, with a line of its own on a terminal that shows bars.

  They are cleared before it, and drawn again below.
  """
  @functools.wraps(say)
  def said(line: str) -> None:
    with tqdm.tqdm.external_write_mode(file=sys.stderr):
      say(line)
  return said

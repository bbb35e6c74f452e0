"""What a run says at its end."""
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
import itertools
import operator
import pathlib
from typing import Any

import jax

from msg_gan_jax.files.console import visible
from msg_gan_jax.report import curves
from msg_gan_jax.runs import records

MOST = 4_000  # Records of a kind: a picture has fewer columns of pixels.


def say_where_they_are(
    folder: pathlib.Path, say: Callable[[str], Any]) -> None:
  """Says where the pictures of a run lie, and draws its curves."""
  say(f'pictures: {folder / "samples"}')
  if jax.process_index():
    return
  path = folder / 'curves.png'
  curves.plot(few(records.each(folder / 'metrics.jsonl')), path,
              title=visible(folder.name))
  say(f'curves: {path}')


def few(rows: Iterable[Mapping[str, Any]],
        most: int = MOST) -> list[Mapping[str, Any]]:
  """Some of very many records, evenly spread; all of those that are rare.

  Args:
    rows: records, of which those with the same names are of a kind.
    most: of a kind; half of them at least are there if it has so many.
  """
  kinds: dict[frozenset[str], list[tuple[int, Mapping[str, Any]]]] = {}
  steps: Counter[frozenset[str]] = Counter()
  seen: Counter[frozenset[str]] = Counter()
  for number, row in enumerate(rows):
    kind = frozenset(row)
    seen[kind] += 1
    if seen[kind] % 2**steps[kind]:
      continue
    of_kind = kinds.setdefault(kind, [])
    of_kind.append((number, row))
    if len(of_kind) > most:
      steps[kind] += 1  # Every second of them stays.
      del of_kind[::2]
  found = itertools.chain.from_iterable(kinds.values())
  return [row for _, row in sorted(found, key=operator.itemgetter(0))]

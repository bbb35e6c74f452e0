"""Which records of metrics.jsonl a checkpoint knows of, and which are lost."""
from collections import Counter
from collections.abc import Iterable, Sequence
import itertools
import os
import pathlib

from msg_gan_jax.runs.records import Metrics, images_in

_NAMED = 6  # In a line for people.


def note(images: Iterable[int]) -> list[list[int]]:
  """Images of records as [[gap, how often it comes in a row], ..].

  Records are as regular as their intervals, so that this stays short, however
  long a run is. A checkpoint keeps it in its notes.
  """
  gaps = (after - before
          for before, after in itertools.pairwise(itertools.chain([0], images)))
  return [[gap, len([*same])] for gap, same in itertools.groupby(gaps)]


def lines(noted: Sequence[Sequence[int]], metrics: Metrics) -> list[str]:
  """Lines about what a file has lost; none, as a rule.

  Args:
    noted: what `note` returned, of all records up to a checkpoint.
    metrics: the file, without records that come after it.
  """
  found = []
  if metrics.moved:
    found.append(f'metrics.jsonl: {metrics.moved} of its lines were not '
                 'records; they are in metrics.jsonl.damaged')
  known = [*itertools.accumulate(itertools.chain.from_iterable(
      itertools.repeat(gap, count) for gap, count in noted))]
  if missing := sorted((Counter(known) - Counter(metrics.images)).elements()):
    named = [f'{n:,}' for n in missing]
    if len(named) > _NAMED:
      named[_NAMED - 1:-1] = ['...']
    found.append(f'metrics.jsonl: {len(missing)} of {len(known)} records are '
                 f'missing: of {"; ".join(named)} images' +
                 ''.join(_elsewhere(Counter(missing), metrics.path)))
  return found


def _elsewhere(missing, path):
  """Yields which other files have them, such as one of a copy or a swap."""
  path = pathlib.Path(path)
  for file in sorted(path.parent.glob('*.jsonl*')):
    if file == path or not file.is_file() or not os.access(file, os.R_OK):
      continue
    if there := (missing & Counter(images_in(file))).total():
      yield f'; {there} of them lie in {file.name}'

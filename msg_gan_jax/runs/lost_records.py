"""Which records of metrics.jsonl a checkpoint knows of, and which are lost."""
from collections import Counter
from collections.abc import Sequence
import os
import pathlib

from msg_gan_jax.runs.records import Metrics, images_in
from msg_gan_jax.runs.written_so_far import Gaps

_NAMED = 6  # In a line for people.


def lines(noted: Sequence[Sequence[int]], metrics: Metrics) -> list[str]:
  """Lines about what a file has lost; none, as a rule.

  Args:
    noted: Gaps.runs of all records up to a checkpoint.
    metrics: the file, without records that come after it.
  """
  if metrics.proven:
    return []
  found = []
  if metrics.moved:
    found.append(f'metrics.jsonl: {metrics.moved} of its lines were not '
                 'records; they are in metrics.jsonl.damaged')
  known = [*Gaps(noted)]
  if missing := sorted((Counter(known) - Counter(metrics.images)).elements()):
    named = [f'{n:,}' for n in missing]
    if len(named) > _NAMED:
      named[_NAMED - 1:-1] = ['...']
    found.append(f'metrics.jsonl: {len(missing)} of {len(known)} records are '
                 f'missing: of {"; ".join(named)} images' +
                 ''.join(_elsewhere(Counter(missing), metrics.path)))
  if not found and metrics.proven is False:
    found.append('metrics.jsonl: it was changed since the checkpoint was '
                 'saved; no record is missing, but numbers may be others')
  return found


def _elsewhere(missing, path):
  """Yields which other files have them, such as one of a copy or a swap."""
  path = pathlib.Path(path)
  for file in sorted(path.parent.glob('*.jsonl*')):
    if file == path or not file.is_file() or not os.access(file, os.R_OK):
      continue
    if there := (missing & Counter(images_in(file))).total():
      yield f'; {there} of them lie in {file.name}'

"""What came of a run, from what it has written down."""
from collections.abc import Mapping
import math
from typing import Any

import numpy as np

from msg_gan_jax.gan.build import Gan
from msg_gan_jax.metrics.protocols import PROTOCOLS
from msg_gan_jax.metrics.table import METRICS, score_of_key
from msg_gan_jax.runs import cost
from msg_gan_jax.runs.read import Written
from msg_gan_jax.training.scorer import is_score, key_in

# Values of the summary, and those of METRICS: each has reals of its own.
SLICED, SCORED = 'swd', 'scores'
STABILITY = 'stability_'  # How far fixed samples moved, at each height,
STABILITY_IMAGES = f'{STABILITY}images'  # after so many real images.


def is_lower(name: str) -> bool:
  """Whether less of a score is better.

  Args:
    name: a row of METRICS, 'swd', or a name in records.
  """
  row = next((row for row, metric in METRICS.items() if score_of_key(name) in (
      row, *metric.scores)), '')
  return METRICS[row].lower_is_better if row else name == 'kl'


def outcome(written: Written, gan: Gan, metric: str, which: str,
            lower: bool) -> tuple[float | None, dict[str, Any]]:
  """The value of a run, and its record.

  Args:
    written: the run.
    gan: of its settings.
    metric: by which it is judged.
    which: 'best' or 'last': which of its measurements counts.
    lower: whether less is better.

  Returns:
    (value or None, plain JSON): {'metric': the name of the value in records,
    'at': images shown at the measurement that counts, 'scores': {name: number}
    of that measurement, 'curve': {name: [n]} of all measurements, beside
    cost.COSTS, and those of stability, [m], which are due at other times,
    beside STABILITY_IMAGES, 'cost': {name: number} of the whole run,
    'protocol', 'versions', 'data', 'reals': {SLICED or SCORED: what such values
    were measured against}}.
  """
  records = written.records
  scores = [name for name in records if is_score(name)]
  key = key_in(metric, scores)
  costs = cost.costs(written, gan)
  record: dict[str, Any] = {
      'metric': key, 'scores': {}, 'curve': {},
      'cost': {name: _plain(column[-1]) for name, column in costs.items()
               if len(column)},
      'protocol': protocol(written.config.evaluate), **_made_with(written)}
  if not key:
    return None, record
  rows = np.flatnonzero(np.isfinite(records[key]))
  if not len(rows):
    return None, record
  values = records[key][rows]
  best = rows[np.argmin(values) if lower else np.argmax(values)]
  row = best if which == 'best' else rows[-1]
  record['at'] = int(records['images'][row])
  record['scores'] = {name: _plain(records[name][row]) for name in scores}
  record['curve'] = {
      name: [_plain(x) for x in column[rows]]
      for name, column in (*costs.items(), *(
          (name, records[name]) for name in scores))} | _stability(records)
  return float(records[key][row]), record


def _stability(records):
  """Columns of stability, wherever it was recorded."""
  columns = {k: v for k, v in records.items() if k.startswith(STABILITY)}
  rows = [i for i, row in enumerate(zip(*columns.values(), strict=True))
          if np.isfinite(row).any()]
  return {name: [_plain(x) for x in column[rows]]
          for name, column in ((STABILITY_IMAGES, records['images']),
                               *columns.items())} if rows else {}


def protocol(evaluate: Any) -> str:
  """Words for how scores are measured; unlike ones never meet in one table."""
  words = [evaluate.protocol, evaluate.features,
           str(evaluate.count) if evaluate.count else '']
  return ' '.join(word for word in words if word)


def _made_with(written: Written) -> Mapping[str, Any]:
  newest = written.versions[-1] if written.versions else {}
  return {'versions': {k: newest[k] for k in ('packages', 'git', 'devices')
                       if k in newest},
          'data': newest.get('data_digest', ''),
          'reals': _reals(newest.get('pictures'), written.config.evaluate)}


def _reals(pictures, evaluate):
  """What values were measured against; {} of a run that did not record it."""
  if not pictures:
    return {}
  held_out = pictures.get('held_out', pictures['train'])
  of_protocol = PROTOCOLS[evaluate.protocol].reals
  return {SLICED: held_out, SCORED: (
      pictures['train'] if of_protocol == 'train' else held_out)}


def _plain(value):
  """A number that JSON has; None for one that is not finite."""
  return float(value) if math.isfinite(value) else None

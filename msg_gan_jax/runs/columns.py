"""Lines of numbers as plain columns."""
import array
from collections.abc import Iterable, Mapping
import itertools
import math
from typing import Any

import numpy as np

from msg_gan_jax.files import optional


class Columns(dict[str, np.ndarray]):
  """{name: float64 [n]}, a row for each line; a number that lacks is nan."""

  def to_pandas(self) -> Any:
    """The same as a DataFrame of pandas, a row for each line.

    Raises:
      ValueError: pandas is not installed; how to install it.
    """
    return optional.require('pandas', 'to_pandas()').DataFrame(dict(self))


def columns(rows: Iterable[Mapping[str, Any]]) -> Columns:
  """Dicts of numbers, or of such dicts, as columns; 'images' is the first.

  What stands inside another value is named with a dot, as 'clock.seconds'.
  """
  # Of a million rows, dicts of them would fill gigabytes.
  found, n = {'images': array.array('d')}, 0
  for n, row in enumerate(rows, 1):
    for name, value in _numbers(row):
      _lengthened(found.setdefault(name, array.array('d')), n)[-1] = value
  return Columns({name: np.array(_lengthened(column, n))
                  for name, column in found.items()})


def _lengthened(column, n):
  column.extend(itertools.repeat(math.nan, n - len(column)))
  return column


def _numbers(row, prefix=''):
  for name, value in row.items():
    if isinstance(value, Mapping):
      yield from _numbers(value, f'{prefix}{name}.')
    elif isinstance(value, int | float):
      yield prefix + name, _float(value)


def _float(value):
  try:
    return float(value)
  except OverflowError:  # More digits than a float has room for.
    return math.copysign(math.inf, value > 0 or -1)


def of_scores(evaluations: Iterable[Mapping[str, Any]]) -> Columns:
  """Lines of scores.jsonl as columns; other definitions have other names."""
  return columns(_score_rows(evaluations))


def _score_rows(evaluations):
  ids: dict[str, str] = {}
  for line in evaluations:
    row = {'images': line.get('images', math.nan)}
    for name, score in line.get('scores', {}).items():
      first = ids.setdefault(name, score.get('id', ''))
      column = name if score.get('id', '') == first else (
          f'{name} [{score["id"]}]')
      for field, value in score.items():
        row[column if field == 'value' else f'{column}.{field}'] = number(value)
    yield row


def number(value: Any) -> Any:
  """nan for null: JSON has no nan, and the warnings say why it stands there."""
  return math.nan if value is None else value


def are_scores(value: Any) -> bool:
  """Whether it is {name: {'value': number or null, ..}}."""
  return isinstance(value, dict) and all(
      isinstance(score, dict) and isinstance(score.get('id', ''), str)
      and isinstance(score.get('value'), int | float | None)
      for score in value.values())

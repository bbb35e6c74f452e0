"""What figures of a study call things, and how much of a study they show."""
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.metrics.table import score_of_key, title_of
from msg_gan_jax.study.findings import shown
from msg_gan_jax.study.results import MOST_LEVELS, Results
from msg_gan_jax.study.scale import is_wide
from msg_gan_jax.study.space import Point

MOST_BANDS = 4  # More hide each other.
LONGEST = 32  # Characters of a name.


class Figure(NamedTuple):
  """A figure of the page.

  Attributes:
    name: of its files.
    drawn: for plots.save; None of one that cannot be drawn.
    caption: what it shows, or why it is not there.
  """
  name: str
  drawn: Any
  caption: str


def chosen_axes(results: Results) -> list[str]:
  """Axes whose values were chosen, and not drawn as numbers."""
  return [axis for axis in results.axes if not results.is_drawn(axis)]


def title(metric: str) -> str:
  """What people call a score, with its protocol: 'FID (ada)'."""
  score = score_of_key(metric)
  rest = metric.removeprefix(score).strip('_') if score else ''
  return title_of(score or metric) + (f' ({rest})' if rest else '')


def label(results: Results) -> str:
  """The metric, and which way it goes, in two lines."""
  way = 'less' if results.lower else 'more'
  return f'{title(results.metric)}\n{way} is better'


def name_of(results: Results, key: Any) -> str:
  """A point as a short name: numbers with their axis, names alone."""
  return ', '.join(
      f'{axis} {shown(value, results.is_drawn(axis))}'
      if isinstance(value, int | float) else str(value)
      for axis, value in zip(results.axes, key, strict=True)) or 'all runs'


Ordered = list[tuple[Point, str, dict[int, float]]]


def ordered(results: Results) -> Ordered:
  """[(point, its name, {seed: value})], the best median first.

  Where names would be long, it is the point's row in the ranking.
  """
  axes, found = results.axes, results.ranked()
  names = [name_of(results, key) for key, _ in found]
  if max(map(len, names)) > LONGEST:
    names = [f'row {i + 1}' for i in range(len(names))]
  return [(dict(zip(axes, key, strict=True)), name, seeds)
          for name, (key, seeds) in zip(names, found, strict=True)]


def are_numbered(points: Ordered) -> bool:
  """Whether their names are rows of the ranking."""
  return points[0][1] == 'row 1'


def only(points: Ordered, most: int) -> str:
  """Which points are shown, and what their names are."""
  text = f'; the best {most} of {len(points):,} points' if (
      len(points) > most) else ''
  return text + ('; a row is that of the ranking' if are_numbered(points)
                 else '')


def is_log(results: Results, values: Sequence[float] | np.ndarray) -> bool:
  """Whether equal ratios have equal room in a figure of these values."""
  return is_wide(values) or results.scale.ratios and min(values) > 0


def by_level(results: Results, axis: str) -> dict[str, Results]:
  """{value of an axis, as text: its runs}."""
  return {shown(level): results.where({axis: level})
          for level in results.levels(axis)}


def of_few(results: Results, axis: str) -> tuple[Results, str]:
  """Those values of an axis that a figure has room for, and a note.

  Of many, they are those with the best medians.
  """
  found = results.levels(axis)
  if len(found) <= MOST_LEVELS:
    return results, ''
  best = sorted(found, reverse=not results.lower, key=lambda level: float(
      np.median(results.where({axis: level}).counted)))[:MOST_LEVELS]
  return results.of(i for i, row in enumerate(results.rows)
                    if row.point.get(axis) in best), (
      f'; the best {MOST_LEVELS} of {len(found):,} by their medians')

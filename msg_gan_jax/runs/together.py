"""Several runs beside each other: their names, how they differ, their seeds.

Nothing is computed of their numbers here but which of them stand at the same
images: error bars over seeds are `analysis.seeds`.
"""
from collections.abc import Iterable, Mapping, Sequence
import os
import pathlib
from typing import Any, NamedTuple

import numpy as np

from msg_gan_jax.config import schema
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.read import Written
from msg_gan_jax.runs.score_columns import ScoreColumn, score_columns

DIGEST = 'data.digest'  # Stands beside settings: of the training pictures.


class Together(NamedTuple):
  """Several runs, and what tells them apart.

  Attributes:
    runs: as they were given, each folder once.
    names: of each run, see `names`.
    settings: {name: value of each run} of those that differ, with 'seed', and
      DIGEST where the pictures differ.
    groups: see `groups`.
    scores: columns of a table of scores, see `score_columns`.
  """
  runs: tuple[Written, ...]
  names: tuple[str, ...]
  settings: dict[str, tuple[Any, ...]]
  groups: tuple[tuple[int, ...], ...]
  scores: tuple[ScoreColumn, ...]


def together(runs: Iterable[Written]) -> Together:
  """Puts runs beside each other.

  Args:
    runs: in the order in which they will be shown.
  """
  runs = tuple({os.path.realpath(run.path): run for run in runs}.values())
  settings = [experiment(run) for run in runs]
  return Together(runs, names([run.path for run in runs]), differing(settings),
                  groups(settings), score_columns(runs))


def experiment(run: Written) -> dict[str, Any]:
  """{name: value} of all that decides what comes of a run.

  Those are its settings, but for those that say where it is kept, and DIGEST:
  two folders of pictures may have one name, and one folder two.
  """
  newest = run.versions[-1] if run.versions else {}
  settings = {name: value for name, value in schema.flatten(run.config).items()
              if name not in schema.ELSEWHERE}
  return {**settings, DIGEST: str(newest.get('data_digest', ''))[:12]}


def names(paths: Sequence[pathlib.PurePath]) -> tuple[str, ...]:
  """The shortest ends of paths that tell them apart: 'run', or 'a/run'.

  Equal paths have equal names. Bytes that are no text are written as their
  codes; a name may still hold anything else, such as the end of a line.
  """
  parts = [path.parts[::-1] for path in paths]
  lengths = [0] * len(parts)
  waiting = [(0, [*range(len(parts))])]
  while waiting:  # Those whose last `depth` parts are the same.
    depth, alike = waiting.pop()
    by_part: dict[str, list[int]] = {}
    for i in alike:
      if depth < len(parts[i]):
        lengths[i] = depth + 1
        by_part.setdefault(parts[i][depth], []).append(i)
    waiting += [(depth + 1, same) for same in by_part.values() if len(same) > 1]
  return tuple(
      _as_text(path, parts[i][:lengths[i]][::-1])
      for i, path in enumerate(paths))


def _as_text(path, parts):
  text = str(type(path)(*parts))
  return text.encode('utf-8', 'surrogateescape').decode(
      'utf-8', 'backslashreplace')


def differing(settings: Sequence[Mapping[str, Any]],
              but: Iterable[str] = ()) -> dict[str, tuple[Any, ...]]:
  """Settings that are not the same in all runs.

  Args:
    settings: {name: value} of each run.
    but: names that are left out.

  Returns:
    {name: the value of each run}, in the order of the settings; values are as
    of `plain`.
  """
  left_out = {*but}
  found = {name: tuple(plain(row.get(name)) for row in settings)
           for name in dict.fromkeys(name for row in settings for name in row)
           if name not in left_out}
  return {name: values for name, values in found.items()
          if len({*values}) > 1}


def plain(value: Any) -> Any:
  """A value that a table can have: a number, or text."""
  return value if isinstance(value, int | float | str) else str(value)


def groups(settings: Sequence[Mapping[str, Any]]) -> tuple[
    tuple[int, ...], ...]:
  """Runs that differ in their seed alone.

  Args:
    settings: {name: value} of each run, with 'seed'.

  Returns:
    Places of the runs of each group; groups and their runs are in the order
    given. A group has no seed twice: who repeats a run draws nothing new, so
    that it begins another group.
  """
  found: list[tuple[Any, dict[Any, int]]] = []
  for i, row in enumerate(settings):
    key = {name: plain(value) for name, value in row.items() if name != 'seed'}
    for known, by_seed in found:
      if known == key and row['seed'] not in by_seed:
        by_seed[row['seed']] = i
        break
    else:
      found.append((key, {row['seed']: i}))
  return tuple(tuple(by_seed.values()) for _, by_seed in found)


class Aligned(NamedTuple):
  """A column of several runs at the same images.

  Attributes:
    runs: places of the runs that have any number of it; [k] of them.
    images: [n], rising, at which all of these have one.
    values: [k, n].
    interpolated: whether values lie between two records: the runs write theirs
      at other images. A page that shows them says so.
  """
  runs: tuple[int, ...]
  images: np.ndarray
  values: np.ndarray
  interpolated: bool = False


def aligned(records: Sequence[Columns], name: str) -> Aligned:
  """A column of several runs at the images that their records share.

  Where fewer than half of the rows of every run are shared, since their
  intervals differ, they are read between their rows, linearly, at the images
  of the run with the fewest. Nothing is ever read beyond a run's rows: what
  some have not reached is left out.

  Args:
    records: columns of each run, such as `Written.records`, or of `cost.costs`.
    name: of a column. Numbers that are not finite are as if they were not
      there.
  """
  rows: dict[int, tuple[np.ndarray, np.ndarray]] = {}
  for i, columns in enumerate(records):
    images, values = columns['images'], columns.get(name)
    if values is not None:
      known = np.isfinite(images) & np.isfinite(values)
      if known.any():
        # Of two rows at the same images the later one counts.
        at, places = np.unique(images[known][::-1], return_index=True)
        rows[i] = at, values[known][::-1][places]
  if not rows:
    return Aligned((), np.empty(0), np.empty((0, 0)))
  first = max(at[0] for at, _ in rows.values())
  last = min(at[-1] for at, _ in rows.values())
  inside = [at[(first <= at) & (at <= last)] for at, _ in rows.values()]
  fewest = min(inside, key=len)
  images = fewest
  for at in inside:
    images = np.intersect1d(images, at, assume_unique=True)
  interpolated = 2 * len(images) < len(fewest)
  if interpolated:
    images = fewest
  return Aligned(
      tuple(rows), images,
      np.stack([np.interp(images, at, x) for at, x in rows.values()]),
      interpolated)

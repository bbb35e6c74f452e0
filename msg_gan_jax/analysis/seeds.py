"""Runs that differ in their seed alone: a band, and the spread of a score."""
from collections.abc import Sequence
import math
from typing import NamedTuple

import numpy as np

from msg_gan_jax.metrics.functional import training_seeds
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.score_columns import ScoreColumn
from msg_gan_jax.runs.together import aligned


class SeedBand(NamedTuple):
  """A column of several seeds, at the images that their records share.

  Attributes:
    images: [n], rising; none where no record is shared.
    over: of the runs that have the column, [n]; None where none has it.
    interpolated: see together.Aligned; a page says so.
  """
  images: np.ndarray
  over: training_seeds.Band | None
  interpolated: bool

  @property
  def columns(self) -> Columns:
    """'images', 'mean', 'std', 'low' and 'high', with `to_pandas`."""
    return Columns({'images': self.images, **{
        name: getattr(self.over, name) if self.over else np.empty(0)
        for name in ('mean', 'std', 'low', 'high')}})


def band(records: Sequence[Columns], name: str) -> SeedBand:
  """The mean of a column over seeds, with its 95 % interval at each moment.

  Args:
    records: columns of the runs of a group, see together.groups.
    name: of a column.
  """
  found = aligned(records, name)
  over = training_seeds.band(found.values) if found.runs else None
  return SeedBand(found.images, over, found.interpolated)


class Spread(NamedTuple):
  """A score over seeds.

  Attributes:
    over: of the runs that have it.
    images: real images shown before all of these measurements; None where they
      were not measured at the same ones, and each run counts with its newest.
  """
  over: training_seeds.OverSeeds
  images: float | None


def spread(column: ScoreColumn, group: Sequence[int]) -> Spread | None:
  """How far a score moves from one seed to another.

  Args:
    column: of the score.
    group: places of runs that differ in their seed alone.

  Returns:
    That of the most images at which all runs that have the score were measured;
    None where none has it.
  """
  known = [[x for x in column.runs[i] if math.isfinite(x.value)] for i in group]
  known = [scores for scores in known if scores]
  if not known:
    return None
  shared = set.intersection(*(
      {x.images for x in scores if math.isfinite(x.images)}
      for scores in known))
  images = max(shared, default=None)
  # They are sorted by their images: of equal ones the last was written last.
  values = [[x.value for x in scores if images in (None, x.images)][-1]
            for scores in known]
  return Spread(training_seeds.over_seeds(values), images)

"""Error bars over runs that differ by their seed, by their closed forms."""
import math

import numpy as np
import pytest

from msg_gan_jax.analysis import seeds
from msg_gan_jax.runs.columns import Columns
from msg_gan_jax.runs.score_columns import SCORES, Measured, ScoreColumn


def columns(images, x):
  return Columns(images=np.array(images, float), x=np.array(x, float))


def test_a_band_is_students_interval_at_images_that_are_shared():
  found = seeds.band([
      columns([8, 16, 24], [1, 2, 3]), columns([8, 24], [2, 9]),
      columns([8, 16, 24, 32], [3, 4, 6, 7])], 'x')
  assert found.images.tolist() == [8, 24] and not found.interpolated
  assert found.over.mean.tolist() == [2, 6] and found.over.n == 3
  # t is 4.30265 for 2 degrees; of 1, 2, 3 the standard deviation is 1.
  np.testing.assert_allclose(
      found.over.high - found.over.mean,
      4.302653 / math.sqrt(3) * np.array([1, 3]), rtol=1e-6)
  np.testing.assert_allclose(
      found.over.low + found.over.high, 2 * found.over.mean)


def test_a_band_of_one_seed_is_a_line_and_of_none_is_nothing():
  one = seeds.band([columns([8, 16], [1, 2])], 'x')
  assert one.over.mean.tolist() == [1, 2] and np.isnan(one.over.low).all()
  none = seeds.band([columns([8, 16], [1, 2])], 'y')
  assert none.over is None and none.images.shape == (0,)


def test_a_band_has_columns_for_pandas():
  found = seeds.band([columns([8, 16], [1, 2]), columns([8, 16], [3, 4])], 'x')
  frame = found.columns.to_pandas()
  assert [*frame] == ['images', 'mean', 'std', 'low', 'high']
  assert frame['images'].tolist() == [8, 16]
  assert frame['mean'].tolist() == [2, 3]
  assert (frame['low'] < frame['mean']).all()
  assert len(seeds.band([columns([8], [1])], 'y').columns.to_pandas()) == 0


def column(*runs):
  return ScoreColumn('fid', 'a', 'local', tuple(
      tuple(Measured(value, .1, math.nan, images, SCORES)
            for images, value in run) for run in runs))


def test_a_spread_is_of_the_most_images_that_all_have():
  found = seeds.spread(column(
      [(8, 9.), (16, 1.), (16, 2.), (24, 7.)], [(16, 4.)], [(8, 1.)],
      [], [(16, math.nan)]), (0, 1, 3, 4))
  assert found.images == 16 and found.over.n == 2
  # t is 12.7062 for 1 degree; of 2, 4 the standard deviation is sqrt(2).
  np.testing.assert_allclose(
      found.over, [3, math.sqrt(2), 2, 3 - 12.706205, 3 + 12.706205], rtol=1e-6)


def test_where_no_images_are_shared_each_counts_with_its_newest():
  found = seeds.spread(column([(8, 1.), (16, 2.)], [(24, 4.)]), (0, 1))
  assert found.images is None and found.over.mean == 3


@pytest.mark.parametrize('runs', [[[]], [[(8, math.nan)], []]])
def test_what_was_not_measured_has_no_spread(runs):
  assert seeds.spread(column(*runs), range(len(runs))) is None

"""What runs cost is what their steps add up to."""
import math

import numpy as np
import pytest

from msg_gan_jax.gan.build import build
from msg_gan_jax.runs import cost
from msg_gan_jax.runs.read import read
from msg_gan_jax.runs.records import Metrics
from msg_gan_jax.runs.workdir import Workdir

GROWING = {
    'train__batch': 8, 'train__grow_from': 4, 'train__grow_stable_images': 48,
    'train__grow_fade_images': 20, 'train__grow_batches': '8:6,16:4'}


def walked(gan, images):
  """The same, step by step, as training takes them."""
  shown = d = g = 0
  while shown < images:
    phase = gan.phase(shown)
    shown += phase.images
    d += len(phase.penalties)
    g += phase.update_g
  return d, g


@pytest.mark.parametrize('settings, d, g', [
    ({}, 3, 3), ({'train__n_dis': 2}, 4, 2),
    ({'train__n_dis_more': 2, 'train__more_first_g_steps': 1,
      'train__more_every_g_steps': 0}, 3, 2)])
def test_updates_are_those_that_training_makes(small, settings, d, g):
  of_d, of_g = cost.updates(build(small(**settings)), [24, 0, math.nan])
  np.testing.assert_array_equal(of_d, [d, 0, math.nan])
  np.testing.assert_array_equal(of_g, [g, 0, math.nan])


@pytest.mark.parametrize('preset, settings', [
    ('msg_progan', {'train__n_dis': 5, 'train__n_dis_more': 10,
                    'train__more_first_g_steps': 3,
                    'train__more_every_g_steps': 4}),
    ('progan', GROWING),
    ('progan', {**GROWING, 'train__n_dis': 2})])
def test_no_step_is_missed_by_not_going_through_them(small, preset, settings):
  gan = build(small(preset, **settings))
  images = [0, 1, 500, *range(3, 300, 7), 48, 96, 68, 70]
  wanted = np.array([walked(gan, x) for x in images]).T
  np.testing.assert_array_equal(cost.updates(gan, images), wanted)


def test_batches_that_grow_smaller_take_more_updates(small):
  """Closed form: 4 px with a batch of 8, then 6, and then 4 for good.

  8 px fades in at 48 images, after 6 steps; 16 px at 116, which is reached by
  12 steps of 6 at 120.
  """
  gan = build(small('progan', **GROWING))
  of_d, of_g = cost.updates(gan, [48, 120, 120 + 4 * 10])
  assert of_d.tolist() == of_g.tolist() == [6, 18, 28]


def test_a_million_steps_are_counted_at_once(small):
  gan = build(small('progan', **GROWING, train__total_images=2**30))
  of_d, _ = cost.updates(gan, [2**30])
  assert of_d == [18 + (2**30 - 120) / 4]


@pytest.fixture
def run(small, tmp_path):
  """(images of a start, [(images, seconds)] of its records) .. -> Written."""
  def make(*starts, config=None):
    config = config or small()
    for images, rows in starts:
      with Workdir(tmp_path) as folder:
        folder.start(config, images)
        writer = Metrics(tmp_path)
        writer.truncate(images)
        for shown, seconds in rows:
          writer.write(shown, {'d_loss': 1.}, (
              None if seconds is None else {'seconds': seconds}))
        writer.close()
    return read(tmp_path)
  return make


def test_seconds_of_all_starts_add_up(run, small):
  """Also where the clock of a start is ahead of that of the one before."""
  written = run((0, [(8, 1.), (16, 2.)]), (16, [(24, 7.), (32, 9.)]),
                (32, [(40, 3.)]))
  found = cost.costs(written, build(small()))
  assert tuple(found) == cost.COSTS
  for name, column in cost.costs(written).items():
    np.testing.assert_array_equal(found[name], column)
  np.testing.assert_array_equal(np.stack([*found.values()]), [
      [8, 16, 24, 32, 40], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5],
      [1, 2, 9, 11, 14]])
  assert [start.seconds for start in written.starts] == [2, 9, 3]


def test_what_a_later_start_has_trained_again_does_not_count(run, small):
  """The third went back behind the second, whose records are gone."""
  written = run((0, [(8, 1.), (16, 2.)]), (16, [(24, 7.)]),
                (8, [(16, 4.), (24, 6.)]))
  assert [start.seconds for start in written.starts] == [1, None, 6]
  found = cost.costs(written, build(small()))
  assert found['seconds'].tolist() == [1, 5, 7]


def test_where_starts_are_not_on_record_a_clock_that_falls_shows_them(
    run, small):
  written = run((0, [(8, 1.), (16, 5.), (24, 2.), (32, None), (40, 4.),
                     (48, 1.)]))
  (written.path / 'versions.json').unlink()
  found = cost.costs(read(written.path), build(small()))
  assert found['seconds'].tolist() == [1, 5, 7, 7, 9, 10]


def test_without_a_clock_seconds_are_not_known(run, small):
  written = run((0, [(8, None)]))
  assert np.isnan(cost.costs(written, build(small()))['seconds']).all()
  assert written.starts[0].seconds is None


def test_a_run_without_records_has_cost_nothing(run, small):
  found = cost.costs(run((0, [])), build(small()))
  assert {name: x.shape for name, x in found.items()} == dict.fromkeys(
      cost.COSTS, (0,))

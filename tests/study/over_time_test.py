"""Laws of curves over time: what is compared was measured at one moment."""
import types

import numpy as np
import pytest

from msg_gan_jax.config.schema import Config
from msg_gan_jax.gan.build import build_to_draw
from msg_gan_jax.study import over_time
from msg_gan_jax.study.outcome import outcome
from msg_gan_jax.study.results import Result, Results


@pytest.fixture
def gan(small):
  """One whose step shows 5 images."""
  return build_to_draw(small(train__batch=5, networks__stddev='none'))


def run(seed, images, values, point='a', d=32, g=32, diverged=False, **more):
  images = np.array(images, float)
  return Result(
      {'loss': point}, seed, np.nan if diverged else values[-1], {}, {},
      {'images': images, 'd_steps': images / d, 'g_steps': images / g,
       'seconds': images + seed, 'fid_ada': values, **more} if values else {})


def drawn(*rows, monkeypatch, lower=True):
  """({what is on the x axis: {name: Curve}}, the figure)."""
  kept = {}
  monkeypatch.setattr(over_time.plots, 'curves', lambda panels, *_, **named: (
      kept.update(panels), 'drawn')[1])
  figure = over_time.curves(Results(rows, 'fid_ada', lower))
  return kept, figure


def test_a_diverged_run_counts_as_the_worst_from_then_on(monkeypatch):
  panels, figure = drawn(
      run(0, (10, 20), (60., 30.)),
      run(1, (10,), (61.,), diverged=True), run(2, (), (), diverged=True),
      run(0, (10, 20), (55., 52.), 'b'), monkeypatch=monkeypatch)
  a, b = (panels['real images'][name] for name in 'ab')
  assert a.x.tolist() == [10, 20]
  assert a.y.tolist() == [60., 52.]  # Of 60, 61, 52 and of 30, 52, 52.
  assert a.high.tolist() == [61., 52.] and b.y.tolist() == [55., 52.]
  assert 'From where a run diverged, it counts as the worst' in figure.caption


def test_where_all_have_diverged_the_curve_ends_with_the_worst(monkeypatch):
  panels, _ = drawn(
      run(0, (10, 20), (60., 30.), diverged=True),
      run(0, (10, 20), (55., 52.), 'b'), monkeypatch=monkeypatch)
  a = panels['real images']['a']
  assert a.x.tolist() == [10, 20, 20] and a.y.tolist() == [60., 30., 52.]


@pytest.mark.parametrize('lower', [True, False])
def test_a_run_in_progress_is_not_there_where_it_has_not_come(
    monkeypatch, lower):
  panels, _ = drawn(run(0, (10, 20), (60., 30.)), run(1, (10,), (50.,)),
                    monkeypatch=monkeypatch, lower=lower)
  assert panels['real images']['all runs'].y.tolist() == [55., 30.]


def test_measurements_meet_by_their_images(monkeypatch):
  panels, figure = drawn(
      run(0, (10, 20, 30), (9., 6., 3.)), run(1, (20, 30), (8., 5.)),
      monkeypatch=monkeypatch)
  curve = panels['real images']['all runs']
  assert curve.x.tolist() == [10, 20, 30] and curve.y.tolist() == [9., 7., 4.]
  assert panels['seconds']['all runs'].x.tolist() == [10, 20.5, 30.5]
  assert 'diverged' not in figure.caption


@pytest.mark.parametrize(('g', 'alike'), [(32, True), (160, False)])
def test_updates_that_are_as_many_are_one_panel(monkeypatch, g, alike):
  panels, figure = drawn(run(0, (10, 20), (9., 6.), g=g),
                         monkeypatch=monkeypatch)
  assert ('updates of D, and of G' in panels) == alike == (len(panels) == 3)
  assert ('as many updates of G as of D' in figure.caption) == alike


def test_one_measurement_is_no_curve(monkeypatch):
  _, figure = drawn(run(0, (10,), (9.,)), monkeypatch=monkeypatch)
  assert figure.drawn is None
  assert 'no run was measured more than once' in figure.caption


def test_of_points_that_have_no_names_there_are_few(monkeypatch):
  name = 'a name that is longer than its room, '
  for names, count in (('abcdefghij', 7), ([name + x for x in 'abcdefg'], 5)):
    panels, figure = drawn(*(
        run(0, (10, 20), (9., 6. + i), x) for i, x in enumerate(names)),
                           monkeypatch=monkeypatch)
    assert len(panels['seconds']) == count
    assert f'the best {count} of {len(names)} points' in figure.caption


@pytest.mark.parametrize('own', [True, False])
def test_stability_has_moments_of_its_own_and_those_of_older_records(own):
  more = {'stability_images': [6, 12, 18], 'stability_4': [3., 2., 1.]} if (
      own) else {'stability_4': [None, 2.]}
  figure, = over_time.stability(Results(
      [run(0, (10, 20), (9., 6.), **more)], 'fid_ada'))
  line, = figure.drawn.axes[0].lines
  assert line.get_xdata().tolist() == ([6, 12, 18] if own else [20])
  assert line.get_ydata().tolist() == ([3., 2., 1.] if own else [2.])


def test_without_stability_nothing_is_said_of_it():
  assert over_time.stability(Results(
      [run(0, (10, 20), (9., 6.))], 'fid_ada')) == []


def written(**columns):
  return types.SimpleNamespace(
      records={k: np.array(v, float) for k, v in columns.items()},
      config=Config(), versions=(), starts=())


def test_stability_is_kept_wherever_it_was_recorded(gan):
  nan = np.nan
  value, record = outcome(written(
      images=[10, 20, 30, 40, 50], fid_ada=[nan, 5, nan, nan, 4],
      stability_4=[.3, nan, .2, nan, .1], stability_8=[.6, nan, nan, nan, .2]),
                          gan, 'fid', 'best', True)
  assert value == 4. and record['at'] == 50
  curve = record['curve']
  assert curve['images'] == [20, 50] and curve['fid_ada'] == [5, 4]
  assert curve['d_steps'] == [4, 10]
  assert curve['stability_images'] == [10, 30, 50]
  assert curve['stability_4'] == [.3, .2, .1]
  assert curve['stability_8'] == [.6, None, .2]


def test_a_run_without_stability_has_no_columns_of_it(gan):
  _, record = outcome(written(images=[10], fid_ada=[5]), gan, 'fid', 'last',
                      True)
  assert [*record['curve']] == ['images', 'd_steps', 'g_steps', 'seconds',
                                'fid_ada']

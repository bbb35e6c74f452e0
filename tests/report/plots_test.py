"""Laws of the figures of a comparison."""
import math
import pathlib
import sys

import numpy as np
import pytest

from msg_gan_jax.report import charts, plots
from msg_gan_jax.report.plots import Curve

X = np.arange(1, 25)
MOST = sys.float_info.max
CURVES = {'SN & $x$': Curve(X, 1 / X, .8 / X, 1.2 / X), 'WGAN-GP': Curve(
    X, 2 / X)}
FIGURES = {
    'curves': lambda: plots.curves(
        {'images': CURVES, 'seconds': CURVES}, 'FID', log=True),
    'intervals': lambda: plots.intervals(
        {'a': (1., .5, 1.5), 'b': (2., np.nan, np.nan)}, 'FID'),
    'scatters': lambda: plots.scatters(
        {'rate': {'a': plots.Dots([1e-4, 1e-2], [1., 2.])},
         'beta': {'a': plots.Dots([.1, .2], [1., 2.])}}, 'FID',
        log_x=['rate']),
    'heats': lambda: plots.heats(
        {'a': np.array([[1., 2345.]]), 'b': np.array([[4., np.nan]])}, 'a',
        'bc', 'FID', log=True),
    'boxes': lambda: plots.boxes({'a': [1., 2., 3.], 'b': [2.]}, 'FID')}


@pytest.mark.parametrize('kind', FIGURES)
def test_a_figure_is_a_picture_and_a_page(kind, tmp_path):
  png, pdf = map(pathlib.Path, plots.save(FIGURES[kind](), tmp_path / 'x'))
  assert png.read_bytes().startswith(b'\x89PNG')
  first = pdf.read_bytes()
  assert first.startswith(b'%PDF')
  # Venues refuse the other kind of fonts, /Type3.
  assert b'/FontFile2' in first and b'/Type3' not in first
  plots.save(FIGURES[kind](), tmp_path / 'x')
  assert pdf.read_bytes() == first  # The same values, the same bytes.


def test_curves_have_the_values_and_one_colour_in_all_panels():
  figure = FIGURES['curves']()
  left, right = figure.axes
  for ax in (left, right):
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), 1 / X)
  assert [x.get_color() for x in left.lines] == [
      x.get_color() for x in right.lines] == [*plots.COLORS[:2]]


def test_more_curves_than_colours_stay_different():
  many = {str(i): Curve(X, X + i) for i in range(12)}
  lines = plots.curves({'images': many}, 'FID').axes[0].lines
  assert len({(x.get_color(), x.get_linestyle()) for x in lines}) == 12


@pytest.mark.parametrize('lower', [True, False])
def test_good_cells_are_dark(lower):
  ax = plots.heats({'': np.array([[1., 2.]])}, 'a', 'bc', 'x', lower).axes[0]
  image = ax.images[0]
  light = image.to_rgba(image.get_array()).sum(-1)
  assert (light[0, 0] < light[0, 1]) == lower


def test_an_interval_that_leaves_the_picture_ends_in_an_arrow():
  def arrows(low):
    lines = plots.intervals(
        {'a': (1., low, 1.1), 'b': (2., 1.9, 2.1)}, 'FID',
        dots={'a': [.9, 1.1]}).axes[0].lines
    return [x.get_marker() for x in lines if x.get_marker() in '<>']

  assert arrows(.9) == [] and arrows(-50.) == ['<']


def test_only_the_panels_that_are_named_are_logarithmic():
  axes = FIGURES['scatters']().axes
  assert [ax.get_xscale() for ax in axes[:2]] == ['log', 'linear']


def test_numbers_of_a_heat_map_are_plain():
  figure = FIGURES['heats']()
  figure.draw_without_rendering()
  left, _, bar = figure.axes
  assert [x.get_text() for x in left.texts] == ['1', '2,345']
  written = {x.get_text() for x in bar.get_yticklabels()}
  assert {'1', '20', '500'} < written and not any('10^' in x for x in written)


@pytest.mark.parametrize(('most', 'ticks'), [(3, [1, 2, 3]), (60, [1, 10, 50])])
def test_what_is_counted_begins_at_one(most, ticks):
  x = np.arange(1, most + 1)
  ax = plots.curves({'runs': {'a': Curve(x, 1 / x)}}, 'FID', steps=True).axes[0]
  left, right = ax.get_xlim()
  assert (left, right) == (1, most)
  assert {*ticks} <= {round(x) for x in ax.get_xticks() if left <= x <= right}


@pytest.mark.parametrize('length', [1, 8, 24])
def test_a_legend_is_no_wider_than_its_figure(length):
  names = {f'{i}'.ljust(length, 'o'): Curve(X, X + i) for i in range(8)}
  figure = plots.curves({'images': names}, 'FID')
  figure.draw_without_rendering()
  box = figure.legends[0].get_window_extent()
  assert 0 <= box.x0 and box.x1 <= figure.bbox.width


@pytest.mark.parametrize(('low', 'high'), [(51., 58.), (30., 150.), (1., 900.)])
def test_a_logarithmic_axis_has_numbers_however_short_it_is(low, high):
  figure = plots.boxes({'a': [low, high]}, 'FID', log=True)
  figure.draw_without_rendering()
  ax = figure.axes[0]
  bottom, top = ax.get_ylim()
  assert 2 <= sum(bottom <= x <= top for x in ax.get_yticks()) <= 12


def legend(figure):
  return [x.get_text() for x in figure.legends[0].get_texts()]


@pytest.mark.parametrize('names', [
    [f'{i} ' + 'a long name of a run, ' * 20 for i in range(10)],
    ['a long name of a run, ' * 20 + str(i) for i in range(10)],
    ['_a', '$b$', '猫' * 300, 'two\nlines']])
def test_a_legend_names_every_line_and_leaves_the_panels_their_room(names):
  many = {name: Curve(X, X + i) for i, name in enumerate(names)}
  figure = plots.curves({'images': many, 'seconds': many}, 'FID')
  found = legend(figure)
  assert len({*found}) == len(names)
  assert all(len(x) <= 50 and '\n' not in x for x in found)
  figure.draw_without_rendering()
  (box,) = [x.get_window_extent() for x in figure.legends]
  for ax in figure.axes:
    panel = ax.get_window_extent()
    assert panel.y1 <= box.y0
    assert panel.height > 1.4 * figure.dpi  # Inches.
  assert box.x0 >= 0 and box.x1 <= figure.get_figwidth() * figure.dpi


def test_marks_are_grey_lines_that_the_legend_names():
  figure = plots.curves(
      {'images': {'a': Curve(X, X)}, 'seconds': {'a': Curve(X, X)}}, 'FID',
      marks={'reals': [30., 31.], 'noise': [50., 51.]})
  assert legend(figure) == ['a', 'reals', 'noise']
  lines = figure.axes[0].lines
  assert [x.get_ydata()[0] for x in lines[1:]] == [30., 50.]
  assert [x.get_ydata()[0] for x in figure.axes[1].lines[1:]] == [31., 51.]
  assert {x.get_color() for x in lines[1:]} == {'.5'}
  assert len({x.get_linestyle() for x in lines[1:]}) == 2


EXTREMES = {
    'both ends': [MOST, -MOST, 0.], 'one': [1., MOST, 2.], 'all': [MOST] * 3,
    'least': [5e-324, MOST, 1.], 'none': [math.inf, math.nan, -math.inf],
    'subnormal': [5e-324, 1e-310, 1e-320]}


@pytest.mark.parametrize('y', EXTREMES.values(), ids=EXTREMES)
@pytest.mark.parametrize('x', [
    [1., 2., 3.], [0., 1., MOST], [-MOST, 0., MOST], [0.] * 3])
@pytest.mark.parametrize('log', [False, True])
def test_no_number_breaks_a_figure(x, y, log):
  x, y = np.array(x), np.array(y)
  curve = Curve(x, y, -y, y, [(x, y[::-1])])
  assert charts.chart({'a': curve}, 'x', 'y', log, {'reals': MOST})
  plots.curves({'x': {'a': curve}}, 'y', log, by_lines=True,
               marks={'reals': [-MOST]}).draw_without_rendering()


def test_rests_are_thin_lines_in_the_colour_of_theirs():
  ax = plots.curves({'x': {'a': Curve(X, X, rests=[(X + 24, 9. * X)])}}, 'y',
                    by_lines=True).axes[0]
  line, rest = ax.lines
  assert rest.get_color() == line.get_color()
  assert rest.get_linewidth() < line.get_linewidth()
  assert rest.get_xdata()[-1] == 48 and ax.get_ylim()[1] > 9 * 24


def test_more_panels_than_a_row_has_are_in_several():
  figure = plots.curves({f'{i} px': {'a': Curve(X, X)} for i in range(9)}, 'y')
  shown = [ax for ax in figure.axes if ax.get_visible()]
  assert len(shown) == 9
  assert [ax.get_ylabel() for ax in shown] == [
      'y' if i % plots.MOST_IN_A_ROW == 0 else '' for i in range(9)]
  assert figure.get_figwidth() == plots.TWO_COLUMNS


def test_what_is_never_above_zero_is_drawn_all_the_same(recwarn):
  figure = plots.curves({'x': {'a': Curve(X, 0. * X)}}, 'y', log=True)
  figure.draw_without_rendering()
  assert figure.axes[0].get_yscale() == 'linear' and not recwarn.list


def test_a_long_name_beside_an_axis_stays_within_the_figure():
  figure = plots.curves({'x': {'a': Curve(X, X)}}, 'as long as it is ' * 4)
  figure.draw_without_rendering()
  box = figure.axes[0].yaxis.label.get_window_extent()
  assert figure.bbox.y0 <= box.y0 < box.y1 <= figure.bbox.y1

"""Laws of what a budget buys: always told, of all and of each value."""
import numpy as np
import pytest

from msg_gan_jax.report import tables
from msg_gan_jax.study import budget, budgets
from msg_gan_jax.study.results import Result, Results


def results(**counts):
  """Runs whose values go up, so many of each loss."""
  return Results([Result({'loss': loss}, seed, 10. * (i + 1) + seed)
                  for i, (loss, count) in enumerate(counts.items())
                  for seed in range(count)], 'fid_ada')


def test_a_table_has_the_best_of_some_budgets():
  found = results(a=18, b=4)
  table = budgets.table(found, 'loss')
  assert table.columns == ('loss', '1 run', '3 runs', '6 runs', '12 runs',
                           '18 runs')
  (_, *of_a), (_, *of_b) = table.rows
  best = budget.best_in_orders(found.where({'loss': 'a'}).counted)
  for cell, b in zip(of_a, (1, 3, 6, 12, 18), strict=True):
    assert cell == (best.expected[b - 1], best.low[b - 1], best.high[b - 1])
  assert [cell is None for cell in of_b] == [False] * 2 + [True] * 3
  assert of_a[-1] == (10., 10., 10.)


@pytest.mark.parametrize(('count', 'last'), [
    (1, '1 run'), (10_020, '10,020 runs')])
def test_any_study_has_a_table_that_a_page_has_room_for(count, last):
  table = budgets.table(results(a=count))
  assert table.columns[1] == '1 run' and table.columns[-1] == last
  assert len(table.columns) <= 8 and None not in table.rows[0]
  assert '95 % of the orders lie' in tables.markdown(table)


@pytest.mark.parametrize(('counts', 'axis', 'drawn', 'words'), [
    ({'a': 2}, '', True, ''), ({'a': 1}, '', False, 'there is one run'),
    ({'a': 2, 'b': 2}, 'loss', True, ''),
    ({'a': 3, 'b': 2, 'c': 1}, 'loss', True,
     'without c, of which there are fewer than 2 runs'),
    ({'a': 3, 'b': 1}, 'loss', False, 'fewer than two values have two runs')])
def test_a_figure_is_there_or_why_it_is_not(counts, axis, drawn, words):
  figure = budgets.figure(results(**counts), axis)
  assert bool(figure.drawn) == drawn and words in figure.caption


@pytest.mark.parametrize(('counts', 'drawn', 'words'), [
    ({'a': 5, 'b': 9}, True, 'The best 5 runs of each loss, since 5 %'),
    ({'a': 5, 'b': 120}, True, 'The best 5 %, 5 runs at least of each loss.'),
    ({'a': 120, 'b': 100}, True, 'The best 5 % of each loss.'),
    ({'a': 5, 'b': 9, 'c': 4}, True,
     'without c, of which there are fewer than 5 runs'),
    ({'a': 5, 'b': 4}, False, 'fewer than two values have 5 runs')])
def test_the_best_are_there_or_why_they_are_not(counts, drawn, words):
  found = results(**counts)
  figure = budgets.best_figure(found, 'loss')
  assert bool(figure.drawn) == drawn and words in figure.caption
  # A table has them in any case.
  assert len(budgets.best_table(found, 'loss').rows) == len(counts)


def test_bands_that_would_hide_each_other_are_in_the_table_alone():
  for count, bands in (('abcd', 4), ('abcde', 0)):
    figure = budgets.figure(results(**dict.fromkeys(count, 6)), 'loss')
    assert len(figure.drawn.axes[0].collections) == bands
    assert ('is in the table' in figure.caption) == (not bands)


def test_of_many_values_a_figure_has_the_best_and_a_table_all():
  found = results(**dict.fromkeys('abcdefghijkl', 5))
  for figure in (budgets.figure(found, 'loss'),
                 budgets.best_figure(found, 'loss')):
    assert 'the best 8 of 12 by their medians' in figure.caption
  assert [row[0] for row in budgets.table(found, 'loss').rows] == [
      *'abcdefghijkl']
  drawn = budgets.figure(found, 'loss').drawn.axes[0]
  assert [x.get_label() for x in drawn.lines] == [*'abcdefgh']


def test_the_best_of_a_table_are_those_of_their_runs():
  rows = budgets.best_table(results(a=120, b=3), 'loss').rows
  assert rows == [['a', 120, 6, 10., 12.5, 15.], ['b', 3, 3, 20., 21., 22.]]
  assert budgets.best_table(results(a=120)).rows[0][:3] == ['all runs', 120, 6]


def test_a_diverged_run_is_in_the_budget_as_the_worst():
  rows = [Result({'loss': 'a'}, seed, value) for seed, value in enumerate(
      (1., 4., np.nan))]
  row, = budgets.table(Results(rows, 'fid_ada')).rows
  assert row[1] == pytest.approx((3., 1., 4.))

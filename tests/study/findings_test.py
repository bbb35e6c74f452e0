"""Laws of what is said and tabled: words follow from the numbers alone."""
import numpy as np
import pytest

from msg_gan_jax.report import tables
from msg_gan_jax.study import findings, summaries
from msg_gan_jax.study.results import Result, Results


def results(noise, seeds=3, diverged=0., lower=True):
  rng = np.random.default_rng(0)
  rows = []
  for seed in range(seeds):
    for loss, base in (('hinge', 1.), ('wasserstein', 2.)):
      for rate in (.1, .2):
        value = base + rate + noise * rng.normal()
        if loss == 'wasserstein' and rng.uniform() < diverged:
          value = np.nan
        rows.append(Result(
            {'loss': loss, 'rate': rate}, seed, value, {'kid': value**2},
            {'images': 100., 'd_steps': 10., 'g_steps': 2., 'seconds': 3.}))
  return Results(rows, 'fid', lower)


def said(*args, **settings):
  return '\n'.join(findings.findings(results(*args, **settings)))


def test_what_is_sure_is_said_with_its_size_and_certainty():
  text = said(.001)
  assert 'hinge is better than wasserstein by 1' in text
  assert 'p < .001' in text
  assert 'loss alone explains' in text.splitlines()[3]


def test_what_is_not_sure_is_not_claimed_and_what_would_tell_is_said():
  text = said(30.)
  assert 'better' not in text
  assert 'cannot be told from' in text and 'would take' in text


def test_one_seed_says_nothing_of_chance():
  assert 'with one seed, which says nothing of chance' in said(.1, seeds=1)


@pytest.mark.parametrize('seeds', [3, 5, 6])
def test_too_few_seeds_are_told(seeds):
  assert ('exact test of signs cannot reject' in said(.1, seeds=seeds)) == (
      seeds < 6)


def test_diverged_runs_are_told_with_their_share():
  assert 'of the 24 runs of wasserstein diverged' in said(
      .1, seeds=12, diverged=.5)
  assert 'diverged' not in said(.1)


def test_where_more_is_better_the_other_one_wins():
  assert 'wasserstein is better than hinge' in said(.001, lower=False)


def test_tables_have_the_numbers_and_can_be_written():
  found = results(.01)
  rank = summaries.ranking(found)
  assert [row[:3] for row in rank.rows][0] == [1, 'hinge', .1]
  assert rank.rows[0][3] == pytest.approx(1.1, abs=.05)
  heat = summaries.heat(found, 'loss', 'rate')
  assert heat.rows[1][2] == pytest.approx(2.2, abs=.05)
  assert summaries.costs(found, 'loss').rows[0][1:] == [100., 10., 2., 3.]
  assert summaries.correlation(found).rows == [
      ['fid', 'kid', pytest.approx(1)]]
  for table in (rank, heat, summaries.by_level(found, 'loss'),
                *summaries.heats(found).values()):
    for write in (tables.markdown, tables.latex, tables.comma_separated):
      assert write(table)


def wide(noise, lower=True):
  rng = np.random.default_rng(0)
  return Results([
      Result({'loss': loss}, seed,
             base * 3**seed * np.exp(noise * rng.normal()))
      for seed in range(3) for loss, base in (('hinge', 1.), ('lsgan', 2.))],
      'fid', lower)


@pytest.mark.parametrize(('lower', 'best', 'other'), [
    (True, 'hinge', 'lsgan'), (False, 'lsgan', 'hinge')])
def test_where_ratios_are_compared_words_and_tables_say_so(lower, best, other):
  found = wide(.001, lower)
  text = '\n'.join(findings.findings(found))
  assert f'{best} is better than {other} by a factor of 2 [' in text
  assert 'which takes logarithms of ratios' in text
  table = summaries.by_level(found, 'loss')
  assert table.columns[2] == 'times the best'
  assert table.rows[1][2].value == pytest.approx(2 if lower else .5, rel=.01)
  assert summaries.ranking(found).columns[3] == 'geometric mean'
  unsure = '\n'.join(findings.findings(wide(5., lower)))
  assert 'cannot be told' in unsure and 'more than a factor of 100' in unsure

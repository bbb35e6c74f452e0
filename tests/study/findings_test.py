"""Laws of what is said and tabled: words follow from the numbers alone."""
import numpy as np
import pytest

from msg_gan_jax.report import tables
from msg_gan_jax.study import effects, findings, summaries
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


def test_more_comparisons_need_more_seeds_for_the_test_of_signs():
  found = Results([Result({'loss': loss}, seed, 20. + i + seed**i / 99)
                   for i, loss in enumerate('abcde') for seed in range(3)],
                  'fid')
  assert ('at 5 % after 10 comparisons: it needs 9 at least'
          in findings.findings(found)[-1])


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
  assert table.columns[4] == 'times the best'
  assert table.rows[1][4].value == pytest.approx(2 if lower else .5, rel=.01)
  assert summaries.ranking(found).columns[3] == 'geometric mean'
  unsure = '\n'.join(findings.findings(wide(5., lower)))
  assert 'cannot be told' in unsure and 'more than a factor of 100' in unsure


def crossed(noise=.1, seeds=3, **axes):
  """sn is best but for ns_gp; the mean over all losses hides that."""
  rng = np.random.default_rng(0)
  base = {('ns', 'none'): 24., ('ns', 'sn'): 20., ('hinge', 'none'): 29.,
          ('hinge', 'sn'): 25., ('ns_gp', 'none'): 16., ('ns_gp', 'sn'): 27.}
  return findings.findings(Results([
      Result({'loss': loss, 'norm': norm}, seed, value + noise * rng.normal())
      for (loss, norm), value in base.items() for seed in range(seeds)], 'fid'))


def test_a_best_value_that_depends_on_another_axis_is_said_before_the_mean():
  lines = crossed()
  assert lines[1].startswith(
      'norm: the best norm depends on the loss: sn with ns and hinge; none '
      'with ns_gp. Together they explain ')
  assert lines[2].startswith('With loss ns, sn is better than none by ')
  assert 'for 3 comparisons' in lines[2]
  said = next(x for x in lines if x.startswith('norm: on average over loss, '))
  assert 'none is best by fid' in said
  assert not any(x.startswith('norm: with') for x in lines)


def test_where_it_cannot_be_told_which_is_best_there_this_is_said():
  assert ('With loss hinge, the best norm cannot be told from all others after '
          '3 comparisons.') in crossed(2.)
  rng = np.random.default_rng(0)
  noisy = findings.findings(Results([
      Result({'loss': loss, 'norm': norm, 'rate': rate}, seed,
             20. + 4 * ((loss == 'ns') ^ (norm == 'sn')) + 2 * rng.normal())
      for loss in ('ns', 'gp') for norm in ('none', 'sn') for rate in 'abcde'
      for seed in range(2)], 'fid'))
  assert 'the best loss depends on the norm' in noisy[1]
  assert noisy[2].startswith('With any norm, the best loss cannot be told')


def test_where_one_axis_explains_more_alone_nothing_is_said_to_depend():
  """y and z change places, but x is best with both losses."""
  base = {('a', 'x'): 10., ('a', 'y'): 21., ('a', 'z'): 29.,
          ('b', 'x'): 11., ('b', 'y'): 29., ('b', 'z'): 21.}
  lines = findings.findings(Results([
      Result({'loss': loss, 'norm': norm}, seed, value + seed / 9)
      for (loss, norm), value in base.items() for seed in range(3)], 'fid'))
  assert not any('depends' in x for x in lines)
  assert any(x.startswith('loss: with norm ') and 'although' in x
             for x in lines)


def test_axes_that_only_add_up_are_not_said_to_depend():
  assert 'depends' not in said(.001)
  assert 'On average over rate, hinge is better' in said(.001)


def test_what_only_a_correction_hides_is_said_as_such():
  rng = np.random.default_rng(0)
  found = Results([
      Result({'loss': loss}, seed, 20 + i + .6 * rng.normal())
      for i, loss in enumerate('abcd') for seed in range(3)], 'fid')
  by_itself = [x for x in findings.findings(found)
               if 'though this comparison by itself would have told' in x]
  assert by_itself
  for x in summaries.by_level(found, 'loss').rows[1:]:
    alone = any(f'a cannot be told from {x[0]}' in line for line in by_itself)
    assert alone == (x[4].low > 0 and x[6] > .05)


def test_numbers_that_were_chosen_are_shown_with_all_their_digits():
  means = .999, .9995, .9999, .99995
  found = Results([Result({'ema': x}, seed, 20 + i + .001 * seed**i)
                   for i, x in enumerate(means) for seed in range(3)], 'fid')
  text = '\n'.join(findings.findings(found))
  assert 'ema 0.999: the median' in text
  assert all(f'0.999 is better than {x} by' in text for x in means[1:])
  assert findings.shown(.1 + .2) == '0.3'
  assert findings.shown(.123456, drawn=True) == '0.123'


def test_seeds_that_only_some_have_are_told():
  rows = results(.01, seeds=5).rows
  part = Results([x for x in rows if x.point['loss'] == 'hinge' or x.seed < 2],
                 'fid')
  text = '\n'.join(findings.findings(part))
  assert 'over the 2 seeds that both have' in text
  table = summaries.by_level(part, 'loss')
  assert [row[2:4] for row in table.rows] == [[5, 10], [2, 4]]
  assert [row[5] for row in table.rows] == [None, 2]
  alone = Results([*part.rows, Result({'loss': 'new', 'rate': .1}, 17, 1.)],
                  'fid')
  assert 'new is not compared with hinge' in '\n'.join(
      findings.findings(alone))


def test_who_is_ahead_in_common_runs_is_said_as_it_is_there():
  """b is ahead of c by more than a is; beside a itself it is behind."""
  found = Results([
      Result({'loss': loss, 'rate': rate}, seed, 30. + value + seed / 9)
      for loss, rate, value in (
          ('a', 'x', 0.), ('b', 'x', .2), ('a', 'y', 0.), ('c', 'y', 4.),
          ('b', 'z', 0.), ('c', 'z', 9.)) for seed in range(3)], 'fid')
  lines = findings.findings(found)
  assert any('rate, b is best by fid' in x for x in lines)
  assert any('a is better than b in the runs that both have by 0.2 [' in x
             for x in lines)
  assert not any('b is better than a' in x for x in lines)


def test_runs_that_diverged_are_counted_and_cost_nothing():
  found = results(.1, seeds=12, diverged=.5)
  lost = int(np.isnan(found.values).sum())
  shorter = Results([
      Result(x.point, x.seed, x.value, {}, {'images': 1. if np.isnan(
          x.value) else 100.}) for x in found.rows], 'fid')
  assert [row[1] for row in summaries.costs(shorter, 'loss').rows] == [100, 100]
  assert summaries.by_level(found, 'loss').rows[1][-1] == f'{lost} of 24'
  counts = [row[6].split(' of ') for row in summaries.ranking(found).rows]
  assert sum(int(x) for x, _ in counts) == lost
  assert {of for _, of in counts} == {'12'}


def test_the_importance_of_pairs_stands_below_that_of_axes(monkeypatch):
  monkeypatch.setattr(effects, 'fanova', lambda _: {})  # It takes seconds.
  rng = np.random.default_rng(0)
  table = summaries.importance(Results([
      Result({'a': a, 'b': b}, seed, 5. * (a == b) + rng.normal())
      for a in 'xy' for b in 'xy' for seed in range(5)], 'fid'))
  assert table.rows[2][0] == 'a × b' and table.rows[2][1] > .5

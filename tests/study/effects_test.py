"""Laws of what is said of axes."""
import dataclasses
import itertools

import numpy as np
import pytest

from msg_gan_jax.study import comparison, effects
from msg_gan_jax.study.results import Result, Results
from msg_gan_jax.study.scale import Scale, is_wide

RNG = np.random.default_rng(0)


def grid(value, seeds=3, lower=True, **axes):
  rows = []
  for values in itertools.product(*axes.values()):
    point = dict(zip(axes, values, strict=True))
    rows += [Result(point, seed, float(value(seed=seed, **point)))
             for seed in range(seeds)]
  return Results(rows, 'fid', lower)


LOSSES = {'hinge': 1., 'wasserstein': 3., 'lsgan': 1.5}


def study(noise=.01, **settings):
  return grid(lambda loss, rate, seed: LOSSES[loss] + 10 * rate
              + noise * RNG.normal(), loss=[*LOSSES], rate=[.01, .02],
              **settings)


def test_levels_come_in_their_order_with_what_the_axis_does():
  found = effects.levels(study(), 'loss')
  assert [x.level for x in found] == ['hinge', 'lsgan', 'wasserstein']
  best, second, _ = found
  assert best.difference is None and np.isnan(best.p)
  assert second.difference.mean == pytest.approx(.5, abs=.03)
  assert second.difference.n == 3 and second.p < .05
  assert [x.runs for x in found] == [6, 6, 6]


def test_a_seed_that_shifts_all_runs_changes_no_difference():
  plain, moved = (
      grid(lambda loss, seed, by=by: LOSSES[loss] + 1000. + by * seed,
           loss=[*LOSSES]) for by in (0, 100))
  assert [x.difference and x.difference.mean
          for x in effects.levels(plain, 'loss')] == pytest.approx([
              x.difference and x.difference.mean
              for x in effects.levels(moved, 'loss')])


def test_only_what_every_level_has_is_compared():
  # Of wasserstein the better rate is missing: that must not count against it.
  whole = study(noise=0)
  part = whole.of(i for i, row in enumerate(whole.rows) if row.point != {
      'loss': 'wasserstein', 'rate': .01})
  by_level = {x.level: x for x in effects.levels(part, 'loss')}
  assert by_level['wasserstein'].difference.mean == pytest.approx(2.)


def test_a_diverged_run_counts_as_the_worst():
  results = study(noise=0)
  rows = [Result(row.point, row.seed, np.nan)
          if row.point['loss'] == 'hinge' and row.seed == 0 else row
          for row in results.rows]
  found = {x.level: x for x in effects.levels(
      Results(rows, 'fid'), 'loss')}
  assert (found['hinge'].diverged, found['hinge'].tried) == (2, 6)
  assert found['hinge'].mean.mean > 1.2


def test_more_is_better_turns_the_order_round():
  found = effects.levels(study(lower=False), 'loss')
  assert found[0].level == 'wasserstein'


def test_main_effects_are_shares_of_what_was_planted():
  found = effects.main_effects(study())
  assert found['loss'] > .8 and found['rate'] < .1
  only = grid(lambda loss, seed: LOSSES[loss], loss=[*LOSSES])
  assert effects.main_effects(only) == {'loss': pytest.approx(1.)}
  drawn = Results([Result({'x': x}, 0, x**2) for x in RNG.uniform(size=100)],
                  'fid')
  assert effects.main_effects(drawn)['x'] > .9


@pytest.mark.slow
def test_fanova_finds_the_axis_that_matters():
  results = grid(
      lambda loss, beta1, n_dis, seed: LOSSES[loss] + .1 * beta1
      + 0 * n_dis + .01 * RNG.normal(), loss=[*LOSSES],
      beta1=[*np.linspace(0, 1, 12)], n_dis=[1, 5])
  found = effects.fanova(results)
  assert .9 < sum(found.values()) <= 1
  assert found['loss'] > .8 > found['beta1'] > found['n_dis']


@pytest.mark.slow
def test_fanova_gives_equal_axes_equal_shares_whatever_values_they_have():
  rng = np.random.default_rng(0)
  two, eight = np.array([-1., 1.]), rng.permutation(np.linspace(-1, 1, 8))
  eight /= eight.std()
  found = effects.fanova(grid(
      lambda two_, eight_, seed: two[two_] + eight[int(eight_)]
      + .1 * rng.normal(), two_=[0, 1], eight_=[*'01234567'], seeds=9))
  assert found['two_'] == pytest.approx(.5, abs=.05)
  assert found['eight_'] == pytest.approx(.5, abs=.05)


@pytest.mark.slow
def test_fanova_explains_no_noise():
  rng = np.random.default_rng(0)
  found = effects.fanova(grid(lambda a, b, seed: rng.normal(),
                              a='xy', b='abcdefgh', seeds=9))
  assert sum(found.values()) < .05


def test_correlations_of_scores():
  rows = [Result({'a': i}, 0, float(i), {'kid': i**3., 'is': -float(i),
                                         'none': 1.}) for i in range(9)]
  found = effects.correlations(Results(rows, 'fid'))
  assert found == {('fid', 'kid'): pytest.approx(1), (
      'fid', 'is'): pytest.approx(-1), ('kid', 'is'): pytest.approx(-1)}


def test_a_study_without_a_run_says_so():
  with pytest.raises(ValueError, match='no run of the study has ended'):
    Results([], 'fid')


@pytest.mark.parametrize('turned', [True, False])
def test_where_a_ranking_turns_is_found_with_its_size(turned):
  rng = np.random.default_rng(0)
  value = {('a', 'x'): 1., ('b', 'x'): 3.,
           ('a', 'y'): 3. if turned else 1., ('b', 'y'): 2.}
  found = effects.reversals(Results([
      Result({'loss': loss, 'norm': norm}, seed, v + .01 * rng.normal())
      for (loss, norm), v in value.items() for seed in range(3)], 'fid'))
  assert {(x.axis, x.level, x.usual, x.other, x.at) for x in found} >= (
      {('loss', 'b', 'a', 'norm', 'y')} if turned else set())
  assert bool(found) == turned
  for x in found:
    assert x.size[1] < x.size[0] < x.size[2] and x.p < .05


def test_levels_are_compared_over_the_same_runs_alone():
  """A combination that lacks a seed does not move the mean of the others."""
  rows = [Result({'loss': loss, 'rate': rate}, seed, base + 10 * rate)
          for loss, base in (('a', 1.), ('b', 2.)) for rate in (1, 2)
          for seed in range(3) if not (rate == 2 and seed == 2)]
  results = Results(rows, 'fid')
  both = results.by_pair('loss')['a', 'b']
  assert both.by_seed == [{0: 11., 1: 11., 2: 11.}, {0: 12., 1: 12., 2: 12.}]
  assert both.runs == 3
  assert [x.by_seed for x in results.by_level('loss').values()] == [
      [x] for x in both.by_seed]


def wide(unit=1., **settings):
  """Values over many factors: each loss has its own, each seed and rate too."""
  return grid(
      lambda loss, rate, seed: unit * 2.**(LOSSES[loss] + 3 * seed + 100 * rate)
      * (1 + .01 * RNG.normal()), loss=[*LOSSES], rate=[.01, .02], **settings)


@pytest.mark.parametrize('unit', [1e-3, 1., 1e6])
def test_values_over_many_factors_are_compared_by_ratios(unit):
  results = wide(unit)
  best, second, last = effects.levels(results, 'loss')
  assert results.scale.ratios and best.level == 'hinge'
  assert results.scale.back(second.difference.mean) == pytest.approx(
      2**.5, rel=.05)
  assert results.scale.back(last.difference.mean) == pytest.approx(4, rel=.05)
  assert last.p < .01
  # By differences the last seed, which is 64 times the first, hides the rest.
  by_differences = dataclasses.replace(results, of_all=Scale(False))
  assert effects.levels(by_differences, 'loss')[-1].p > .05


def test_parts_of_a_study_are_compared_as_the_whole_of_it():
  part = wide().where({'loss': 'hinge'}).of([0, 1])
  assert np.ptp(part.values) < 8 * part.values.min()
  assert part.scale.ratios
  assert not study().where({'loss': 'hinge'}).scale.ratios


def test_what_goes_to_nothing_has_no_ratios():
  assert not is_wide([0., 100.]) and not is_wide([-1., 100.])
  assert is_wide([1., np.nan, 100.]) and not is_wide([np.nan])


def lacking():
  """Values a, b and c of ten seeds, of which c has two and d another one."""
  rng = np.random.default_rng(0)
  seeds = {'a': range(10), 'b': range(10), 'c': [0, 1], 'd': [17]}
  return Results([
      Result({'loss': loss}, seed, 20 + 'abcd'.index(loss) + seed
             + .01 * rng.normal()) for loss in seeds for seed in seeds[loss]],
                 'fid')


def test_a_value_with_few_seeds_takes_none_from_others():
  a, b, c, d = effects.levels(lacking(), 'loss')
  assert [x.level for x in (a, b, c, d)] == [*'abcd']
  assert [x.mean.n for x in (a, b, c, d)] == [10, 10, 2, 1]
  assert b.difference.n == 10 and b.difference.mean == pytest.approx(1, abs=.1)
  # Its two seeds are the best ones of a, too.
  assert c.difference.n == 2 and c.difference.mean == pytest.approx(2, abs=.1)
  assert c.mean.mean < a.mean.mean
  assert d.difference is None and np.isnan(d.p)
  assert {x.tests for x in (a, b, c, d)} == {3}


def test_what_lacks_bad_combinations_does_not_come_first_for_it():
  whole = grid(lambda loss, rate, seed: 'ab'.index(loss) + 10. * rate
               + .01 * seed, loss='ab', rate=[1, 2, 3])
  part = whole.of(i for i, row in enumerate(whole.rows) if row.point not in (
      {'loss': 'b', 'rate': 2}, {'loss': 'b', 'rate': 3}))
  a, b = effects.levels(part, 'loss')
  assert (a.level, b.level) == ('a', 'b') and b.mean.mean < a.mean.mean
  assert (a.runs, b.runs) == (9, 3)


def test_what_is_ahead_in_a_few_common_runs_alone_is_not_the_best():
  """b is better than a in all else, and worse in what the two have both."""
  rows = [Result({'loss': loss, 'rate': rate}, seed, 20. + value + seed / 9)
          for loss, rate, value in (
              ('a', 1, 4.), ('b', 1, 4.2), ('a', 2, 4.), ('c', 2, 0.),
              ('b', 3, 3.), ('c', 3, 2.), ('a', 4, 4.), ('c', 4, 0.))
          for seed in range(3)]
  found = effects.levels(Results(rows, 'fid'), 'loss')
  assert [x.level for x in found] == [*'cba']
  without = Results([x for x in rows if x.point['loss'] != 'c' or (
      x.point['rate'] != 3)], 'fid')
  assert [x.level for x in effects.levels(without, 'loss')] == [*'cab']
  b = effects.levels(without, 'loss')[2]
  assert b.difference is None and not b.is_worse(True)


def test_p_is_corrected_for_all_pairs_of_values():
  rng = np.random.default_rng(0)
  results = grid(lambda a, seed: int(a) + rng.normal(), a='01234', seeds=5)
  pairs = [comparison.paired(x[0], x[1]).p for x, _ in results.by_pair(
      'a').values()]
  found = effects.levels(results, 'a')
  corrected = comparison.holm(pairs)
  assert len(pairs) == found[0].tests == 10
  assert all(np.isclose(corrected, x.p).any() for x in found[1:])


@pytest.mark.slow
def test_noise_is_seldom_called_better():
  """The best of five is chosen by the runs that it is compared by."""
  rng, studies = np.random.default_rng(0), 600
  false = sum(any(x.p < .05 for x in effects.levels(grid(
      lambda a, seed: rng.normal(), a='abcde', seeds=10), 'a'))
              for _ in range(studies))
  assert false / studies < .05


def test_an_axis_of_noise_explains_nothing_beyond_chance():
  rng = np.random.default_rng(0)
  found = [effects.main_effects(grid(
      lambda a, seed: rng.normal(), a=[*'abcdefghijkl']))['a']
           for _ in range(30)]
  assert min(found) == 0 and np.mean(found) < .1  # Eta squared is .31.
  alone = grid(lambda a, seed: rng.normal(), a='abcd', seeds=1)
  assert effects.main_effects(alone) == {'a': 0}


@pytest.mark.parametrize('turned', [True, False])
def test_what_two_axes_decide_together_is_found(turned):
  rng = np.random.default_rng(0)
  found = effects.interactions(grid(
      lambda loss, norm, rate, seed: 5 * ((loss == 'a') ^ (norm == 'x'))
      * turned + (norm == 'x') + .5 * rng.normal(),
      loss='ab', norm='xyz', rate=[1, 2]))
  pair = found.pop(('loss', 'norm'))
  assert (pair.share > .5) == turned and (pair.p < .001) == turned
  assert all(x.share < .1 and x.p > .05 for x in found.values())


def test_without_two_runs_of_a_combination_nothing_is_said_of_pairs():
  found = effects.interactions(grid(
      lambda a, b, seed: RNG.normal(), a='xy', b='xyz', seeds=1))
  assert found['a', 'b'].share == 0 and np.isnan(found['a', 'b'].p)


def test_what_was_drawn_is_known_from_the_study():
  rows = grid(lambda a, b, seed: 10 * a + b, a=[*range(12)], b=[1, 2]).rows
  assert Results(rows, 'fid').is_drawn('a')
  chosen = Results(rows, 'fid', drawn=['b'])
  assert not chosen.is_drawn('a') and chosen.is_drawn('b')
  assert [x.level for x in effects.levels(chosen, 'a')] == [*range(12)]

"""Laws of rounds: whoever asks gets the same runs, each once, to the last."""
import dataclasses
import math

import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.study import samplers
from msg_gan_jax.study.rounds import due
from msg_gan_jax.study.samplers import Tried
from msg_gan_jax.study.space import (
  RATES,
  Study,
  choices,
  integers,
  log_uniform,
  uniform,
)
from msg_gan_jax.study.work import Trial, Work

AXES = {'n_dis': integers(1, 3, of='train.n_dis'),
        'loss': choices('hinge', 'wasserstein', of='objective.loss'),
        'rate': log_uniform(1e-5, 1e-2, of=RATES)}


def value(run):
  return abs(math.log10(run.config.optimizer.g_rate) + 3) + run.seed


def work(run):
  return Work(run.digest, {
      'point': run.point, 'seed': run.seed, 'round': run.round,
      'settings': schema.flatten(run.config)})


def ended(run, diverged=False):
  return Trial(work(run), 'done', None if diverged else value(run), {}, '', 0)


def failed(run):
  return Trial(work(run), 'failed', None, {}, 'OSError: no pictures', 0)


def of(sampler, **more):
  """A Study; what goes by values does so two points at a time."""
  return Study(AXES, sampler=sampler,
               at_once=1 if sampler == 'random' else 2, **more)


def play(base, study, diverged=lambda run: False):
  """Runs all that is due until nothing is; [(runs of each time)]."""
  trials, times = [], []
  while True:
    plan, last = due(base, study, trials)
    done = {x.work.digest for x in trials}
    new = [run for run in plan.runs if run.digest not in done]
    if not new:
      assert last
      return times
    times.append(new)
    trials += [ended(run, diverged(run)) for run in new]


@pytest.mark.parametrize(('sampler', 'times'), [
    ('random', 1), ('tpe', 3), ('bandit', 3)])
def test_a_sampler_chooses_as_many_points_as_it_should(small, sampler, times):
  study = of(sampler, seeds=(0, 1), points=5)
  found = play(small(), study)
  runs = [run for time in found for run in time]
  assert len(found) == times
  assert len({run.digest for run in runs}) == len(runs) == 5 * 2
  assert runs == [run for time in play(small(), study) for run in time]


def test_each_value_of_an_axis_apart_has_points_of_its_own(small):
  study = Study(AXES, sampler='random', points=4, apart=('loss',))
  (runs,) = play(small(), study)
  for loss in AXES['loss'].rows:
    assert sum(run.point['loss'] == loss for run in runs) == 4


def test_points_that_do_not_go_together_are_drawn_anew(small):
  axes = {**AXES, 'norm': choices('none', 'batch', of='networks.d_norm'),
          'penalty': choices('none', 'gradient_penalty', of=(
              'objective.penalty'))}
  base = small('dcgan_32', data__resolution=32)
  plan, last = due(base, Study(axes, sampler='random', points=12), [])
  assert last and len(plan.runs) == 12 and plan.dropped
  assert all(run.config.networks.d_norm == 'none'
             or run.config.objective.penalty == 'none' for run in plan.runs)


def test_published_points_come_first(small):
  first = [{'rate': 1e-3, 'loss': 'hinge'}]
  study = Study(AXES, sampler='random', points=2, first=first)
  (runs,) = play(small(), study)
  assert runs[0].point == first[0] and len(runs) == 3


def test_a_round_in_which_all_diverge_does_not_stop_the_next(small):
  study = Study(AXES, sampler='bandit', points=4, at_once=2)
  assert len(play(small(), study, diverged=lambda run: True)) == 2


@pytest.mark.parametrize('sampler', ['tpe', 'bandit'])
def test_a_round_is_chosen_once_by_who_remembers_it(
    small, sampler, monkeypatch):
  study = Study(AXES, sampler=sampler, points=4, at_once=2)
  base, known, asked = small(), {}, []
  choose = samplers.SAMPLERS[sampler]
  monkeypatch.setitem(samplers.SAMPLERS, sampler, lambda axes, tried, *rest: (
      asked.append(len(tried)), choose(axes, tried, *rest))[1])
  first, last = due(base, study, [], known=known)
  assert not last
  for n in range(len(first.runs) + 1):
    trials = [ended(run) if i < n else ended(run)._replace(state='waiting')
              for i, run in enumerate(first.runs)]
    again, _ = due(base, study, trials, known=known)
  assert len(again.runs) == 4 and asked == [0, 2]
  assert again == due(base, study, trials)[0]


def played(base, study):
  """All runs of a study, and its trials when they have ended."""
  runs = [run for time in play(base, study) for run in time]
  return runs, [ended(run) for run in runs]


@pytest.mark.parametrize('sampler', ['tpe', 'bandit'])
@pytest.mark.parametrize('there', [3, 4])
def test_points_that_are_there_stand_whatever_would_be_chosen_now(
    small, sampler, there, monkeypatch):
  study, base = Study(AXES, sampler=sampler, points=6, at_once=2), small()
  runs, trials = played(base, study)
  # Another version of what chooses would choose otherwise.
  monkeypatch.setitem(
      samplers.SAMPLERS, sampler,
      lambda axes, tried, count, seed: samplers.at_random(
          axes, tried, count, seed + 1))
  again, _ = due(base, study, trials[:there])
  assert again.runs[:there] == runs[:there]
  assert len(again.runs) == (4 if there == 3 else 6)
  assert again.runs[there:] != runs[there:len(again.runs)]
  assert due(base, study, trials)[0].runs == runs  # And nothing is due.


@pytest.mark.parametrize('sampler', ['random', 'tpe', 'bandit'])
def test_more_seeds_and_points_change_none_that_is_there(small, sampler):
  study, base = of(sampler, points=4), small()
  runs, trials = played(base, study)
  more = dataclasses.replace(study, seeds=(0, 1), points=5)
  while True:
    found, last = due(base, more, trials)
    new = [x for x in found.runs if x.digest not in {
        trial.work.digest for trial in trials}]
    if not new:
      break
    trials += [ended(run) for run in new]
  points = [run.point for run in found.runs if run.seed == 1]
  assert last and points[:4] == [run.point for run in runs]
  assert len(points) == 5 and len(trials) == 10


def test_half_a_round_that_is_there_is_made_whole_as_it_would_have_been(small):
  study, base = Study(AXES, sampler='bandit', points=6, at_once=3), small()
  runs, trials = played(base, study)
  assert due(base, study, trials[:4])[0].runs == runs


@pytest.mark.parametrize('sampler', ['random', 'bandit'])
def test_an_axis_that_comes_later_keeps_the_points_that_have_a_value_of_it(
    small, sampler):
  study, base = of(sampler, points=4), small()
  runs, trials = played(base, study)
  has, other = base.optimizer.beta1, base.optimizer.beta1 + .1
  for axis in (choices(other, has, of='optimizer.beta1'),
               uniform(has, other, of='optimizer.beta1')):
    more = dataclasses.replace(study, axes={'beta1': axis, **AXES})
    found = due(base, more, trials)[0].runs
    assert [x.digest for x in found] == [x.digest for x in runs]
    assert all(x.point['beta1'] == has for x in found)
    assert {x.digest for x in found} == {x.work.digest for x in trials}
  # None has these: the rounds are new.
  for axis in (choices(other, of='optimizer.beta1'),
               uniform(other, .9, of='optimizer.beta1')):
    more = dataclasses.replace(study, axes={'beta1': axis, **AXES})
    found = due(base, more, trials)[0].runs
    assert not {x.digest for x in found} & {x.digest for x in runs}


def test_what_failed_is_not_told_to_a_sampler(small, monkeypatch):
  study, base, told = of('tpe', seeds=(0, 1), points=4), small(), []
  choose = samplers.SAMPLERS['tpe']
  monkeypatch.setitem(samplers.SAMPLERS, 'tpe', lambda axes, tried, *rest: (
      told.append(tried), choose(axes, tried, *rest))[1])
  first = due(base, study, [])[0].runs
  for gone in ((0,), (0, 1)):  # A seed of a point, and then both.
    trials = [failed(run) if i in gone else ended(run)
              for i, run in enumerate(first)]
    again, last = due(base, study, trials)
    assert last and len(again.runs) == 8
    one, two = first[1], first[2]
    assert told[-1] == [
        *([Tried(one.point, value(one))] if gone == (0,) else []),
        Tried(two.point, value(two) + .5)]


def test_points_that_are_drawn_twice_are_counted(small):
  axes = {'penalty': choices('none', 'gradient_penalty', of=(
      'objective.penalty')), 'λ': uniform(
          1, 10, of='objective.penalty_weight')}
  plan, _ = due(small(), Study(axes, sampler='random', points=6), [])
  assert len(plan.runs) == 6
  # Without a penalty all λ are one.
  assert sum(x.point['penalty'] == 'none' for x in plan.runs) == 1
  assert plan.alike > 0


def test_programs_are_counted_over_all_rounds(small):
  study = Study(AXES, sampler='random', points=12)
  plan, _ = due(small(), study, [])
  assert plan.programs == len({
      (x.point['n_dis'], x.point['loss']) for x in plan.runs}) > 1

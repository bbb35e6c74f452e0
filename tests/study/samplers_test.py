"""Laws of how points are chosen."""
import math

import numpy as np
import pytest

from msg_gan_jax.study import samplers
from msg_gan_jax.study.samplers import SAMPLERS, Tried
from msg_gan_jax.study.space import RATES, choices, integers, log_uniform
from msg_gan_jax.study.space import uniform as uniform_axis

AXES = {
    'loss': choices('wasserstein', 'hinge', of='objective.loss'),
    'rate': log_uniform(1e-5, 1e-2, of=RATES),
    'beta1': uniform_axis(0, 1, of='optimizer.beta1'),
    'n_dis': integers(1, 5, of='train.n_dis')}


def value(point):
  """Best at hinge, a rate of 3e-4, beta1 of .3."""
  return (abs(math.log10(point['rate']) - math.log10(3e-4))
          + abs(point['beta1'] - .3) + (point['loss'] != 'hinge'))


def play(sampler, rounds=8, count=8, axes=AXES, seed=0):
  tried = []
  for i in range(rounds):
    tried += [Tried(point, value(point)) for point in SAMPLERS[sampler](
        axes, tried, count, seed * 100 + i)]
  return tried


@pytest.mark.parametrize('sampler', SAMPLERS)
def test_points_lie_in_the_space_and_depend_on_nothing_else(sampler):
  tried = play(sampler, rounds=2, count=4)
  assert tried == play(sampler, rounds=2, count=4)
  assert len({str(x.point) for x in tried}) == len(tried)
  for point, _ in tried:
    assert list(point) == list(AXES)
    assert point['loss'] in AXES['loss'].rows
    assert 1e-5 <= point['rate'] <= 1e-2
    assert 0 <= point['beta1'] <= 1
    assert point['n_dis'] in range(1, 6) and type(point['n_dis']) is int


def test_random_points_have_the_laws_of_their_axes():
  points = samplers.at_random(AXES, [], 4000, 0)
  logs = np.log10([x['rate'] for x in points])
  edges = np.histogram(logs, bins=[-5, -4, -3, -2])[0] / 4000
  np.testing.assert_allclose(edges, 1 / 3, atol=.03)
  counts = np.bincount([x['n_dis'] for x in points])[1:] / 4000
  np.testing.assert_allclose(counts, .2, atol=.03)
  assert np.mean([x['loss'] == 'hinge' for x in points]) == pytest.approx(
      .5, abs=.03)


@pytest.mark.slow
@pytest.mark.parametrize('sampler', ['tpe', 'bandit'])
def test_what_was_tried_makes_later_points_better_than_random_ones(sampler):
  late = np.mean([x.value for x in play(sampler, rounds=6)[-16:]])
  random = np.mean([x.value for x in play('random', 50)])
  assert late < .7 * random


def test_the_bandits_weight_is_a_fifth_of_that_of_brochu_et_al():
  # 2 log(t^(d/2+2) pi^2 / 3 delta) at t = 10, d = 4, delta = .1.
  assert samplers._beta(10, 4) == pytest.approx(
      2 / 5 * (4 * math.log(10) + math.log(math.pi**2 / .3)))


def test_without_noise_the_bandit_looks_where_it_has_not_been():
  axes = {'beta1': uniform_axis(0, 1, of='optimizer.beta1')}
  tried = [Tried({'beta1': x}, 1.) for x in (.0, .1, .2, .3)]
  points = samplers.bandit(axes, tried, 3, 0)
  assert min(x['beta1'] for x in points) > .4
  assert np.ptp([x['beta1'] for x in points]) > .1

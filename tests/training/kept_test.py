"""Laws of kept programs: they are shared where they are the same, and no run
can tell.
"""
import dataclasses
import json

import jax
import numpy as np
import pytest

from msg_gan_jax.gan import hyper
from msg_gan_jax.gan.build import build
from msg_gan_jax.training import kept, loop

RATE = {'optimizer__g_rate': 5e-4, 'optimizer__beta1': .3,
        'objective__penalty_weight': 3.}


@pytest.mark.parametrize('changes, same', [
    ({}, True), (RATE, True), ({'data__mirror': True}, False),
    ({'objective__loss': 'hinge'}, False), ({'train__n_dis': 2}, False),
    ({'schedule__images': 8, 'schedule__beta2': .9}, False)])
def test_runs_share_programs_that_differ_in_what_is_traced(
    small, changes, same):
  first = kept.gan_of(small())
  second = kept.gan_of(dataclasses.replace(small(**changes), seed=7))
  assert (first is second) == same


def test_a_strength_that_moves_is_in_its_own_programs(small):
  def strength(value, target):
    return hyper.untraced(small(
        objective__augment='diffaugment', objective__augment_target=target,
        objective__augment_strength=value))
  assert strength(.1, 0.) == strength(.2, 0.)
  assert strength(.1, .5) != strength(.2, .5)


def test_a_new_state_has_the_rates_of_its_run(small):
  sharding = jax.sharding.SingleDeviceSharding(jax.devices()[0])
  for config in small(), small(**RATE):
    key = jax.random.key(3)
    found = kept.new_state(kept.gan_of(config), config, key, sharding)
    wanted = build(config).init(key)
    assert jax.tree.structure(found) == jax.tree.structure(wanted)
    for one, other in zip(*map(jax.tree.leaves, (found, wanted)), strict=True):
      np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_no_run_can_tell_that_another_was_before_it(small, tmp_path):
  times = dict(train__total_images=24, train__log_every_images=8,
               train__sample_every_images=24, train__measure_every_images=24,
               train__checkpoint_every_images=24)

  def records(name, config, **more):
    loop.train(config, tmp_path / name, len, **more)
    lines = (tmp_path / name / 'metrics.jsonl').read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items()
             if not k.startswith('clock')} for line in lines]
  first = small(**times)
  second = dataclasses.replace(small(**times, **RATE), seed=1)
  wanted = records('alone', second)
  assert records('before', first, make=kept.gan_of) != wanted
  assert records('after', second, make=kept.gan_of) == wanted

"""Laws of plans: what is trained, and under which name."""
import dataclasses

import pytest

from msg_gan_jax.config import schema, template
from msg_gan_jax.study import plan as plans
from msg_gan_jax.study.space import RATES, Choices, Study, choices, rows

TIMES = Choices({
    f'{b1}, {b2}, {n}': {'optimizer.beta1': b1, 'optimizer.beta2': b2,
                         'train.n_dis': n}
    for b1, b2, n in ((.5, .9, 5), (.5, .999, 1), (.5, .999, 5),
                      (.9, .999, 5))})


def landscape(**more):
  """The 24 settings of the Landscape's table 1."""
  return Study({'rate': choices(1e-4, 2e-4, 1e-3, of=RATES),
                'weight': choices(1., 10., of='objective.penalty_weight'),
                'times': TIMES, **more}, seeds=(0, 1))


def of(study, base):
  return plans.plan(schema.parse(base), study, study.grid())


def test_without_a_penalty_half_of_the_landscapes_settings_are_alike():
  base = template('landscape_sndcgan')
  base.objective.penalty = 'none'
  found = of(landscape(), base)
  assert (len(found.runs), found.alike) == (12 * 2, 12)
  base.objective.penalty = 'gradient_penalty'
  base.networks.d_norm = 'none'
  found = of(landscape(), base)
  assert (len(found.runs), found.alike) == (24 * 2, 0)
  assert found.programs == 2  # n_dis of 1 and 5; all else is traced.


def test_what_does_not_go_together_is_dropped_with_its_reason():
  base = template('landscape_sndcgan')
  found = of(Study({
      'penalty': choices('none', 'gradient_penalty', of='objective.penalty'),
      'norm': choices('none', 'batch', of='networks.d_norm')}), base)
  assert len(found.runs) == 3
  (point, why), = found.dropped
  assert point == {'penalty': 'gradient_penalty', 'norm': 'batch'}
  assert 'one of the batch' in why
  with pytest.raises(ValueError, match='no point is left'):
    of(Study({'both': rows(a={'objective.penalty': 'gradient_penalty',
                              'networks.d_norm': 'batch'})}), base)


def test_names_follow_from_what_comes_of_a_run_alone(small):
  base = small()
  study = Study({'rate': choices(1e-4, 2e-4, of=RATES)}, seeds=(0, 1))
  found = of(study, base)
  assert len({x.digest for x in found.runs}) == 4
  moved = dataclasses.replace(
      base, data=dataclasses.replace(
          base.data, cache_dir='/elsewhere'))
  again = plans.plan(moved, study, study.grid())
  assert [x.digest for x in again.runs] == [x.digest for x in found.runs]
  # A study that grows trains only what is new.
  more = Study({'rate': choices(1e-4, 2e-4, 3e-4, of=RATES),
                'loss': choices(found.runs[0].config.objective.loss,
                                of='objective.loss')}, seeds=(0, 1, 2))
  assert {x.digest for x in found.runs} < {x.digest for x in of(
      more, base).runs}


def test_a_setting_of_a_later_version_leaves_digests_as_they_were(
    small, monkeypatch):
  base = small('stylegan2', networks__conv_clamp=0.)
  clamped = small('stylegan2', networks__conv_clamp=256.)
  usual, other = map(plans.digest_of, (base, clamped))
  flat = {k: v for k, v in schema.flatten(base).items()
          if k not in ('networks.conv_clamp', 'train.dynamics_every_images',
                       'train.on_divergence', 'train.rollbacks',
                       'train.rollback_rate', 'train.init_images')}
  before = plans._digest(
      {k: v for k, v in flat.items() if k not in schema.ELSEWHERE})
  assert before != usual != other
  # As if nobody had known conv_clamp when digests began.
  monkeypatch.setattr(plans, 'FROM_THE_FIRST', tuple(
      x for x in plans.FROM_THE_FIRST if x != 'networks.conv_clamp'))
  plans._before_later_settings.cache_clear()
  try:
    assert plans.digest_of(base) == before
    assert plans.digest_of(clamped) == other
  finally:
    plans._before_later_settings.cache_clear()


@pytest.mark.parametrize(('name', 'values', 'programs'), [
    ('train.ema_half_life_images', (1e3, 2e3), 2),
    ('train.g_batches', (1, 2), 2),
    ('schedule.rates', (.5, .6), 2), ('optimizer.beta2', (.9, .99), 1),
    ('data.count', (64, 128), 1), ('train.total_images', (64, 128), 1),
    ('data.resolution', (16, 32), 2)])
def test_programs_are_as_many_as_steps_have_constants(
    small, name, values, programs):
  found = of(Study({'x': choices(*values, of=name)}), small(
      schedule__images=64))
  assert len(found.runs) == 2 and found.programs == programs


def test_a_run_measures_what_judges_it(small):
  found = of(Study({'rate': choices(1e-4, of=RATES)}, metric='kid'), small())
  settings = found.runs[0].config.evaluate
  assert 'kid' in settings.metrics and settings.best == 'kid'
  with pytest.raises(ValueError, match='study.metric: no .*fidd'):
    of(Study({'rate': choices(1e-4, of=RATES)}, metric='fidd'), small())

"""One thing switched off takes what it leaves without a meaning with it."""
import dataclasses
import functools

import all_experiments
import jax
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.gan import schedules
from msg_gan_jax.gan.ablation import change
from msg_gan_jax.gan.build import build

NONE = (
    'objective.augment', 'objective.penalty', 'objective.g_penalty',
    'objective.constraint', 'objective.d_weight_penalty',
    'objective.g_weight_penalty', 'networks.d_norm', 'networks.g_norm',
    'networks.d_weight_norm', 'networks.g_weight_norm', 'networks.scales',
    'networks.stddev', 'networks.g_condition', 'networks.d_condition')
OFF = {
    **dict.fromkeys(NONE, 'none'), 'networks.classes': 0,
    'objective.drift': 0., 'objective.augment_target': 0.,
    'schedule.images': 0, 'train.ema_half_life_images': 0.,
    'train.ema_rampup': 0., 'train.grow_from': 0, 'train.n_dis_more': 0,
    'train.reuse_latents': False, 'train.g_reals': 'same',
    'optimizer.fall_until_images': 0, 'data.dequantize': False}


@functools.cache
def experiments():
  """{name: Config} of every experiment, those that are equal once."""
  configs = {schema.parse(all_experiments.load(name)): name
             for name in all_experiments.names()}
  return {name: config for config, name in configs.items()}


@pytest.mark.parametrize('switch', OFF)
def test_every_experiment_goes_without_any_one_thing(switch):
  section, field = switch.split('.')
  tried = 0
  for name, config in experiments().items():
    if schema.flatten(config)[switch] == OFF[switch]:
      continue  # It has none of it.
    try:
      gan = build(config, **{f'{section}__{field}': OFF[switch]})
    except ValueError as error:
      raise AssertionError(f'{name} without {switch}') from error
    now = schema.flatten(gan.components.config)
    assert now[switch] == OFF[switch]
    # What it settles on is an experiment by itself, and goes back no more.
    assert change(gan.components.config, {switch: OFF[switch]}) == (
        gan.components.config)
    tried += 1
  assert tried


@pytest.mark.slow
@pytest.mark.parametrize('name, switch', [
    ('cgan_projection_cifar10', 'networks.g_norm'),
    ('msg_vs_growing_16px:progan', 'train.grow_from'),
    ('stylegan2_ada_cifar10:conditional', 'networks.classes')])
def test_weights_can_be_drawn_without_it(name, switch):
  config = all_experiments.small(all_experiments.load(name), 8)
  gan = build(config, **{switch: OFF[switch]})
  state = jax.eval_shape(gan.init, jax.random.key(0))
  assert jax.tree.leaves(state.g.params) and jax.tree.leaves(state.d.params)


def test_what_goes_back_is_told_with_its_reason():
  said = []
  config = change(all_experiments.load('stylegan2_ada_cifar10'),
                  {'objective.augment': 'none'}, said.append)
  assert said == [
      "note: config.objective.augment_strength = 0.1 in place of 0.0, config."
      "objective.augment_target = 0.0 in place of 0.6, since config.objective."
      "augment = 'none'; config.objective.augment_most = 1.0 in place of 0.0, "
      "since config.objective.augment_target = 0.0."]
  usual = schema.Config().objective
  assert config.objective.augment_target == usual.augment_target


def test_nothing_is_said_where_nothing_goes_back():
  said = []
  change(schema.template(), {'objective.penalty_weight': 1}, said.append)
  assert said == []


def test_the_settings_that_somebody_gave_are_refused_in_one_text():
  given = {'objective.penalty_target': 3., 'networks.statistics': 'batch',
           'objective.augment_target': .5, 'objective.clip': .1}
  with pytest.raises(ValueError) as error:
    build(all_experiments.load('stylegan2_ada_cifar10'), **given,
          objective__augment='none')
  lines = str(error.value).split('\n')
  assert len(lines) == len(given)
  for name, value in given.items():
    assert any(line.startswith(f'config.{name}: {value!r} means nothing to ')
               for line in lines), name


def test_what_a_file_leaves_idle_goes_back_with_a_change_and_is_told():
  """As those do who switch something off in their file, and not in a flag."""
  config = schema.template('stylegan2_ada')
  config.objective.augment = 'none'
  config.train.grow_fade_images = 9
  with pytest.raises(ValueError, match=(
      '^config.objective.augment_strength: 0.0 means nothing to config.'
      "objective.augment = 'none'; wanted 0.1, the default, or another "
      r'config.objective.augment\.\n(.*\n)*config.train.grow_fade_images: 9')):
    build(config)  # Nobody would be told.
  for changes in {}, {'train__batch': 16}, {'objective__penalty': 'none'}:
    said = []
    now = change(config, changes, said.append)
    build(now)
    assert now.train.grow_fade_images == schema.Train().grow_fade_images
    assert 'grow_fade_images' in said[0] and 'augment_target' in said[0]


def test_a_weight_goes_with_its_penalty_and_is_refused_without_it():
  config = all_experiments.load('stylegan2_ada_cifar10')
  usual = schema.Objective().penalty_weight
  assert config.objective.penalty_weight != usual
  now = change(config, {'objective.penalty': 'none'})
  assert now.objective.penalty_weight == usual
  with pytest.raises(ValueError, match='penalty_weight: 3.0 means nothing'):
    change(config, {'objective.penalty': 'none',
                    'objective.penalty_weight': 3.})
  # Runs of earlier versions may have such a weight, and go on.
  earlier = schema.parse(schema.template())
  earlier = dataclasses.replace(earlier, objective=dataclasses.replace(
      earlier.objective, penalty='none', penalty_weight=3.))
  build(earlier)
  assert change(earlier, {'train.batch': 8}).objective.penalty_weight == 3


def test_labels_stay_where_their_batch_norm_goes():
  config = change(all_experiments.load('cgan_projection_cifar10'),
                  {'networks.g_norm': 'none'})
  assert config.networks.g_condition == 'concat'
  assert config.networks.classes == 10


@pytest.mark.parametrize('name', ['r3gan_cifar10', 'stylegan2_ada_cifar10'])
def test_an_average_goes_with_what_moves_it(name):
  config = change(all_experiments.load(name),
                  {'train.ema_half_life_images': 0.})
  assert not schedules.averages(config) and not config.train.ema_rampup


def test_another_network_leaves_its_own_settings_behind():
  config = change(all_experiments.load('stylegan2_ffhq'),
                  {'networks.name': 'msg_progan'})
  build(config)
  assert (config.objective.g_penalty, config.networks.conv_clamp) == ('none', 0)


def test_earlier_names_are_understood():
  assert change(schema.Config(), {'train.update': 'joint'}).train.update_order \
      == 'joint'


@pytest.mark.parametrize('name', [
    'networks.name', 'networks.g_norm', 'networks.d_norm', 'objective.loss',
    'objective.penalty', 'networks.d_condition', 'objective.augment'])
def test_a_row_that_is_not_there_yet_is_left_to_build(name):
  """A run's own rows may be registered between the two."""
  config = change(schema.template('dcgan'), {name: 'of_mine'})
  assert schema.flatten(config)[name] == 'of_mine'
  with pytest.raises(ValueError, match=rf"^config\.{name}: no .*'of_mine'"):
    build(config)


@pytest.mark.parametrize('changes, text', [
    ({'objective.augmnt': 'none'}, r"augmnt: no such setting; did.*'augment'"),
    ({'augment': 'none'}, 'config.augment: no such setting'),
    ({'loss.augment': 'none'}, 'config.loss.augment: no such setting'),
    ({'seed.augment': 'none'}, 'config.seed.augment: no such setting'),
    ({'objective': {'augment': 'none'}},
     r'config.objective: a group of settings; .* such as config.objective\.'),
    ({'objective.augment': 'ada', 'objective__augment': 'none'},
     'config.objective.augment: given twice'),
    ({'objective.augment': 0}, 'config.objective.augment: wanted str')])
def test_a_change_that_cannot_be_is_refused(changes, text):
  with pytest.raises(ValueError, match=text):
    change(schema.Config(), changes)

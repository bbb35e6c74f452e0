"""Experiments of every family train, continue and sample; all have arguments.

The whole list is trained by hand: python tests/all_experiments.py
"""
import ast
import dataclasses
import functools
import re
import runpy

import all_experiments
from helpers import ROOT
import jax
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.gan.build import build

# Dense, a chain of convolutions, residual with labels, clipped with many D
# updates, equalized with every scale, and points; with two D updates in place
# of five, each of which is compiled, and at 16 px, where through a clipped D
# the gradient of G would be nothing.
FAMILIES = (
    'vanilla_polygons', 'cgan_concat_cifar10', 'cgan_projection_cifar10',
    'wgan_lsun', 'cifar10_msg_progan', 'toy_ring')
# Of high resolution, at 8 px: growing, styles at every scale, classes and an
# adaptive augmentation, schedules.
HIGH = ('msg_vs_growing_16px:progan', 'msg_stylegan_flowers',
        'stylegan2_ada_cifar10:conditional', 'r3gan_cifar10')
# Every row of a table of published settings, trained or not.
LANDSCAPE = (
    'landscape_sndcgan', 'landscape_resnet_cifar', 'landscape_resnet19')
PUBLISHED = (
    'cifar10_msg_progan', 'msg_progan_celebahq1024', 'msg_progan_connections',
    'msg_progan_ffhq', 'msg_progan_flowers', 'msg_progan_indian_celebs',
    'msg_progan_phi', 'msg_stylegan_celebahq1024', 'msg_stylegan_churches',
    'msg_stylegan_ffhq', 'msg_stylegan_flowers', 'msg_stylegan_indian_celebs',
    'msg_vs_growing_16px', 'progan_celebahq', 'stylegan2_ada_cifar10',
    'stylegan2_ada_folder', 'stylegan_ffhq')

NAMES = sorted({name.partition(':')[0] for name in all_experiments.names()})


def rows(name):
  scope = runpy.run_path(
      str(all_experiments.ROOT / 'experiments' / f'{name}.py'))
  return scope['ROWS']


@pytest.mark.slow
@pytest.mark.parametrize('name', FAMILIES)
def test_an_experiment_trains_continues_and_samples(name, tmp_path):
  all_experiments.check(
      name, tmp_path, 32 if name == 'wgan_lsun' else 16, n_dis=2)


@pytest.mark.slow
@pytest.mark.parametrize('name', HIGH)
def test_one_of_high_resolution_trains_continues_and_samples(name, tmp_path):
  all_experiments.check(name, tmp_path, 8)


@functools.cache
def drawn():
  """What the weights that were drawn so far depend on."""
  return set()


def config_of(name, of_its_size=False):
  """The Config of an experiment whose weights could be drawn.

  Once for all that draw the same weights: of the same size, or of those that
  differ in numbers alone.
  """
  config = schema.parse(all_experiments.load(name))
  gan = build(config)
  kind = (*(x for x in dataclasses.astuple(config.networks)
            if isinstance(x, bool | str)), config.optimizer.name)
  weights = (config.networks, config.data.shape, config.optimizer.name,
             config.train.grow_from)
  if (weights if of_its_size else kind) not in drawn():
    jax.eval_shape(gan.init, jax.random.key(0))
    drawn().update((kind, weights))
  return config


@pytest.mark.slow
@pytest.mark.parametrize('name', NAMES)
def test_every_experiment_is_short_legal_and_says_its_command(name):
  text = (ROOT / 'experiments' / f'{name}.py').read_text(encoding='utf-8')
  assert 25 <= len(text.splitlines()) <= 45
  assert 'python launch.py' in ast.get_docstring(ast.parse(text))
  config_of(name, of_its_size=True)


@pytest.mark.slow
@pytest.mark.parametrize('name', LANDSCAPE)
def test_every_row_of_the_landscape_is_legal(name):
  for row in rows(name):
    config = config_of(f'{name}:{row}')
    assert config.train.total_images in (6_400_000, 12_800_000)


@pytest.mark.slow
@pytest.mark.parametrize('name', PUBLISHED)
def test_every_row_of_a_table_is_legal_and_unlike_the_others(name):
  configs = [config_of(f'{name}:{row}') for row in rows(name)]
  assert len(set(configs)) == len(configs)
  assert schema.parse(all_experiments.load(name)) in configs


@pytest.mark.parametrize(
    'name', [*LANDSCAPE, *PUBLISHED, 'mimicry_cifar10'])
def test_a_row_that_is_not_there_is_an_error_that_lists_them(name):
  with pytest.raises(
      ValueError, match=r"no .*'best'.*wanted one of [\w.]+, "):
    all_experiments.load(f'{name}:best')


def test_a_folder_gets_the_settings_of_its_resolution():
  at = {row: schema.parse(all_experiments.load(
      f'stylegan2_ada_folder:{row}')) for row in ('64', '256', '1024')}
  assert {row: x.train.batch for row, x in at.items()} == {
      '64': 32, '256': 16, '1024': 4}
  assert at['256'].objective.penalty_weight == pytest.approx(.8192)
  assert at['1024'].objective.penalty_weight == pytest.approx(52.4288)
  # 512 maps up to 64 px, and 32 at 1024 px.
  assert at['1024'].networks.fmap_base == 2 * at['256'].networks.fmap_base
  assert (at['256'].optimizer.d_rate, at['1024'].optimizer.d_rate) == (
      .0025, .002)


@pytest.mark.parametrize(
    'name', ['stylegan_ffhq', 'progan_cifar10', 'progan_celebahq:v2'])
def test_what_grows_is_stopped_in_its_last_fade(name):
  config = all_experiments.small(all_experiments.load(name))
  gan, total = build(config), config.train.total_images
  levels = {i: gan.phase(i).level for i in range(0, total, config.train.batch)}
  last = min(i for i, level in levels.items() if level == max(levels.values()))
  assert len(set(levels.values())) > 1
  assert last < total // 2 < last + config.train.grow_fade_images


def test_the_quickstart_shows_how_its_scores_move():
  train = schema.parse(all_experiments.load('quickstart')).train
  assert train.total_images % train.measure_every_images == 0
  assert train.total_images // train.measure_every_images >= 4


def test_what_is_trained_by_hand_exists():
  names = list(all_experiments.names())
  stems = {name.partition(':')[0] for name in names}
  assert set(all_experiments.ARGUMENTS) <= stems
  assert {*FAMILIES, *HIGH} <= set(names)


def test_the_flags_that_experiments_advise_are_accepted():
  """Those of a paragraph together, but for where data lie."""
  kinds = {name: type(value) for name, value in schema.flatten(
      schema.Config()).items()}
  advised = 0
  for name in NAMES:
    text = ast.get_docstring(ast.parse((
        ROOT / 'experiments' / f'{name}.py').read_text(encoding='utf-8')))
    get_config = runpy.run_path(
        ROOT / 'experiments' / f'{name}.py')['get_config']
    for paragraph in text.split('\n\n'):
      config = get_config()
      flags = re.findall(
          r'--config\.(?!data)([\w.]+)=([\w.]+?)[.;,)]*(?:\s|$)', paragraph)
      for setting, value in flags:
        kind = kinds[setting]
        config.update_from_flattened_dict({
            setting: value == 'True' if kind is bool else kind(value)})
      build(schema.parse(config))
      advised += len(flags)
  assert advised > 30

"""Spaces of studies are those of the papers: numbers, values and ranges.

What is expected is written here from the papers themselves.
"""
import dataclasses
import functools
import inspect
import itertools
import runpy

from helpers import ROOT
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data.sources import DRAWN
from msg_gan_jax.study import plan, rounds
from msg_gan_jax.study.space import RATES, Choices, Range

STUDIES = ROOT / 'experiments' / 'studies'
NAMES = sorted(x.stem for x in STUDIES.glob('*.py') if x.stem != '__init__')
# Those whose functions take an argument, and what it may be.
ARGUMENTS = {'equal_gans': ('wide', 'narrow'),
             'landscape_bandit': ('gradient_penalty', 'l2')}
# How a page calls the sets that are not drawn.
PICTURES = {'cifar10': 'CIFAR-10'}
ALL = [(name, argument) for name in NAMES
       for argument in ARGUMENTS.get(name, ('',))]


def study_of(name, argument='', **changes):
  """(Config of the base, Study) of a file."""
  scope = runpy.run_path(str(STUDIES / f'{name}.py'))
  given = [argument] if argument else []
  config = scope['get_config'](*given)
  config.update_from_flattened_dict(changes)
  return schema.parse(config), scope['get_study'](*given)


def runs_of(base, study):
  """The runs that are due at first."""
  return rounds.due(base, study, [])[0].runs


@functools.cache
def due_of(name, argument=''):
  """Plan of the runs of a file that are due at first."""
  return rounds.due(*study_of(name, argument), [])[0]


def settings_of(base, study, *names):
  """{values of these settings} over the runs."""
  return {tuple(schema.flatten(run.config)[name] for name in names)
          for run in runs_of(base, study)}


@pytest.mark.parametrize(('name', 'argument'), ALL)
def test_every_file_plans_and_says_what_it_is(name, argument):
  base, study = study_of(name, argument)
  found = due_of(name, argument)
  assert found.runs
  # A grid is chosen by hand: nothing of it may be refused.
  assert not found.dropped or study.sampler == 'random'
  text = ' '.join(inspect.cleandoc(runpy.run_path(
      str(STUDIES / f'{name}.py'))['__doc__']).split())
  assert len(text.split('.')) > 2
  if base.data.name not in DRAWN:
    assert PICTURES[base.data.name] in text
  if study.metric != 'swd' or study.value == 'best':
    assert base.train.measure_every_images <= base.train.total_images


@pytest.mark.parametrize('name', NAMES)
def test_a_file_that_takes_an_argument_is_listed_here(name):
  scope = runpy.run_path(str(STUDIES / f'{name}.py'))
  takes = [bool(inspect.signature(scope[x]).parameters)
           for x in ('get_config', 'get_study')]
  assert takes == [name in ARGUMENTS] * 2


# Kurach et al. 2019 (arXiv:1807.04720), table 1.
TABLE_1 = [
    (rate, weight, *times) for rate, weight, times in itertools.product(
        (1e-4, 2e-4, 1e-3), (1., 10.),
        ((.5, .9, 5), (.5, .999, 1), (.5, .999, 5), (.9, .999, 5)))]


@pytest.mark.parametrize(('norm', 'loss'), [
    ('none', 'non_saturating'), ('layer', 'least_squares'),
    ('layer', 'wasserstein')])
def test_the_landscapes_fixed_settings_are_those_of_its_table_1(norm, loss):
  base, study = study_of('landscape_fixed', **{
      'networks.d_norm': norm, 'objective.loss': loss})
  names = ('optimizer.g_rate', 'objective.penalty_weight', 'optimizer.beta1',
           'optimizer.beta2', 'train.n_dis')
  assert settings_of(base, study, *names) == set(TABLE_1)
  assert len(runs_of(base, study)) == 24
  assert all(run.config.optimizer.g_rate == run.config.optimizer.d_rate
             for run in runs_of(base, study))
  without, _ = study_of('landscape_fixed', **{
      'networks.d_norm': norm, 'objective.loss': loss,
      'objective.penalty': 'none', 'objective.penalty_weight': 10.})
  assert len(runs_of(without, study)) == 12
  assert settings_of(without, study, *names[:1], *names[2:]) == {
      (rate, *times) for rate, _, *times in TABLE_1}


def is_landscape(base):
  """Batch 64, z of 128, 200,000 steps on CIFAR-10, Adam (section 3.1)."""
  return (base.train.batch, base.networks.latent, base.optimizer.name,
          base.data.name, base.train.total_images) == (
              64, 128, 'adam', 'cifar10', 200_000 * 64)


@pytest.mark.parametrize('penalty', ARGUMENTS['landscape_bandit'])
def test_the_landscapes_bandit_has_the_ranges_of_its_table_2(penalty):
  base, study = study_of('landscape_bandit', penalty)
  assert is_landscape(base) and is_landscape(study_of('landscape_fixed')[0])
  ranges = {x.settings: (x.low, x.high, x.log) for x in study.axes.values()
            if isinstance(x, Range)}
  weight = {'gradient_penalty': ('objective.penalty_weight', .1, 100, True),
            'l2': ('objective.d_weight_penalty_weight', 1e-4, 10, True)}
  name, *wanted = weight[penalty]
  betas = [ranges.pop((f'optimizer.beta{i}',)) for i in (1, 2)]
  # [0, 1], whose end no optimizer can have.
  assert all(low == 0 and .999 < high < 1 and not log
             for low, high, log in betas)
  assert ranges == {RATES: (1e-5, 1e-2, True), (name,): tuple(wanted)}
  assert (study.sampler, study.points, study.at_once) == ('bandit', 120, 10)


@pytest.mark.parametrize('penalty', ARGUMENTS['landscape_bandit'])
def test_the_bandit_makes_240_settings_in_12_rounds(penalty):
  base, study = study_of('landscape_bandit', penalty)

  def by_n_dis(study):
    found = [x.config.train.n_dis for x in runs_of(base, study)]
    return {n: found.count(n) for n in found}

  assert by_n_dis(study) == {1: 10, 5: 10}  # The first of the rounds.
  assert study.points == 12 * study.at_once
  # To draw all at once takes as many; how good they are is not asked here.
  at_random = dataclasses.replace(study, sampler='random', at_once=1)
  assert by_n_dis(at_random) == {1: 120, 5: 120}


# Lucic et al. 2018 (arXiv:1711.10337), and params.py of its compare_gan.
METHODS = {
    'mm_gan': ('minimax', 'none', 'none'),
    'ns_gan': ('non_saturating', 'none', 'none'),
    'lsgan': ('least_squares', 'none', 'none'),
    'wgan': ('wasserstein', 'none', 'clip'),
    'wgan_gp': ('wasserstein', 'gradient_penalty_compare_gan', 'none'),
    'dragan': ('non_saturating', 'dragan_compare_gan', 'none')}


@pytest.mark.parametrize('ranges', ARGUMENTS['equal_gans'])
def test_ranges_of_are_gans_created_equal(ranges):
  base, study = study_of('equal_gans', ranges)
  found = {x.settings: (x.low, x.high, x.log, x.whole)
           for x in study.axes.values() if isinstance(x, Range)}
  kinds = {k: set(v.rows) for k, v in study.axes.items()
           if isinstance(v, Choices)}
  assert kinds.pop('method') == set(METHODS)
  assert (study.sampler, study.points, study.apart) == (
      'random', 100, ('method',))
  assert (base.train.batch, base.networks.name) == (64, 'infogan')
  assert (base.data.resolution, base.data.channels) == (28, 1)
  assert base.train.total_images == 20 * 60_000  # MNIST's 20 epochs.
  if ranges == 'narrow':
    assert found == {RATES: (1e-4, 1e-3, True, False)}
    assert (base.optimizer.beta1, base.train.n_dis) == (.5, 1)
    assert not kinds
    return
  low, high, *linear = found.pop(('optimizer.beta1',))
  assert low == 0 and .999 < high < 1 and linear == [False, False]
  assert found == {
      RATES: (1e-5, 1e-2, True, False),
      ('train.n_dis',): (1, 5, False, True),
      ('objective.clip',): (1e-3, 1, True, False),
      ('objective.penalty_weight',): (.1, 100, True, False)}
  assert kinds == {'norm': {'batch', 'none'}}


@pytest.mark.parametrize('ranges', ARGUMENTS['equal_gans'])
def test_each_of_its_methods_has_100_settings(ranges):
  runs = due_of('equal_gans', ranges).runs
  assert len(runs) == 600
  for name, wanted in METHODS.items():
    mine = [x.config.objective for x in runs if x.point['method'] == name]
    assert len(mine) == 100
    assert {(x.loss, x.penalty, x.constraint) for x in mine} == {wanted}


def test_the_decks_methods_are_those_of_their_papers():
  base, study = study_of('dcgan_wgan_wgan_gp')
  names = ('objective.loss', 'objective.penalty', 'objective.constraint',
           'optimizer.name', 'optimizer.g_rate', 'optimizer.d_rate',
           'train.n_dis')
  assert settings_of(base, study, *names) == {
      # Radford et al. 2016 (arXiv:1511.06434), sec. 4.
      ('non_saturating', 'none', 'none', 'adam', 2e-4, 2e-4, 1),
      # Arjovsky et al. 2017 (arXiv:1701.07875), algorithm 1.
      ('wasserstein', 'none', 'clip', 'rmsprop', 5e-5, 5e-5, 5),
      # Gulrajani et al. 2017 (arXiv:1704.00028), algorithm 1 and sec. 5.
      ('wasserstein', 'gradient_penalty', 'none', 'adam', 1e-4, 1e-4, 5)}
  for run in runs_of(base, study):
    config, method = run.config, run.point['method']
    assert (config.data.name, config.data.resolution) == ('cifar10', 32)
    assert config.train.measure_every_images == 50_000  # FID of each epoch.
    if method == 'wgan':
      assert config.objective.clip == .01
    if method == 'wgan_gp':
      assert config.objective.penalty_weight == 10
      assert config.networks.d_norm == 'none'


def test_msg_gans_rates_are_those_of_its_table_3():
  base, study = study_of('msg_rates')
  assert settings_of(base, study, *RATES) == {
      (x, x) for x in (.003, .001, .005, .01)}
  assert (base.optimizer.name, base.data.resolution) == ('rmsprop', 32)
  assert base.objective.penalty == 'gradient_penalty'


def test_connections_and_phi_are_those_of_tables_4_and_5():
  base, study = study_of('msg_structures')
  # Of nine resolutions these pictures have three: 4, 8 and 16 px. Table 4 has
  # none, the coarse ones, the middle ones, and all; table 5 three φ.
  found = settings_of(base, study, 'networks.scales', 'networks.phi')
  assert found >= {
      ('none', 'simple'), ('4,16', 'simple'), ('8,16', 'simple'),
      ('all', 'simple'), ('all', 'lin_cat'), ('all', 'cat_lin')}
  assert len(runs_of(base, study)) == len(found) * 3


@pytest.mark.parametrize('name', ['msg_rates', 'msg_structures',
                                  'msg_connections_64', 'msg_beside_progan'])
def test_studies_of_msg_gan_begin_from_the_paper(name):
  base, _ = study_of(name)
  assert (base.objective.loss, base.objective.penalty) == (
      'wasserstein', 'gradient_penalty')
  assert (base.optimizer.name, base.optimizer.g_rate) == ('rmsprop', .003)
  assert (base.networks.phi, base.networks.scales) == ('simple', 'all')


def test_progan_grows_beside_msg_and_nothing_else_differs():
  base, study = study_of('msg_beside_progan')
  configs = {run.point['method']: run.config for run in runs_of(base, study)}
  assert {k: v.train.grow_from for k, v in configs.items()} == {
      'msg': 0, 'progan': 4, 'plain': 0}
  assert {k: v.networks.scales for k, v in configs.items()} == {
      'msg': 'all', 'progan': 'none', 'plain': 'none'}
  for config in configs.values():
    assert config.objective == base.objective
    assert config.optimizer == base.optimizer
    assert config.train.total_images == base.train.total_images


def test_msg_gans_claim_is_asked_at_a_usual_and_at_a_high_rate():
  base, study = study_of('msg_connections_64')
  assert settings_of(base, study, 'networks.scales', *RATES, 'seed') == {
      (scales, rate, rate, seed) for scales, rate, seed in itertools.product(
          ('all', 'none'), (.003, .01), (0, 1))}
  assert (base.data.resolution, base.train.total_images) == (64, 60_000)


def test_the_fair_trio_has_equal_budgets_and_settings():
  base, study = study_of('fair_trio')
  runs = runs_of(base, study)
  assert len(runs) == 3 * 2 * 3
  methods = ('objective.loss', 'objective.penalty', 'objective.penalty_weight',
             'networks.d_weight_norm', 'networks.scales')
  alike = [{k: v for k, v in schema.flatten(run.config).items()
            if k not in (*methods, *RATES, 'seed')} for run in runs]
  assert all(x == alike[0] for x in alike)
  assert alike[0]['train.n_dis'] == 1
  assert len(settings_of(base, study, *RATES, 'seed')) == 2 * 3


def test_the_small_landscape_is_as_large_as_it_says():
  base, study = study_of('landscape_small')
  runs = runs_of(base, study)
  sizes = [len(axis.rows) for axis in study.axes.values()]
  assert sizes == [5, 3, 2] and len(study.seeds) == 3
  assert len(runs) == 5 * 3 * 2 * 3  # None is dropped, and none like another.
  assert settings_of(base, study, 'networks.d_norm',
                     'networks.d_weight_norm') == {
      ('none', 'none'), ('layer', 'none'), ('none', 'spectral_compare_gan')}
  assert base.data.resolution == 16
  # Those that were trained are found again, whatever settings came since.
  journal = ROOT / 'docs' / 'studies' / 'records' / 'landscape_small.log'
  text = journal.read_text(encoding='utf-8')
  base = plan.judged(base, study)
  assert all(f'"digest":"{run.digest}"' in text
             for run in rounds.due(base, study, [])[0].runs)


def test_families_are_all_networks_of_presets_with_their_own_settings():
  base, study = study_of('families')
  runs = {run.point['family']: run.config for run in runs_of(base, study)}
  assert {x.networks.name for x in runs.values()} == {
      schema.parse(schema.template(name)).networks.name
      for name in schema.PRESETS}
  # What a budget, a width and pictures need is another; all else is the paper's
  # (or, where it would do nothing, the default).
  free = ('data.', 'train.', 'networks.fmap_max', 'evaluate.')
  usual = schema.flatten(schema.Config())
  for name, config in runs.items():
    found = schema.flatten(config)
    for setting, wanted in schema.flatten(
        schema.parse(schema.template(name))).items():
      if not setting.startswith(free):
        assert found[setting] in (wanted, usual[setting]), (name, setting)
    assert config.train.n_dis == schema.PRESETS[name].get('train.n_dis', 1)
    assert config.networks.fmap_max in (32, 128)

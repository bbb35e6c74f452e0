"""Laws of the observer of dynamics: what a run records, on and off."""
import fnmatch

from helpers import batch
import jax
import numpy as np
import pytest

from msg_gan_jax import load, read
from msg_gan_jax.analysis import dynamics as drawn
from msg_gan_jax.arrays.mesh import data_mesh
from msg_gan_jax.config import schema
from msg_gan_jax.data.sources import open_source
from msg_gan_jax.gan import dynamics
from msg_gan_jax.gan.build import build
from msg_gan_jax.report import curves
from msg_gan_jax.runs import records
from msg_gan_jax.training import kept, loop
from msg_gan_jax.training.dynamics import Dynamics, dynamics_of
from msg_gan_jax.training.observers import Moment

KINDS = ('spectral', 'stable', 'slope', 'angle', 'update', 'eigenvalue',
         'residual', 'condition', 'overfitting')


@pytest.fixture(scope='module')
def ring():
  """A ConfigDict of ten steps on a ring, with three looks."""
  config = schema.template()
  config.data.update(dict(
      name='ring', resolution=1, channels=2, count=256, held_out=96))
  config.networks.update(dict(
      name='mlp', latent=3, fmap_max=8, stddev='none'))
  config.objective.update(dict(loss='non_saturating', penalty='r1', drift=0.))
  config.train.update(dict(
      batch=64, total_images=640, log_every_images=320,
      sample_every_images=640, measure_every_images=640,
      checkpoint_every_images=256, dynamics_every_images=256))
  return config


def change(config, **train):
  config = config.copy_and_resolve_references()
  config.train.update(train)
  return config


def recorded(path):
  return [{k: v for k, v in record.items() if k != 'clock'}
          for record in records.read(path / 'metrics.jsonl')]


@pytest.fixture(scope='module')
def looked_at(ring, tmp_path_factory):
  """(path, what it said) of a run that looks."""
  path, said = tmp_path_factory.mktemp('looks') / 'run', []
  loop.train(ring, path, said.append)
  return path, said


@pytest.mark.slow
def test_a_run_records_all_and_says_what_it_costs(looked_at):
  path, said = looked_at
  looks = [r for r in recorded(path) if 'spectral_norm_d' in r]
  assert [r['images'] for r in looks] == [256, 512, 640]
  for record in looks:
    for _, (pattern,), _ in curves.DYNAMICS:
      found = fnmatch.filter(record, pattern)
      assert found and all(np.isfinite(record[x]) for x in found), pattern
    assert record['spectral_norm_g'] == max(
        x for k, x in record['spectral_norms'].items() if k[0] == 'g')
    assert set(record['stable_ranks']) == {
        f'{player}.{name}' for player, last in (('d', 'score'), ('g', 'image'))
        for name in ('hidden_1', 'hidden_2', 'hidden_3', last)}
    assert 0 <= record['angle_d'] <= 180
    assert record['slope_mean_1'] <= record['slope_max_1']
  assert looks[0]['eigenvalues'] != looks[1]['eigenvalues']
  told = [line for line in said if line.startswith('dynamics of the game')]
  took, residuals, takes, *others = told
  assert 'the first look took' in took and 'every 256 images' in takes
  assert len(others) == 2
  for line, record in zip((residuals, *others), looks, strict=True):
    for name in 'modulus', 'real':
      value, residual = (record[f'{x}_{name}'] for x in (
          'eigenvalue', 'residual'))
      assert f'{value:.3g} (residual {residual:.1g})' in line
  assert (path / 'curves.png').exists()


@pytest.mark.slow
def test_a_run_that_goes_on_records_the_same(looked_at, ring, tmp_path):
  path = tmp_path / 'run'
  loop.train(change(ring, total_images=256), path, len)
  loop.train(ring, path, len)
  assert recorded(path)[1:] == [
      r for r in recorded(looked_at[0]) if r['images'] > 256]


@pytest.mark.slow
def test_looks_change_nothing_of_a_run(looked_at, ring, tmp_path):
  path = tmp_path / 'run'
  said = []
  loop.train(change(ring, dynamics_every_images=0), path, said.append)
  assert not [line for line in said if 'dynamics' in line]
  names = set().union(*recorded(looked_at[0]))
  own = names - set().union(*recorded(path))
  assert {name.split('_')[0] for name in own} == {*KINDS, 'eigenvalues'}
  assert not any(name.split('_')[0] in KINDS
                 for name in names - own)
  for a, b in zip(*(jax.tree.leaves(load(x).state) for x in (
      path, looked_at[0])), strict=True):
    np.testing.assert_array_equal(a, b)
  assert recorded(path) == [
      without for r in recorded(looked_at[0])
      if len(without := {k: v for k, v in r.items() if k not in own}) > 1]


def look_at(config):
  """(values of a look, State) of the observer, without a run."""
  config = schema.parse(config)
  gan, mesh = build(config), data_mesh()
  state = gan.init(jax.random.key(1))
  splits = open_source(config)
  observer, = dynamics_of(
      config, gan, splits, kept.step_of(gan, mesh),
      type('Batches', (), {'at': lambda self, images, shape: batch_of(
          config, images)})(), jax.random.key(0))
  view = type('View', (), {
      'images': 0, 'state': state, 'say': lambda self, line: None})()
  return observer.run(view), state


def batch_of(config, images):
  return batch(config, seed=images)


@pytest.mark.slow
def test_the_update_is_that_of_the_next_step(small):
  config = small(
      networks__name='sndcgan', networks__scales='none', networks__phi='simple',
      networks__stddev='none', networks__fmap_max=4,
      networks__d_weight_norm='spectral', objective__penalty='none',
      objective__drift=0., train__dynamics_every_images=8)
  values, state = look_at(config)
  gan = build(config)
  before = jax.device_get(state)
  after, _ = gan.step(state, batch_of(config, 0), jax.random.key(0))
  for name in 'd', 'g':
    np.testing.assert_allclose(
        values[f'update_{name}'], dynamics.share_moved(
            getattr(before, name).params, getattr(after, name).params),
        rtol=1e-5)
  assert values['spectral_norms']['d.score'] == pytest.approx(1., abs=.2)


@pytest.mark.slow
def test_a_gan_that_grows_is_seen_as_far_as_it_has_grown(small):
  config = small(
      networks__name='progan', networks__phi='simple', networks__scales='none',
      networks__stddev='none', networks__fmap_max=4, networks__fmap_base=8,
      train__grow_from=4, train__grow_stable_images=64,
      train__grow_fade_images=64, train__dynamics_every_images=8)
  values, _ = look_at(config)
  assert [x for x in values if x.startswith('slope_mean')] == ['slope_mean_4']
  assert set(values['spectral_norms']) == {
      'd.from_rgb_4', 'd.block_4_conv_1', 'd.block_4_conv_2', 'd.score',
      'g.block_4_conv_1', 'g.block_4_conv_2', 'g.rgb_4'}


def test_off_there_is_no_observer():
  config = schema.parse(schema.template())
  assert not config.train.dynamics_every_images
  assert dynamics_of(config, *[None] * 5) == []
  assert schema.before()['train.dynamics_every_images'] == 0


def test_a_look_is_due_at_its_images_and_at_the_end(ring):
  config = schema.parse(ring)
  observer = Dynamics(config, build(config), *[None] * 4)
  assert observer.every == 256
  due = [n for n in range(0, 640, 64) if observer.due(Moment(n, n + 64))]
  assert due == [192, 448]
  assert observer.due(Moment(576, 640, True))
  assert not observer.due(Moment(0, 0))


@pytest.mark.slow
def test_eigenvalues_are_read_as_they_were_recorded(looked_at):
  columns = read(looked_at[0]).records
  rows = drawn.looks(columns)
  assert list(columns['images'][rows]) == [256, 512, 640]
  values, residuals = drawn.spectrum(columns, rows[-1])
  assert len(values) == len(residuals) == dynamics.EIGENVALUES
  assert abs(values[0]) == columns['eigenvalue_modulus'][rows[-1]]
  assert values.real.max() == columns['eigenvalue_real'][rows[-1]]
  inside = {name.partition('.')[0] + '.' for name in columns if '.' in name}
  assert inside - {'references.', 'spread.', 'clock.'} == {*drawn.INSIDE}


@pytest.mark.slow
def test_every_value_is_of_one_kind(looked_at):
  for record in recorded(looked_at[0]):
    for name in (k for k, x in record.items() if not isinstance(x, dict)):
      kinds = [x for x in drawn.KINDS if f'{name}_'.startswith(f'{x}_')]
      assert len(kinds) == (name.split('_')[0] in KINDS), name

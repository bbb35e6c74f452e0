"""Laws of a step in parts: it is the whole step, compiled once."""
from helpers import batch
import jax
from jax import export
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.arrays.mesh import data_mesh, replicated
from msg_gan_jax.gan import step
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.devices import ShardedStep


@pytest.fixture
def points(small):
  """A Config of a dense GAN of points, with more than one update of D."""
  def make(**settings):
    return small(**{
        **dict(networks__name='mlp', networks__scales='none',
               networks__stddev='none', data__name='ring', data__resolution=1,
               data__channels=2, train__n_dis=3, optimizer__name='adam'),
        **settings})
  return make


def after(config, images=0, whole=False, loops=None):
  """(State, logs) of a step, whole or as a run takes it."""
  gan = build(config)
  state = gan.init(jax.random.key(0)).replace(images=jnp.int32(images))
  run = gan.step if whole else ShardedStep(gan, data_mesh(), loops)
  return run(state, batch(config), jax.random.key(1), gan.phase(images))


def assert_the_same(config, images=0, loops=None):
  assert step.in_parts(build(config).components)
  (parts, part_logs), (whole, logs) = (
      after(config, images, whole, loops) for whole in (False, True))
  assert part_logs.keys() == logs.keys()
  for (path, a), b in zip(
      jax.tree_util.tree_flatten_with_path((parts, part_logs))[0],
      jax.tree.leaves((whole, logs)), strict=True):
    assert a.dtype == b.dtype
    np.testing.assert_allclose(
        a, b, rtol=2e-4, atol=2e-6, err_msg=jax.tree_util.keystr(path))


@pytest.mark.slow
@pytest.mark.parametrize('loops', [False, True])
@pytest.mark.parametrize('settings', [
    {}, {'objective__penalty_every_d_steps': 2},
    {'train__g_batches': 2}, {'train__reuse_latents': True},
    {'train__accumulate': 2, 'objective__penalty': 'none'}])
def test_parts_are_the_whole_step(points, settings, loops):
  assert_the_same(points(**settings), loops=loops)


@pytest.mark.slow
@pytest.mark.parametrize('power_update', ['pass', 'update'])
@pytest.mark.parametrize('reuse', [False, True])
def test_statistics_are_those_of_the_whole_step(small, power_update, reuse):
  """Batch norm in G, vectors of spectral norms in both players."""
  assert_the_same(small(
      networks__name='sndcgan', networks__scales='none', networks__fmap_max=4,
      networks__stddev='none', networks__g_norm='batch', train__n_dis=2,
      networks__g_weight_norm='spectral', networks__d_weight_norm='spectral',
      networks__power_update=power_update, train__reuse_latents=reuse,
      objective__penalty='none', objective__drift=0., optimizer__name='adam'))


@pytest.mark.slow
def test_steps_without_an_update_of_g_are_too(points):
  config = points(train__n_dis_more=6, train__more_first_g_steps=1)
  assert not build(config).phase(0).update_g
  assert_the_same(config)
  old = build(config).init(jax.random.key(0))
  new, _ = after(config)
  same = jax.tree.map(lambda a, b: bool((a == b).all()), old, new)
  assert all(jax.tree.leaves(same.g.params))
  assert not all(jax.tree.leaves(same.d.params))


def test_what_shares_more_than_a_state_is_one_program(points):
  for settings in ({'train__n_dis': 1}, {'train__update_order': 'joint'}):
    assert not step.in_parts(build(points(**settings)).components)


@pytest.mark.slow
def test_an_update_of_d_is_compiled_once_whatever_n_dis_is(points):
  compiled = []

  def heard(event, duration, **unused):
    compiled.append(event)

  def programs(n_dis):
    config = points(train__n_dis=n_dis)
    gan, over = build(config), data_mesh()
    state = jax.device_put(gan.init(jax.random.key(0)), replicated(over))
    arguments = batch(config), jax.random.key(1), gan.phase(0)
    run = ShardedStep(gan, over)
    calls = run.lower(state, *arguments)
    assert len(calls) == n_dis + 1 and len(set(calls)) == 2
    compiled.clear()
    run(state, *arguments)
    return sum('backend_compile' in event for event in compiled)

  jax.monitoring.register_event_duration_secs_listener(heard)
  try:
    assert programs(2) == programs(5) == 2
  finally:
    jax.monitoring.unregister_event_duration_listener(heard)


@pytest.mark.slow
def test_a_loop_has_an_update_of_d_once_whatever_n_dis_is(points):
  def products(n_dis):
    config = points(train__n_dis=n_dis)
    gan = build(config)
    run = ShardedStep(gan, data_mesh(), loops=True)
    exported = export.export(
        jax.jit(lambda *arguments: run(*arguments, gan.phase(0))),
        platforms=('cuda', 'tpu'))(
            jax.eval_shape(gan.init, jax.random.key(0)), batch(config),
            jax.random.key(1))
    return exported.mlir_module().count('stablehlo.dot_general')

  assert 0 < products(2) == products(5)


def several(config, images, count):
  """(State, logs) of steps one at a time, and of all of them in one call."""
  gan, key = build(config), jax.random.key(1)
  phase = gan.phase(images)
  run = ShardedStep(gan, data_mesh(), loops=True)
  batches = [batch(config, seed) for seed in range(count)]

  def start():
    return gan.init(jax.random.key(0)).replace(images=jnp.int32(images))

  state, logs = start(), []
  for one in batches:
    state, of_step = run(state, one, key, phase)
    logs.append(of_step)
  together = jax.tree.map(lambda *x: jnp.concatenate(x), *batches)
  return ((state, jax.tree.map(lambda *x: jnp.stack(x), *logs)),
          run(start(), together, key, phase))


@pytest.mark.slow
@pytest.mark.parametrize('settings', [
    {'train__n_dis': 1}, {'train__n_dis': 2},
    {'train__n_dis': 1, 'objective__penalty': 'r1'}])
def test_several_steps_in_a_call_are_one_after_the_other(points, settings):
  one_by_one, together = several(points(**settings), 64, 3)
  for (path, a), b in zip(
      jax.tree_util.tree_flatten_with_path(one_by_one)[0],
      jax.tree.leaves(together), strict=True):
    assert a.dtype == b.dtype and a.shape == b.shape
    np.testing.assert_allclose(
        a, b, rtol=1e-5, atol=1e-7, err_msg=jax.tree_util.keystr(path))

"""Progressive growing: fades, stages, and runs that stop in the middle."""
import dataclasses

import all_experiments
import chex
from endurance import tiny_run
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.analysis.generator import samples
from msg_gan_jax.arrays.mesh import data_mesh
from msg_gan_jax.commands import dry_run
from msg_gan_jax.data.batches import Batch
from msg_gan_jax.gan import pyramid, schedules
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.devices import check_batch
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.state import Condition
from msg_gan_jax.training import loop

GROWING = 'progan', 'stylegan'
B = 4
# A penalty compiles for as long as all else.
CHEAP = dict(objective__loss='non_saturating', objective__penalty='none',
             objective__drift=0.)


@pytest.fixture(scope='module')
def growing(small):
  """(preset, **settings) -> the Config of a GAN that grows from 4 to 16 px.

  A resolution is stable for 16 images, and fades in over 16.
  """
  def make(preset, **settings):
    return small(preset, **{
        'train__batch': B, 'train__grow_from': 4,
        'train__grow_stable_images': 16, 'train__grow_fade_images': 16,
        'train__grow_batches': '', 'train__grow_rates': '',
        'networks__w': 8 if preset == 'stylegan' else 512,
        'networks__mapping_layers': 2 if preset == 'stylegan' else 8,
        'networks__stddev_group': 4, **settings})
  return make


def batch(size=16):
  images = np.random.default_rng(0).integers(
      0, 256, (1, B, size, size, 3), np.uint8)
  return Batch(jnp.asarray(images), jnp.zeros((1, B), jnp.int32))


def growth(**settings):
  return schedules.Growth(**{
      'first': 0, 'last': 3, 'stable': 600, 'fade': 400,
      'batches': (4, 4, 4, 4), 'rates': (1., 1., 1., 1.), **settings})


def lod_of_progan(images, first, last, stable, fade):
  """Level of detail by the paper's code: 0 at the finest resolution."""
  phase, rest = divmod(images, stable + fade)
  lod = float(last - first - phase)
  if fade and rest > stable:
    lod -= (rest - stable) / fade
  return max(lod, 0.)


@pytest.mark.parametrize('first', [0, 1])
@pytest.mark.parametrize('stable, fade', [(600, 400), (100, 0), (0, 300)])
def test_the_schedule_is_that_of_progans_code(first, stable, fade):
  found = growth(first=first, stable=stable, fade=fade)
  for images in range(0, 5000, 20):
    level = found.level(images)
    assert int(found.traced_level(jnp.int32(images))) == level
    alpha = float(found.alpha(jnp.int32(images), level))
    # Level 2 at alpha .25 is a quarter of the way from level 1 to level 2.
    lod = lod_of_progan(images, first, 3, stable, fade)
    assert (3 - level) + (1 - alpha) == pytest.approx(lod, abs=1e-6), images


def test_batches_and_rates_follow_the_resolution(growing):
  gan = build(growing('progan', train__grow_batches='8:8,16:4'))
  # Stable, fading, stable, fading: 4 px in fours, 8 px in eights.
  assert [(gan.phase(i).level, gan.phase(i).images)
          for i in (0, 12, 16, 40, 48, 64, 10**6)] == [
              (0, 4), (0, 4), (1, 8), (1, 8), (2, 4), (2, 4), (2, 4)]
  images, phases = 0, set()
  while images < 200:
    phase = gan.phase(images)
    phases.add(phase)
    images += phase.images
  assert len(phases) == 3  # one compilation a resolution, alpha is traced


@pytest.mark.slow
@pytest.mark.parametrize('preset', GROWING)
def test_a_fade_is_the_coarser_gan_at_0_and_the_finer_at_1(preset, growing):
  config = growing(preset)
  players, gan = NETWORKS[config.networks.name](config), build(config)
  state = gan.init(jax.random.key(0))
  z = gan.draw(jax.random.key(1), B)

  def g(level, alpha):
    image, = players.stage(level).g.apply(
        {'params': state.g.params, 'stats': state.g.stats}, z,
        Condition(alpha=jnp.full(B, alpha)))
    return image

  def d(level, images, alpha):
    return players.stage(level).d.apply(
        {'params': state.d.params}, (images,),
        Condition(alpha=jnp.full(B, alpha))).logits

  for level in (1, 2):
    coarse, fine = g(level - 1, 1.), g(level, 1.)
    chex.assert_trees_all_equal(g(level, 0.), pyramid.up(coarse))
    assert float(jnp.abs(fine - pyramid.up(coarse)).max()) > 1e-3
    chex.assert_trees_all_close(
        g(level, .25), .75 * pyramid.up(coarse) + .25 * fine, atol=1e-6)
    chex.assert_trees_all_equal(
        d(level, fine, 0.), d(level - 1, pyramid.down(fine), 1.))
    at_half = d(level, fine, .5)
    assert float(jnp.abs(at_half - d(level, fine, 1.)).max()) > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize('preset', GROWING)
def test_players_have_one_tree_for_all_levels(preset, growing):
  config = growing(preset)
  grown = build(config)
  players = NETWORKS[config.networks.name](config)
  state = jax.eval_shape(grown.init, jax.random.key(0))
  z = jnp.zeros((1, config.networks.latent))
  for level in (0, 1, 2):
    found = jax.eval_shape(players.stage(level).g.init, jax.random.key(0), z)
    assert jax.tree.structure(found['params']) == (
        jax.tree.structure(state.g.params))
  # ... and G's is that of a GAN that shows all scales at once.
  at_once = build(dataclasses.replace(
      config, networks=dataclasses.replace(config.networks, scales='all'),
      train=dataclasses.replace(
          config.train, grow_from=0, grow_stable_images=600_000,
          grow_fade_images=600_000)))
  other = jax.eval_shape(at_once.init, jax.random.key(0))
  chex.assert_trees_all_equal_shapes(state.g.params, other.g.params)


def test_reals_fade_with_the_fakes(growing):
  players = NETWORKS['progan'](growing('progan'))
  images = batch().images[0]
  for level, size in enumerate((4, 8, 16)):
    real, = pyramid.build(images, (size,))
    for alpha in (0., .25, 1.):
      (seen,), _ = players.stage(level).reals_for(images, jnp.full(B, alpha))
      coarse = pyramid.up(pyramid.down(real))
      chex.assert_trees_all_close(
          seen, (1 - alpha) * coarse + alpha * real, atol=1e-6)


@pytest.fixture(scope='module')
def progan(growing):
  gan = build(growing('progan', data__resolution=8, **CHEAP))
  return gan, gan.init(jax.random.key(0))


@pytest.mark.slow
def test_moments_are_forgotten_where_a_stage_begins(progan):
  gan, state = progan
  images, counts = 0, []
  while images < 48:
    phase = gan.phase(images)
    state, logs = gan.step(state, batch(8), jax.random.key(1), phase)
    images += phase.images
    counts.append((int(state.g.opt.count), int(state.d.opt.count)))
    assert np.isfinite(float(logs['d_loss']))
  # 16 images of 4 px, 16 in which 8 px fade in, then they are there.
  assert counts == 3 * [(i, i) for i in (1, 2, 3, 4)]


@pytest.mark.slow
def test_rungs_that_are_not_open_do_not_move(progan):
  gan, old = progan
  new, _ = gan.step(old, batch(8), jax.random.key(1), gan.phase(0))
  for player in ('g', 'd'):
    for name, before in getattr(old, player).params.items():
      after = getattr(new, player).params[name]
      assert ('8' in name) == all(
          np.array_equal(a, b) for a, b in zip(
              jax.tree.leaves(before), jax.tree.leaves(after), strict=True)
      ), name


@pytest.mark.slow
def test_a_sample_has_the_present_resolution(progan):
  gan, state = progan
  assert gan.sizes == (8,)
  z = gan.draw(jax.random.key(1), 2)

  def drawn(images):
    return gan.sample(
        state.replace(images=jnp.int32(images)), z, weights='raw')[0]

  start, middle, end = drawn(0), drawn(24), drawn(32)
  assert start.shape == end.shape == (2, 8, 8, 3)
  chex.assert_trees_all_equal(start, pyramid.up(pyramid.down(start)))
  assert float(jnp.abs(end - pyramid.up(pyramid.down(end))).max()) > 1e-3
  chex.assert_trees_all_close(middle, (start + end) / 2, atol=1e-5)


def test_styles_of_a_gan_that_grows_are_those_of_its_level(growing):
  config = growing('stylegan')
  gan = build(config)
  state = jax.eval_shape(gan.init, jax.random.key(0))
  z = jax.ShapeDtypeStruct((2, 8), jnp.float32)
  w = jax.eval_shape(gan.latents, state, z)
  assert w.shape == (2, gan.layers, 8) == (2, 6, 8)
  image, = jax.eval_shape(gan.synthesize, state, w)
  assert image.shape == (2, 16, 16, 3)


def test_a_dry_run_compiles_a_step_of_each_resolution(growing):
  config = growing('progan', train__total_images=1000,
                   train__grow_batches='16:8')
  gan = build(config)
  found = dry_run.starts_of_levels(gan, config.train)
  assert sorted(found) == [0, 16, 48]
  assert [gan.phase(i).batch for i in sorted(found)] == [4, 4, 8]
  assert dry_run._shown(gan, config) == '4 at 4 px, 4 at 8 px, 8 at 16 px'


@pytest.mark.slow
def test_a_run_that_stops_in_a_fade_ends_like_one_that_does_not(
    growing, tmp_path):
  """... and after the adaptive augmentation has moved."""
  config = growing(
      'progan', data__resolution=8, train__total_images=64, **CHEAP,
      objective__augment='ada_b', objective__augment_target=.6,
      objective__augment_strength=.1, objective__augment_speed_images=200,
      train__log_every_images=8, train__sample_every_images=32,
      train__checkpoint_every_images=24, train__measure_every_images=64)
  half = dataclasses.replace(
      config, train=dataclasses.replace(config.train, total_images=24))
  with all_experiments.compiled_once(config):
    loop.train(config, tmp_path / 'whole', lambda line: None)
    for part in (half, config):
      loop.train(part, tmp_path / 'parts', lambda line: None)
    whole, parts = (tiny_run.final(tmp_path / x) for x in ('whole', 'parts'))
    chex.assert_trees_all_equal(whole, parts)
    _, _, aux = whole['rest of the state']
    assert float(aux['augment']['p']) != pytest.approx(.1)
    assert int(aux['stage']) == 3
    paths = samples.sample_run_to_files(
        tmp_path / 'whole', tmp_path / 'grid', 4)
  assert paths


@pytest.mark.parametrize('settings, said', [
    ({'train__grow_from': 5}, 'no resolution of 5 px .* 4, 8, 16'),
    ({'networks__scales': 'all'}, "scales = 'all' shows D all"),
    ({'networks__name': 'msg_sndcgan'}, 'no network'),
    ({'train__grow_batches': '8'}, "wanted heights and numbers such as '64:16"),
    ({'train__grow_batches': '8:2,8:4'}, '8 twice'),
    ({'train__grow_batches': '8:0'}, '8:0 is out of range'),
    ({'train__grow_batches': '8:6'}, 'train.grow_batches: 6 is not a multiple'),
    ({'train__total_images': 40}, 'ends before 16 px begins to fade in, '
                                  'after 48 images'),
    ({'train__grow_stable_images': 0, 'train__grow_fade_images': 0},
     'Wanted grow_from = 16'),
    ({'train__n_dis_more': 4}, 'n_dis_more: 4 counts G updates'),
])
def test_growth_that_cannot_be_is_refused(settings, said, growing):
  with pytest.raises(ValueError, match=said):
    build(growing('progan', **settings))


@pytest.mark.parametrize('preset', ['landscape_sndcgan', 'bmsg_gan'])
def test_a_network_that_does_not_grow_says_so(preset, small):
  with pytest.raises(ValueError, match='does not grow; wanted 0, or progan'):
    build(small(preset, train__grow_from=8, train__total_images=10**9))


def test_devices_must_share_every_batch(growing):
  config = growing('progan', train__grow_batches='8:8,16:4')
  mesh = data_mesh()

  class Eight:
    size = 8
  with pytest.raises(ValueError, match='grow_batches: 4 images cannot be'):
    check_batch(dataclasses.replace(
        config, train=dataclasses.replace(config.train, batch=8)),
                   type('Mesh', (), {'devices': Eight}))
  check_batch(config, mesh)

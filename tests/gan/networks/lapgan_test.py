"""Laws of the chain of GANs over the Laplacian pyramid."""
import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data.batches import Batch
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.networks import lapgan
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.state import Condition

LATENT = 100 + 16 * 16


@pytest.fixture
def chained(small):
  """small, for two levels of 8 and 16 px."""
  return lambda **settings: small('lapgan', **{**dict(
      networks__latent=LATENT, networks__fmap_max=4, train__batch=4,
      train__g_batches=1, train__level_images=16, train__total_images=64),
      **settings})


def batch(height=16, width=16, n=4, n_dis=1):
  images = np.random.default_rng(0).integers(
      0, 256, (n_dis, n, height, width, 3), np.uint8)
  return Batch(jnp.asarray(images), jnp.zeros((n_dis, n), jnp.int32))


def subtrees(player, level):
  return [tree.get(level, {}) for tree in (
      player.params, player.stats, player.opt)]


@pytest.mark.parametrize('height, width', [(2, 2), (8, 8), (8, 6), (16, 40)])
def test_doubling_is_linear_interpolation_between_aligned_corners(
    height, width):
  images = np.random.default_rng(0).normal(size=(2, height, width, 3))

  def line(values):  # torch's image.scale: steps of (n - 1) / (2 n - 1)
    n = len(values)
    return np.interp(np.linspace(0, n - 1, 2 * n), np.arange(n), values)
  wanted = np.apply_along_axis(
      line, 2, np.apply_along_axis(line, 1, images))
  got = np.asarray(lapgan.double(jnp.asarray(images, jnp.float32)))
  np.testing.assert_allclose(got, wanted, atol=2e-6)
  np.testing.assert_array_equal(
      got[:, ::2 * height - 1, ::2 * width - 1],
      images[:, ::height - 1, ::width - 1].astype(np.float32))


def test_a_doubled_picture_is_not_that_of_aligned_edges():
  image = jnp.arange(8.)[None, None, :, None] * jnp.ones((1, 8, 8, 1))
  other = jax.image.resize(image, (1, 16, 16, 1), 'linear')
  assert float(jnp.abs(lapgan.double(image) - other).max()) > .1


def test_reals_are_coarse_pictures_and_their_residuals(chained):
  players = NETWORKS['lapgan'](chained())
  images = batch().images[0]
  reals = pyramid.build(images, players.sizes)
  (real,), coarse = players.stage(1).reals_for(images)
  chex.assert_trees_all_equal(real, reals[1])
  chex.assert_trees_all_equal(coarse, lapgan.double(pyramid.down(real)))
  assert float(jnp.abs(real - coarse).max()) > .1
  (smallest,), nothing = players.stage(0).reals_for(images)
  chex.assert_trees_all_equal(smallest, pyramid.down(real))
  assert nothing is None
  # A G whose residual is a constant h gives coarse + h.
  module, z = players.stage(1).g, jnp.ones((4, LATENT))
  params = module.init(
      jax.random.key(0), z, Condition(None, coarse))['params']
  h = jnp.array([.1, .2, .3])
  params['residual'] = {
      'kernel': 0 * params['residual']['kernel'], 'bias': h}
  fake, = module.apply({'params': params}, z, Condition(None, coarse))
  chex.assert_trees_all_close(fake, coarse + h, atol=1e-7)


@pytest.mark.slow
def test_samples_without_residuals_are_the_doubled_coarse_picture(chained):
  gan = build(chained(data__resolution=32, networks__latent=LATENT + 32 * 32))
  state = gan.init(jax.random.key(0))
  params = state.g.params
  for level in ('level_16', 'level_32'):
    params[level]['residual'] = jax.tree.map(
        jnp.zeros_like, params[level]['residual'])
  z = gan.draw(jax.random.key(1), 3)
  small, middle, large = gan.g(params, z)
  chex.assert_trees_all_equal(
      (middle, large), (lapgan.double(small),
                        lapgan.double(lapgan.double(small))))
  chex.assert_shape(large, (3, 32, 32, 3))
  assert float(small.std()) > 1e-4  # four maps of small weights


def test_a_sample_is_what_its_levels_draw_one_after_another(chained):
  config = chained()
  gan, players = build(config), NETWORKS['lapgan'](config)
  state = gan.init(jax.random.key(0))
  z = gan.draw(jax.random.key(1), 3)
  small, = players.stage(0).g.apply({'params': state.g.params['level_8']}, z)
  large, = players.stage(1).g.apply(
      {'params': state.g.params['level_16']}, z,
      Condition(None, lapgan.double(small)))
  chex.assert_trees_all_close(gan.sample(state, z), (small, large), atol=1e-6)
  logits = [players.stage(level).d.apply(
      {'params': state.d.params[name]}, (image,)).logits
            for level, (name, image) in enumerate(
                zip(players.levels, (small, large), strict=True))]
  chex.assert_trees_all_close(
      gan.d(state.d.params, (small, large)).logits, sum(logits) / 2, rtol=1e-5)


def test_each_level_has_numbers_of_z_of_its_own(chained):
  gan = build(chained())
  params = gan.init(jax.random.key(0)).g.params
  z = gan.draw(jax.random.key(1), 3)
  before = gan.g(params, z)
  noise = gan.g(params, z.at[:, 100:].add(1.))
  chex.assert_trees_all_equal(noise[0], before[0])
  assert float(jnp.abs(noise[1] - before[1]).min(0).max()) > 0
  start = gan.g(params, z.at[:, :100].add(1.))
  assert float(jnp.abs(start[0] - before[0]).max()) > 1e-4


@pytest.mark.slow
def test_a_step_changes_its_level_alone_in_both_players(chained):
  gan = build(chained(networks__d_weight_norm='spectral',
                      networks__g_weight_norm='spectral'))
  state = gan.init(jax.random.key(0))
  for shown in (0, 16):  # level_images
    assert gan.phase(shown).level == shown // 16
    state = state.replace(images=jnp.int32(shown))
    new, logs = gan.step(state, batch(), jax.random.key(1), gan.phase(shown))
    chex.assert_tree_all_finite((new, logs))
    trained, other = [('level_8', 'level_16'), ('level_16', 'level_8')][
        shown // 16]
    for player in 'gd':
      old_player, new_player = getattr(state, player), getattr(new, player)
      chex.assert_trees_all_equal(
          subtrees(new_player, other), subtrees(old_player, other))
      for old, now in zip(subtrees(old_player, trained),
                          subtrees(new_player, trained), strict=True):
        assert jax.tree.leaves(now)
        assert any(
            not np.array_equal(a, b) for a, b in zip(
                jax.tree.leaves(old), jax.tree.leaves(now), strict=True))
        chex.assert_trees_all_equal_shapes(old, now)
    chex.assert_trees_all_equal(new.ema.params, new.g.params)  # no average
    state = new


def test_the_level_is_that_of_the_images_shown(chained):
  gan = build(chained(data__resolution=32, networks__latent=LATENT + 32 * 32))
  assert [gan.phase(i).level for i in (0, 15, 16, 31, 32, 60, 10**6)] == [
      0, 0, 1, 1, 2, 2, 2]


@pytest.mark.slow
@pytest.mark.parametrize('level', [0, 1])
def test_a_penalty_is_of_the_level_in_training(chained, level):
  # Two D updates: D's dropout is there in each pass of them.
  gan = build(chained(
      objective__penalty='gradient_penalty', objective__penalty_weight=10.,
      train__n_dis=2, train__g_batches=2))
  state = gan.init(jax.random.key(0)).replace(images=jnp.int32(16 * level))
  new, logs = gan.step(
      state, batch(n_dis=2), jax.random.key(1), gan.phase(16 * level))
  chex.assert_tree_all_finite((new, logs))
  assert 0 < float(logs['penalty']) < 1.5  # D begins nearly flat: (0 - 1)²


@pytest.mark.slow
def test_each_g_is_told_its_class(chained):
  gan = build(chained(
      networks__classes=3, networks__g_condition='concat',
      networks__d_condition='concat'))
  params = gan.init(jax.random.key(0)).g.params
  z = jnp.tile(gan.draw(jax.random.key(1), 1), (2, 1))
  condition = Condition(jnp.array([0, 2]))
  small, large = gan.g(params, z, condition)
  assert float(jnp.abs(small[0] - small[1]).max()) > 0
  params['level_8'] = jax.tree.map(jnp.zeros_like, params['level_8'])
  small, large = gan.g(params, z, condition)
  chex.assert_trees_all_equal(small[0], small[1])
  assert float(jnp.abs(large[0] - large[1]).max()) > 0


@pytest.mark.slow
@pytest.mark.parametrize('d_condition', ['concat', 'projection', 'classifier'])
def test_d_is_told_or_asked_for_the_class_at_each_level(chained, d_condition):
  gan = build(chained(
      networks__classes=3, networks__g_condition='concat',
      networks__d_condition=d_condition, train__g_batches=2,
      objective__penalty='r1'))
  state = jax.eval_shape(gan.init, jax.random.key(0))
  for level in (0, 1):
    new, logs = jax.eval_shape(
        lambda *args, level=level: gan.step(*args, gan.phase(16 * level)),
        state, batch(), jax.random.key(1))
    assert jax.tree.structure(new) == jax.tree.structure(state)
    assert ('d_classes' in logs) == (d_condition == 'classifier')


def test_the_players_have_the_codes_counts_of_parameters():
  config = schema.template('lapgan')
  state = jax.eval_shape(build(config).init, jax.random.key(0))

  def count(params):
    return {name: sum(x.size for x in jax.tree.leaves(level))
            for name, level in params.items()}

  def dense(*widths):
    return sum(a * b + b for a, b in zip(widths, widths[1:], strict=False))

  def conv(size, *widths):
    return sum(size**2 * a * b + b
               for a, b in zip(widths, widths[1:], strict=False))
  fine_g = conv(7, 4, 64, 64) + conv(5, 64, 3)
  assert count(state.g.params) == {
      'level_8': dense(100, 1200, 1200, 192), 'level_16': fine_g,
      'level_32': fine_g}
  # 9,216 features at 32 px, 1,024 at 16 px, in eyescream's coarse_to_fine.
  assert count(state.d.params) == {
      'level_8': dense(192, 600, 600, 1),
      'level_16': conv(5, 3, 64, 64) + dense(1024, 1),
      'level_32': conv(5, 3, 64, 64) + dense(9216, 1)}


def test_weights_begin_as_in_the_code():
  gan = build(schema.template('lapgan'))
  state = gan.init(jax.random.key(0))
  g, d = state.g.params, state.d.params
  for kernel, std in (
      (g['level_8']['hidden_1'], .05), (d['level_8']['hidden_1'], .005),
      (g['level_32']['conv_1'], 1 / np.sqrt(3 * 49 * 64)),
      (d['level_16']['conv_1'], 1 / np.sqrt(3 * 25 * 64))):
    np.testing.assert_allclose(kernel['kernel'].std(), std, rtol=.02)
  limit = 1 / np.sqrt(49 * 64)
  np.testing.assert_allclose(
      jnp.abs(g['level_16']['conv_1']['kernel']).max(), limit, rtol=1e-3)


def test_the_optimizer_has_a_state_for_each_level(chained):
  state = jax.eval_shape(build(chained()).init, jax.random.key(0))
  for player in (state.g, state.d):
    assert set(player.opt) == {'level_8', 'level_16'}
    for name, opt in player.opt.items():
      chex.assert_trees_all_equal_shapes(opt.trace, player.params[name])


def test_a_wide_picture_has_wide_levels(chained):
  gan = build(chained(data__width=24, networks__latent=100 + 16 * 24))
  assert gan.shapes == ((8, 12, 3), (16, 24, 3))
  state = jax.eval_shape(gan.init, jax.random.key(0))
  new, _ = jax.eval_shape(lambda *args: gan.step(*args, gan.phase(16)), state,
                          batch(width=24), jax.random.key(0))
  assert jax.tree.structure(new) == jax.tree.structure(state)


@pytest.mark.parametrize('settings, words', [
    (dict(networks__latent=128),
     r"config\.networks\.latent: 128, but .*'lapgan' wants 356 at this size: "
     r'100 \+ 256, a vector'),
    (dict(data__resolution=24), r'config\.data\.resolution: 24, .* '
     r'wanted 16, 32, 64 or 128, such as 16\.'),
    (dict(data__resolution=8), r'config\.data\.resolution: 8, .* as 16\.'),
    (dict(data__width=17), r'config\.data\.width: 17, .* 2, such as 16'),
    (dict(data__width=8), r'config\.data\.width: 8, .* as 10\.'),
    (dict(networks__scales='8'), r"config\.networks\.scales: '8', .*'none'\."),
    (dict(networks__stddev='last'), r"config\.networks\.stddev: 'last' means"),
    (dict(networks__g_norm='batch'), r"config\.networks\.g_norm: 'batch' mea"),
    (dict(networks__d_norm='layer'), r"config\.networks\.d_norm: 'layer' mea"),
    (dict(networks__g_condition='batch_norm', networks__classes=3),
     r"config\.networks\.g_condition: 'batch_norm', .*wanted 'concat'"),
    (dict(networks__phi='simpel'), r"config\.networks\.phi: no φ 'simpel'"),
    (dict(train__level_images=0),
     r'config\.train\.level_images: 0, .*trains 2 levels'),
])
def test_what_means_nothing_to_a_chain_is_refused(chained, settings, words):
  with pytest.raises(ValueError, match=words):
    build(chained(**settings))

"""Laws of the norms between layers, and of the statistics that they keep."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.data.batches import Batch
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.networks import norms
from msg_gan_jax.gan.networks.norms import NORMS, Normalize, PassInfo
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.state import Condition

TRAIN, EVALUATE = PassInfo(True), PassInfo(False)
EPSILON = 1e-5


def pictures(seed=0, shape=(4, 3, 5, 6)):
  """float32, channels of different means and spreads."""
  rng = np.random.default_rng(seed)
  spread = 1 + np.arange(shape[-1])
  return (rng.standard_normal(shape) * spread + 2 * spread).astype(np.float32)


def standard(x, axes):
  mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
  return (x - mean) / np.sqrt(var + EPSILON)


def variables(layer, x, info=EVALUATE):
  return layer.init(jax.random.key(0), x, info)


@pytest.mark.parametrize('norm, shape, axes', [
    ('batch', (4, 3, 5, 6), (0, 1, 2)), ('batch', (7, 6), (0,)),
    ('layer', (4, 3, 5, 6), (1, 2, 3)), ('layer', (7, 6), (1,)),
    ('instance', (4, 3, 5, 6), (1, 2))])
def test_norms_are_numpys_with_a_scale_and_shift_a_channel(norm, shape, axes):
  layer, x = Normalize(norm), pictures(shape=shape)
  found = variables(layer, x)
  assert {k: v.shape for k, v in found['params'].items()} == {
      'scale': (6,), 'bias': (6,)}
  scale, bias = np.arange(1, 7) / 3, np.arange(6) - 2.
  got = layer.apply({**found, 'params': {'scale': scale, 'bias': bias}},
                    x, TRAIN)
  np.testing.assert_allclose(
      got, standard(x, axes) * scale + bias, rtol=1e-4, atol=1e-4)


def test_pixel_norm_has_no_parameters():
  layer, x = Normalize('pixel'), pictures()
  assert not variables(layer, x).get('params')
  square = (x**2).mean(-1, keepdims=True)
  np.testing.assert_allclose(
      layer.apply({}, x, TRAIN), x / np.sqrt(square + EPSILON), rtol=1e-5)
  assert Normalize('none').apply({}, x, TRAIN) is x


def test_every_row_but_batch_treats_each_sample_by_itself():
  x = pictures()
  for norm in NORMS:
    layer = Normalize(norm)
    found = variables(layer, x)
    alone, among = (layer.apply(found, x[:n], TRAIN)[:1] for n in (1, 4))
    same = np.allclose(alone, among, rtol=1e-4, atol=1e-4)
    assert same == (norm != 'batch'), norm


@pytest.mark.parametrize('decay', [.9, .999])
def test_moving_averages_have_their_closed_form(decay):
  layer, x = Normalize('batch', decay=decay), pictures()
  found = variables(layer, x)
  np.testing.assert_array_equal(found['stats']['mean'], 0)
  np.testing.assert_array_equal(found['stats']['var'], 1)
  for _ in range(5):
    _, new = layer.apply(found, x, TRAIN, mutable=['stats'])
    found = {**found, **new}
  left = decay**5
  axes = 0, 1, 2
  np.testing.assert_allclose(
      found['stats']['mean'], (1 - left) * x.mean(axes), rtol=1e-4)
  np.testing.assert_allclose(  # biased, as TensorFlow's
      found['stats']['var'], left + (1 - left) * x.var(axes), rtol=1e-4)
  # An evaluation uses them and leaves them.
  got, new = layer.apply(found, x, EVALUATE, mutable=['stats'])
  kept = found['stats']
  np.testing.assert_allclose(
      got, (x - kept['mean']) / np.sqrt(kept['var'] + EPSILON), rtol=1e-4,
      atol=1e-4)
  for name, value in new['stats'].items():
    np.testing.assert_array_equal(value, kept[name])


def test_no_gradient_flows_into_moving_averages():
  layer, x = Normalize('batch'), jnp.asarray(pictures())
  found = variables(layer, x)

  def kept(x):
    _, new = layer.apply(found, x, TRAIN, mutable=['stats'])
    return sum(v.sum() for v in new['stats'].values())

  np.testing.assert_array_equal(jax.grad(kept)(x), 0)


def test_batch_always_uses_the_batch_and_moves_nothing_at_evaluation():
  layer, x = Normalize('batch', batch_always=True), pictures()
  found = variables(layer, x)
  got, new = layer.apply(found, x, EVALUATE, mutable=['stats'])
  np.testing.assert_allclose(
      got, layer.apply(found, x, TRAIN), rtol=1e-6, atol=1e-6)
  np.testing.assert_array_equal(new['stats']['mean'], 0)


def test_labels_select_the_scale_and_shift_and_begin_at_the_identity():
  layer, x = Normalize('batch', classes=3), pictures()
  labels = jnp.array([2, 0, 2, 1])
  info = PassInfo(True, labels)
  found = variables(layer, x, info)
  # The scale begins at 1: compare_gan's began near 0 (its issue 54).
  np.testing.assert_allclose(
      layer.apply(found, x, info), standard(x, (0, 1, 2)), rtol=1e-4, atol=1e-4)
  scale, bias = np.arange(18.).reshape(3, 6), -np.arange(18.).reshape(3, 6)
  got = layer.apply(
      {**found, 'params': {'scale': scale, 'bias': bias}}, x, info)
  rows = np.asarray(labels)
  wanted = (standard(x, (0, 1, 2)) * scale[rows][:, None, None]
            + bias[rows][:, None, None])
  np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-3)


def shapes(config, player='g'):
  """Names of norms and the shape of their scales."""
  state = jax.eval_shape(build(config).init, jax.random.key(0))
  found = {}
  for path, x in jax.tree_util.tree_flatten_with_path(
      getattr(state, player).params)[0]:
    *names, last = (key.key for key in path)
    if last in ('scale', 'gain'):
      found['/'.join(names)] = x.shape
  return found


def test_the_last_norm_of_a_conditional_resnet_has_no_classes(small):
  found = shapes(small('mimicry_cgan_pd32', networks__scales='all'))
  blocks = {f'block_{s}/norm_{i}': (10, 8) for s in (4, 8, 16) for i in (1, 2)}
  # Nor do those before an image.
  assert found == {
      **blocks, 'norm': (8,), **{f'rgb_norm_{s}': (8,) for s in (4, 8)}}


def test_norms_of_d_have_no_classes(small):
  found = shapes(small(
      'cgan_concat', networks__g_condition='batch_norm'), 'd')
  assert found and all(shape == (8,) for shape in found.values())


@pytest.mark.slow
@pytest.mark.parametrize('name', ['sndcgan', 'dcgan', 'dcgan_wgan_gp'])
def test_flat_norms_are_of_every_number_and_others_of_every_map(small, name):
  for norm, size in (('batch', 2 * 2 * 8), ('layer', 8)):
    config = small(
        'landscape_sndcgan', networks__name=name, networks__g_norm=norm,
        data__resolution=32 if name == 'dcgan' else 16)
    found = shapes(config)
    assert found['norm_start'] == (size,)
    assert found['norm_4'] == (8,)


@pytest.mark.slow
def test_the_flat_norm_is_of_the_batch_alone(small):
  """By hand, of SNDCGAN's first layer, as NHWC is flattened."""
  config = small('landscape_sndcgan')
  state = build(config).init(jax.random.key(0))
  kernel = state.g.params['start']['kernel']
  z = jax.random.normal(jax.random.key(1), (8, 8))
  players = NETWORKS['sndcgan'](config)
  _, new = players.g.apply(
      {'params': state.g.params, 'stats': state.g.stats}, z, train=True,
      mutable=['moments'])
  x = np.asarray(z @ kernel)
  for name, wanted in (('mean', x.mean(0)), ('var', x.var(0))):
    np.testing.assert_allclose(
        new['moments']['norm_start'][name], wanted, rtol=1e-4, atol=1e-7)


def conditional(small, **settings):
  return small('cgan_concat', networks__g_condition='batch_norm', **{
      'networks__classes': 3, 'data__resolution': 8, **settings})


@pytest.fixture(scope='module')
def trained(small):
  """(config, state) after two steps, so that both G's differ."""
  config = conditional(
      small, networks__statistics='accumulated', networks__statistics_batches=3,
      train__ema_half_life_images=20., optimizer__g_rate=.01)
  gan = build(config)
  state = gan.init(jax.random.key(0))
  rng = np.random.default_rng(0)
  for _ in range(2):
    batch = Batch(jnp.asarray(rng.integers(0, 256, (1, 8, 8, 8, 3), np.uint8)),
                  jnp.asarray(rng.integers(0, 3, (1, 8))))
    state, _ = gan.step(state, batch, jax.random.key(1))
  return config, state


@pytest.mark.slow
def test_settled_statistics_are_means_over_the_batches_that_are_named(trained):
  config, state = trained
  gan, players = build(config), NETWORKS['dcgan_32'](config)
  settled = gan.settle(state)
  key = jax.random.fold_in(jax.random.key(0), 16)  # images shown
  for name in ('g', 'ema'):
    before, after = getattr(state, name), getattr(settled, name)
    total = []
    for i in range(3):
      z_key, label_key = jax.random.split(jax.random.fold_in(key, i))
      labels = jax.random.randint(label_key, (8,), 0, 3)
      z = gan.draw(z_key, 8)
      _, found = players.g.apply(
          {'params': before.params, 'stats': before.stats}, z,
          Condition(labels), True, mutable=['moments'])
      total.append(found['moments'])
      # The first layer by hand.
      x = np.asarray(z @ before.params['start']['kernel']).reshape(-1, 8)
      np.testing.assert_allclose(
          found['moments']['norm_start']['mean'], x.mean(0), atol=1e-6)
      np.testing.assert_allclose(
          found['moments']['norm_start']['var'], x.var(0), rtol=1e-3)
    wanted = jax.tree.map(lambda *x: sum(x) / 3, *total)
    assert jax.tree.structure(wanted) == jax.tree.structure(after.stats)
    for a, b in zip(jax.tree.leaves(wanted), jax.tree.leaves(after.stats),
                    strict=True):
      np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-6)
    for a, b in zip(jax.tree.leaves(before.params),
                    jax.tree.leaves(after.params), strict=True):
      np.testing.assert_array_equal(a, b)
  assert not np.allclose(settled.g.stats['norm_start']['var'],
                         settled.ema.stats['norm_start']['var'], rtol=1e-4)


@pytest.mark.slow
def test_modes_of_evaluation_differ_as_they_say(small, trained):
  """moving: of a sample alone. batch: of its batch, as in training."""
  _, state = trained
  z, labels = jax.random.normal(jax.random.key(2), (8, 8)), jnp.arange(8) % 3
  for statistics in ('moving', 'batch'):
    config = conditional(small, networks__statistics=statistics)
    gan = build(config)
    same = gan.settle(state)
    for a, b in zip(jax.tree.leaves(same), jax.tree.leaves(state), strict=True):
      np.testing.assert_array_equal(a, b)
    whole = gan.sample(state, z, labels, weights='raw')[-1]
    part = gan.sample(state, z[:4], labels[:4], weights='raw')[-1]
    assert np.allclose(whole[:4], part, atol=1e-4) == (statistics == 'moving')
    players = NETWORKS['dcgan_32'](config)
    in_training = players.g.apply(
        {'params': state.g.params, 'stats': state.g.stats}, z,
        Condition(labels), True)[-1]
    assert np.allclose(whole, in_training, atol=1e-4) == (
        statistics == 'batch')


def test_replace_keeps_what_has_no_moments():
  stats = {'a': {'mean': 1, 'var': 2}, 'b': {'u': 3, 'norm': {'mean': 4}}}
  assert norms.replace(stats, {'b': {'norm': {'mean': 5}}}) == {
      'a': {'mean': 1, 'var': 2}, 'b': {'u': 3, 'norm': {'mean': 5}}}


def dead(tree):
  return {jax.tree_util.keystr(path): x for path, x
          in jax.tree_util.tree_flatten_with_path(tree)[0]
          if path[-1].key == 'dead_bias'}


@pytest.mark.slow
@pytest.mark.parametrize('weight_penalty', ['none', 'l2'])
def test_dead_biases_are_there_and_stay_0(small, weight_penalty):
  config = small(
      'landscape_sndcgan', networks__d_norm='batch',
      networks__d_weight_norm='none', optimizer__g_rate=.1,
      optimizer__d_rate=.1, objective__g_weight_penalty=weight_penalty)
  gan = build(config)
  old = gan.init(jax.random.key(0))
  rng = np.random.default_rng(0)
  batch = Batch(jnp.asarray(rng.integers(
      0, 256, (1, 8, 16, 16, 3), np.uint8)), jnp.zeros((1, 8), int))
  new, _ = gan.step(old, batch, jax.random.key(1))
  # Every layer before a norm: G's first four, all of D's but the first.
  for player, layers in ((new.g, 4), (new.d, 6)):
    found = dead(player.params)
    assert len(found) == layers
    for name, x in found.items():
      np.testing.assert_array_equal(x, 0, err_msg=name)
    # Adam saw gradients of 0, and nothing else.
    for name, x in dead(player.opt.nu).items():
      np.testing.assert_array_equal(x, 0, err_msg=name)


def test_without_batch_norm_the_same_biases_live(small):
  for norm, dies in (('batch', True), ('layer', False), ('none', False)):
    config = small('landscape_sndcgan', networks__d_norm=norm)
    state = jax.eval_shape(build(config).init, jax.random.key(0))
    assert bool(dead(state.d.params)) == dies
    biases = [path for path, _ in jax.tree_util.tree_flatten_with_path(
        state.d.params)[0] if 'bias' in path[-1].key and (
            'norm' not in path[0].key)]
    assert len(biases) == 8

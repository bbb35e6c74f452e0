"""Layers equal the peers' values, and fast forms equal plain ones."""
import chex
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import (
  convolutions,
  initialization,
  layers,
  plain,
  resnet,
)
from msg_gan_jax.gan.networks.norms import PassInfo

RNG = np.random.default_rng(0)


def nhwc(x):
  return jnp.asarray(np.moveaxis(x, 1, -1), jnp.float32)


def normal(*shape):
  return jnp.asarray(RNG.standard_normal(shape), jnp.float32)


def test_pixel_norm_equals_the_peers(oracle):
  entry = oracle('pixel_norm')
  got = layers.pixel_norm(nhwc(entry.inputs['x']))
  got = np.moveaxis(np.asarray(got), -1, 1).ravel()
  entry.assert_close(got, entry.expected['output_flat'])


@pytest.mark.parametrize('group, name', [
    (0, 'bmsg_whole_batch'), (4, 'sg2ada_group4_channels1'),
    (2, 'sg2ada_group2_channels1')])
def test_minibatch_stddev_equals_the_peers(oracle, group, name):
  entry = oracle('minibatch_stddev')
  x = nhwc(entry.inputs['x'])
  got = layers.minibatch_stddev(x, group)
  wanted = entry.expected[name]
  values = np.ravel(wanted['per_sample']) if group else wanted['value']
  entry.assert_close(got[:, 0, 0, -1], np.broadcast_to(values, 8))
  np.testing.assert_array_equal(got[..., :-1], x)
  np.testing.assert_array_equal(got[:, :1, :1, -1:], got[:, 1:2, 2:3, -1:])


def test_an_equalized_convolution_equals_the_peer(oracle):
  entry = oracle('equalized_conv2d')
  w, b, x = (entry.inputs[k] for k in 'wbx')
  module = layers.EqualConv(w.shape[0], size=w.shape[2])
  params = {'kernel': jnp.asarray(w.transpose(2, 3, 1, 0), jnp.float32),
            'bias': jnp.asarray(b, jnp.float32)}
  got = module.apply({'params': params}, nhwc(x))
  wanted = entry.expected['stride1_pad1_with_bias']['output_flat']
  entry.assert_close(np.moveaxis(np.asarray(got), -1, 1).ravel(), wanted)


def test_an_equalized_dense_layer_equals_the_peer(oracle):
  entry = oracle('equalized_linear')
  w, b, x = (jnp.asarray(entry.inputs[k], jnp.float32) for k in 'wbx')
  params = {'kernel': w.T[None, None], 'bias': b}
  got = layers.EqualDense(w.shape[0]).apply({'params': params}, x)
  entry.assert_close(got.ravel(), entry.expected['output_flat'])


def with_zeros(x):
  """A zero after every pixel, in both directions."""
  b, h, w, c = x.shape
  return jnp.zeros((b, 2 * h, 2 * w, c)).at[:, ::2, ::2].set(x)


def interpolated(x):
  """Twice as large, half-pixel centres: torch's, by its weights 1/4, 3/4."""
  for axis in (1, 2):
    x = jnp.moveaxis(x, axis, 0)
    before, after = (jnp.concatenate(parts) for parts in (
        (x[:1], x[:-1]), (x[1:], x[-1:])))
    x = jnp.stack([.25 * before + .75 * x, .75 * x + .25 * after], 1)
    x = jnp.moveaxis(x.reshape(-1, *x.shape[2:]), 0, axis)
  return x


UPS = {'nearest': pyramid.up, 'bilinear': interpolated, 'zeros': with_zeros}


def random_params(block, *inputs):
  """Parameters of a module, all normal, biases too."""
  params = block.init(jax.random.key(0), *inputs)['params']
  return jax.tree.map(lambda x: normal(*x.shape), params)


def conv_of(params):
  return lambda name, x: convolutions.conv(x, params[name]['kernel']) + (
      params[name]['bias'])


@pytest.mark.slow
@pytest.mark.parametrize('name', resnet.ARCHITECTURES)
def test_gs_blocks_are_what_their_textbooks_say(name):
  arch, x = resnet.ARCHITECTURES[name], normal(2, 4, 6, 3)
  block, up = resnet.GBlock(arch, arch.settings, 5), UPS[arch.up]
  params = random_params(block, x, PassInfo())
  conv = conv_of(params)
  y = conv('conv_1', up(nn.relu(x)))
  wanted = conv('conv_2', nn.relu(y)) + conv('shortcut', up(x))
  chex.assert_trees_all_close(
      block.apply({'params': params}, x, PassInfo()), wanted, rtol=1e-4,
      atol=1e-3)
  assert params['shortcut']['kernel'].shape[0] == arch.shortcut


@pytest.mark.slow
@pytest.mark.parametrize('first, down, width', [
    (True, True, 5), (False, True, 5), (False, True, 3), (False, False, 5),
    (False, False, 3)])
@pytest.mark.parametrize('name', resnet.ARCHITECTURES)
def test_ds_blocks_are_what_their_textbooks_say(name, first, down, width):
  arch, x = resnet.ARCHITECTURES[name], normal(2, 4, 6, 3)
  block = resnet.DBlock(arch, arch.settings, width, down, first)
  params = random_params(block, x, PassInfo())
  conv = conv_of(params)
  pool = pyramid.down if down else lambda x: x
  sees_image = first and arch.optimized
  y = conv('conv_1', x if sees_image else nn.relu(x))
  y = pool(conv('conv_2', nn.relu(y)))
  identity = not down and width == 3 and not arch.always_shortcut
  assert ('shortcut' in params) != identity
  wanted = y + (x if identity else pool(conv('shortcut', x)))
  chex.assert_trees_all_close(
      block.apply({'params': params}, x, PassInfo()), wanted, rtol=1e-4,
      atol=1e-3)


def test_a_folded_mix_is_the_two_convolutions_also_at_the_border():
  mix = layers.LazyConv1x1(normal(2, 6, 5, 3), normal(3, 7), normal(7))
  parts = (mix, normal(2, 6, 5, 4), mix._replace(x=normal(2, 6, 5, 3)))
  kernel = normal(3, 3, 18, 5)
  chex.assert_trees_all_close(
      convolutions.conv(*layers.fold_1x1(parts, kernel)),
      convolutions.conv(layers.concat(parts), kernel), atol=1e-4)


def test_initialize_gives_kernels_their_law_and_leaves_the_rest():
  params = {'a': {'kernel': jnp.full((50, 40), 3.), 'bias': jnp.zeros(9)},
            'b': {'kernel': jnp.ones((40, 50)), 'scale': jnp.ones(5)}}
  drawn = initialization.initialize(jax.random.key(0), params)
  # 2000 normals: mean within 5 / sqrt(2000), deviation within 5 / sqrt(4000).
  for name, std in (('a', 3.), ('b', 1.)):
    assert abs(float(drawn[name]['kernel'].mean())) < .112 * std
    assert abs(float(drawn[name]['kernel'].std()) - std) < .08 * std
  assert not np.allclose(drawn['a']['kernel'].T / 3, drawn['b']['kernel'])
  np.testing.assert_array_equal(drawn['a']['bias'], 0)
  np.testing.assert_array_equal(drawn['b']['scale'], 1)


class OfBothLibraries(nn.Module):

  @nn.compact
  def __call__(self, x):
    x = nn.Dense(40, name='flax')(x)
    return layers.EqualDense(50, name='ours')(x)


def test_a_kernel_that_is_drawn_already_stays_as_it_is():
  def parts(key):
    values = OfBothLibraries().init(key, jnp.zeros((1, 30)))['params']
    return values, initialization.initialize(jax.random.key(1), values)

  values, drawn = jax.jit(parts)(jax.random.key(0))
  for name in ('kernel', 'bias'):
    np.testing.assert_array_equal(
        drawn['flax'][name], values['flax'][name])
  assert values['flax']['kernel'].std() > 0
  # 2000 normals: deviation within 5 / sqrt(4000).
  assert abs(float(drawn['ours']['kernel'].std()) - 1) < .08


def test_laws_have_their_deviations_and_ranges():
  # 100,000 draws: a deviation is known to 1%, a share to .005.
  n = jax.random.normal(jax.random.key(0), (100_000,))
  for law, deviation, most, inside in (
      ('normal', 1., np.inf, .6827), ('uniform', 1., 3**.5, 1 / 3**.5),
      # A normal within two deviations, not scaled back.
      ('truncated', .8796, 2., .6827 / .9545)):
    x = np.asarray(initialization.LAWS[law](n))
    assert x.std() == pytest.approx(deviation, rel=.01), law
    assert abs(x.mean()) < .02 and np.abs(x).max() <= most * (1 + 1e-6)
    assert np.mean(np.abs(x) < 1) == pytest.approx(inside, abs=.005), law
    assert np.isfinite(x).all()


def test_initialize_makes_gains_and_vectors_of_iterations_too():
  drawn = initialization.initialize(jax.random.key(0), {
      'params': {'gain': jnp.full(2000, .02), 'kernel': jnp.full(2000, 3.)},
      'stats': {'u': jnp.ones(2000), 'v': jnp.zeros(5)}}, 'uniform')
  gain, kernel = drawn['params']['gain'], drawn['params']['kernel']
  assert abs(float(gain.mean()) - 1) < .003  # DCGAN's N(1, .02)
  assert float(gain.std()) == pytest.approx(.02, rel=.08)
  assert float(jnp.abs(kernel).max()) <= 3 * 3**.5
  u = drawn['stats']['u']  # normal whatever the law
  assert float(u.std()) == pytest.approx(1, rel=.08)
  assert float(jnp.abs(u).max()) > 2.5
  np.testing.assert_array_equal(drawn['stats']['v'], 0)


@pytest.mark.parametrize('layer, shape, wanted', [
    # Of improved_wgan_training, by hand: its fans count strides.
    (lambda settings: plain.Conv(settings, 128, 5, 2), (1, 8, 8, 3),
     (4 / 875)**.5),
    (lambda settings: plain.Conv(settings, 256, 5, up='transposed_5'),
     (1, 4, 4, 512), (4 / 9600)**.5),
    (lambda settings: plain.Dense(settings, 1), (1, 4, 4, 6), (2 / 97)**.5)])
def test_wgan_gps_deviation_counts_strides(layer, shape, wanted):
  made = layer(plain.LayerSettings(deviation='wgan_gp')).init(
      jax.random.key(0), jnp.zeros(shape))
  np.testing.assert_allclose(made['params']['kernel'], wanted, rtol=1e-6)


@pytest.mark.parametrize('name', plain.DEVIATIONS)
def test_deviations_are_those_of_their_sources(name):
  # Of a 3x3 kernel from 3 to 5 channels.
  wanted = {
      '.02': .02, 'he': (2 / 27)**.5, 'glorot': (2 / (27 + 45))**.5,
      'wgan_gp': (4 / 72)**.5,
      '.05': .05 / 3**.5, '.005': .005 / 3**.5, 'torch': 27**-.5 / 3**.5,
      'lapgan_g': .05, 'lapgan_d': .005}[name]
  settings = plain.LayerSettings(deviation=name)
  made = plain.Conv(settings, 5, gain=2.).init(
      jax.random.key(0), jnp.zeros((1, 4, 4, 3)))
  np.testing.assert_allclose(made['params']['kernel'], 2 * wanted, rtol=1e-6)

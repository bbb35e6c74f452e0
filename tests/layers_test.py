"""Layers equal the peers' values, and fast forms equal plain ones."""
import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax import pyramid
from msg_gan_jax.networks import layers

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


@pytest.mark.parametrize('shape', [(1, 4, 4, 3), (2, 5, 7, 4)])
def test_up_conv_is_the_convolution_of_the_upsampled(shape):
  x, kernel = normal(*shape), normal(3, 3, shape[-1], 6)
  plain = lambda x, k: layers.conv(pyramid.up(x), k)  # noqa: E731
  chex.assert_trees_all_close(
      layers.up_conv(x, kernel), plain(x, kernel), atol=2e-5)
  grads = [jax.grad(lambda x, k, f=f: (f(x, k)**2).sum(), (0, 1))(x, kernel)
           for f in (layers.up_conv, plain)]
  chex.assert_trees_all_close(*grads, rtol=1e-4, atol=2e-3)


def test_a_folded_mix_is_the_two_convolutions_also_at_the_border():
  mix = layers.Mix(normal(2, 6, 5, 3), normal(3, 7), normal(7))
  parts = (mix, normal(2, 6, 5, 4), mix._replace(x=normal(2, 6, 5, 3)))
  kernel = normal(3, 3, 18, 5)
  chex.assert_trees_all_close(
      layers.conv(*layers.fold(parts, kernel)),
      layers.conv(layers.join(parts), kernel), atol=1e-4)


def test_draw_gives_kernels_their_law_and_leaves_the_rest():
  params = {'a': {'kernel': jnp.full((50, 40), 3.), 'bias': jnp.zeros(9)},
            'b': {'kernel': jnp.ones((40, 50)), 'scale': jnp.ones(5)}}
  drawn = layers.draw(jax.random.key(0), params)
  # 2000 normals: mean within 5 / sqrt(2000), deviation within 5 / sqrt(4000).
  for name, std in (('a', 3.), ('b', 1.)):
    assert abs(float(drawn[name]['kernel'].mean())) < .112 * std
    assert abs(float(drawn[name]['kernel'].std()) - std) < .08 * std
  assert not np.allclose(drawn['a']['kernel'].T / 3, drawn['b']['kernel'])
  np.testing.assert_array_equal(drawn['a']['bias'], 0)
  np.testing.assert_array_equal(drawn['b']['scale'], 1)

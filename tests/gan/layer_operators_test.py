"""Laws of layers as operators: they equal their matrices, written out."""
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan import layer_operators
from msg_gan_jax.gan.layer_operators import Layers
from msg_gan_jax.gan.networks import (
  initialization,
  layers,
  mapping,
  plain,
  r3gan,
  stylegan2,
)
from msg_gan_jax.gan.state import NOTHING

SHAPE = 6, 4, 3  # height, width and channels of what enters a layer


def own(**settings):
  """A plain layer's settings, with a bias that must not count."""
  return plain.LayerSettings(deviation='he', **settings)


def conv(size=3, weight_norm='none', **settings):
  return lambda: plain.Conv(
      own(weight_norm=weight_norm), 5, size, name='layer', **settings)


KINDS = {
    '3x3': conv(), '4x4, stride 2': conv(4, stride=2),
    '5x5, stride 2': conv(5, stride=2), 'no padding': conv(padding='VALID'),
    'nearest': conv(up='nearest'), 'zeros': conv(up='zeros'),
    'bilinear': conv(up='bilinear'), 'transposed': conv(4, up='transposed'),
    'transposed_5': conv(5, up='transposed_5'), 'down': conv(down=True),
    **{name: conv(weight_norm=name) for name in (
        'weight', 'spectral', 'spectral_compare_gan', 'spectral_operator',
        'stable_rank')},
    'dense': lambda: plain.Dense(own(), 7, name='layer'),
    'dense, spectral': lambda: plain.Dense(
        own(weight_norm='spectral'), 7, name='layer'),
    'equalized': lambda: layers.EqualConv(5, name='layer'),
    'equalized, up': lambda: layers.EqualConv(5, upsample=True, name='layer'),
    'equalized, down': lambda: layers.EqualConv(
        5, downsample=True, name='layer'),
    'equalized, lazy': lambda: layers.LazyEqualConv1x1(5, name='layer'),
    'equalized dense': lambda: layers.EqualDense(7, name='layer'),
    'grouped': lambda: r3gan.Conv(3, 3, 3, 1., True, name='layer'),
    'blurred, down': lambda: stylegan2.ConvDown(5, name='layer'),
    # Of one's own, in flax's layers.
    'nn.Conv': lambda: nn.Conv(5, (3, 3), strides=2, name='layer'),
    'nn.ConvTranspose': lambda: nn.ConvTranspose(
        5, (3, 3), strides=(2, 2), name='layer'),
    'nn.Dense': lambda: nn.Dense(5, name='layer'),
}


class Alone(nn.Module):
  """A network of one layer."""
  kind: str

  @nn.compact
  def __call__(self, x, condition=NOTHING, train=False):
    return layers.concat([KINDS[self.kind]()(x)])


def drawn(network, *arguments):
  """(parameters with biases, statistics) of a network, drawn."""
  variables = initialization.initialize(
      jax.random.key(3), network.init(jax.random.key(0), *arguments))
  params = jax.tree_util.tree_map_with_path(
      lambda path, x: x + .5 if path[-1].key == 'bias' else x,
      variables['params'])
  _, stats = network.apply(
      {**variables, 'params': params}, *arguments, mutable=['stats'])
  return params, stats.get('stats', {})


def dense(function, shape):
  """[outputs, inputs] of an affine function of one picture, float64."""
  size = int(np.prod(shape))
  basis = jnp.concatenate([jnp.zeros((1, size)), jnp.eye(size)])
  out = np.asarray(jax.vmap(lambda x: function(x.reshape(1, *shape)))(basis),
                   np.float64).reshape(size + 1, -1)
  return (out[1:] - out[0]).T


def assert_is(strength, matrix, rank=1e-5):
  values = np.linalg.svd(matrix, compute_uv=False)
  np.testing.assert_allclose(strength.spectral_norm, values[0], rtol=1e-4)
  np.testing.assert_allclose(
      strength.stable_rank, (values**2).sum() / values[0]**2, rtol=rank)


@pytest.mark.parametrize('kind', KINDS)
def test_every_kind_of_layer_is_its_matrix(kind, monkeypatch):
  network, x = Alone(kind), jnp.ones((1, *SHAPE))
  params, stats = drawn(network, x)
  found = Layers(network, params, stats, x, NOTHING)
  (operator, now), = found.of(params, stats, x, NOTHING)
  assert operator.layer.name == 'layer'
  matrix = dense(lambda x: network.apply(
      {'params': params, 'stats': stats}, x, NOTHING, True), SHAPE)
  assert operator.shape == matrix.shape
  np.testing.assert_allclose(operator.matrix(*now), matrix, atol=2e-6)
  assert_is(operator.strength(*now), matrix)
  # The same without its matrix: the norm to 1e-4, squares by random signs.
  monkeypatch.setattr(layer_operators, 'DENSE', 0)
  strength = operator.strength(*now)
  assert 0 <= strength.norm_error <= 1e-4
  assert_is(strength, matrix, max(1e-5, 5 * strength.rank_error))


@pytest.mark.parametrize('up', [False, True])
def test_a_modulated_layer_is_that_of_its_style(up):
  class Styled(nn.Module):
    @nn.compact
    def __call__(self, x, w, train=False):
      return stylegan2.StyledConv(4, 0, up, name='layer')(x, w)

  w = jax.random.normal(jax.random.key(1), (1, 6))
  x = jax.random.normal(jax.random.key(2), (1, *SHAPE))
  network = Styled()
  params, stats = drawn(network, x, w)
  (_, _), (operator, now) = Layers(network, params, stats, x, w).of(
      params, stats, x, w)
  assert operator.layer.name == 'layer'
  assert operator.layer.method == 'linear'
  kernel = np.asarray(params['layer']['kernel']) / 27**.5
  style = params['layer']['style']
  factors = np.asarray(w @ style['kernel'] / 6**.5 + style['bias'])
  kernel = kernel * factors[0][:, None]
  kernel /= np.sqrt((kernel**2).sum((0, 1, 2)) + 1e-8)
  ones = jnp.ones((1, 3))
  plain_layer = dense(lambda x: stylegan2.convs.modulated(
      x, jnp.asarray(kernel), ones, up), SHAPE)
  np.testing.assert_allclose(operator.matrix(*now), plain_layer, atol=1e-5)


def test_parts_that_are_not_carried_out_count_as_features():
  class Folded(nn.Module):
    @nn.compact
    def __call__(self, x, condition=NOTHING, train=False):
      parts = layers.LazyEqualConv1x1(2, name='first')(x), x
      return layers.EqualConv(4, name='second')(*parts)

  network, x = Folded(), jnp.ones((1, *SHAPE))
  params, stats = drawn(network, x)
  (first, _), (second, now) = Layers(network, params, stats, x, NOTHING).of(
      params, stats, x, NOTHING)
  assert (first.layer.name, second.layer.name) == ('first', 'second')
  wide = (*SHAPE[:2], 5)
  matrix = dense(lambda y: layers.EqualConv(4).apply(
      {'params': params['second']}, y[..., :2], y[..., 2:]), wide)
  # Parts lie one behind the other, and channels beside each other.
  order = np.arange(matrix.shape[1]).reshape(wide)
  order = np.concatenate([order[..., :2].ravel(), order[..., 2:].ravel()])
  np.testing.assert_allclose(
      second.matrix(*now), matrix[:, order], atol=2e-6)


def test_layers_are_found_in_remat_and_by_their_first_call():
  class Twice(nn.Module):
    @nn.compact
    def __call__(self, x, condition=NOTHING, train=False):
      layer = mapping.Dense(3, name='layer')
      block = nn.remat(lambda module, x: layers.EqualDense(
          3, name='inside')(x))
      return block(self, layer(layer(x)))

  network, x = Twice(), jnp.ones((1, 3))
  params, stats = drawn(network, x)
  found = Layers(network, params, stats, x, NOTHING).of(
      params, stats, x, NOTHING)
  assert [x.layer.name for x, _ in found] == ['layer', 'inside']
  for (operator, now), scale in zip(found, (1 / 3**.5, (2 / 3)**.5),
                                    strict=True):
    np.testing.assert_allclose(
        operator.matrix(*now),
        scale * np.asarray(
            params[operator.layer.name]['kernel']).reshape(3, 3).T, rtol=1e-5)


def test_a_layer_of_zeros_has_no_rank():
  network, x = Alone('dense'), jnp.ones((1, *SHAPE))
  params, stats = drawn(network, x)
  params = jax.tree.map(jnp.zeros_like, params)
  (operator, now), = Layers(network, params, stats, x, NOTHING).of(
      params, stats, x, NOTHING)
  strength = operator.strength(*now)
  assert strength.spectral_norm == 0 and np.isnan(strength.stable_rank)

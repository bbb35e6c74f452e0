"""Rules against their definitions, written out in numpy."""
from flax import linen as nn
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.analysis.discriminator import rules
from msg_gan_jax.gan.networks import layers


class Net(nn.Module):
  """3x3 convolution, ReLU, 2x2 max pooling, 3x3 convolution, ReLU."""
  rectifier: object = nn.relu

  @nn.compact
  def __call__(self, x):
    x = self.rectifier(nn.Conv(4, (3, 3), name='first')(x))
    x = nn.max_pool(x, (2, 2), (2, 2))
    return self.rectifier(nn.Conv(5, (3, 3), name='second')(x))


@pytest.fixture(scope='module')
def net():
  """(function, parameters as numpy, pictures, what comes down)."""
  x = jax.random.normal(jax.random.key(0), (2, 8, 8, 3))
  params = Net().init(jax.random.key(1), x)
  out = jax.random.normal(jax.random.key(2), (2, 4, 4, 5))
  return (lambda x: Net().apply(params, x),
          jax.tree.map(np.asarray, params['params']), np.asarray(x),
          np.asarray(out))


def conv(x, kernel, bias):
  """Sums over taps; zeros around."""
  padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
  h, w = x.shape[1:3]
  return bias + sum(
      padded[:, i:i + h, j:j + w] @ kernel[i, j]
      for i in range(3) for j in range(3))


def transposed(r, kernel):
  """Each value is laid over the pixels that it was summed from."""
  b, h, w, _ = r.shape
  out = np.zeros((b, h + 2, w + 2, kernel.shape[2]))
  for i in range(3):
    for j in range(3):
      out[:, i:i + h, j:j + w] += r @ kernel[i, j].T
  return out[:, 1:-1, 1:-1]


def by_hand(params, x, r, rule):
  """The way down as Zeiler & Fergus and Springenberg et al. describe it."""
  def rectified(before, r):
    if rule == 'deconvnet':
      return np.maximum(r, 0)
    passed = np.where(before > 0, r, 0)
    return np.maximum(passed, 0) if rule == 'guided' else passed

  first = conv(x, params['first']['kernel'], params['first']['bias'])
  maps = np.maximum(first, 0)
  b, h, w, c = maps.shape
  blocks = maps.reshape(b, h // 2, 2, w // 2, 2, c).transpose(
      0, 1, 3, 5, 2, 4).reshape(b, h // 2, w // 2, c, 4)
  second = conv(blocks.max(-1), params['second']['kernel'],
                params['second']['bias'])
  r = transposed(rectified(second, r), params['second']['kernel'])
  # Switches: what comes down goes to where the maximum was.
  switched = (np.arange(4) == blocks.argmax(-1)[..., None]) * r[..., None]
  r = switched.reshape(b, h // 2, w // 2, c, 2, 2).transpose(
      0, 1, 4, 2, 5, 3).reshape(b, h, w, c)
  return transposed(rectified(first, r), params['first']['kernel'])


@pytest.mark.parametrize('rule', ['deconvnet', 'guided', 'gradient'])
def test_a_relu_network_with_pooling_goes_down_as_the_papers_say(net, rule):
  function, params, x, r = net
  values, down = jax.vjp(rules.with_rule(function, rule), x)
  np.testing.assert_array_equal(values, function(x))
  np.testing.assert_allclose(
      down(r)[0], by_hand(params, x, r, rule), atol=1e-5)
  # It is the same when it is compiled.
  compiled = jax.jit(lambda x, r: jax.vjp(
      rules.with_rule(function, rule), x)[1](r)[0])(x, r)
  np.testing.assert_allclose(compiled, down(r)[0], atol=1e-5)


def test_gradient_is_the_gradient(net):
  function, _, x, r = net
  wanted = jax.grad(lambda x: (function(x) * r).sum())(x)
  for rule in ('gradient', 'integrated'):
    found = jax.vjp(rules.with_rule(function, rule), x)[1](r)[0]
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize('padding', ['SAME', 'VALID'])
def test_on_one_strided_convolution_all_rules_agree(padding):
  x = jax.random.normal(jax.random.key(0), (1, 9, 9, 2))
  layer = nn.Conv(3, (4, 4), 2, padding)
  params = layer.init(jax.random.key(1), x)
  out, plain = jax.vjp(lambda x: layer.apply(params, x), x)
  r = jax.random.normal(jax.random.key(2), out.shape)
  for rule in rules.RULES:
    found = jax.vjp(rules.with_rule(
        lambda x: layer.apply(params, x), rule), x)[1](r)[0]
    np.testing.assert_allclose(found, plain(r)[0], atol=1e-6)


@pytest.mark.parametrize(('rectifier', 'slope'), [
    (nn.relu, 0.), (jax.nn.relu, 0.), (lambda x: jnp.maximum(x, 0), 0.),
    (lambda x: jnp.maximum(0., x), 0.), (nn.leaky_relu, .01),
    (lambda x: nn.leaky_relu(x, .2), .2), (layers.leaky_relu, .2)])
def test_rectifiers_are_known_however_they_are_written(rectifier, slope):
  x = jnp.array([-2., -1., 1., 2.])
  r = jnp.array([3., -4., 5., -6.])
  keep = np.where(x > 0, 1, slope)
  f_of_r = np.where(r > 0, r, slope * r)
  for rule, wanted in (('gradient', keep * r), ('deconvnet', f_of_r),
                       ('guided', keep * f_of_r)):
    for function in (rectifier, jax.jit(rectifier), jax.checkpoint(rectifier)):
      found = jax.vjp(rules.with_rule(function, rule), x)[1](r)[0]
      np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize('other', [
    jax.nn.elu, jax.nn.silu, jax.nn.relu6, jnp.tanh,
    lambda x: jnp.maximum(x, .5), lambda x: jnp.maximum(x, -x)])
def test_all_else_that_bends_has_its_gradient(other):
  x = jnp.linspace(-3, 7, 8)
  r = jnp.linspace(5, -5, 8)
  wanted = jax.vjp(other, x)[1](r)[0]
  for rule in rules.RULES:
    np.testing.assert_allclose(
        jax.vjp(rules.with_rule(other, rule), x)[1](r)[0], wanted, rtol=1e-6)


@pytest.mark.parametrize('rule', ['deconvnet', 'guided'])
def test_statistics_are_held_fixed(rule):
  x = jax.random.normal(jax.random.key(0), (4, 3, 3, 8))
  found = jax.vjp(rules.with_rule(layers.pixel_norm, rule), x)[1](x)[0]
  scale = 1 / np.sqrt((np.asarray(x)**2).mean(-1, keepdims=True) + 1e-8)
  np.testing.assert_allclose(found, x * scale, rtol=1e-5)

  def deviation(x):
    return layers.minibatch_stddev(x, 4)[..., -1]

  ones = jnp.ones((4, 3, 3))
  assert not np.any(jax.vjp(rules.with_rule(deviation, rule), x)[1](ones)[0])
  assert np.any(jax.vjp(deviation, x)[1](ones)[0])


@pytest.mark.parametrize('norm', [
    nn.BatchNorm(True), nn.LayerNorm(), nn.LayerNorm(use_fast_variance=False),
    nn.RMSNorm(), nn.GroupNorm(4), nn.InstanceNorm()], ids=repr)
def test_norms_of_flax_are_held_fixed_and_rectify_nothing(norm):
  """What comes down is scaled as what goes up: y = a (x - mean) + bias."""
  x = jax.random.normal(jax.random.key(0), (3, 5, 5, 8)) * 3 + 1
  r = jax.random.normal(jax.random.key(1), x.shape)
  params = norm.init(jax.random.key(2), x)

  def function(x):
    with nn.intercept_methods(rules.marking_norms):
      return norm.apply(params, x)

  groups = np.asarray(x, np.float64).reshape(
      (3, 5, 5, 4, 2) if isinstance(norm, nn.GroupNorm) else x.shape)
  axes = {nn.GroupNorm: (1, 2, 4), nn.InstanceNorm: (1, 2)}.get(type(norm), 3)
  variance = (groups**2).mean(3, keepdims=True) if isinstance(
      norm, nn.RMSNorm) else groups.var(axes, keepdims=True)
  if isinstance(norm, nn.BatchNorm):
    variance = np.ones_like(groups)  # Of an average that begins at 1.
  wanted = r * np.broadcast_to(
      (variance + norm.epsilon)**-.5, groups.shape).reshape(x.shape)
  for rule in ('deconvnet', 'guided'):
    values, down = jax.vjp(rules.with_rule(function, rule), x)
    np.testing.assert_array_equal(values, function(x))
    np.testing.assert_allclose(down(r)[0], wanted, rtol=1e-4, atol=1e-6)


def looped(x):
  return lax.scan(lambda x, _: (nn.relu(x), None), x, None, length=2)[0]


def branched(x):
  return lax.cond(x[0] > 0, lambda x: 2 * nn.relu(x), lambda x: x, x)


@pytest.mark.parametrize(('function', 'text'), [
    (looped, 'some inside of lax.scan, where it cannot be followed; wanted'),
    (lambda x: nn.relu(branched(x)), 'some inside of lax.cond'),
    (jax.jit(looped), 'some inside of lax.scan'),
    (lambda x: jax.nn.silu(x) + jax.nn.elu(x), 'this D has none that is known'),
    (lambda x: nn.relu(lax.fori_loop(0, 3, lambda i, x: x + i, x)), '')])
def test_a_rule_that_does_not_fit_is_refused(function, text):
  """It is told where rectifiers cannot be seen, and where there are none."""
  x = jnp.ones(3)
  for rule in ('gradient', 'integrated'):
    assert rules.check_fits(function, [x], rule) is None
  for rule in ('deconvnet', 'guided'):
    if text:
      with pytest.raises(ValueError, match=f"^rule: '{rule}' .*{text}"):
        rules.check_fits(function, [x], rule)
    else:
      assert rules.check_fits(function, [x], rule) is None


def test_without_rectifiers_a_maximum_counts_all_that_it_is_taken_of():
  x = jnp.arange(16.).reshape(1, 4, 4, 1)

  def function(x):
    return nn.max_pool(nn.relu(-x), (2, 2), (2, 2))

  values, down = jax.vjp(rules.linear(function), x)
  assert (values == -x.reshape(1, 2, 2, 2, 2).sum((2, 4))[..., None]).all()
  assert (down(jnp.ones_like(values))[0] == -1).all()


def test_trees_and_constants_pass_through():
  table = np.arange(3.)

  def function(tree, scale):
    return {'out': nn.relu(tree['a'] * scale + table), 'same': tree['b']}

  tree = {'a': jnp.array([-1., 1., 2.]), 'b': jnp.zeros(2)}
  out = rules.with_rule(function, 'guided')(tree, 2.)
  np.testing.assert_array_equal(out['out'], [0, 3, 6])
  assert lax.add(out['same'], 1.).shape == (2,)


def test_an_unknown_rule_is_refused():
  with pytest.raises(ValueError, match="no rule 'guidde'; did you mean 'gui"):
    rules.with_rule(nn.relu, 'guidde')

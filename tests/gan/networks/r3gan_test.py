"""R3GAN's networks: counts of the authors' presets, and laws of their start."""
import math

import chex
from helpers import products
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan.networks import (
  filters,
  initialization,
  layers,
  phi,
  r3gan,
)
from msg_gan_jax.gan.networks.ladder import Ladder
from msg_gan_jax.gan.state import NOTHING, Condition

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)


def normal(*shape):
  return jnp.asarray(RNG.standard_normal(shape), jnp.float32)


def shape_of(ladder, fmap_max, fmap_base, shown=None, width=None):
  return Ladder(
      ladder, shown or ladder[-1:], (ladder[-1], width or ladder[-1], 3),
      fmap_max, fmap_base)


def pictures(shape, batch=4):
  h, w, c = shape.image
  return tuple(normal(batch, s, s * w // h, c) for s in shape.shown)


def initial(module, *inputs):
  """Parameters as they begin, drawn."""
  return jax.jit(lambda *inputs: initialization.initialize(
      jax.random.key(1), module.init(jax.random.key(0), *inputs)['params']
      ))(*inputs)


def away(params):
  """The same, with the layers that begin at 0 moved away from there."""
  return jax.tree.map(
      lambda x: x + .1 * normal(*x.shape) if not x.any() else x, params)


def count(module, *inputs):
  params = jax.eval_shape(module.init, jax.random.key(0), *inputs)['params']
  return sum(math.prod(x.shape) for x in jax.tree.leaves(params))


def by_hand(widths, groups, classes, latent=64):
  """Parameters of G and D: sums over the layers of brownvc/R3GAN."""
  # Twice 1x1 from n to 2 n or back, 3x3 of 2 n in groups, two biases; 2 blocks.
  stages = sum(2 * (4 * n**2 + 9 * 2 * n * 2 * n // g + 4 * n)
               for n, g in zip(widths, groups, strict=True))
  stages += sum(m * n for m, n in zip(
      widths, widths[1:], strict=False) if m != n)
  first, last, told = widths[0], widths[-1], bool(classes)
  return (stages + 16 * first + latent * (1 + told) * first + 3 * last +
          classes * latent,
          stages + 3 * last + 16 * first + first * (first if told else 1) +
          classes * first)


# The presets of its train.py. The numbers are those of its own modules.
@pytest.mark.parametrize('widths, cardinality, classes, wanted', [
    ((768,) * 4, (96,) * 4, 0, (20_732_160, 20_683_776)),
    ((768,) * 4, (96,) * 4, 10, (20_781_952, 21_280_512)),
    ((768,) * 4 + (384,), (96,) * 4 + (48,), 0, (22_429_824, 22_381_440)),
    ((768,) * 4 + (384, 192, 96), (96,) * 4 + (48, 24, 12), 0,
     (23_057_952, 23_009_568)),
    ((1536,) * 4, (96,) * 4, 1000, (82_914_304, 86_548_992)),
    ((1536,) * 5, (96,) * 5, 1000, (103_570_432, 107_205_120))])
def test_the_authors_presets_have_their_widths_and_counts(
    widths, cardinality, classes, wanted):
  large = widths[0] > 768
  ladder = tuple(4 << i for i in range(len(widths)))
  shape = shape_of(ladder, widths[0], 49152 if large else 12288)
  arch = r3gan.Architecture(per_group=16) if large else r3gan.Architecture()
  assert tuple(map(shape.width, ladder)) == widths
  assert tuple(map(arch.groups, widths)) == cardinality
  condition = Condition(jnp.zeros(1, int)) if classes else NOTHING
  assert by_hand(widths, cardinality, classes) == wanted
  got = [count(module(shape, arch, classes), x, condition)
         for module, x in ((r3gan.Generator, jnp.zeros((1, 64))),
                           (r3gan.Discriminator, pictures(shape, 1)))]
  assert tuple(got) == wanted


def test_groups_divide_the_maps_of_every_width():
  arch = r3gan.Architecture()
  for width in range(1, 200):
    groups = arch.groups(width)
    assert 2 * width % groups == 0
    assert 1 <= groups <= max(1, width // 8)
  assert [arch.groups(n) for n in (8, 15, 16, 28, 64)] == [1, 1, 2, 2, 8]


def test_weights_begin_with_the_authors_deviations():
  shape, condition = shape_of((4, 8, 16), 32, 128), Condition(jnp.zeros(1, int))
  inner = math.sqrt(2 / 1.04) * 6**-.25  # 6 blocks
  for module, x, wanted in (
      (r3gan.Generator, jnp.zeros((1, 6)), {
          'basis': 1, 'linear': 12**-.5, 'embedding': 5**-.5,
          'mix_16': 32**-.5, 'rgb_16': 16**-.5}),
      (r3gan.Discriminator, pictures(shape, 1), {
          'from_rgb': 3**-.5, 'path_8': 16**-.5, 'basis': 1 / 4,
          'linear': 32**-.5, 'embedding': (32 * 5)**-.5})):
    params = jax.jit(module(shape, classes=5).init)(
        jax.random.key(0), x, condition)['params']
    for size, width in ((4, 32), (8, 32), (16, 16)):
      for i in (1, 2):
        block = params.pop(f'block_{size}_{i}')
        # The inner maps of a group are 2 * 8.
        for name, std in (('conv_1', inner * width**-.5),
                          ('conv_2', inner / math.sqrt(9 * 16)),
                          ('conv_3', 0)):
          np.testing.assert_allclose(
              block[name]['kernel'], std, rtol=1e-6, err_msg=name)
          assert ('bias' in block[name]) == (name != 'conv_3')
    assert params.keys() == wanted.keys()
    for name, std in wanted.items():
      np.testing.assert_allclose(
          params[name]['kernel'], std, rtol=1e-6, err_msg=name)


def test_grouped_conv_is_xlas_also_elsewhere_than_on_a_cpu(monkeypatch):
  x, kernel, mix = normal(2, 5, 6, 12), normal(3, 3, 4, 12), normal(2, 5, 6, 12)

  def plain(x, kernel, groups):
    return lax.conv_general_dilated(
        x, kernel, (1, 1), 'SAME', feature_group_count=groups,
        dimension_numbers=('NHWC', 'HWIO', 'NHWC'))

  both = [jax.value_and_grad(lambda x, kernel, f=f: (
      f(x, kernel, 3) * mix).sum(), (0, 1))(x, kernel)
      for f in (r3gan.grouped_conv, plain)]
  chex.assert_trees_all_close(*both, rtol=1e-5, atol=1e-4)
  monkeypatch.setattr(jax, 'default_backend', lambda: 'gpu')
  chex.assert_trees_all_equal(
      r3gan.grouped_conv(x, kernel, 3), plain(x, kernel, 3))


def test_a_block_is_what_its_textbook_says():
  x, arch = normal(2, 4, 5, 24), r3gan.Architecture()
  block = r3gan.Block(arch, 1.)
  params = jax.tree.map(lambda x: .3 * normal(*x.shape), block.init(
      jax.random.key(0), x)['params'])

  def layer(name, x, groups=1):
    return lax.conv_general_dilated(
        x, params[name]['kernel'], (1, 1), 'SAME', feature_group_count=groups,
        dimension_numbers=('NHWC', 'HWIO', 'NHWC')
    ) + params[name].get('bias', 0)

  y = layers.leaky_relu(layer('conv_1', x))
  y = layers.leaky_relu(layer('conv_2', y, 3))
  chex.assert_trees_all_close(
      block.apply({'params': params}, x), x + layer('conv_3', y), rtol=1e-4,
      atol=1e-4)


def test_a_block_adds_its_share_of_the_variance():
  """Were its last layer drawn with gain 1. Where padding is seen it is less."""
  arch = r3gan.Architecture()
  block = r3gan.Block(arch, arch.gain(4))  # the 8 blocks of CIFAR-10's preset

  @jax.jit
  @jax.vmap
  def shares(key):
    keys = jax.random.split(key, 3)
    x = jax.random.normal(keys[0], (2, 6, 6, 32))
    params = initialization.initialize(keys[1], block.init(key, x)['params'])
    before = block.apply({'params': params}, x) - x
    last = params['conv_3']['kernel']
    params['conv_3']['kernel'] = jax.random.normal(
        keys[2], last.shape) / math.sqrt(last.shape[2])
    added = (block.apply({'params': params}, x) - x)[:, 1:-1, 1:-1]
    return jnp.abs(before).max(), (added**2).mean()

  before, share = shares(jax.random.split(jax.random.key(0), 32))
  np.testing.assert_array_equal(before, 0)
  # The share of one draw deviates by some 15 %.
  assert float(share.mean()) == pytest.approx(1 / 8, rel=.1)


def test_g_begins_as_a_linear_chain_of_unit_variance():
  shape = shape_of((4, 8), 128, 512, shown=(4, 8))
  g, z = r3gan.Generator(shape, r3gan.Architecture(blocks=1)), normal(16, 16)
  params = initial(g, z)
  x = (z @ params['linear']['kernel'][0, 0])[:, None, None] * (
      params['basis']['kernel'])
  assert float((x**2).mean()) == pytest.approx(1, rel=.15)
  images = jax.jit(g.apply)({'params': params}, z)
  for size, image in zip(shape.shown, images, strict=True):
    if size > 4:
      x = filters.up(x, (1, 3, 3, 1))
    wanted = x @ params[f'rgb_{size}']['kernel'][0, 0]
    chex.assert_trees_all_close(image, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('classes', [0, 5])
def test_d_begins_as_a_linear_chain(classes):
  shape = shape_of((4, 8), 16, 64)
  d = r3gan.Discriminator(shape, r3gan.Architecture(blocks=1), classes)
  images, condition = pictures(shape), Condition(jnp.arange(4))
  params = initial(d, images, condition)
  weight = {name: leaf['kernel'] for name, leaf in params.items()
            if 'kernel' in leaf}
  x = filters.down(images[0] @ weight['from_rgb'][0, 0], (1, 3, 3, 1))
  x = jnp.einsum('bhwc,hwc->bc', x, weight['basis'])
  wanted = (x @ weight['linear'][0, 0] * weight['embedding'][0, 0, :4]
            ).sum(-1) if classes else x @ weight['linear']
  got = jax.jit(d.apply)({'params': params}, images, condition).logits
  chex.assert_trees_all_close(got, wanted, rtol=1e-4, atol=1e-5)


def small(classes=0, remat=False, dtype=jnp.float32, phi='simple'):
  """G and D with two shown sizes, of other widths, and groups."""
  shape = shape_of((4, 8), 16, 48, shown=(4, 8))
  rest = dict(arch=r3gan.Architecture(blocks=1), classes=classes, dtype=dtype,
              remat=remat)
  return (r3gan.Generator(shape, **rest),
          r3gan.Discriminator(shape, phi=phi, **rest))


def loss_of(g, d, z, real, condition):
  """((G's parameters, D's)) -> the relativistic loss of D, with R1."""
  def loss(params):
    def score(images):
      return d.apply({'params': params[1]}, images, condition).logits
    fake = g.apply({'params': params[0]}, z, condition)
    slopes = jax.grad(lambda x: score(x).sum())(real)
    penalty = sum((x**2).sum() for x in slopes) / len(z)
    return jax.nn.softplus(score(fake) - score(real)).mean() + penalty
  return loss


@pytest.fixture(scope='module')
def told():
  """(parameters at the start, z, reals, Condition), of three classes."""
  g, d = small(classes=3)
  z, real = normal(4, 6), pictures(g.ladder)
  condition = Condition(jnp.array([0, 1, 2, 0]))
  params = initial(g, z, condition), initial(d, real, condition)
  return params, z, real, condition


@pytest.fixture(scope='module')
def slope(told):
  """parameters -> (loss, gradient)."""
  return jax.jit(jax.value_and_grad(loss_of(*small(classes=3), *told[1:])))


def test_every_parameter_has_a_gradient_and_the_last_layers_first(told, slope):
  _, first = slope(told[0])
  for path, x in jax.tree_util.tree_flatten_with_path(first)[0]:
    name = jax.tree_util.keystr(path)
    # Before a layer of zeros there is none.
    assert bool(x.any()) != ("['conv_1']" in name or "['conv_2']" in name), name
  _, grads = slope(away(told[0]))
  for path, x in jax.tree_util.tree_flatten_with_path(grads)[0]:
    assert x.any() and jnp.isfinite(x).all(), jax.tree_util.keystr(path)


def test_remat_has_the_same_parameters(told):
  _, z, real, condition = told
  for module, again, x in zip(
      small(3), small(3, remat=True), (z, real), strict=True):
    chex.assert_trees_all_equal_shapes_and_dtypes(*(jax.eval_shape(
        m.init, jax.random.key(0), x, condition) for m in (module, again)))


@pytest.mark.slow
def test_remat_has_the_same_gradients(told, slope):
  params = away(told[0])
  again = jax.jit(jax.value_and_grad(loss_of(
      *small(classes=3, remat=True), *told[1:])))(params)
  chex.assert_trees_all_close(again, slope(params), rtol=1e-4, atol=1e-5)


def test_in_bf16_every_product_is_and_pictures_and_logits_are_not(told):
  params, *inputs = told
  g, d = small(classes=3, dtype=jnp.bfloat16)
  found = [x.aval.dtype for _, eqn in products(jax.make_jaxpr(jax.grad(
      loss_of(g, d, *inputs)))(params).jaxpr) for x in eqn.invars]
  assert len(found) > 40 and set(found) == {jnp.dtype('bfloat16')}
  fake = jax.eval_shape(g.apply, {'params': params[0]}, inputs[0], inputs[2])
  logits = jax.eval_shape(
      d.apply, {'params': params[1]}, inputs[1], inputs[2]).logits
  assert {x.dtype for x in (*fake, logits)} == {jnp.dtype('float32')}


def test_both_hear_the_class_and_d_sees_every_scale(told):
  params, z, real, condition = told
  g, d = small(classes=3)
  params = away(params)
  other = condition._replace(labels=(condition.labels + 1) % 3)
  apply = jax.jit(lambda images, condition: d.apply(
      {'params': params[1]}, images, condition).logits)
  logits = apply(real, condition)
  draw = jax.jit(lambda condition: g.apply({'params': params[0]}, z, condition))
  for fake, again in zip(draw(condition), draw(other), strict=True):
    assert (jnp.abs(fake - again).max((1, 2, 3)) > 1e-3).all()
  assert (jnp.abs(logits - apply(real, other)) > 1e-4).all()
  for level in range(2):
    seen = tuple(x[::-1] if i == level else x for i, x in enumerate(real))
    assert (jnp.abs(logits - apply(seen, condition)) > 1e-4).all(), level


@pytest.mark.parametrize('phi', phi.PHI)
def test_every_phi_joins_to_the_levels_maps(phi):
  shape = shape_of((5, 10, 20), 12, 64, shown=(5, 20), width=28)
  d, images = r3gan.Discriminator(shape, phi=phi), pictures(shape)
  params = jax.eval_shape(d.init, jax.random.key(0), images)['params']
  assert params['block_5_1']['conv_1']['kernel'].shape == (1, 1, 12, 24)
  assert params['basis']['kernel'].shape == (5, 7, 12)
  assert ('join_5' in params) == (phi in ('lin_cat', 'cat_lin', 'adain'))
  assert 'join_10' not in params and 'mix_10' not in params
  verdict = jax.eval_shape(d.apply, {'params': params}, images)
  assert verdict.logits.shape == (4,)


def test_pictures_need_not_be_square():
  shape = shape_of((5, 10, 20), 12, 64, shown=(5, 20), width=28)
  g, z = r3gan.Generator(shape), normal(3, 6)
  images = jax.eval_shape(lambda z: g.init_with_output(
      jax.random.key(0), z)[0], z)
  assert [x.shape for x in images] == [(3, 5, 7, 3), (3, 20, 28, 3)]

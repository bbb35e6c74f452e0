"""Laws of bfloat16 features, of networks of plain layers and the mlp."""
import chex
from helpers import equations, products
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan.networks import (
  dcgan,
  lapgan,
  norms,
  phi,
  resnet,
  weight_norms,
)
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.state import Condition

pytestmark = pytest.mark.slow

BF16, F32 = jnp.bfloat16, jnp.float32
# No other side of an array in them is as long, so that what has it are
# features, and what has it not are kernels alone: their norms, taps that are
# added before they are used.
BATCH = 23
HEAD = 'score', 'embedding', 'classes'
NORMED = dict(g_norm='batch', d_norm='layer')
SPECTRAL = dict(g_weight_norm='spectral', d_weight_norm='spectral')
ONE_LEVEL = dict(scales='none')
# 'lapgan 0' is its level of 8 px, and 1 is one of all the others.
ROWS = {'mlp': ONE_LEVEL, 'lapgan 0': ONE_LEVEL, 'lapgan 1': ONE_LEVEL,
        'vanilla': {**NORMED, **ONE_LEVEL}, 'infogan': {**NORMED, **ONE_LEVEL},
        **dict.fromkeys((*dcgan.ARCHITECTURES, *resnet.ARCHITECTURES), NORMED)}
TABLE = list(ROWS.items())
TABLE += [('sndcgan', dict(g_norm=norm, d_norm=norm)) for norm in norms.NORMS]
TABLE += [('sndcgan', dict(g_weight_norm=norm, d_weight_norm=norm))
          for norm in weight_norms.WEIGHT_NORMS]
TABLE += [('sndcgan', dict(phi=name)) for name in phi.PHI]
TABLE += [('resnet_sngan', dict(
    classes=3, g_norm='batch', g_condition='batch_norm', d_condition=condition))
          for condition in ('projection', 'classifier')]


def players_of(small, name, dtype, resolution=16, **settings):
  """(Config, Players whose features have a dtype, level or None) of a row."""
  name, *level = name.split()
  if name == 'lapgan':
    settings['latent'] = 100 + 16 * 16
  config = small(data__resolution=resolution, **{
      f'networks__{key}': value for key, value in dict(
          dict(name=name, stddev='none', scales='all'), **settings).items()})
  players = NETWORKS[name](config)
  level = int(level[0]) if level else None
  players = players if level is None else players.stage(level)

  def typed(module):
    if name == 'mlp':
      return module.clone(dtype=dtype)
    return module.clone(settings=module.settings._replace(dtype=dtype))
  return config, players._replace(
      g=typed(players.g), d=typed(players.d)), level


def of_features(jaxpr):
  """(whether in the head, dtypes in and out) of products with features.

  Asserts that all others are float32.
  """
  for path, eqn in products(jaxpr):
    avals = [x.aval for x in (*eqn.invars, *eqn.outvars)]
    dtypes = {x.dtype for x in avals}
    if any(n % BATCH == 0 for x in avals for n in x.shape):
      yield any(f'/{name}' in path for name in HEAD), dtypes
    else:
      assert dtypes == {np.dtype(F32)}, path


def assert_sums_are_float32(jaxpr):
  """... but for the few numbers of a square of pixels."""
  for path, eqn in equations(jaxpr):
    if eqn.primitive.name == 'reduce_sum':
      shape = eqn.invars[0].aval.shape
      assert (eqn.invars[0].aval.dtype == F32
              or np.prod([shape[i] for i in eqn.params['axes']]) <= 4), path


def traced(small, name, dtype, settings):
  """The jaxpr of gradients through D and G, and (images, Verdict) as shapes."""
  deep = name in {**resnet.ARCHITECTURES, **dcgan.ARCHITECTURES}
  size = 64 if deep else 16
  config, players, level = players_of(small, name, dtype, size, **settings)
  classes = config.networks.classes
  z = jnp.zeros((BATCH, config.networks.latent))
  condition = Condition(
      jnp.zeros(BATCH, int) if classes else None,
      jnp.zeros((BATCH, 16, 16, 3)) if level else None)
  keys = {'params': jax.random.key(0), 'dropout': jax.random.key(1)}
  images, g = jax.eval_shape(
      lambda: players.g.init_with_output(keys, z, condition))
  d = jax.eval_shape(lambda x: players.d.init(keys, x, condition), images)

  def score(g, d):
    images, _ = players.g.apply(g, z, condition, True, mutable=['stats'])
    verdict, _ = players.d.apply(
        d, images, condition, True, rngs=keys, mutable=['stats'])
    return sum(x.sum() for x in jax.tree.leaves(verdict)), (images, verdict)

  return jax.make_jaxpr(
      jax.grad(score, (0, 1), has_aux=True), return_shape=True)(g, d)


@pytest.mark.parametrize('name, settings', TABLE)
def test_features_are_bfloat16_and_what_leaves_is_float32(
    small, name, settings):
  jaxpr, (grads, out) = traced(small, name, BF16, settings)
  assert {x.dtype for x in jax.tree.leaves((grads, out))} == {np.dtype(F32)}
  # XLA's sum of 16384 numbers near 1 in bfloat16 was 2176 on a CPU: gradients
  # of what is added to every pixel.
  assert_sums_are_float32(jaxpr)
  found = list(of_features(jaxpr))
  for in_head, dtypes in found:
    assert dtypes == {np.dtype(F32 if in_head else BF16)}
  # Each kernel multiplies features forward, and its gradient is a product.
  kernels = sum(path[-1].key == 'kernel' for path, _ in (
      jax.tree_util.tree_flatten_with_path(grads)[0]))
  assert len(found) >= 2 * kernels > 0
  assert 2 <= sum(in_head for in_head, _ in found) < len(found)


def test_features_are_float32_unless_asked(small):
  jaxpr, _ = traced(small, 'sndcgan', F32, NORMED)
  found = [dtypes for _, dtypes in of_features(jaxpr)]
  assert found and all(dtypes == {np.dtype(F32)} for dtypes in found)
  assert dcgan.ARCHITECTURES['sndcgan'].settings.dtype == F32


def drawn(shapes):
  """Variables of these shapes, without a program that initializes them."""
  rng = np.random.default_rng(0)

  def draw(path, x):
    if (kind := path[-1].key) in ('kernel', 'u'):
      fan_in = np.prod(x.shape[:-1])
      return rng.normal(0, fan_in**-.5, x.shape).astype(np.float32)
    return np.full(x.shape, kind in ('scale', 'var', 'gain'), np.float32)
  return jax.tree_util.tree_map_with_path(draw, shapes)


def relative(got, wanted):
  return float(jnp.sqrt(((got - wanted)**2).mean() / (wanted**2).mean()))


@pytest.mark.parametrize('name, settings', [
    ('mlp', ROWS['mlp']), ('lapgan 1', ONE_LEVEL),
    pytest.param('vanilla', dict(ROWS['vanilla'], d_norm='batch'),
                 marks=pytest.mark.slow),
    pytest.param('dcgan_32', dict(
        NORMED, phi='adain', d_weight_norm='spectral_operator'),
        marks=pytest.mark.slow),
    pytest.param('resnet_mimicry', dict(SPECTRAL, g_norm='batch'),
                 marks=pytest.mark.slow)])
def test_a_pass_in_bfloat16_is_near_that_in_float32(small, name, settings):
  def run(dtype, values, z, coarse, real):
    _, players, level = players_of(small, name, dtype, **settings)
    condition = Condition(None, coarse if level else None)

    def apply(module, values, inputs):
      return module.apply(
          values, inputs, condition, True, mutable=['stats', 'moments'],
          rngs={'dropout': jax.random.key(3)})

    fake, g = apply(players.g, values[0], z)
    real = tuple(real[:, ::16 // x.shape[1], ::16 // x.shape[2]] for x in fake)
    verdict, d = apply(players.d, values[1], real)
    return (fake, verdict.logits), (g, d)

  config, players, level = players_of(small, name, F32, **settings)
  z, coarse, real = (
      jax.random.normal(jax.random.key(i), shape) for i, shape in enumerate((
          (8, config.networks.latent), (8, 16, 16, 3), (8, 16, 16, 3))))
  condition = Condition(None, coarse if level else None)
  images, g = jax.eval_shape(lambda: players.g.init_with_output(
      jax.random.key(0), z, condition))
  d = jax.eval_shape(lambda images: players.d.init(
      jax.random.key(0), images, condition), images)
  values = drawn(g), drawn(d)
  (out, kept), (out_32, kept_32) = (
      jax.jit(run, static_argnums=0)(dtype, values, z, coarse, real)
      for dtype in (BF16, F32))
  for got, wanted in zip(*map(jax.tree.leaves, (out, out_32)), strict=True):
    assert got.dtype == F32
    assert 1e-4 < relative(got, wanted) < .05

  def is_near(path, got, wanted):
    assert got.dtype == F32
    # Vectors of spectral norms know the kernels alone.
    least = 1e-5 if path[-1].key in ('u', 'v') else .05
    np.testing.assert_allclose(
        got, wanted, rtol=0, atol=least * float(jnp.abs(wanted).max()))
  jax.tree_util.tree_map_with_path(is_near, kept, kept_32)


@pytest.mark.parametrize('norm', sorted(set(norms.NORMS) - {'none'}))
def test_a_norm_is_float32s_of_the_same_features_rounded_once(norm):
  # In bfloat16 the square of a mean of 30 would leave nothing of a variance.
  x = (30 + jax.random.normal(jax.random.key(0), (8, 4, 4, 6))).astype(BF16)
  layer, way = norms.Normalize(norm), norms.PassInfo(True)
  values = layer.init(jax.random.key(1), x, way)
  (got, kept), (wanted, kept_32) = (
      layer.apply(values, x, way, mutable=['stats', 'moments'])
      for x in (x, x.astype(F32)))
  assert got.dtype == BF16 and wanted.dtype == F32
  chex.assert_trees_all_equal(got, wanted.astype(BF16))
  chex.assert_trees_all_equal(kept, kept_32)
  assert {leaf.dtype for leaf in jax.tree.leaves((values, kept))} <= {
      np.dtype(F32)}
  if norm == 'batch':
    chex.assert_trees_all_close(
        kept['moments'], {'mean': jnp.full(6, 30.), 'var': jnp.ones(6)},
        rtol=0, atol=.5)


def test_adain_is_float32s_of_the_same_features_rounded_once():
  path, style = (
      jax.random.normal(jax.random.key(i), (8, 4, 4, 6 * (i + 1))) + 30
      for i in range(2))
  path, style = path.astype(BF16), style.astype(BF16)
  (got,), (wanted,) = (
      phi.adain((None,), x, 6, lambda features, y=y: lambda image: y)
      for x, y in ((path, style), (path.astype(F32), style.astype(F32))))
  assert got.dtype == BF16 and wanted.dtype == F32
  chex.assert_trees_all_equal(got, wanted.astype(BF16))


@pytest.mark.parametrize('name', [
    'dcgan_studiogan', 'resnet_sngan', 'resnet_cifar'])
def test_sums_over_pixels_are_not_rounded(small, name):
  _, players, _ = players_of(small, name, BF16)
  d = players.d.clone(head=lambda features, labels, settings: features)
  images = tuple(jnp.zeros((2, s, s, 3)) for s in players.sizes)
  features, _ = jax.eval_shape(
      lambda: d.init_with_output(jax.random.key(0), images))
  assert features.dtype == F32 and features.ndim == 2


def test_a_residual_is_added_to_the_coarse_picture_in_float32(small):
  config, players, _ = players_of(small, 'lapgan 1', BF16, scales='none')
  coarse = jax.random.normal(jax.random.key(0), (2, 16, 16, 3))
  z = jnp.ones((2, config.networks.latent))
  values = jax.tree.map(jnp.zeros_like, jax.eval_shape(
      lambda: players.g.init(jax.random.key(1), z, Condition(None, coarse))))
  image, = players.g.apply(values, z, Condition(None, coarse))
  chex.assert_trees_all_equal(image, coarse)
  assert isinstance(players.g, lapgan.FineGenerator)

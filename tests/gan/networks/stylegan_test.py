"""StyleGAN's G: the peer's counts, a loop in numpy, and laws of its parts."""
import functools
import itertools

from helpers import products
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import (
  initialization,
  mapping,
  noise,
  stylegan,
)
from msg_gan_jax.gan.networks.ladder import Ladder
from msg_gan_jax.gan.state import NOTHING, Condition

pytestmark = pytest.mark.slow

LADDER = 4, 8, 16
BATCH, WIDTH, LATENT = 3, 6, 5


def shape_of(ladder=LADDER, image=None, fmap_max=6, fmap_base=32):
  image = image or (ladder[-1], ladder[-1], 3)
  return Ladder(tuple(ladder), tuple(ladder), image, fmap_max, fmap_base)


def generator(ladder=LADDER, **attributes):
  return stylegan.Generator(**{
      'ladder': shape_of(ladder), 'width': WIDTH, 'depth': 2, **attributes})


def given(g):
  """Abstract variables of g."""
  labels = jnp.zeros(BATCH, int) if g.classes else None
  return jax.eval_shape(
      g.init, jax.random.key(0), jnp.zeros((BATCH, LATENT)), Condition(labels))


def moved(g):
  """Variables of g, all at random: nothing is at its start."""
  random = np.random.default_rng(0)
  return jax.tree.map(
      lambda x: jnp.asarray(random.normal(size=x.shape), jnp.float32),
      given(g))


def synthesize(g, variables, w, condition=NOTHING, **rngs):
  return g.apply(variables, w, condition, method='synthesize', rngs=rngs)


def normal(*shape, seed=1):
  return jnp.asarray(
      np.random.default_rng(seed).normal(size=shape), jnp.float32)


@pytest.mark.parametrize('resolution', [32, 64, 128, 256, 1024])
def test_it_has_the_parameter_counts_of_msg_stylegan_tf(oracle, resolution):
  wanted = oracle('param_counts_tf_peers').expected[
      f'msg-stylegan-tf resolution={resolution} defaults']
  ladder = pyramid.ladder(resolution, resolution)
  g = stylegan.Generator(shape_of(ladder, None, 512, 8192))
  params = jax.eval_shape(
      g.init, jax.random.key(0), jnp.zeros((1, 512)))['params']
  count = {name: sum(x.size for x in jax.tree.leaves(tree))
           for name, tree in params.items()}
  assert count == {'mapping': wanted['G_mapping'],
                   'synthesis': wanted['G_synthesis']}
  assert sum(count.values()) == wanted['G']


def by_loops(p, w, sizes):
  """Synthesis without noise, of variables p, one step after the other."""
  def convolve(x, kernel, gain=2**.5):
    k = kernel.shape[0]
    x = np.pad(x, ((0, 0), (k // 2,) * 2, (k // 2,) * 2, (0, 0)))
    h, w = x.shape[1] - k + 1, x.shape[2] - k + 1
    return gain / np.sqrt(kernel[..., 0].size) * sum(
        x[:, i:i + h, j:j + w] @ kernel[i, j]
        for i in range(k) for j in range(k))

  def epilogue(x, p, w):
    x = x + p['bias']
    x = np.maximum(x, .2 * x)
    x = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(
        x.var((1, 2), keepdims=True) + 1e-8)
    kernel = p['style']['kernel'][0, 0]
    style = w @ kernel / np.sqrt(len(kernel)) + p['style']['bias']
    scale, shift = np.split(style[:, None, None], 2, -1)
    return x * (scale + 1) + shift

  images = []
  for i, size in enumerate(sizes):
    name = f'block_{size}'
    if i == 0:
      x = np.stack([p[f'{name}_constant']] * len(w))
    else:
      x = x.repeat(2, 1).repeat(2, 2)
      x = convolve(x, p[f'{name}_conv_1']['kernel'])
      taps = np.array([1, 2, 1]) / 4
      x = convolve(
          x, np.einsum('i,j,ab->ijab', taps, taps, np.eye(x.shape[-1])),
          np.sqrt(9 * x.shape[-1]))
    x = epilogue(x, p[f'{name}_epilogue_1'], w[:, 2 * i])
    x = convolve(x, p[f'{name}_conv_2']['kernel'])
    x = epilogue(x, p[f'{name}_epilogue_2'], w[:, 2 * i + 1])
    rgb = p[f'rgb_{size}']
    images.append(convolve(x, rgb['kernel'], 1) + rgb['bias'])
  return images


def test_it_is_what_the_paper_describes_step_by_step():
  g = generator((4, 8), noise=False)
  variables, w = moved(g), normal(BATCH, 4, WIDTH)
  found = jax.jit(lambda w: synthesize(g, variables, w))(w)
  p = jax.tree.map(
      lambda x: np.asarray(x, float), variables['params']['synthesis'])
  for image, wanted in zip(
      found, by_loops(p, np.asarray(w, float), (4, 8)), strict=True):
    np.testing.assert_allclose(image, wanted, rtol=1e-3, atol=2e-4)


def test_a_style_of_zeros_leaves_mean_0_and_deviation_1():
  x = 3 + 2 * normal(2, 4, 6, 5)
  epilogue = stylegan.Epilogue()
  variables = jax.tree.map(jnp.zeros_like, jax.eval_shape(
      epilogue.init, jax.random.key(0), x, normal(2, 3)))
  y = np.asarray(epilogue.apply(variables, x, normal(2, 3)))
  np.testing.assert_allclose(y.mean((1, 2)), 0, atol=1e-6)
  np.testing.assert_allclose(y.std((1, 2)), 1, rtol=1e-6)


@pytest.mark.parametrize('dtype, tolerance', [
    ('float32', 1e-5), ('bfloat16', 2e-2)])
def test_a_style_sets_mean_and_deviation_of_every_map(dtype, tolerance):
  # A mean of thirty deviations: bfloat16 would lose the sum of squares.
  x = (30 + normal(2, 4, 6, 5)).astype(dtype)
  style = normal(2, 10)
  y = stylegan.adain(x, style)
  assert y.dtype == dtype
  y = np.asarray(y, float)
  scale, shift = np.split(np.asarray(style), 2, -1)
  np.testing.assert_allclose(y.mean((1, 2)), shift, atol=tolerance)
  np.testing.assert_allclose(y.std((1, 2)), abs(scale + 1), atol=tolerance)


def test_a_fade_begins_at_the_coarser_image_and_ends_at_the_finer_exactly():
  grown = [generator((4, 8), level=level) for level in (0, 1)]
  variables, w = moved(grown[0]), normal(BATCH, 4, WIDTH)
  alpha = jnp.array([0., 1, .25])

  @jax.jit
  def run(w):
    (coarse,), (fine,) = (synthesize(g, variables, w) for g in grown)
    faded, = synthesize(grown[1], variables, w, Condition(alpha=alpha))
    return pyramid.up(coarse), fine, faded
  coarse, fine, faded = run(w)
  np.testing.assert_array_equal(faded[0], coarse[0])
  np.testing.assert_array_equal(faded[1], fine[1])
  np.testing.assert_allclose(
      faded[2], .75 * coarse[2] + .25 * fine[2], rtol=1e-5, atol=1e-5)


def test_a_level_shows_what_all_levels_show_there():
  w = normal(BATCH, 6, WIDTH)
  variables = moved(generator())

  @jax.jit
  def run(w):
    return synthesize(generator(), variables, w), [
        synthesize(generator(level=level), variables, w[:, :2 * level + 2])[0]
        for level in range(3)]
  # The two are fused otherwise, and may round otherwise.
  for one, of_all in zip(*run(w), strict=True):
    np.testing.assert_allclose(one, of_all, rtol=1e-5, atol=1e-5)


def test_the_tree_is_one_for_all_levels():
  for blur, remat in itertools.product((False, True), repeat=2):
    wanted = given(generator())
    for level in (None, 0, 1, 2):
      assert given(generator(level=level, blur=blur, remat=remat)) == wanted


def test_levels_take_pictures_that_are_not_square_and_five_to_seven_pixels():
  shape = shape_of((5, 10, 20), (20, 28, 1))
  g = stylegan.Generator(shape, WIDTH, 2)
  images = jax.eval_shape(
      lambda z: g.init_with_output(jax.random.key(0), z)[0],
      jnp.zeros((BATCH, LATENT)))
  assert [x.shape for x in images] == [
      (BATCH, 5, 7, 1), (BATCH, 10, 14, 1), (BATCH, 20, 28, 1)]


@pytest.fixture(scope='module')
def world():
  """G with all at random, its variables, and its compiled synthesis."""
  g = generator(classes=4)
  variables = moved(g)
  return g, variables, jax.jit(lambda w: synthesize(g, variables, w))


def differ(images, others):
  return [bool((x != y).any()) for x, y in zip(images, others, strict=True)]


@pytest.mark.parametrize('start, wanted', [
    (1, [True, True, True]), (2, [False, True, True]),
    (3, [False, True, True]), (5, [False, False, True]),
    (6, [False, False, False])])
def test_mixing_leaves_levels_before_the_crossover_alone(
    world, start, wanted):
  w, other = normal(BATCH, 6, WIDTH), normal(BATCH, 6, WIDTH, seed=2)
  found = world[2](w), world[2](mapping.mix(w, other, start))
  assert differ(*found) == wanted


def test_a_style_reaches_its_own_layer_and_finer_ones(world):
  w = normal(BATCH, 6, WIDTH)
  for layer in range(6):
    found = differ(world[2](w), world[2](w.at[:, layer].add(1)))
    assert found == [layer < 2, layer < 4, True]


def test_psi_of_zero_gives_the_picture_of_the_mean_whatever_z_is(world):
  g, variables, run = world
  mean = variables['stats']['mapping']['w_mean']
  w = g.apply(variables, normal(BATCH, LATENT), Condition(
      jnp.arange(BATCH)), method='map')
  assert w.shape == (BATCH, 6, WIDTH)
  wanted = run(jnp.broadcast_to(mean, w.shape))
  for image, same in zip(
      run(mapping.truncate(w, mean, 0.)), wanted, strict=True):
    np.testing.assert_array_equal(image, same)
    np.testing.assert_allclose(image, image[:1].repeat(BATCH, 0), atol=1e-5)


def test_only_open_levels_are_mixed():
  g = generator(level=0, mixing=1.)
  variables, z = moved(g), normal(BATCH, LATENT)
  mixed = g.apply(variables, z, train=True, method='map',
                  rngs={'mixing': jax.random.key(0)})
  own = g.apply(variables, z, method='map')
  assert mixed.shape == own.shape == (BATCH, 2, WIDTH)
  np.testing.assert_array_equal(mixed[:, 0], own[:, 0])
  assert (mixed[:, 1] != own[:, 1]).any()


def test_a_label_is_a_row_beside_z_and_both_are_normalized_as_one(world):
  g, variables, _ = world
  z, labels = normal(BATCH, LATENT), jnp.array([3, 0, 3])
  found = g.apply(variables, z, Condition(labels), method='map')[:, 0]
  params = dict(variables['params']['mapping'])
  row = params.pop('labels')['kernel'][labels]
  assert row.shape == z.shape
  plain = mapping.Mapping(2, WIDTH)
  wanted = plain.apply(
      {'params': params, 'stats': variables['stats']['mapping']},
      jnp.concatenate([z, row], -1))
  np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_noise_is_fixed_without_a_key_and_fresh_with_one(world):
  g, variables, run = world
  w = jnp.broadcast_to(normal(6, WIDTH), (BATCH, 6, WIDTH))
  fixed = run(w)
  assert not any(differ(fixed, run(w)))
  # One map for the batch: equal styles give equal pictures, up to rounding,
  # which on some CPUs depends on the place in the batch.
  for level in fixed:
    np.testing.assert_allclose(level, level[::-1], atol=1e-5)
  noisy = jax.jit(lambda key: synthesize(g, variables, w, noise=key))
  one, two = noisy(jax.random.key(1)), noisy(jax.random.key(2))
  assert all(differ(one, two)) and all(differ(one, fixed))
  assert all(differ(one, [x[::-1] for x in one]))
  assert not any(differ(one, noisy(jax.random.key(1))))


def test_no_two_layers_share_their_noise():
  a, b, c, _ = noise.for_layers(
      stylegan.Epilogue().bind({}), BATCH, ((4, 4), (4, 4), (8, 8), (8, 8)))
  assert a.shape == (1, 4, 4, 1) and c.shape == (1, 8, 8, 1)
  assert (a != b).any() and (a != c[:, :4, :4]).any()


def test_noise_has_no_weight_at_the_start():
  g = generator((4, 8))
  params = jax.jit(g.init)(
      jax.random.key(0), jnp.zeros((1, LATENT)))['params']['synthesis']
  assert (params['block_4_constant'] == 1).all()
  # `initialize` draws kernels only.
  drawn = initialization.initialize(jax.random.key(1), params)
  for name, layer in drawn.items():
    if 'epilogue' in name:
      assert not layer['noise'].any() and not layer['bias'].any()
      assert not layer['style']['bias'].any()
    if 'constant' in name:
      assert (layer == 1).all()


def test_bfloat16_is_that_of_every_convolution_and_no_style():
  g = generator(dtype=jnp.bfloat16)
  batch = 11  # unlike any size of a kernel
  jaxpr = jax.make_jaxpr(g.apply)(given(g), jnp.zeros((batch, LATENT)))
  assert all(x.dtype == jnp.float32 for x in jaxpr.out_avals)
  found = {'maps': [], 'vectors': []}
  for _, equation in products(jaxpr.jaxpr):
    inputs = [x.aval for x in equation.invars]
    if inputs[0].shape[0] % batch == 0:  # else of parameters alone
      # Pixels are rows in a 1x1 convolution.
      kind = 'vectors' if inputs[0].shape[0] == inputs[0].size // (
          inputs[0].shape[-1]) == batch else 'maps'
      found[kind].append({str(x.dtype) for x in inputs})
    else:
      assert equation.primitive.name == 'dot_general'
  # Five convolutions and three to images; two layers of mapping, six styles.
  assert found == {'maps': [{'bfloat16'}] * 8, 'vectors': [{'float32'}] * 8}


@pytest.fixture(scope='module')
def gradients():
  """remat -> gradients of the parameters of a G with labels and noise."""
  @functools.cache
  def run(remat):
    g = generator((4, 8), remat=remat, classes=4)
    variables = moved(g)
    condition = Condition(jnp.arange(BATCH) + 1)

    def loss(params):
      images = g.apply(
          {**variables, 'params': params}, normal(BATCH, LATENT), condition,
          rngs={'noise': jax.random.key(0)})
      return sum(jnp.sin(x).mean() for x in images)
    return jax.jit(jax.grad(loss))(variables['params'])
  return run


def test_gradients_reach_every_parameter(gradients):
  for path, x in jax.tree_util.tree_leaves_with_path(gradients(False)):
    assert jnp.isfinite(x).all() and x.any(), path
    if path[-1].key in ('noise', 'block_4_constant'):
      assert x.all(), path


def test_recomputing_gives_the_same_gradients(gradients):
  jax.tree.map(
      lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-6),
      gradients(True), gradients(False))

"""StyleGAN2 has the peer's counts, and its fast forms are the paper's."""
import functools

import chex
from helpers import count, products
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import (
  convolutions,
  filters,
  initialization,
  ladder,
  layers,
  mapping,
  phi,
  plain,
  stylegan2,
  stylegan2_convs,
)
from msg_gan_jax.gan.state import Condition

pytestmark = pytest.mark.slow

# 8 x 12 px over 4 x 6, with 4 and 8 maps.
SHAPE = ladder.Ladder((4, 8), (4, 8), (8, 12, 3), 8, 16)

LABELS = Condition(jnp.arange(4) % 3)

BF16 = jnp.bfloat16


def normal(seed, *shape):
  return jnp.asarray(
      np.random.default_rng(seed).standard_normal(shape), jnp.float32)


PEERS = [
    ('32px cfg=auto c_dim=0', 8192, 2, 'residual'),
    ('32px cfg=cifar c_dim=0', 16384, 2, 'plain'),
    ('32px cfg=cifar c_dim=10', 16384, 2, 'plain'),
    ('64px cfg=auto c_dim=0', 8192, 2, 'residual'),
    ('128px cfg=auto c_dim=0', 8192, 2, 'residual'),
    ('256px cfg=auto c_dim=0', 8192, 2, 'residual'),
    ('256px cfg=paper256 c_dim=0', 8192, 8, 'residual'),
    ('256px cfg=stylegan2 c_dim=0', 16384, 8, 'residual'),
    ('1024px cfg=stylegan2 c_dim=0', 16384, 8, 'residual')]


@pytest.mark.parametrize('name, base, depth, architecture', PEERS)
def test_counts_are_those_of_stylegan2_ada(
    oracle, name, base, depth, architecture):
  wanted = oracle('param_counts_stylegan2_ada').expected[name]
  size, classes = int(name.split('px')[0]), int(name.split('c_dim=')[1])
  shape = ladder.Ladder(
      pyramid.ladder(size, size), (size,), (size, size, 3), 512, base)
  told = Condition(jnp.zeros(2, int) if classes else None)
  g = jax.eval_shape(
      stylegan2.Generator(shape, depth=depth, classes=classes).init,
      jax.random.key(0), jnp.zeros((2, 512)), told)['params']
  head = plain.Head('mapped_projection' if classes else 'none', classes)
  d = jax.eval_shape(
      stylegan2.Discriminator(shape, architecture, head=head).init,
      jax.random.key(0), (jnp.zeros((2, size, size, 3)),), told)['params']
  for part in ('mapping', 'synthesis'):
    assert count(g[part]) == wanted['G'][part]
  for got, player in ((g, 'G'), (d, 'D')):
    assert count(got) == wanted[player]['parameters']
    assert len(jax.tree.leaves(got)) == wanted[player]['tensors']


def test_every_count_of_the_peer_is_compared(oracle):
  names = oracle('param_counts_stylegan2_ada').expected
  assert set(names) == {name for name, *_ in PEERS}


def with_zeros(x):
  b, h, w, c = x.shape
  return jnp.zeros((b, 2 * h, 2 * w, c)).at[:, ::2, ::2].set(x)


def by_sample(x, kernel, style, up):
  """Eq. 1 to 3 to the letter: a kernel a sample."""
  def one(x, style):
    k = kernel * style[:, None]
    k = k / jnp.sqrt((k**2).sum((0, 1, 2)) + 1e-8)
    if not up:
      return convolutions.conv(x[None], k)[0]
    y = lax.conv_general_dilated(  # ... of stride 2, all 2 H + 1 rows
        x[None], k, (1, 1), [(2, 2), (2, 2)], lhs_dilation=(2, 2),
        dimension_numbers=('NHWC', 'HWIO', 'NHWC'))
    return 4 * filters.blur(y, (1, 3, 3, 1), (1, 1))[0]
  return jnp.stack([one(*pair) for pair in zip(x, style, strict=True)])


@pytest.mark.parametrize('up', [False, True])
def test_modulation_of_the_inputs_is_a_kernel_for_each_sample(up):
  x, kernel, style = normal(0, 2, 3, 5, 4), normal(1, 3, 3, 4, 6), normal(
      2, 2, 4)
  weights = normal(3, 2, 6, 10, 6) if up else normal(3, 2, 3, 5, 6)

  @jax.jit
  def both(*args):
    return [jax.value_and_grad(
        lambda *args, f=f: (f(*args, up) * weights).sum(), (0, 1, 2))(*args) + (
            f(*args, up),) for f in (stylegan2_convs.modulated, by_sample)]

  fast, slow = both(x, kernel, style)
  chex.assert_trees_all_close(fast[2], slow[2], rtol=1e-5, atol=1e-5)
  chex.assert_trees_all_close(fast[:2], slow[:2], rtol=1e-4, atol=1e-4)
  fast, _ = both(x, kernel, 0 * style)  # as a style may pass through zero
  assert all(np.isfinite(x).all() for x in jax.tree.leaves(fast))


@pytest.mark.parametrize('size', [(3, 5), (1, 1)])
def test_products_of_shifted_copies_are_a_transposed_convolution(size):
  h, w = size
  kernel = normal(1, 3, 3, 4, 6)

  @jax.jit
  def both(small):
    return (
        stylegan2_convs.transposed(small, kernel),
        convolutions.conv(jnp.pad(with_zeros(small), (
            (0, 0), (1, 1), (1, 1), (0, 0))), kernel)[:, :-2, :-2])

  # The plain form begins at row -1 too, and has no last row: it is zero.
  transposed, rows = both(normal(0, 2, h, w, 4))
  chex.assert_shape(transposed, (2, 2 * h + 2, 2 * w + 2, 6))
  chex.assert_trees_all_close(
      transposed[:, :2 * h, :2 * w], rows, atol=1e-5)
  np.testing.assert_array_equal(transposed[:, -1], 0)
  np.testing.assert_array_equal(transposed[:, :, -1], 0)


def made(module, *args):
  """Variables with random biases and noise strengths too."""
  values = initialization.initialize(
      jax.random.key(0), jax.jit(module.init)(jax.random.key(1), *args))
  params = jax.tree.map(
      lambda x: x + .1 * normal(x.size, *x.shape), values['params'])
  return {**values, 'params': params}


@pytest.fixture(scope='module')
def g():
  """(module, variables, z [4, 8])."""
  module, z = stylegan2.Generator(SHAPE, width=16, depth=2, classes=3), normal(
      0, 4, 8)
  return module, made(module, z, LABELS), z


@pytest.fixture(scope='module')
def d():
  """(module, variables, images)."""
  module = stylegan2.Discriminator(
      SHAPE, stddev_group=2, head=plain.Head('mapped_projection', 3))
  images = normal(1, 4, 4, 6, 3), normal(2, 4, 8, 12, 3)
  return module, made(module, images, LABELS), images


@functools.cache
def program(module, **settings):
  return jax.jit(lambda variables, args, rngs: module.apply(
      variables, *args, LABELS, rngs=rngs, **settings))


def run(module, variables, *args, rngs=None, **settings):
  """`apply` with labels, compiled once."""
  return program(module, **settings)(variables, args, rngs)


def test_one_layer_more_of_styles_than_convolutions_and_images_of_all_levels(g):
  module, variables, z = g
  w = run(module, variables, z, method='map')
  chex.assert_shape(w, (4, 4, 16))
  np.testing.assert_array_equal(w, w[:, :1] + 0 * w)
  images = run(module, variables, w, method='synthesize')
  assert [(x.shape, x.dtype) for x in images] == [
      ((4, 4, 6, 3), jnp.float32), ((4, 8, 12, 3), jnp.float32)]
  chex.assert_trees_all_close(images, run(module, variables, z), atol=1e-5)
  one = module.clone(ladder=SHAPE._replace(shown=(8,)))
  # Which are shown changes neither parameters nor the finest image.
  chex.assert_trees_all_close(
      images[1:], run(one, variables, z), rtol=1e-5, atol=1e-5)


def test_the_finer_image_is_the_coarser_one_and_what_is_added(g):
  module, variables, z = g
  params = variables['params']
  silent = jax.tree.map(jnp.zeros_like, params['synthesis']['rgb_8'])
  params = {**params, 'synthesis': {**params['synthesis'], 'rgb_8': silent}}
  coarse, fine = run(module, {**variables, 'params': params}, z)
  chex.assert_trees_all_close(
      fine, filters.up(coarse, (1, 3, 3, 1)), atol=1e-5)


def activate(x):
  return 2**.5 * jnp.maximum(x, .2 * x)


def dense(x, p):
  x = x.reshape(len(x), -1)
  k = p['kernel'].reshape(x.shape[1], -1)
  return x @ k / x.shape[1]**.5 + p['bias']


def test_synthesis_is_what_its_plain_form_says(g):
  module, variables, _ = g
  params, w = variables['params']['synthesis'], normal(5, 4, 4, 16)

  def conv(x, layer, style, name, up=False):
    p = params[name]
    y = by_sample(x, p['kernel'], dense(w[:, style], p['style']), up)
    y += p['noise'] * jax.random.normal(
        jax.random.fold_in(jax.random.key(0), layer), (1, *y.shape[1:3], 1))
    return activate(y + p['bias'])

  def image(x, style, name):
    p = params[name]
    k = p['kernel'] * dense(w[:, style], p['style'])[:, :, None]
    return jnp.einsum('bhwi,bio->bhwo', x, k) / x.shape[-1]**.5 + p['bias']

  @jax.jit
  def plain_form():
    x = jnp.repeat(params['constant']['kernel'][None], 4, 0)
    x = conv(x, 0, 0, 'block_4_conv_2')
    coarse = image(x, 1, 'rgb_4')
    x = conv(x, 1, 1, 'block_8_conv_1', up=True)
    x = conv(x, 2, 2, 'block_8_conv_2')
    return coarse, filters.up(coarse, (1, 3, 3, 1)) + image(x, 3, 'rgb_8')

  chex.assert_trees_all_close(
      run(module, variables, w, method='synthesize'), plain_form(),
      rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('residual', [True, False])
def test_d_is_what_its_plain_form_says(d, residual):
  module, variables, (coarse, fine) = d
  params, taps = variables['params'], (1, 3, 3, 1)
  if not residual:
    module = module.clone(architecture='plain')

  def conv(x, name, **settings):
    p = params[name]
    y = convolutions.conv(x, p['kernel'] / np.prod(p['kernel'].shape[:3])**.5,
                    **settings)
    return y + p.get('bias', 0.)

  @jax.jit
  def plain_form():
    x = activate(conv(fine, 'from_rgb'))
    y = filters.blur(activate(conv(x, 'block_8_conv_1')), taps, (2, 2))
    y = activate(conv(y, 'block_8_conv_2', stride=2, padding='VALID'))
    if residual:
      y = .5**.5 * (y + conv(filters.down(x, taps), 'block_8_shortcut'))
    y = layers.minibatch_stddev(jnp.concatenate([coarse, y], -1), 2)
    y = activate(conv(y, 'block_4_conv_1'))
    y = dense(activate(dense(y, params['block_4_conv_2'])), params['score'])
    label = mapping.Mapping(width=8, classes=3).apply(
        {'params': params['mapping']}, labels=LABELS.labels)
    return (y * label).sum(-1) / 8**.5

  np.testing.assert_allclose(
      run(module, variables, (coarse, fine)).logits, plain_form(),
      rtol=1e-4, atol=1e-5)


def test_each_style_moves_its_layers_alone(g):
  module, variables, z = g
  w = run(module, variables, z, method='map')

  def synthesize(w):
    return run(module, variables, w, method='synthesize')

  before = synthesize(w)
  # Of level 4 its convolution and image; of level 8 two and image.
  for layer, coarse_moves in enumerate((True, True, False, False)):
    coarse, fine = synthesize(w.at[:, layer].add(1.))
    assert (float(jnp.abs(coarse - before[0]).max()) > 1e-3) == coarse_moves
    assert float(jnp.abs(fine - before[1]).max()) > 1e-3


def test_mixing_swaps_the_layers_from_the_crossover_on(g, monkeypatch):
  module, variables, z = g
  w = np.asarray(run(module, variables, z, method='map'))
  monkeypatch.setattr(mapping, 'crossover', lambda *_: 3)
  mixed = np.asarray(run(
      module, variables, z, train=True, method='map',
      rngs={'mixing': jax.random.key(3)}))
  np.testing.assert_allclose(mixed[:, :3], w[:, :3], rtol=1e-5)
  assert (np.abs(mixed[:, 3] - w[:, 3]) > 1e-3).mean() > .9
  # Only in training; not with probability 0, which needs no key.
  never = module.clone(mixing=0.)
  np.testing.assert_allclose(
      run(never, variables, z, train=True, method='map'), w, rtol=1e-5)
  other = mixed[:, 3:]
  for start in range(5):
    np.testing.assert_array_equal(
        mapping.mix(w, other, start), np.concatenate(
            [w[:, :start], np.repeat(other, 4 - start, 1)], 1))


def test_the_mean_of_w_moves_in_training_alone(g):
  module, variables, z = g
  w = run(module, variables, z, method='map')[:, 0]
  before = jnp.arange(16.)
  variables = {**variables, 'stats': {'mapping': {'w_mean': before}}}
  for mixing in (0., 1.):  # The second latents do not count.
    _, left = run(
        module.clone(mixing=mixing), variables, z, train=True, method='map',
        mutable='stats', rngs={'mixing': jax.random.key(0)})
    chex.assert_trees_all_close(
        left['stats']['mapping']['w_mean'],
        .995 * before + .005 * w.mean(0), rtol=1e-5)
  _, left = run(module, variables, z, method='map', mutable='stats')
  np.testing.assert_array_equal(left['stats']['mapping']['w_mean'], before)
  started = jax.eval_shape(module.init, jax.random.key(0), z, LABELS)
  assert set(started['stats']['mapping']) == {'w_mean'}


def test_noise_is_fixed_without_a_key_and_fresh_with_one(g):
  module, variables, z = g

  def draw(variables, seed):
    return run(module, variables, z, rngs={'noise': jax.random.key(seed)})

  fixed = run(module, variables, z)
  chex.assert_trees_all_equal(fixed, run(module, variables, z))
  first = draw(variables, 0)
  chex.assert_trees_all_equal(first, draw(variables, 0))
  for one, other in ((first, draw(variables, 1)), (first, fixed)):
    assert all(float(jnp.abs(a - b).max()) > 1e-3
               for a, b in zip(one, other, strict=True))
  # A map a sample: also of equal styles.
  w = jnp.ones((4, 4, 16))
  for rngs, differ in (({'noise': jax.random.key(0)}, True), (None, False)):
    _, fine = run(module, variables, w, method='synthesize', rngs=rngs)
    assert (float(jnp.abs(fine[1:] - fine[:1]).min((1, 2, 3)).max())
            > 0) == differ
  silent = jax.tree_util.tree_map_with_path(
      lambda path, x: 0 * x if path[-1].key == 'noise' else x, variables)
  quiet = run(module, silent, z)
  chex.assert_trees_all_close(quiet, draw(silent, 0), atol=1e-5)
  without = module.clone(noise=False)  # has no strengths
  params = jax.tree_util.tree_flatten_with_path(jax.eval_shape(
      without.init, jax.random.key(0), z, LABELS))[0]
  assert not [path for path, _ in params if path[-1].key == 'noise']
  chex.assert_trees_all_close(quiet, run(without, silent, z), atol=1e-5)


def dtypes(f, *args):
  """{dtype: number} of convolutions and dots, shapes of those in float32."""
  found = [[x.aval for x in e.invars] for _, e in products(
      jax.make_jaxpr(f)(*args).jaxpr)]
  exact = [pair for pair in found if pair[0].dtype == jnp.float32]
  assert all(pair[0].dtype == pair[1].dtype for pair in found)
  return len(found) - len(exact), [x.ndim for pair in exact for x in pair]


def test_bfloat16_is_that_of_all_products_over_pixels(g, d):
  module, variables, z = g
  half, w = module.clone(dtype=BF16), jnp.ones((4, 4, 16))
  low, exact = dtypes(
      lambda v, w: half.apply(v, w, method='synthesize'), variables, w)
  # A convolution, an up-sampling one of four products, another, two images.
  assert low == 1 + 4 + 1 + 2
  # In float32: styles of five layers, norms of three, all of [B, C].
  assert exact == [2, 2] * (5 + 3)
  images, wanted = run(half, variables, z), run(module, variables, z)
  for image, exactly in zip(images, wanted, strict=True):
    assert image.dtype == jnp.float32
    # A product of ten steps of 2^-8 each, of values of about 1.
    assert 1e-5 < float(jnp.abs(image - exactly).max()) < .1

  module, variables, images = d
  half = module.clone(dtype=BF16)
  low, exact = dtypes(
      lambda v, x: half.apply(v, x, LABELS).logits, variables, images)
  assert low == 1 + 3 + 2  # first layer, level 8, level 4
  # The labels' embedding and eight layers, and the score.
  assert exact == [2, 2] * (1 + 8 + 1)
  got, wanted = (
      run(m, variables, images).logits for m in (half, module))
  assert got.dtype == jnp.float32
  np.testing.assert_allclose(got, wanted, atol=.1)
  assert float(jnp.abs(got - wanted).max()) > 1e-5


@pytest.mark.slow
def test_gradients_reach_every_parameter_and_remat_changes_none(g, d):
  def score(g_params, d_params, remat):
    (g_module, g_values, z), (d_module, d_values, _) = g, d
    images = g_module.clone(remat=remat).apply(
        {**g_values, 'params': g_params}, z, LABELS,
        rngs={'noise': jax.random.key(0)})
    verdict = d_module.clone(remat=remat).apply(
        {**d_values, 'params': d_params}, images, LABELS)
    return (verdict.logits**2).sum()

  params = g[1]['params'], d[1]['params']
  grads = [jax.jit(jax.grad(
      lambda g, d, remat=remat: score(g, d, remat), (0, 1)))(*params)
      for remat in (False, True)]
  chex.assert_trees_all_close(*grads, rtol=1e-4, atol=1e-4)
  for path, x in jax.tree_util.tree_flatten_with_path(grads[0])[0]:
    assert float(jnp.abs(x).max()) > 0, jax.tree_util.keystr(path)


def test_labels_move_both_players(g, d):
  module, variables, z = g
  w = jax.jit(lambda z, labels: module.apply(
      variables, z, Condition(labels), method='map'))(z[:1].repeat(3, 0), (
          jnp.arange(3)))
  assert float(jnp.abs(w[0] - w[1:]).max((1, 2)).min()) > .1
  module, variables, images = d
  told = jax.jit(lambda labels: module.apply(
      variables, images, Condition(labels)).logits)
  same, other = told(LABELS.labels), told((LABELS.labels + 1) % 3)
  assert float(jnp.abs(same - other).min()) > 1e-3


@pytest.mark.parametrize('phi', phi.PHI)
@pytest.mark.parametrize('architecture', stylegan2.ARCHITECTURES)
def test_ds_blocks_fit_every_phi(architecture, phi):
  images = tuple(jax.ShapeDtypeStruct((4, *s), jnp.float32)
                 for s in ((4, 6, 3), (8, 12, 3)))
  module = stylegan2.Discriminator(
      SHAPE, architecture, phi, head=plain.Head('classifier', 3))
  verdict, values = jax.eval_shape(
      lambda images: module.init_with_output(
          jax.random.key(0), images, LABELS), images)
  assert (verdict.logits.shape, verdict.classes.shape) == ((4,), (4, 3))
  assert ('block_8_shortcut' in values['params']) == (
      architecture == 'residual')


def test_an_unknown_architecture_lists_what_exists():
  with pytest.raises(ValueError, match="'residuall'; did you mean 'residual'"):
    jax.eval_shape(
        stylegan2.Discriminator(SHAPE, 'residuall').init, jax.random.key(0),
        (jnp.zeros((2, 4, 6, 3)), jnp.zeros((2, 8, 12, 3))))


def rms(x):
  return float(jnp.sqrt(jnp.mean(jnp.square(x))))


def test_modulated_convolutions_keep_the_mean_square():
  # 64 maps of 16 x 16 px; inside, where no tap falls outside.
  kernel, style = normal(0, 3, 3, 64, 64), 1 + normal(1, 4, 64)
  white = normal(2, 4, 16, 16, 64)
  flat = jnp.broadcast_to(normal(3, 4, 1, 1, 64), white.shape)
  modulated = jax.jit(stylegan2_convs.modulated, static_argnums=3)
  for x, up, wanted in (
      (white, False, 1.), (flat, False, 1.), (flat, True, 1.),
      # Between independent pixels the filter is a mean: (1 + 9) / 16 of the
      # variance is left along each axis.
      (white, True, .625)):
    inside = modulated(x, kernel, style, up)[:, 3:-3, 3:-3]
    assert rms(inside) == pytest.approx(wanted, rel=.1)


@pytest.mark.slow
def test_layers_have_about_unit_mean_square_at_the_start():
  shape = ladder.Ladder((4, 8), (4, 8), (8, 8, 3), 32, 512)
  g, d = stylegan2.Generator(shape, width=32), stylegan2.Discriminator(shape)
  z = normal(0, 8, 32)
  # Pictures are smooth: flat squares of 4 x 4 px.
  images = pyramid.build(
      pyramid.up(normal(1, 8, 2, 2, 3), 4), shape.shown)
  for module, x in ((g, z), (d, images)):
    values = initialization.initialize(
        jax.random.key(0), jax.jit(module.init)(jax.random.key(0), x))
    _, left = jax.jit(lambda values, x, module=module: module.apply(
        values, x, capture_intermediates=True, mutable=['intermediates'])
    )(values, x)
    for path, x in jax.tree_util.tree_flatten_with_path(left)[0]:
      name = jax.tree_util.keystr(path)
      if 'block' in name or 'dense' in name or 'from_rgb' in name:
        # Borders take up to .83 at 4 px, the filter .63 of white inputs; means
        # that a leaky ReLU leaves may add as much.
        assert .45 < rms(x) < 2, name

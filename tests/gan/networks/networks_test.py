"""NETWORKS: counts and pictures of the peers, and laws over the table."""
import itertools

import chex
from helpers import count
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data.batches import Batch
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.networks import (
  ladder,
  layers,
  phi,
  progan,
  resnet,
  vanilla,
)
from msg_gan_jax.gan.networks.table import NETWORKS


def counts(preset, resolution, width=512, **settings):
  """(parameters of G, of D), without computing any."""
  config = schema.template(preset)
  config.data.resolution = resolution
  config.networks.latent = config.networks.fmap_max = width
  config.networks.fmap_base = 16 * width
  config.networks.update(settings)
  state = jax.eval_shape(build(config).init, jax.random.key(0))
  return count(state.g.params), count(state.d.params)


@pytest.mark.slow
@pytest.mark.parametrize('depth, size', [
    (4, 16), (4, 128), (4, 256), (4, 512), (5, 256), (5, 512), (6, 256),
    (6, 512), (7, 256), (7, 512), (8, 512), (9, 512)])
def test_bmsg_gan_has_the_peers_parameter_counts(oracle, depth, size):
  resolution = 2**(depth + 1)
  wanted = oracle('param_counts_bmsg').expected[
      f'depth={depth} size={size} ({resolution}px)']
  assert counts('bmsg_gan', resolution, size) == (wanted['G'], wanted['D'])


@pytest.mark.slow
@pytest.mark.parametrize('resolution', [32, 64, 128, 256, 1024])
def test_msg_progan_has_progans_generator(oracle, resolution):
  # The paper adds image layers to ProGAN's G; ProGAN's count has them all.
  name = next(k for k in oracle('param_counts_tf_peers').expected
              if f'resolution={resolution} fmap_base=8192' in k)
  wanted = oracle('param_counts_tf_peers').expected[name]['G']
  assert counts('msg_progan', resolution)[0] == wanted


@pytest.mark.slow
@pytest.mark.parametrize('resolution', [32, 128, 256, 1024])
def test_msg_progan_with_cat_lin_has_the_discriminator_of_msg_stylegan_tf(
    oracle, resolution):
  wanted = oracle('param_counts_tf_peers').expected[
      f'msg-stylegan-tf resolution={resolution} defaults']['D']
  assert counts('msg_progan', resolution, phi='cat_lin')[1] == wanted


def peers_counts(name, resolution, **settings):
  """counts, of plain layers with the widths of their source and z of 128."""
  return counts('sngan_resnet', resolution, **{
      'name': name, 'latent': 128, 'fmap_max': 8192, 'd_weight_norm': 'none',
      **settings})


@pytest.mark.slow
@pytest.mark.parametrize('name, resolution, peers', [
    ('dcgan_compare_gan', 32, 'dcgan'), ('dcgan_compare_gan', 64, 'dcgan'),
    ('sndcgan', 32, 'sndcgan'), ('sndcgan', 64, 'sndcgan'),
    ('sndcgan', 128, 'sndcgan'), ('resnet_cifar', 32, 'resnet_cifar'),
    ('resnet19', 128, 'resnet5'), ('resnet_stl', 48, 'resnet_stl')])
def test_networks_without_norms_have_compare_gans_counts(
    oracle, name, resolution, peers):
  size = (resolution, resolution, 3)
  wanted = oracle('param_counts_tf_peers').expected[
      f'compare_gan {peers} image_shape={size} z=128 batch_norm_fn=None']
  assert peers_counts(name, resolution, g_norm='none') == (
      wanted['G_without_batch_norm'], wanted['D_without_batch_norm'])


@pytest.mark.slow
@pytest.mark.parametrize('name, resolution, d_norm, wanted', [
    # Two numbers a map, or a number of the flat vector (sndcgan), beside those
    # without batch norm.
    ('sndcgan', 32, 'none', (3_828_739, 5_860_865)),
    ('sndcgan', 128, 'none', (19_926_019, 5_983_745)),
    ('dcgan_compare_gan', 64, 'batch', (5_364_739, 4_316_545)),
    ('resnet_cifar', 32, 'none', (5_849_603, 1_483_137)),
    ('resnet19', 128, 'none', (13_786_115, 15_086_529))])
def test_networks_with_batch_norm_have_compare_gans_counts(
    name, resolution, d_norm, wanted):
  assert peers_counts(name, resolution, d_norm=d_norm) == wanted
  spectral = peers_counts(
      name, resolution, d_norm=d_norm, d_weight_norm='spectral_compare_gan')
  assert spectral == wanted  # its vectors are statistics


@pytest.mark.slow
@pytest.mark.parametrize('resolution', [32, 48, 64, 128])
@pytest.mark.parametrize('peers, weight_norm', [
    ('SNGAN', 'spectral'), ('WGANGP', 'none')])
def test_resnets_have_mimicrys_counts(oracle, resolution, peers, weight_norm):
  suffix = '' if resolution == 32 else f'_{resolution}'
  expected = oracle('param_counts_mimicry').expected
  assert peers_counts(
      f'resnet_mimicry{suffix}', resolution, d_weight_norm=weight_norm
  ) == tuple(expected[f'{peers}{player}{resolution}']['parameters']
             for player in ('Generator', 'Discriminator'))


@pytest.mark.slow
@pytest.mark.parametrize('preset, resolution, entry, names', [
    ('landscape_sndcgan', 32, None, (3_828_739, 5_860_865)),
    ('landscape_sndcgan', 128, None, (19_926_019, 5_983_745)),
    ('landscape_resnet_cifar', 32, None, (5_849_603, 1_483_137)),
    ('landscape_resnet19', 128, None, (13_786_115, 15_086_529)),
    ('dragan', 32, None, (3_828_739, 5_860_865)),
    # Sums over their sources' layers: no bias in a convolution of the Lua and
    # PyTorch DCGANs, none at all in Newmu/dcgan_code; compare_gan's infogan.
    ('dcgan_32', 32, None, (3_448_576, 663_296)),
    ('wgan', 64, None, (3_576_704, 2_765_568)),
    ('dcgan', 64, None, (18_885_760, 17_232_768)),
    ('infogan', 28, None, (6_642_241, 6_559_169)),
    ('mimicry_sngan32', 32, 'mimicry', (
        'SNGANGenerator32', 'SNGANDiscriminator32')),
    ('mimicry_cgan_pd32', 32, 'mimicry', (
        'CGANPDGenerator32(num_classes=10)',
        'CGANPDDiscriminator32(num_classes=10)')),
    ('dcgan_studiogan', 32, 'studiogan_cifar10', 'DCGAN'),
    ('lsgan', 32, 'studiogan_cifar10', 'LSGAN')])
def test_a_preset_has_the_counts_of_its_source(
    oracle, preset, resolution, entry, names):
  config = schema.template(preset)
  config.data.resolution = resolution
  config.data.channels = 1 if resolution == 28 else 3
  state = jax.eval_shape(build(config).init, jax.random.key(0))
  if entry:
    expected = oracle(f'param_counts_{entry}').expected
    wanted = expected[names] if isinstance(names, str) else dict(
        zip('GD', (expected[name] for name in names), strict=True))
    names = tuple(wanted[player]['parameters'] for player in 'GD')
  assert (count(state.g.params), count(state.d.params)) == names


CONDITIONAL = dict(
    classes=10, g_condition='batch_norm', d_condition='projection')


@pytest.mark.slow
@pytest.mark.parametrize('peers, name, settings', [
    ('DCGAN', 'dcgan_studiogan', dict(d_norm='batch')),
    ('LSGAN', 'dcgan_studiogan', dict(d_norm='batch')),
    ('WGAN-GP', 'resnet_studiogan', dict(d_norm='batch')),
    ('SNGAN', 'resnet_studiogan', dict(
        d_weight_norm='spectral', **CONDITIONAL)),
    ('SNGAN unconditional', 'resnet_studiogan', dict(
        d_weight_norm='spectral')),
])
def test_networks_have_the_counts_of_studiogan(oracle, peers, name, settings):
  wanted = oracle('param_counts_studiogan_cifar10').expected[peers]
  assert peers_counts(name, 32, **settings) == tuple(
      wanted[player]['parameters'] for player in 'GD')


def test_bmsg_generator_draws_the_peers_pictures(oracle):
  entry = oracle('bmsg_generator_d4_l16')
  torch = entry.inputs if 'g_params' in entry.inputs else entry.scope
  params = {}
  for name, value in torch['g_params'].items():
    group, level, *rest = name.split('.')
    size = 4 * 2**int(level)
    layer = (f'block_{size}_{rest[0]}' if group == 'layers'
             else f'rgb_{size}')
    if rest[-1] == 'bias':
      array = value
    elif layer == 'block_4_conv_1':  # transposed: (in, out, h, w)
      array = value.transpose(2, 3, 0, 1)
    else:
      array = value.transpose(2, 3, 1, 0)
    kind = {'weight': 'kernel', 'bias': 'bias'}[rest[-1]]
    params.setdefault(layer, {})[kind] = jnp.asarray(array, jnp.float32)
  shape = ladder.Ladder((4, 8, 16, 32), (4, 8, 16, 32), (32, 32, 3), 16, 256)
  images = progan.Generator(shape, bmsg=True).apply(
      {'params': params}, jnp.asarray(torch['z'], jnp.float32))
  assert count(params) == entry.expected['parameter_count']
  for image, wanted in zip(images, entry.expected['outputs'], strict=True):
    x = np.moveaxis(np.asarray(image), -1, 1)
    assert list(x.shape) == wanted['shape']
    entry.assert_close(x.mean(), wanted['mean'])
    entry.assert_close(x.std(), wanted['std'])
    entry.assert_close(x.ravel()[:8], wanted['first8'])
    entry.assert_close(x.ravel()[-4:], wanted['last4'])
  entry.assert_close(np.moveaxis(np.asarray(images[0][0]), -1, 0).ravel(),
              entry.expected['sample0_4x4_rgb_flat'])


# What a row has use for, where that is not everything.
ONE_LEVEL = dict(phi=('simple',), scales=('all', 'none'), stddev=('none',))
PLAIN = dict(phi=('lin_cat',), scales=('all',), stddev=('none',))
LEGAL = {
    'msg_progan': {}, 'bmsg_gan': {},
    # Their D joins as that of msg_progan does.
    **dict.fromkeys(('progan', 'stylegan', 'stylegan2', 'stylegan2_plain'), {
        'phi': ('simple',)}),
    'r3gan': {'stddev': ('none',)},
    **dict.fromkeys(('mlp', 'vanilla', 'infogan'), ONE_LEVEL),
    # The joins of a family are the same code.
    **dict.fromkeys(('sndcgan', 'resnet_sngan'), {
        **PLAIN, 'phi': tuple(phi.PHI)}),
}
# lapgan_test.py has the laws of the chain.
ROWS = [name for name in NETWORKS if name != 'lapgan']


def choices(name):
  """(phi, scales, stddev) of a network: of msg_progan all that there are.

  Of the others those that differ in one of them from the first.
  """
  values = [LEGAL.get(name, PLAIN).get(setting, known) for setting, known in (
      ('phi', tuple(phi.PHI)), ('scales', ('all', '8', 'none')),
      ('stddev', ('every', 'last', 'none')))]
  first = [x[0] for x in values]
  return [choice for choice in itertools.product(*values)
          if name == 'msg_progan' or sum(
              a != b for a, b in zip(choice, first, strict=True)) < 2]


TABLE = [(name, *choice) for name in ROWS for choice in choices(name)]
TABLE += [(name, 'simple', 'none', 'none') for name in ROWS
          if name not in LEGAL or LEGAL[name].get('scales') == ('all',)]
ON_LADDER = ('msg_progan', 'bmsg_gan', 'progan', 'stylegan', 'stylegan2',
             'stylegan2_plain', 'r3gan')
# Doublings of the size in G, and pixels where 16 are too few.
HALVINGS = {name: arch.d_downs for name, arch in resnet.ARCHITECTURES.items()}
DOUBLINGS = {'dcgan': 4, 'dcgan_64': 4, 'dcgan_compare_gan': 4,
             'resnet_mimicry_64': 4, 'resnet_mimicry_128': 5, 'resnet19': 5}
PIXELS = {'resnet19': 64, 'resnet_mimicry_128': 32}


def of_row(small, name, phi, scales, stddev, **settings):
  return small(**{
      **dict(networks__name=name, networks__phi=phi, networks__scales=scales,
             networks__stddev=stddev, data__resolution=PIXELS.get(name, 16)),
      **settings})


# Between edits, one row of each network.
FIRST = [next(row for row in TABLE if row[0] == name) for name in ROWS]


@pytest.mark.parametrize('name, phi, scales, stddev', [
    row if row in FIRST else pytest.param(*row, marks=pytest.mark.slow)
    for row in TABLE])
def test_every_row_has_the_shapes_that_it_promises(
    small, name, phi, scales, stddev):
  gan = build(of_row(small, name, phi, scales, stddev, data__channels=2))
  state = jax.eval_shape(gan.init, jax.random.key(0))
  z = jax.ShapeDtypeStruct((8, 8), jnp.float32)
  images = jax.eval_shape(
      lambda g, z: gan.g(g.params, z, stats=g.stats), state.g, z)
  assert [x.shape for x in images] == [(8, s, s, 2) for s in gan.sizes]
  finest = PIXELS.get(name, 16)
  doublings = 2 if name in ON_LADDER else DOUBLINGS.get(name, 3)
  levels = 'none' if LEGAL.get(name) is ONE_LEVEL else scales
  assert gan.sizes == {
      'all': tuple(finest >> i for i in range(  # both pass through them
          min(doublings, HALVINGS.get(name, doublings)), -1, -1)),
      '8': (8, 16), 'none': (finest,)}[levels]
  verdict = jax.eval_shape(
      lambda d, x: gan.d(d.params, x, stats=d.stats), state.d, images)
  chex.assert_shape(verdict.logits, (8,))
  assert verdict.classes is None


def drawn(params, equalized):
  """Parameters of such shapes: He's, as a layer or its numbers have them.

  To compile the drawing of a network's own takes as long as its gradients.
  """
  rng = np.random.default_rng(0)

  def draw(path, x):
    scale = .1 if path[-1].key != 'kernel' else 1. if equalized else (
        2 / np.prod(x.shape[:-1]))**.5
    return (scale * rng.normal(size=x.shape)).astype(np.float32)

  return jax.tree_util.tree_map_with_path(draw, params)


@pytest.mark.slow
@pytest.mark.parametrize('name, phi, scales, stddev', [
    row for row in TABLE
    if row[0] in ('msg_progan', 'bmsg_gan', 'sndcgan', 'resnet_sngan')
    and row[3] == LEGAL[row[0]].get('stddev', ('every',))[0]
    and (row[1] == 'simple' or row[2] == 'all')])
def test_every_gradient_reaches_every_parameter_and_every_level(
    small, name, phi, scales, stddev):
  """Of each family with every phi; compatibility_test.py steps all networks."""
  gan = build(of_row(small, name, phi, scales, stddev))
  state = jax.eval_shape(gan.init, jax.random.key(0))
  assert not (state.g.stats or state.d.stats)
  z = np.random.default_rng(1).normal(size=(8, 8)).astype(np.float32)

  def score(g, d, moves):
    images = jax.tree.map(jnp.add, gan.g(g, z), moves)
    return (gan.d(d, images).logits**2).sum()

  for grads in jax.jit(jax.grad(score, (0, 1, 2)))(*(
      drawn(x.params, name in ON_LADDER) for x in (state.g, state.d)), tuple(
          np.zeros((8, *shape), np.float32) for shape in gan.shapes)):
    for path, x in jax.tree_util.tree_flatten_with_path(grads)[0]:
      assert float(jnp.abs(x).max()) > 0, jax.tree_util.keystr(path)


def plain_discriminator(params, images, bmsg):
  """D of peers and paper, without folding: the sum of its parts."""
  def conv(x, p, gain=2**.5):
    k = p['kernel'] * gain / np.sqrt(np.prod(p['kernel'].shape[:3]))
    y = jax.lax.conv_general_dilated(
        x, k, (1, 1), 'VALID' if k.shape[0] == 4 else 'SAME',
        dimension_numbers=('NHWC', 'HWIO', 'NHWC'))
    return y + p['bias']

  def act(x):
    return jnp.maximum(x, .2 * x)

  def with_stddev(x, groups):
    members = x.reshape(-1, groups, *x.shape[1:])
    std = jnp.sqrt(members.var(0) + 1e-8).mean((1, 2, 3))
    maps = jnp.tile(std, members.shape[0])[:, None, None, None]
    return jnp.concatenate([x, jnp.ones_like(x[..., :1]) * maps], -1)

  x = conv(images[-1], params['from_rgb'])
  x = x if bmsg else act(x)
  for image in images[::-1]:
    size = image.shape[1]
    if size < images[-1].shape[1]:
      seen = conv(image, params[f'join_{size}']['phi']) if bmsg else image
      x = jnp.concatenate([seen, x], -1)
    if not bmsg:
      x = with_stddev(x, 2)  # 8 samples in groups of 4
    elif size == 4:
      x = with_stddev(x, 1)
    x = act(conv(x, params[f'block_{size}_conv_1']))
    x = act(conv(x, params[f'block_{size}_conv_2']))
    if size > 4:
      b, h, w, c = x.shape
      x = x.reshape(b, h // 2, 2, w // 2, 2, c).mean((2, 4))
  score = params['score']
  return conv(x, {**score, 'kernel': score['kernel']},
              2**.5 if bmsg else 1.)[:, 0, 0, 0]


@pytest.mark.slow
@pytest.mark.parametrize('preset', ['msg_progan', 'bmsg_gan'])
def test_d_is_what_its_plain_form_says(small, preset):
  gan = build(small(preset))
  params = gan.init(jax.random.key(0)).d.params
  params = jax.tree.map(  # biases too
      lambda x: x + .1 * jax.random.normal(jax.random.key(3), x.shape), params)
  images = tuple(jax.random.normal(jax.random.key(s), (8, s, s, 3))
                 for s in gan.sizes)
  wanted = plain_discriminator(params, images, preset == 'bmsg_gan')
  got = jax.jit(gan.d)(params, images).logits
  chex.assert_trees_all_close(got, wanted, rtol=1e-4, atol=1e-5)


def test_adain_has_zero_mean_and_unit_spread_under_a_silent_image():
  path = jax.random.normal(jax.random.key(0), (2, 8, 8, 6)) * 3 + 1
  image = jnp.zeros((2, 8, 8, 3))
  join = phi.Join('adain', 6)
  params = join.init(jax.random.key(1), (image,), path)
  out, = join.apply(params, (image,), path)
  chex.assert_trees_all_close(out.mean((1, 2)), jnp.zeros((2, 6)), atol=1e-5)
  chex.assert_trees_all_close(out.std((1, 2)), jnp.ones((2, 6)), atol=1e-4)


def test_dense_sees_all_finer_images_pooled():
  images = tuple(jnp.full((1, s, s, 3), float(s)) for s in (4, 8, 16))
  path = jnp.zeros((1, 4, 4, 5))
  parts = phi.dense(images, path, 5, None)
  assert [x.shape[-1] for x in parts] == [3, 3, 3, 5]
  assert [float(x.mean()) for x in parts[:3]] == [4., 8., 16.]


@pytest.mark.slow
def test_maxout_passes_its_gradient_to_the_largest_piece_also_when_fused(
    small):
  x = jax.random.normal(jax.random.key(0), (4, 3, 5))
  np.testing.assert_array_equal(vanilla._maxout(x), x.max(-1))
  np.testing.assert_array_equal(
      jax.grad(lambda x: vanilla._maxout(x).sum())(x),
      x == x.max(-1, keepdims=True))
  # XLA computed a batch norm before it twice, not to the same bits: G's
  # gradient was NaN for two of three keys of the dropout.
  config = small(
      'vanilla', networks__d_norm='batch', networks__fmap_max=4,
      networks__d_weight_norm='stable_rank', networks__g_norm='layer',
      train__batch=4)
  players = NETWORKS['vanilla'](config)
  state = build(config).init(jax.random.key(0))
  # As after a step of Adam, which drowns its small weights.
  d = jax.tree.map(lambda x: x + .01 * jnp.sign(jax.random.normal(
      jax.random.key(x.size), x.shape)), state.d.params)
  images = players.g.apply(
      {'params': state.g.params}, jax.random.normal(
          jax.random.key(1), (4, 8)), train=True)

  @jax.jit
  def slope(images, key):
    return jax.grad(lambda x: players.d.apply(
        {'params': d, 'stats': state.d.stats}, x, train=True,
        rngs={'dropout': key}).logits.sum())(images)[-1]

  for seed in range(12):
    assert np.isfinite(slope(images, jax.random.key(seed))).all()


def test_an_unknown_name_lists_what_exists(small):
  for setting, text in [
      (dict(networks__name='msg_progam'), "did you mean 'msg_progan'"),
      (dict(networks__phi='simpel'), r"config\.networks\.phi: no φ 'simpel'; "
                                     "did you mean 'simple'"),
  ]:
    with pytest.raises(ValueError, match=text):
      build(small(**setting))


def test_latents_lie_on_the_sphere_of_the_peers(oracle, small):
  entry = oracle('latent_normalisation')
  z = build(small()).draw(jax.random.key(0), 100)
  chex.assert_trees_all_close(
      jnp.linalg.norm(z, axis=-1), jnp.full(100, 8.**.5), rtol=1e-5)
  # ... which is what pixel norm does to a vector.
  entry.assert_close(
      layers.pixel_norm(jnp.asarray(entry.inputs['z'], jnp.float32)).ravel(),
      entry.expected['output_flat'])


@pytest.mark.slow
@pytest.mark.parametrize('height, width', [(24, 24), (28, 28), (16, 24),
                                           (24, 16), (10, 40)])
@pytest.mark.parametrize('name', ['msg_progan', 'bmsg_gan'])
def test_ladders_from_other_sizes_than_4(small, name, height, width):
  gan = build(small(name, data__resolution=height, data__width=width))
  state = jax.eval_shape(gan.init, jax.random.key(0))
  z = jax.ShapeDtypeStruct((8, 8), jnp.float32)
  images = jax.eval_shape(gan.g, state.g.params, z)
  assert [x.shape[1:] for x in images] == list(gan.shapes)
  assert gan.shapes[-1] == (height, width, 3)
  assert images[0].shape[2] * height == images[0].shape[1] * width
  verdict = jax.eval_shape(gan.d, state.d.params, images)
  chex.assert_shape(verdict.logits, (8,))


@pytest.mark.slow
def test_a_wide_gan_learns_in_every_parameter(small):
  config = small(data__resolution=8, data__width=12, objective__loss='hinge')
  gan = build(config)
  pixels = np.random.default_rng(0).integers(
      0, 256, (1, 8, 8, 12, 3), np.uint8)
  old = gan.init(jax.random.key(0))
  new, logs = gan.step(old, Batch(jnp.asarray(pixels), jnp.zeros((1, 8), int)),
                       jax.random.key(1))
  assert gan.shapes == ((4, 6, 3), (8, 12, 3))
  chex.assert_tree_all_finite((new, logs))
  for player in ('g', 'd'):
    for a, b in zip(jax.tree.leaves(getattr(old, player).params),
                    jax.tree.leaves(getattr(new, player).params), strict=True):
      assert not np.array_equal(a, b)

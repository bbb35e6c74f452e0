"""Settings that make a network or a step that of one program, or of its paper.

What they lead to as a whole, programs_test.py compares with the programs.
"""
from helpers import Drawn, batch
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.arrays.mesh import data_mesh
from msg_gan_jax.config import schema
from msg_gan_jax.data.batches import Resident
from msg_gan_jax.data.order import Order
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.context import StepContext
from msg_gan_jax.gan.devices import ShardedStep
from msg_gan_jax.gan.networks import dcgan, layers, plain, resnet
from msg_gan_jax.gan.networks.stylegan2 import clamped
from msg_gan_jax.gan.objectives import adaptive
from msg_gan_jax.gan.schedules import Phase

KEY = jax.random.key(3)
# Of each, what runs from before it had.
BEFORE = {
    'networks.deviation': 'own', 'networks.norm_epsilon': 0.,
    'networks.d_slope': -1., 'networks.d_shortcut': 'input',
    'networks.d_mean': 'first',
    'networks.conv_clamp': 0., 'objective.augment_most': 1.,
    'train.g_reals': 'same'}


def toy(**settings):
  """Two dense players of points, which compile at once, and pairs."""
  config = schema.template('msg_progan')
  config.update_from_flattened_dict({
      'data.name': 'ring', 'data.resolution': 1, 'data.channels': 2,
      'networks.name': 'mlp', 'networks.stddev': 'none',
      'networks.fmap_max': 8, 'networks.latent': 4, 'train.batch': 8,
      'objective.loss': 'relativistic', 'objective.penalty': 'none',
      'objective.drift': 0., **settings})
  return schema.parse(config)


def test_old_runs_keep_what_they_had():
  before, usual = schema.before(), schema.flatten(schema.Config())
  assert {name: before[name] for name in BEFORE} == BEFORE
  assert {name: usual[name] for name in BEFORE} == BEFORE


@pytest.mark.parametrize('preset, wanted', [
    ('lsgan', {'d_slope': 0., 'norm_epsilon': 1e-4}),
    ('dcgan_studiogan', {'d_slope': 0., 'norm_epsilon': 1e-4}),
    ('mimicry_sngan32', {'d_shortcut': 'rectified'}),
    ('mimicry_cgan_pd32', {'d_shortcut': 'rectified'}),
    ('msg_resnet', {'d_shortcut': 'input'}),
    ('sngan_resnet', {'d_shortcut': 'input'}),
    ('progan', {'d_mean': 'first'}), ('progan_cifar10', {'d_mean': 'last'}),
    ('stylegan2', {'conv_clamp': 0.}), ('stylegan2_ada', {'conv_clamp': 256.}),
    ('stylegan2_ada_cifar10', {'conv_clamp': 256., 'augment_most': 0.}),
    ('r3gan_64', {'g_reals': 'new'}), ('r3gan_cifar10', {'g_reals': 'new'})])
def test_presets_are_as_their_programs_run(preset, wanted):
  config = schema.template(preset)
  for name, value in wanted.items():
    section, = (s for s in ('networks', 'objective', 'train')
                if name in config[s])
    assert config[section][name] == value


@pytest.mark.parametrize('settings, text', [
    ({'networks.d_slope': 0.}, r"d_slope: 0\.0 means nothing to .*'mlp'"),
    ({'networks.deviation': 'he'}, r"deviation: 'he' means nothing to .*'mlp'"),
    ({'networks.d_shortcut': 'rectified'}, r"d_shortcut: 'rectified' means"),
    ({'networks.d_mean': 'last'}, r"d_mean: 'last' means nothing to .*'mlp'"),
    ({'networks.conv_clamp': 1.}, r'conv_clamp: 1\.0 means nothing to'),
    ({'networks.norm_epsilon': .1}, r'norm_epsilon: 0\.1 means nothing to'),
    ({'objective.augment_most': 0.}, r'augment_most: 0\.0 means nothing to'),
    ({'train.g_reals': 'new', 'objective.loss': 'hinge'},
     r"g_reals: 'new' means nothing to config\.objective\.loss = 'hinge'"),
    ({'train.g_reals': 'new', 'train.reuse_latents': True},
     r"g_reals: 'new', but with config\.train\.reuse_latents"),
])
def test_where_they_mean_nothing_they_are_refused(settings, text):
  with pytest.raises(ValueError, match=text):
    build(toy(**settings))


def test_a_norm_between_leaves_nothing_to_rectify():
  config = schema.template('mimicry_sngan32')
  config.networks.d_norm, config.networks.d_weight_norm = 'layer', 'none'
  with pytest.raises(ValueError, match='d_shortcut.*means nothing to config.*'
                                       r"networks\.d_norm = 'layer'"):
    build(config)


def test_epsilon_and_slope_reach_every_layer_of_a_network():
  config = schema.template('lsgan')
  config.networks.fmap_max = 4
  players = build(config).components.players
  assert (players.g.settings.epsilon, players.d.settings.epsilon) == (
      1e-4, 1e-4)
  assert players.d.arch.slope == 0
  config.networks.d_slope, config.networks.norm_epsilon = -1., 0.
  players = build(config).components.players
  row = dcgan.ARCHITECTURES['dcgan_studiogan']
  assert players.d.arch.slope == row.slope == .1
  assert players.d.settings.epsilon == row.settings.epsilon == 1e-5


@pytest.mark.parametrize('name', ['sndcgan', 'resnet_cifar'])
def test_with_he_a_narrow_d_hears_what_it_sees(name):
  config = schema.template('landscape_sndcgan')
  config.data.resolution, config.networks.fmap_max = 16, 16
  config.networks.name, config.networks.d_weight_norm = name, 'none'
  pictures = jax.random.uniform(KEY, (8, 16, 16, 3), minval=-1, maxval=1)

  def spread(deviation):
    config.networks.deviation = deviation
    gan = build(config)
    d = gan.init(KEY).d
    return float(jnp.std(gan.d(d.params, (pictures,), stats=d.stats).logits))

  wide, own = spread('he'), spread('own')
  assert .01 < wide < 1
  assert own < wide / 1e4


@pytest.mark.parametrize('down', [False, True])
def test_a_rectified_shortcut_is_the_block_of_a_rectified_input(down):
  arch = resnet.ARCHITECTURES['resnet_mimicry'].narrowed(4)
  x = jax.random.normal(KEY, (2, 4, 4, 4))

  def block(rectified, x):
    module = resnet.DBlock(arch._replace(rectified=rectified),
                           plain.LayerSettings(), 4, down, False)
    params = module.init(jax.random.key(1), x, resnet.PassInfo())
    params = jax.tree.map(lambda p: p + .1, params)
    return module.apply(params, x, resnet.PassInfo())

  np.testing.assert_array_equal(block(True, x), block(False, jax.nn.relu(x)))
  assert not np.allclose(block(True, x), block(False, x))


@pytest.mark.parametrize('d_mean', ['first', 'last'])
def test_progans_means_come_before_bias_and_rectifier_or_last(d_mean):
  config = schema.template('progan')
  config.update_from_flattened_dict({
      'data.resolution': 8, 'train.grow_from': 0, 'train.grow_batches': '',
      'networks.stddev': 'none',
      'networks.fmap_max': 4, 'networks.d_mean': d_mean})
  module = build(config).components.players.d
  x = jax.random.normal(KEY, (2, 8, 8, 3))
  params = jax.tree.map(lambda p: p + .3, module.init(KEY, (x,))['params'])

  def layer(name, y, gain=2., padding='SAME'):
    kernel, bias = params[name]['kernel'], params[name]['bias']
    return jax.lax.conv_general_dilated(
        y, kernel * (gain / kernel[..., 0].size)**.5, (1, 1), padding,
        dimension_numbers=('NHWC', 'HWIO', 'NHWC')), bias

  def rectified(y, bias):
    return layers.leaky_relu(y + bias)

  y = rectified(*layer('block_8_conv_1', rectified(*layer('from_rgb', x))))
  y, bias = layer('block_8_conv_2', y)
  y = (rectified(pyramid.down(y), bias) if d_mean == 'first' else
       pyramid.down(rectified(y, bias)))
  y = rectified(*layer('block_4_conv_1', y))
  y = rectified(*layer('block_4_conv_2', y, padding='VALID'))
  wanted = sum(layer('score', y, gain=1.))[:, 0, 0, 0]
  found = module.apply({'params': params}, (x,)).logits
  np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_convolutions_of_stylegan2_are_clamped():
  x = jnp.array([-3., -1., 2.])
  np.testing.assert_array_equal(clamped(x, 1.5), [-1.5, -1, 1.5])
  assert clamped(x, 0.) is x
  config = schema.template('stylegan2_ada')
  config.update_from_flattened_dict({
      'data.resolution': 8, 'networks.w': 8, 'networks.latent': 8,
      'networks.fmap_max': 4, 'networks.conv_clamp': .01})
  gan = build(config)
  state = gan.init(KEY)
  # The sum of the images of two levels, the first of them enlarged.
  images, = gan.sample(state, gan.draw(KEY, 4))
  assert 0 < abs(images).max() <= .02 + 1e-6


@pytest.mark.slow
def test_without_a_bound_p_goes_on_and_does_what_1_does():
  sure = adaptive.observe(adaptive.start(.95), 1., 16)
  for most, wanted in (1., 1.), (0., 1.11), (1.05, 1.05):
    assert float(adaptive.adjust(sure, .6, 100, most)['p']) == pytest.approx(
        wanted)
  config = schema.template('stylegan2_ada')
  config.data.resolution = 8
  components = build(config).components
  images = (jax.random.normal(KEY, (4, 8, 8, 3)),)
  whole, more = (StepContext(
      components, components.players, Phase((True,)), {}, jnp.float32(1.),
      jnp.float32(p)).augment(images, KEY) for p in (1., 1.3))
  np.testing.assert_array_equal(*whole, *more)


@pytest.mark.slow
@pytest.mark.parametrize('n_dis', [1, 2])
def test_g_compares_with_reals_that_d_was_not_updated_on(n_dis):
  config = toy(**{'train.g_reals': 'new', 'train.n_dis': n_dis})
  gan, data = build(config), batch(config)
  reals = jax.random.normal(KEY, data.images.shape)
  assert len(reals) == n_dis + 1
  start = gan.init(KEY)

  def step(reals):
    return gan.step(start, data._replace(images=reals), KEY)[0]

  after, other = step(reals), step(reals.at[-1].add(1.))
  assert int(after.images) == n_dis * config.train.batch
  jax.tree.map(np.testing.assert_array_equal, after.d.params, other.d.params)
  assert any((a != b).any() for a, b in zip(
      jax.tree.leaves(after.g.params), jax.tree.leaves(other.g.params),
      strict=True))
  # The same reals again are what G has where it has none of its own.
  same = toy(**{'train.n_dis': n_dis})
  shared = build(same).step(
      start, data._replace(images=reals[:n_dis], labels=data.labels[:n_dis]),
      KEY)[0]
  repeated = step(reals.at[-1].set(reals[-2]))
  for a, b in zip(jax.tree.leaves(shared.g.params),
                  jax.tree.leaves(repeated.g.params), strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
  with pytest.raises(ValueError, match=rf'batch: {n_dis} batches of reals.*'
                                       rf'wanted {n_dis + 1}'):
    step(reals[:n_dis])


def test_steps_read_the_same_reals_alone_and_together():
  """What a step reads depends on the images shown alone: a run resumes."""
  phase = Phase((False,) * 2, batch=4, new_reals=True)
  data = np.arange(96, dtype=np.float32).reshape(48, 1, 1, 2)
  batches = Resident(Drawn(data), Order(48, 0, False), None)
  together = batches.at(*phase.reads(16, 3)).images
  alone = [batches.at(*phase.reads(16 + i * phase.images, 1)).images
           for i in range(3)]
  np.testing.assert_array_equal(together, np.concatenate(alone))
  # An epoch is read once in all, D's batches and G's.
  whole = batches.at(*phase.reads(0, 4)).images
  assert len(np.unique(whole)) == 96
  plain = Phase((False,) * 2, batch=4)
  assert plain.reads(16, 3) == (16, (6, 4))


@pytest.mark.slow
def test_several_steps_in_a_call_are_as_many_calls():
  config = toy(**{'train.g_reals': 'new', 'train.n_dis': 2})
  gan, mesh = build(config), data_mesh()
  phase, data = gan.phase(0), batch(config)
  reals = jax.random.normal(KEY, (6, *data.images.shape[1:]))
  labels = jnp.zeros((6, config.train.batch), jnp.int32)
  step = ShardedStep(gan, mesh)
  together, _ = step(gan.init(KEY), type(data)(reals, labels), KEY, phase)
  alone = gan.init(KEY)
  for part in (slice(0, 3), slice(3, 6)):
    alone, _ = step(alone, type(data)(reals[part], labels[part]), KEY, phase)
  assert int(together.images) == int(alone.images) == 32
  for a, b in zip(jax.tree.leaves(together.g.params),
                  jax.tree.leaves(alone.g.params), strict=True):
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)

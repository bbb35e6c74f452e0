"""The high-resolution family as GANs: styles, lazy penalties, schedules."""
import dataclasses

import chex
from helpers import batch
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.gan import schedules, updates
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.context import StepContext
from msg_gan_jax.gan.objectives import ada, adaptive

MAPPED = 'msg_stylegan', 'stylegan2'
B = 4


@pytest.fixture(scope='module')
def tiny(small):
  """(preset, **settings) -> a Config of 8 px and four maps."""
  def make(preset, **settings):
    mapped = 'style' in preset
    return small(preset, **{
        'data__resolution': 8, 'networks__latent': 8, 'networks__fmap_max': 4,
        'networks__fmap_base': 16, 'train__batch': B,
        **({'networks__w': 8, 'networks__mapping_layers': 2} if mapped else {}),
        **settings})
  return make


# Of presets at their sources' widths, as the programs of these count them.
COUNTS = {
    ('progan', 32): (20_719_628, 20_726_785),
    ('progan', 64): (22_490_383, 22_498_049),
    ('progan', 128): (22_933_394, 22_941_313),
    ('progan', 256): (23_044_309, 23_052_353),
    ('progan', 1024): (23_079_115, 23_087_249),
    ('progan_cifar10', 32): (1_296_908, 1_298_689),
    ('msg_stylegan', 32): (22_841_356, 21_525_505),
    ('msg_stylegan', 64): (25_137_935, 23_560_705),
    ('msg_stylegan', 128): (25_843_858, 24_070_401),
    ('msg_stylegan', 256): (26_086_229, 24_198_273),
    ('msg_stylegan', 1024): (26_219_627, 24_238_625),
    # Its D is ProGAN's.
    ('stylegan', 1024): (26_219_627, 23_087_249),
    ('stylegan2', 1024): (30_370_060, 29_012_513),
    ('stylegan2_ada', 256): (23_191_522, 24_001_089),
    ('stylegan2_ada_cifar10', 32): (19_947_539, 20_720_641),
    ('r3gan_cifar10', 32): (20_781_952, 21_280_512),
    ('r3gan_64', 64): (22_429_824, 22_381_440),
}


@pytest.mark.slow
@pytest.mark.parametrize('preset, size', [
    row if row[1] < 256 else pytest.param(*row, marks=pytest.mark.slow)
    for row in COUNTS])
def test_presets_have_their_sources_counts(preset, size):
  config = schema.template(preset)
  config.data.resolution = size
  config.train.total_images = 10**9
  state = jax.eval_shape(build(config).init, jax.random.key(0))
  assert tuple(sum(x.size for x in jax.tree.leaves(player.params))
               for player in (state.g, state.d)) == COUNTS[preset, size]


@pytest.mark.slow
@pytest.mark.parametrize('preset', MAPPED)
def test_psi_0_gives_the_mean_picture_and_psi_1_the_sample(preset, tiny):
  gan = build(tiny(preset))
  state = gan.init(jax.random.key(0))
  mean = jnp.full(8, .3)
  state.ema.stats['mapping']['w_mean'] = mean
  z = gan.draw(jax.random.key(1), 3)
  w = gan.latents(state, z)
  assert w.shape == (3, gan.layers, 8)
  chex.assert_trees_all_close(
      gan.sample(state, z), gan.synthesize(state, w), atol=1e-6)
  at_mean = gan.synthesize(state, jnp.broadcast_to(mean, (3, gan.layers, 8)))
  chex.assert_trees_all_close(gan.sample(state, z, psi=0.), at_mean, atol=1e-6)
  # A cutoff of half of the layers leaves the finer ones their styles.
  cut = gan.latents(state, z, psi=0., cutoff=2)
  chex.assert_trees_all_close(cut[:, :2], jnp.broadcast_to(mean, (3, 2, 8)))
  chex.assert_trees_all_close(cut[:, 2:], w[:, 2:], atol=1e-6)


@pytest.mark.slow
def test_noise_is_the_same_without_a_key(tiny):
  gan = build(tiny('stylegan2'))
  state = gan.init(jax.random.key(0))
  for name, tree in state.ema.params['synthesis'].items():
    if 'conv' in name:
      tree['noise'] = jnp.float32(1.)
  z = gan.draw(jax.random.key(1), 2)
  chex.assert_trees_all_equal(gan.sample(state, z), gan.sample(state, z))
  a, b = (gan.sample(state, z, key=jax.random.key(i))[-1] for i in (0, 1))
  assert float(jnp.abs(a - b).max()) > 1e-3


def test_what_has_no_mapping_cannot_be_truncated(tiny):
  gan = build(tiny('msg_progan'))
  state = gan.init(jax.random.key(0))
  z = gan.draw(jax.random.key(1), 2)
  assert gan.layers == 0
  chex.assert_trees_all_equal(gan.latents(state, z), z)
  with pytest.raises(ValueError, match='psi: 0.7, but .* a mapping network'):
    gan.sample(state, z, psi=.7)


@pytest.mark.slow
def test_a_lazy_path_length_comes_at_every_4th_step(tiny):
  config = tiny('stylegan2', objective__penalty='none',
                objective__penalty_every_d_steps=1)
  gan = build(config)
  assert [gan.phase(B * i).penalize_g for i in range(5)] == [
      True, False, False, False, True]
  old = gan.init(jax.random.key(0))
  new, logs = gan.step(old, batch(config), jax.random.key(1), gan.phase(0))
  assert float(logs['path_length']) > 0
  # mean' = mean + .01 (length - mean), from 0.
  chex.assert_trees_all_close(
      new.aux['path_mean'], .01 * logs['path_length'], rtol=1e-5)
  chex.assert_trees_all_close(
      logs['g_penalty'], (logs['path_length'] - new.aux['path_mean'])**2,
      rtol=.5)
  _, logs = jax.eval_shape(
      lambda *args: gan.step(*args, gan.phase(B)), new, batch(config),
      jax.random.key(1))
  assert 'path_length' not in logs


def test_settings_move_along_half_a_cosine():
  for start, end in ((.05, .005), (0., .55)):
    found = [float(schedules.towards(start, end, jnp.int32(i), 100))
             for i in (0, 25, 50, 100, 500)]
    half = (start + end) / 2
    wanted = [start, half + (start - half) * .5**.5, half, end, end]
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
  assert schedules.towards(.3, -1, 50, 100) == .3
  assert schedules.towards(.3, .1, 50, 0) == .3


@pytest.mark.slow
def test_r3gans_schedules_reach_the_step(tiny):
  """Rates, augmentation and average, at the start, half-way and after."""
  config = tiny('r3gan_64', networks__dtype='float32', schedule__images=1000,
                objective__augment='ada_b', objective__penalty='none',
                networks__latent_law='normal', schedule__penalty_weight=-1.)
  gan = build(config)
  start = gan.init(jax.random.key(0))
  moved = {}
  for images in (0, 500, 1000):
    old = start.replace(images=jnp.int32(images))
    new, logs = gan.step(old, batch(config), jax.random.key(1))
    share = images / 1000
    np.testing.assert_allclose(
        logs['augment_strength'], .3 * share, atol=1e-6)
    # The first step of Adam is the rate, whatever the gradient.
    moved[images] = max(float(jnp.abs(a - b).max()) for a, b in zip(
        jax.tree.leaves(old.d.params), jax.tree.leaves(new.d.params),
        strict=True))
    keep = .5 ** (B / max(500_000. * share, 1e-8))
    for before, now, mean in zip(*(jax.tree.leaves(x.params) for x in (
        old.ema, new.g, new.ema)), strict=True):
      chex.assert_trees_all_close(
          mean, keep * before + (1 - keep) * now, atol=1e-6)
  np.testing.assert_allclose(
      list(moved.values()), [2e-4, 1.25e-4, 5e-5], rtol=.02)


@pytest.mark.slow
def test_the_average_warms_up(tiny):
  config = tiny('vanilla', train__ema_rampup=.05,
                train__ema_half_life_images=1000.)
  gan = build(config)
  start = gan.init(jax.random.key(0))
  for images, half_life in ((0, 0.), (4000, 200.), (10**6, 1000.)):
    old = start.replace(images=jnp.int32(images))
    new, _ = gan.step(old, batch(config), jax.random.key(1))
    keep = .5 ** (B / half_life) if half_life else 0.
    chex.assert_trees_all_close(
        new.ema.params, jax.tree.map(
            lambda a, b, keep=keep: keep * a + (1 - keep) * b,
            old.ema.params, new.g.params), atol=1e-6)


@pytest.mark.slow
def test_adas_r_t_settles_on_a_d_that_knows_its_reals_by_heart(tiny):
  """D says +1 where the picture is a real bit for bit, else -1.

  Three blits of probability p leave a picture alone with (1 - p c)^3, c the
  chance that a drawn blit moves it, so p must come to where that is .8.
  """
  config = tiny('msg_stylegan', objective__augment='ada_b',
                objective__augment_target=.6, objective__augment_strength=0.,
                objective__augment_speed_images=20_000, train__batch=64)
  reals = jax.random.uniform(
      jax.random.key(0), (64, 8, 8, 3), minval=-1.)
  context = StepContext(
      dataclasses.make_dataclass('Components', ['config'])(config), None,
      schedules.Phase((False,), batch=64), {}, 1.)

  @jax.jit
  def step(aux, key):
    shown, = ada.augment(ada.B, (reals,), key, aux['augment']['p'])
    sign = jnp.where((shown == reals).all((1, 2, 3)), 1., -1.).mean()
    return updates.adapt_augmentation(context, aux, {'d_sign': sign}), sign

  aux, signs, strengths = {'augment': adaptive.start(0.)}, [], []
  for key in jax.random.split(jax.random.key(1), 600):
    aux, sign = step(aux, key)
    signs.append(float(sign))
    strengths.append(float(aux['augment']['p']))
  assert signs[0] == 1 and strengths[0] == 0
  assert abs(np.mean(signs[300:]) - .6) < .05
  assert .02 < np.mean(strengths[300:]) < .2
  assert np.ptp(strengths[300:]) < .2


@pytest.mark.parametrize('settings, said', [
    (dict(preset='msg_progan', objective__g_penalty='path_length'),
     'no mapping network'),
    (dict(preset='msg_progan', networks__mixing=.5), 'mixing: 0.5 means noth'),
    (dict(preset='landscape_sndcgan', data__resolution=32,
          networks__remat=True), 'remat: True means nothing'),
    (dict(preset='stylegan2', networks__g_condition='concat',
          networks__d_condition='projection', networks__classes=3),
     "told classes by its mapping network; wanted 'mapping'"),
    (dict(preset='msg_progan', networks__g_condition='mapping',
          networks__d_condition='projection', networks__classes=3),
     "no mapping network there; wanted 'concat'"),
    (dict(preset='r3gan_64', networks__g_condition='mapping',
          networks__d_condition='projection', networks__classes=3),
     "wanted 'mapped_projection'"),
    (dict(preset='r3gan_64', networks__stddev='last'), 'stddev'),
    (dict(preset='msg_stylegan', objective__augment='instance_noise',
          objective__augment_target=.6), 'not a probability'),
    (dict(preset='r3gan_64', objective__augment_target=.6,
          objective__loss='non_saturating', train__g_reals='same'),
     'and so does config.schedule.augment_strength'),
    (dict(preset='stylegan2_ada', objective__loss='relativistic'),
     "signs mean nothing to config.objective.loss = 'relativistic'"),
    (dict(preset='stylegan2_ada', objective__loss='wasserstein'),
     "wanted 'non_saturating' or 'hinge'"),
    (dict(preset='stylegan2', networks__latent_law='uniform'),
     'latents that config.networks.mixing = 0.9 mixes in are normal'),
    (dict(preset='stylegan2', train__n_dis_more=4), 'leaves G out of steps'),
    (dict(preset='bmsg_gan', schedule__images=9, schedule__penalty_weight=1.),
     "penalty_weight: 1.0 means nothing to config.objective.penalty = 'none'"),
    (dict(preset='msg_stylegan', objective__augment_target=.6),
     'augment_target: 0.6 means nothing'),
    (dict(preset='msg_progan', schedule__rates=.5), 'rates: 0.5 means nothing'),
    (dict(preset='stylegan2', train__accumulate=2, train__batch=8),
     "g_penalty = 'path_length'"),
])
def test_what_does_not_go_together_is_refused(settings, said, tiny):
  with pytest.raises(ValueError, match=said):
    build(tiny(**settings))

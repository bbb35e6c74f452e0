"""The step: what one update is, and what it costs."""
import chex
from helpers import batch
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.context import dequantize
from msg_gan_jax.gan.latents import LATENTS
from msg_gan_jax.gan.objectives import losses
from msg_gan_jax.gan.objectives.losses import LOSSES
from msg_gan_jax.gan.objectives.weight_penalties import WEIGHT_PENALTIES
from msg_gan_jax.gan.state import Condition

KEY = jax.random.key(7)


@pytest.fixture
def tiny(small):
  """`small` at 8 px, which compiles twice as fast."""
  def make(preset='msg_progan', **settings):
    return small(preset, **{'data__resolution': 8, **settings})
  return make


def flops(config):
  gan = build(config)
  step = jax.jit(lambda s, b, k: gan.step(s, b, k, gan.phase(0)))
  state = jax.eval_shape(gan.init, KEY)
  return step.lower(state, batch(config), KEY).compile().cost_analysis()[
      'flops']


def test_three_lines_are_the_whole_library(tiny):
  config = tiny()
  gan = build(config)
  state = gan.init(jax.random.key(0))
  state, logs = gan.step(state, batch(config), KEY)
  assert int(state.images) == gan.step_images == 8
  assert set(logs) == {'d_loss', 'd_real', 'd_fake', 'drift', 'penalty',
                       'd_grad_norm', 'g_loss', 'g_grad_norm'}
  chex.assert_tree_all_finite((state, logs))


@pytest.mark.slow
def test_one_step_changes_every_parameter_once(tiny):
  # Not a relativistic loss: it does not see the bias of the score.
  config = tiny('bmsg_gan', train__n_dis=2, objective__loss='hinge')
  gan = build(config)
  old = gan.init(jax.random.key(0))
  new, _ = gan.step(old, batch(config), KEY)
  for player in ('g', 'd'):
    for (path, a), b in zip(
        jax.tree_util.tree_flatten_with_path(getattr(old, player).params)[0],
        jax.tree.leaves(getattr(new, player).params), strict=True):
      assert not np.array_equal(a, b), jax.tree_util.keystr(path)
  assert (int(new.d.opt.count), int(new.g.opt.count)) == (2, 1)


@pytest.mark.slow
def test_a_step_is_what_the_papers_formulas_say(tiny):
  """One SGD-like step by hand: RMSprop's first direction is g / (.1 |g| + .01).

  At the preset's epsilon it is the sign of g, which rounding may turn.
  """
  config = tiny(objective__penalty='none', objective__loss='hinge',
                 objective__drift=.01, train__reuse_latents=True,
                optimizer__epsilon=.01)
  gan = build(config)
  old = gan.init(jax.random.key(0))
  data = batch(config)
  new, logs = gan.step(old, data, KEY)
  z_key, _ = jax.random.split(
      jax.random.fold_in(jax.random.fold_in(KEY, 0), 0))
  z = gan.draw(z_key, 8)
  real = pyramid.build(data.images[0], gan.sizes)
  loss = LOSSES['hinge']

  def d_loss(d, g):
    d_real, d_fake = gan.d(d, real), gan.d(d, gan.g(g, z))
    return loss.d(d_real, d_fake) + .01 * (d_real.logits**2).mean()

  def direction(g):
    return g / (jnp.sqrt(.01 * g * g) + .01)

  grads = jax.jit(jax.grad(d_loss))(old.d.params, old.g.params)
  d = jax.tree.map(
      lambda p, g: p - .003 * direction(g), old.d.params, grads)
  chex.assert_trees_all_close(new.d.params, d, atol=2e-5)
  assert float(logs['d_grad_norm']) == pytest.approx(
      float(jnp.sqrt(sum((g**2).sum() for g in jax.tree.leaves(grads)))), 1e-4)
  grads = jax.jit(jax.grad(lambda g: loss.g(
      None, gan.d(new.d.params, gan.g(g, z)))))(old.g.params)
  g = jax.tree.map(
      lambda p, g: p - .003 * direction(g), old.g.params, grads)
  chex.assert_trees_all_close(new.g.params, g, atol=2e-5)


@pytest.mark.slow
def test_the_average_has_its_half_life_in_images(dense):
  half_life = 8 * np.log(.5) / np.log(.999)
  config = dense(train__ema_half_life_images=float(half_life))
  gan = build(config)
  old = gan.init(jax.random.key(0))
  new, _ = gan.step(old, batch(config), KEY)
  wanted = jax.tree.map(
      lambda a, b: .999 * a + .001 * b, old.ema, new.g.replace(opt=()))
  chex.assert_trees_all_close(new.ema, wanted, rtol=1e-6, atol=1e-7)


def test_without_a_half_life_the_average_is_g(dense):
  config = dense(train__ema_half_life_images=0.)
  gan = build(config)
  new, _ = gan.step(gan.init(jax.random.key(0)), batch(config), KEY)
  chex.assert_trees_all_equal(new.ema, new.g.replace(opt=()))


@pytest.mark.slow
@pytest.mark.parametrize('settings', [
    dict(objective__loss='non_saturating', objective__penalty='r1'),
    dict(objective__loss='hinge', objective__penalty='none',
         train__reuse_latents=True, networks__stddev_group=2),
])
def test_parts_of_a_batch_are_the_batch(tiny, dense, settings):
  # Groups of statistics are the convolutional network's.
  small = tiny if 'networks__stddev_group' in settings else dense
  wholes, parts = (small(train__accumulate=n, **settings) for n in (1, 2))
  results = []
  for config in (wholes, parts):
    gan = build(config)
    results.append(gan.step(gan.init(jax.random.key(0)), batch(config), KEY))
  (a, a_logs), (b, b_logs) = results
  chex.assert_trees_all_close(a_logs, b_logs, rtol=1e-4, atol=1e-5)
  chex.assert_trees_all_close(a, b, atol=1e-4)


@pytest.mark.parametrize('settings, text', [
    (dict(train__accumulate=3), '3 does not divide config.train.batch = 8'),
    (dict(train__accumulate=2, objective__loss='relativistic_average_hinge'),
     "loss = 'relativistic_average_hinge'"),
    (dict(train__accumulate=2, objective__penalty='dragan'), "'dragan'"),
    (dict(train__accumulate=4), 'config.networks.stddev_group = 4'),
    (dict(train__accumulate=2, networks__stddev_group=0), 'stddev_group = 0'),
    (dict(train__batch=6),
     '6 is not a multiple of config.networks.stddev_group'),
    (dict(optimizer__name='rmspro'), "did you mean 'rmsprop'"),
    (dict(objective__penalty='r3'), 'no penalty'),
    (dict(objective__penalty='r1', objective__penalty_target=2.),
     "penalty_target: 2.0 means nothing to config.objective.penalty = 'r1'"),
    (dict(objective__loss='wgan'), 'no loss'),
])
def test_what_does_not_go_together_is_refused(tiny, settings, text):
  with pytest.raises(ValueError, match=text):
    build(tiny(**settings))


@pytest.mark.slow
def test_a_lazy_penalty_weighs_as_much_as_one_of_every_step(dense):
  # k times the weight at every k-th step: so 1 in 2 at weight w is 1 in 1 at
  # 2 w in the steps that have it, and none in the others.
  def d_params(image_count, **settings):
    config = dense(objective__penalty='r1', **settings)
    gan = build(config)
    state = gan.init(jax.random.key(0))
    new, logs = gan.step(state, batch(config), KEY, gan.phase(image_count))
    return new.d.params, 'penalty' in logs

  lazy, has = d_params(0, objective__penalty_every_d_steps=2,
                       objective__penalty_weight=3.)
  full, _ = d_params(0, objective__penalty_weight=6.)
  assert has
  chex.assert_trees_all_close(lazy, full, atol=1e-6)
  between, has = d_params(8, objective__penalty_every_d_steps=2)
  none, _ = d_params(8, objective__penalty_weight=0.)
  assert not has
  chex.assert_trees_all_close(between, none, atol=1e-6)
  assert float(jnp.abs(full['score']['kernel'] - none['score']['kernel']
                       ).max()) > 1e-4


def test_a_target_divides_the_slope(dense):
  # ProGAN's form for CIFAR-10: (norm - target)^2 / target^2.
  config = dense(objective__penalty='gradient_penalty',
                 objective__penalty_target=750.)
  gan = build(config)
  state = gan.init(jax.random.key(0))
  _, logs = gan.step(state, batch(config), KEY)
  # At the start D is far flatter than 750, so every image pays about 1.
  assert .98 < float(logs['penalty']) < 1


@pytest.mark.slow
def test_reused_latents_share_gs_pass_and_unseen_reals_cost_nothing(tiny):
  fresh = flops(tiny(objective__penalty='none'))
  shared = flops(tiny(objective__penalty='none', train__reuse_latents=True))
  config = tiny()
  gan = build(config)
  state = jax.eval_shape(gan.init, KEY)
  z = jax.ShapeDtypeStruct((8, 8), jnp.float32)
  g_pass = jax.jit(gan.g).lower(state.g.params, z).compile().cost_analysis()[
      'flops']
  assert .8 * g_pass < fresh - shared < 1.2 * g_pass
  images = jax.eval_shape(gan.g, state.g.params, z)
  d_pass = jax.jit(gan.d).lower(
      state.d.params, images).compile().cost_analysis()['flops']
  looks = flops(tiny(
      objective__penalty='none', objective__loss='relativistic'))
  assert .8 * d_pass < looks - fresh < 1.3 * d_pass


def test_raw_and_averaged_samples_differ_and_a_typo_is_named(tiny):
  config = tiny()
  gan = build(config)
  state, _ = gan.step(gan.init(jax.random.key(0)), batch(config), KEY)
  z = gan.draw(KEY, 2)
  ema, raw = (gan.sample(state, z, weights=w)[-1] for w in ('ema', 'raw'))
  assert not np.allclose(ema, raw)
  with pytest.raises(ValueError, match="wanted 'ema' or 'raw', found 'eam'"):
    gan.sample(state, z, weights='eam')
  for wrong in z[:, 1:], z[0]:
    with pytest.raises(ValueError, match=r'^z: wanted \[B, \d+\], found \['):
      gan.sample(state, wrong)
  with pytest.raises(ValueError, match='^labels: given, but this GAN has no'):
    gan.sample(state, z, np.zeros(2, np.int32))


@pytest.fixture
def dense(small):
  """`small` with dense layers and SGD without momentum, for steps by hand."""
  def make(preset='msg_progan', **settings):
    plain_mlp = {} if preset != 'msg_progan' else dict(
        networks__name='mlp', networks__stddev='none',
        objective__loss='non_saturating', objective__penalty='none',
        objective__drift=0., train__ema_half_life_images=0.)
    return small(preset, **{**dict(
        data__resolution=4, data__channels=1, optimizer__name='sgd',
        optimizer__beta1=0., optimizer__g_rate=.1, optimizer__d_rate=.2),
        **plain_mlp, **settings})
  return make


CLASSES = dict(networks__classes=3, networks__g_condition='concat')


@pytest.mark.slow
@pytest.mark.parametrize('settings', [
    dict(train__update_order='joint', train__reuse_latents=True),
    dict(train__update_order='joint'),
    *(pytest.param(settings, marks=pytest.mark.slow) for settings in (
        dict(train__reuse_latents=True,
             objective__d_weight_penalty='l2',
             objective__d_weight_penalty_weight=.3,
             objective__g_weight_penalty='l2_mean',
             objective__g_weight_penalty_weight=.2),
        dict(objective__d_weight_penalty='l2_mean',
             objective__d_weight_penalty_weight=.01,
             objective__g_weight_penalty='l2'),
        dict(networks__d_condition='projection', train__g_batches=2, **CLASSES),
        dict(networks__d_condition='concat', **CLASSES),
        dict(networks__d_condition='classifier', objective__d_classes_weight=.5,
             objective__g_classes_weight=.7, **CLASSES),
        dict(networks__d_condition='classifier',
             objective__classify_fakes=False, objective__g_classes_weight=.1,
             train__reuse_latents=True, **CLASSES),
        dict(train__g_batches=3, objective__loss='hinge'))),
], ids=str)
def test_a_step_by_hand_with_what_settings_add(dense, settings):
  """SGD: the new parameters are the old ones less rate times gradient."""
  config = dense(**settings)
  objective, more = config.objective, config.train
  gan, loss = build(config), LOSSES[config.objective.loss]
  old, data = gan.init(jax.random.key(0)), batch(config)
  # Away from the start, where classes are alike and biases 0.
  old = old.replace(**{name: getattr(old, name).replace(
      params=jax.tree.map(lambda x: x + .1 * jax.random.normal(
          jax.random.key(x.size), x.shape), getattr(old, name).params))
      for name in 'gd'})
  new, logs = gan.step(old, data, KEY)
  key = jax.random.fold_in(KEY, 0)
  z_key, _ = jax.random.split(jax.random.fold_in(key, 0))
  z = gan.draw(z_key, 8)
  real = pyramid.build(data.images[0], gan.sizes)
  told = Condition(data.labels[0] if config.networks.classes else None)

  def cost(player, params):
    row = WEIGHT_PENALTIES[getattr(objective, f'{player}_weight_penalty')]
    return row(params) * getattr(
        objective, f'{player}_weight_penalty_weight') if row else 0.

  def d_loss(d):
    d_real, d_fake = (gan.d(d, x, told) for x in (
        real, gan.g(old.g.params, z, told)))
    total = loss.d(d_real, d_fake) + cost('d', d)
    if d_real.classes is not None:
      of = (d_real, d_fake) if objective.classify_fakes else (d_real,)
      total += objective.d_classes_weight * sum(
          losses.classification(verdict, told.labels) for verdict in of)
    return total

  g_z, g_told = z, told
  if not more.reuse_latents:
    g_z = gan.draw(jax.random.fold_in(key, 1), 8 * more.g_batches)
    g_told = jax.tree.map(
        lambda x: jnp.concatenate([x] * more.g_batches), told)

  def g_loss(g, d):
    d_fake = gan.d(d, gan.g(g, g_z, g_told), g_told)
    total = loss.g(None, d_fake) + cost('g', g)
    if d_fake.classes is not None:
      total += objective.g_classes_weight * losses.classification(
          d_fake, g_told.labels)
    return total

  d = jax.tree.map(lambda p, g: p - .2 * g, old.d.params,
                   jax.grad(d_loss)(old.d.params))
  judge = old.d.params if more.update_order == 'joint' else d
  g = jax.tree.map(lambda p, g: p - .1 * g, old.g.params,
                   jax.grad(g_loss)(old.g.params, judge))
  for got, wanted, before in ((new.d, d, old.d), (new.g, g, old.g)):
    moved, by_hand = (jax.tree.map(jnp.subtract, x, before.params)
                      for x in (got.params, wanted))
    chex.assert_trees_all_close(moved, by_hand, rtol=2e-3, atol=2e-6)
  for player in 'gd':
    assert (f'{player}_classes' in logs) == (
        config.networks.d_condition == 'classifier')
    assert (f'{player}_weight_penalty' in logs) == (
        getattr(objective, f'{player}_weight_penalty') != 'none')


@pytest.mark.slow
def test_clipping_bounds_every_parameter_of_d_and_none_of_g(dense):
  config = dense(objective__loss='wasserstein', objective__constraint='clip',
                 objective__clip=.05, train__n_dis=2)
  gan = build(config)
  new, _ = gan.step(gan.init(jax.random.key(0)), batch(config), KEY)
  most = [float(jnp.abs(x).max()) for x in jax.tree.leaves(new.d.params)]
  assert max(most) == pytest.approx(.05) and max(most) <= np.float32(.05)
  assert sum(m == np.float32(.05) for m in most) >= 4  # every kernel
  assert max(float(jnp.abs(x).max())
             for x in jax.tree.leaves(new.g.params)) > .5


@pytest.mark.slow
def test_rates_fall_with_the_images_shown(dense):
  def moves(images, **settings):
    config = dense(train__update_order='joint', **settings)
    gan = build(config)
    old = gan.init(jax.random.key(0)).replace(images=jnp.int32(images))
    new, _ = gan.step(old, batch(config), KEY)
    return [jax.tree.map(jnp.subtract, new_player.params, old_player.params)
            for new_player, old_player in ((new.g, old.g), (new.d, old.d))]

  whole = moves(60)
  quarter = moves(60, optimizer__fall_until_images=80)
  chex.assert_trees_all_close(
      jax.tree.map(lambda x: x / 4, whole), quarter, rtol=1e-3, atol=1e-7)
  assert all(float(jnp.abs(x).max()) == 0 for x in jax.tree.leaves(
      moves(80, optimizer__fall_until_images=80)))


def test_a_step_may_leave_g_as_it_is(dense):
  config = dense(train__n_dis_more=3)
  gan = build(config)
  old = gan.init(jax.random.key(0))
  assert [gan.phase(8 * i).update_g for i in range(4)] == [
      False, False, True, False]
  new, logs = gan.step(old, batch(config), KEY, gan.phase(0))
  chex.assert_trees_all_equal(new.g, old.g)
  assert not [name for name in logs if name.startswith('g_')]
  assert not np.array_equal(new.d.params['score']['kernel'],
                            old.d.params['score']['kernel'])
  new, logs = gan.step(old, batch(config), KEY, gan.phase(16))
  assert 'g_loss' in logs


def test_dequantizing_adds_less_than_a_step_and_stays_below_1():
  values = jnp.arange(256, dtype=jnp.uint8)
  images = jnp.tile(values, 400).reshape(400, 256, 1, 1)
  x = np.asarray(dequantize(images, KEY))[..., 0, 0]
  low = np.arange(256) / 128 - 1
  noise = (x - low) * 128
  # float32 below 1 has steps of 2^-24, so that noise near 1 may round up.
  assert noise.min() >= 0 and noise.max() <= 1 + 1e-4
  assert x.min() >= -1 and x.max() <= 1
  assert noise.mean() == pytest.approx(.5, abs=.005)
  assert noise.std() == pytest.approx(12**-.5, rel=.01)


@pytest.mark.parametrize('law, square, most', [
    ('normal', 1., np.inf), ('uniform', 1 / 3, 1.), ('sphere', 1., np.inf)])
def test_latents_have_their_law(dense, law, square, most):
  assert set(LATENTS) == {'normal', 'uniform', 'sphere'}
  z = np.asarray(build(dense(networks__latent_law=law)).draw(KEY, 5000))
  assert z.shape == (5000, 8) and np.abs(z).max() <= most
  assert (z**2).mean() == pytest.approx(square, rel=.03)
  assert abs(z.mean()) < .03 and z.min() < 0 < z.max()
  fixed = np.allclose((z**2).sum(-1), 8, rtol=1e-5)
  assert fixed == (law == 'sphere')


def iterations(kernel, before, after):
  """How many power iterations lead from one u to the other."""
  matrix = np.asarray(kernel, float).reshape(-1, kernel.shape[-1]).T
  u, gaps = np.asarray(before, float), []
  for _ in range(12):
    gaps.append(np.abs(u - np.asarray(after)).max())
    u = matrix @ (matrix.T @ u)
    u /= np.linalg.norm(u)
  best = int(np.argmin(gaps))
  assert gaps[best] < 1e-5 < 1e-3 < sorted(gaps)[1]
  return best


@pytest.mark.slow
@pytest.mark.parametrize('settings, d_wanted, g_wanted', [
    # D: of reals, of fakes, and of fakes for G. G: for D, and for itself.
    (dict(), 3, 2),
    (dict(train__reuse_latents=True), 3, 1),
    (dict(train__n_dis=2), 5, 3),
    (dict(objective__penalty='r1'), 4, 2),
    (dict(networks__power_iterations=2), 6, 4),
    (dict(networks__power_update='update'), 1, 1),
    (dict(networks__power_update='update', train__n_dis=2), 2, 1),
    (dict(networks__power_update='update', objective__penalty='r1'), 1, 1),
], ids=str)
def test_vectors_of_spectral_norms_move_as_often_as_they_should(
    dense, settings, d_wanted, g_wanted):
  config = dense('vanilla', **{**dict(
      networks__d_weight_norm='spectral', networks__g_weight_norm='spectral',
      networks__latent_law='normal', train__update_order='alternate',
      train__reuse_latents=False, optimizer__g_rate=0., optimizer__d_rate=0.,
      data__resolution=8), **settings})
  gan = build(config)
  old = gan.init(jax.random.key(0))
  new, _ = gan.step(old, batch(config), KEY)
  for player, wanted in (('d', d_wanted), ('g', g_wanted)):
    before, after = getattr(old, player), getattr(new, player)
    moves = iterations(*(x['hidden_1'][k] for x, k in (
        (before.params, 'kernel'), (before.stats, 'u'), (after.stats, 'u'))))
    assert moves == wanted, player


@pytest.mark.slow
def test_the_average_is_of_the_statistics_too(dense):
  config = dense('vanilla', networks__g_norm='batch',
                 train__ema_half_life_images=8.)
  gan = build(config)
  old = gan.init(jax.random.key(0))
  new, _ = gan.step(old, batch(config), KEY)
  assert old.ema.stats['norm_0'] and not new.ema.opt
  chex.assert_trees_all_close(new.ema, jax.tree.map(
      lambda a, b: (a + b) / 2, old.ema, new.g.replace(opt=())), rtol=1e-5)
  assert not np.allclose(new.ema.stats['norm_0']['mean'],
                         new.g.stats['norm_0']['mean'], rtol=.1)

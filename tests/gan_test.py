"""The step: what one update is, and what it costs."""
import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax import pyramid
from msg_gan_jax.gan import build
from msg_gan_jax.objectives.losses import LOSSES
from msg_gan_jax.state import Batch

KEY = jax.random.key(7)


@pytest.fixture
def tiny(small):
  """`small` at 8 px, which compiles twice as fast."""
  def make(preset='msg_progan', **settings):
    return small(preset, **{'data__resolution': 8, **settings})
  return make


def batch(config, seed=0):
  rng = np.random.default_rng(seed)
  shape = config.train.n_dis, config.train.batch
  size = config.data.resolution
  return Batch(
      jnp.asarray(rng.integers(
          0, 256, (*shape, size, size, config.data.channels), np.uint8)),
      jnp.zeros(shape, jnp.int32))


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
    seen, said = gan.d(d, real), gan.d(d, gan.g(g, z))
    return loss.d(seen, said) + .01 * (seen.logits**2).mean()

  def direction(g):
    return g / (jnp.sqrt(.01 * g * g) + .01)

  grads = jax.grad(d_loss)(old.d.params, old.g.params)
  d = jax.tree.map(
      lambda p, g: p - .003 * direction(g), old.d.params, grads)
  chex.assert_trees_all_close(new.d.params, d, atol=2e-5)
  assert float(logs['d_grad_norm']) == pytest.approx(
      float(jnp.sqrt(sum((g**2).sum() for g in jax.tree.leaves(grads)))), 1e-4)
  grads = jax.grad(lambda g: loss.g(
      None, gan.d(new.d.params, gan.g(g, z))))(old.g.params)
  g = jax.tree.map(
      lambda p, g: p - .003 * direction(g), old.g.params, grads)
  chex.assert_trees_all_close(new.g.params, g, atol=2e-5)


def test_the_average_has_its_half_life_in_images(tiny):
  half_life = 8 * np.log(.5) / np.log(.999)
  config = tiny(train__ema_half_life_images=float(half_life))
  gan = build(config)
  old = gan.init(jax.random.key(0))
  new, _ = gan.step(old, batch(config), KEY)
  wanted = jax.tree.map(
      lambda a, b: .999 * a + .001 * b, old.ema, new.g.params)
  chex.assert_trees_all_close(new.ema, wanted, rtol=1e-6, atol=1e-7)


def test_without_a_half_life_the_average_is_g(tiny):
  config = tiny(train__ema_half_life_images=0.)
  gan = build(config)
  new, _ = gan.step(gan.init(jax.random.key(0)), batch(config), KEY)
  chex.assert_trees_all_equal(new.ema, new.g.params)


@pytest.mark.slow
@pytest.mark.parametrize('settings', [
    dict(objective__loss='non_saturating', objective__penalty='r1'),
    dict(objective__loss='hinge', objective__penalty='none',
         train__reuse_latents=True, networks__stddev_group=2),
])
def test_parts_of_a_batch_are_the_batch(tiny, settings):
  wholes, parts = (tiny(train__accumulate=n, **settings) for n in (1, 2))
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
    (dict(train__batch=6), '6 is no multiple of config.networks.stddev_group'),
    (dict(optimizer__name='rmspro'), "did you mean 'rmsprop'"),
    (dict(objective__penalty='r3'), 'no penalty'),
    (dict(objective__penalty='r1', objective__penalty_target=2.),
     "penalty = 'r1' has no target"),
    (dict(objective__loss='wgan'), 'no loss'),
])
def test_what_does_not_go_together_is_refused(tiny, settings, text):
  with pytest.raises(ValueError, match=text):
    build(tiny(**settings))


@pytest.mark.slow
def test_a_lazy_penalty_weighs_as_much_as_one_of_every_step(tiny):
  # k times the weight at every k-th step: so 1 in 2 at weight w is 1 in 1 at
  # 2 w in the steps that have it, and none in the others.
  def d_params(image_count, **settings):
    config = tiny(objective__loss='non_saturating', objective__penalty='r1',
                   optimizer__name='adam', **settings)
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


def test_a_target_divides_the_slope(tiny):
  # ProGAN's form for CIFAR-10: (norm - target)^2 / target^2.
  config = tiny(objective__penalty_target=750.)
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

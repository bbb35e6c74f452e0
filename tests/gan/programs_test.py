"""Our networks, losses and steps beside the numbers of their peers' programs.

Each file of tests/gan/programs has the peer, its commit and what was built.
"""
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from programs import Program, assert_array, nchw, nhwc, rng
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data.batches import Batch
from msg_gan_jax.gan import context, hyper, latents, passes, pyramid
from msg_gan_jax.gan import step as step_module
from msg_gan_jax.gan.build import Gan, build
from msg_gan_jax.gan.networks import mapping, noise
from msg_gan_jax.gan.objectives.penalties import PENALTIES
from msg_gan_jax.gan.schedules import Phase
from msg_gan_jax.gan.state import NOTHING, Condition, Player, State

KEY = jax.random.key(0)


def made(preset, **settings):
  """A Gan of a preset at 32 px, with settings such as networks__latent=8."""
  config = schema.template(preset)
  config.data.resolution = 32
  for name, value in settings.items():
    section, field = name.split('__')
    config[section][field] = value
  return build(schema.parse(config))


def start(gan, program, g_seed=None):
  """State with the program's weights; the average has those of `g_seed`."""
  like = jax.eval_shape(gan.init, jax.random.key(0))
  rule = gan.components.optimizer(0., 0., 0.)

  def player(name, like):
    params = program.weights(name, like.params)
    stats = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), like.stats)
    return Player(params, stats, rule.init(params))

  g, d = player('G', like.g), player('D', like.d)
  average = program.weights('G', like.g.params, g_seed) if g_seed else g.params
  return State(
      images=jnp.int32(0), g=g, d=d, aux={},
      ema=g.replace(params=average, opt=()),
      hyper=hyper.start(gan.components.config))


def drawn(seed, latent):
  """(reals [8, 32, 32, 3], labels, two batches of z) as the programs saw."""
  r = np.random.Generator(np.random.PCG64(seed))
  z = [r.standard_normal((8, latent)).astype(np.float32) for _ in range(2)]
  labels = r.integers(0, 10, 8)
  real = np.clip(r.standard_normal((8, 3, 32, 32)) * .5, -1, 1)
  return nhwc(real.astype(np.float32)), jnp.asarray(labels, jnp.int32), z


def step_with(monkeypatch, gan, real, labels, z_of_d, z_of_g, update_g=True):
  """State -> (State after a step on these reals and latents, what it saw).

  That is the fakes of D's update, and the logs. Without G's update it compiles
  in half the time.
  """
  phase = gan.phase(0)._replace(update_g=update_g)
  components, condition = gan.components, Condition(labels)
  rows = 1 + (components.config.train.g_reals == 'new')
  # Both alike, as in the program's values; program_settings_test tells G's.
  batch = Batch(jnp.stack([real] * rows), jnp.stack([labels] * rows))
  # In the order of the step; the second is asked for, and not used.
  asked = iter((z_of_d, z_of_d, z_of_g))
  monkeypatch.setattr(latents, 'draw', lambda *_: jnp.asarray(next(asked)))

  def both(state):
    fakes, _ = passes.in_training(
        components.players.g, state.g.params, state.g.stats,
        components.with_labels('g', jnp.asarray(z_of_d), condition), condition,
        KEY, True)
    after, logs = gan.step(state, batch, KEY, phase)
    return after, logs | {'fakes': fakes}

  return jax.jit(both)


def assert_seen(seen, wanted, tolerance, form=''):
  """Compares fakes, mean logits and losses of a step with a program's."""
  levels = wanted.get('fakes') or [
      wanted.get('image') or wanted['image_train_mode']]
  for fake, level in zip(seen['fakes'], levels, strict=True):
    assert_array(nchw(fake), level, tolerance)
  compared = 0
  for log, name in (('d_real', 'logits_real'), ('d_fake', 'logits_fake'),
                    ('d_loss', 'd_loss'), ('g_loss', 'g_loss')):
    value = wanted.get(name + form, wanted.get(name))
    if value is not None and log in seen:
      most = tolerance * np.abs(value).max()
      assert abs(seen[log] - np.mean(value)) <= most, name
      compared += 1
  assert compared


def gradients(gan, state):
  """{'g', 'd'}: the gradients of a player's first step of Adam."""
  share = 1 - gan.components.config.optimizer.beta1
  return {name: jax.tree.map(lambda x: x / share, player.opt.mu)
          for name, player in (('g', state.g), ('d', state.d))}


def with_rates(state, **rates):
  return state.replace(hyper=state.hyper | {
      name: jnp.float32(rate) for name, rate in rates.items()})


def changes(after, before):
  return jax.tree.map(lambda a, b: np.float64(a) - b, after, before)


@pytest.mark.slow
def test_studiogans_dcgan_has_relus_in_d_and_its_epsilon(monkeypatch):
  program = Program('studiogan_lsgan')
  gan = made('lsgan', networks__latent=16, train__n_dis=1)
  real, labels, z = drawn(80, 16)
  wanted = program.expected
  before = with_rates(start(gan, program), d_rate=0)  # G sees D as it was.
  after, seen = step_with(monkeypatch, gan, real, labels, *z)(before)
  assert_seen(seen, wanted, 2e-5)
  found = gradients(gan, after)
  program.assert_leaves('D', found['d'], wanted['gradient_D'], 1e-3)
  # A unit that lies within rounding of 0 may be on its other side.
  program.assert_leaves('G', found['g'], wanted['gradient_G'], 5e-3)


def mimicry(shortcut):
  """mimicry's networks of 32 maps in G and of 16 in D."""
  settings = dict(networks__latent=16, networks__d_shortcut=shortcut,
                  train__n_dis=1)
  gan, narrow = (made('mimicry_sngan32', **settings, networks__fmap_max=maps)
                 for maps in (32, 16))
  return Gan(dataclasses.replace(
      gan.components, players=gan.components.players._replace(
          d=narrow.components.players.d)))


@pytest.mark.slow
@pytest.mark.parametrize('shortcut, form', [
    ('rectified', 'as_it_runs'), ('input', 'not_in_place')])
def test_mimicrys_shortcuts_see_what_its_relu_left(
    shortcut, form, monkeypatch):
  program = Program('mimicry_sngan32')
  gan = mimicry(shortcut)
  real, labels, z = drawn(79, 16)
  before = with_rates(start(gan, program), d_rate=0)
  before = before.replace(d=before.d.replace(
      stats=program.vectors(before.d.stats)))
  whole = form == 'as_it_runs'  # What G is told follows from D.
  after, seen = step_with(
      monkeypatch, gan, real, labels, *z, update_g=whole)(before)
  assert_seen(seen, program.expected, 2e-5, f'_{form}')
  found, wanted = gradients(gan, after), program.expected[form]
  program.assert_leaves('D', found['d'], wanted['gradient_D'], 1e-3)
  if whole:
    program.assert_leaves('G', found['g'], wanted['gradient_G'], 1e-3)


def test_mimicrys_preset_is_as_it_runs():
  assert made('mimicry_sngan32').components.players.d.arch.rectified


R3GAN = dict(
    networks__latent=16, networks__fmap_max=32, networks__fmap_base=512,
    networks__dtype='float32', objective__augment='none',
    objective__augment_strength=.1,
    schedule__augment_strength=-1., train__batch=8)


@pytest.mark.slow
def test_a_step_of_r3gan_anywhere_on_its_schedules(monkeypatch):
  program = Program('r3gan_cifar10')
  gan = made('r3gan_cifar10', **R3GAN)
  wanted, before = program.expected, start(gan, program)
  step = step_with(monkeypatch, gan, *drawn(78, 16)[:2], *drawn(78, 16)[2])
  for images in 0, 7_000_000, 30_000_000:
    after, seen = step(before.replace(images=jnp.int32(images)))
    assert_seen(seen, wanted, 1e-5)
    found = gradients(gan, after)
    for name, old, new in (('G', before.g, after.g), ('D', before.d, after.d)):
      program.assert_leaves(name, found[name.lower()],
                            wanted[f'gradient_{name}_at_{images}'], 1e-3)
      program.assert_leaves(
          name, changes(new.params, old.params),
          wanted[f'change_of_{name}_in_one_step_at_{images}'], 2e-2)


def test_r3gans_schedules_are_its_programs():
  gan = made('r3gan_cifar10')
  config, wanted = gan.components.config, Program('r3gan_cifar10').expected
  state = State(jnp.int32(0), *(None,) * 3, hyper.start(config), {})
  for i, images in enumerate(wanted['schedule_points']):
    now = context.context_of(gan.components, Phase((True,)), state.replace(
        images=jnp.int32(images)))
    keep = step_module._kept_share(config, jnp.int32(images), 512)
    found = {
        'lr': config.optimizer.g_rate * now.rate_scale,
        'beta2': now.hyper['beta2'], 'gamma': now.hyper['penalty_weight'],
        'aug': now.augment_strength, 'ema': keep}
    for name, value in found.items():
      peer = wanted['schedules'][name][i]
      if name == 'ema':  # What is kept in a step of 512 images.
        peer = .5 ** (512 / max(peer, 1e-8))
      assert float(value) == pytest.approx(peer, rel=1e-6, abs=1e-7), (
          name, images)


@pytest.mark.slow
def test_bmsg_gans_step_and_the_mean_of_r1_over_scales(monkeypatch):
  program = Program('bmsg_gan_d4_l32')
  gan = made('bmsg_gan', networks__latent=32, networks__fmap_max=32,
             networks__fmap_base=512, train__batch=8,
             train__ema_half_life_images=8 * 692.8)
  r = np.random.Generator(np.random.PCG64(81))
  real = nhwc(np.clip(r.standard_normal((8, 3, 32, 32)) * .5, -1, 1))
  real, z = (jnp.asarray(x, jnp.float32)
             for x in (real, r.standard_normal((8, 32))))
  z = z / jnp.linalg.norm(z, axis=-1, keepdims=True) * 32**.5
  wanted = program.expected
  reals = pyramid.build(real, gan.sizes)
  for level, peers in zip(reals, wanted['reals'], strict=True):
    assert_array(nchw(level), peers, 1e-5)
  step = step_with(monkeypatch, gan, real, jnp.zeros(8, jnp.int32), z, z)
  before = start(gan, program, program.entries['E_seed'])
  after, seen = step(with_rates(before, d_rate=0))  # G sees D as it was.
  assert_seen(seen, wanted, 1e-5)
  found = gradients(gan, after)
  program.assert_leaves('D', found['d'], wanted['gradient_D'], 2e-3)
  program.assert_leaves('G', found['g'], wanted['gradient_G'], 2e-3)
  program.assert_leaves('G', step(before)[0].ema.params,
                        wanted['ema_after_one_step'], 1e-5)
  r1 = jax.jit(lambda d, reals: PENALTIES['r1'].values(
      lambda images: gan.d(d, images).logits, reals, reals, KEY).mean())
  assert float(r1(before.d.params, reals)) == pytest.approx(
      wanted['r1_averaged_over_scales'], rel=1e-5)


@pytest.fixture(scope='module')
def stylegan2():
  """(Program, {name: what we compute}) of StyleGAN2-ADA, in one compilation."""
  program = Program('stylegan2_ada_uncond_resnet')
  gan = made('stylegan2_ada', networks__latent=64, networks__w=48,
             networks__fmap_max=64, networks__fmap_base=256,
             networks__conv_clamp=0., networks__mixing=0.)
  r = np.random.Generator(np.random.PCG64(77))
  z = jnp.asarray(r.standard_normal((8, 64)), jnp.float32)
  r.integers(0, 10, 8)  # Labels, for its other form.
  real = jnp.asarray(nhwc(np.clip(
      r.standard_normal((8, 3, 32, 32)) * .5, -1, 1)), jnp.float32)
  y = jnp.asarray(nhwc(r.standard_normal((4, 3, 32, 32))), jnp.float32)
  maps = [rng(name, program.entries['G_seed']).standard_normal(
      (4 << (i + 1) // 2,) * 2)
          for i, name in enumerate(program.entries['noise_names'])]
  components = gan.components
  row, penalty = components.loss, components.penalty
  state = start(gan, program)
  blank = jax.tree.map(jnp.zeros_like, state.g.stats)

  def run_g(params, inputs, method):
    return components.players.g.apply(
        passes.variables(params, blank), inputs, method=method)

  def g_loss(params):
    ws = run_g(params, z, 'map')
    verdict = gan.d(state.d.params, run_g(params, ws, 'synthesize'))
    return row.g(None, verdict)

  def path_cost(params):
    values, lengths, mean = components.g_penalty.values(
        lambda w: run_g(params, w, 'synthesize')[-1],
        run_g(params, z[:4], 'map'), jnp.float32(.37), KEY)
    return 2 * values.mean(), (lengths, mean)

  def d_loss(params, fake):
    verdicts = gan.d(params, (real,)), gan.d(params, fake)
    return row.d(*verdicts), verdicts

  def r1(params):
    return penalty.values(lambda images: gan.d(params, images).logits,
                          (real,), (real,), KEY)

  def numbers(g, d):
    ws = run_g(g, z, 'map')
    _, moved = components.players.g.apply(
        passes.variables(g, blank), z, NOTHING, True, method='map',
        mutable=['stats'], rngs=passes.rngs(KEY))
    w_mean = moved['stats']['mapping']['w_mean']
    fake = run_g(g, ws, 'synthesize')
    by_d, verdicts = jax.grad(d_loss, has_aux=True)(d, fake)
    by_path, (lengths, mean) = jax.grad(path_cost, has_aux=True)(g)
    return {
        'ws': ws, 'w_avg_after_one_pass': w_mean,
        'ws_psi_07': mapping.truncate(ws, w_mean, .7),
        'ws_psi_07_cutoff_3': mapping.truncate(ws, w_mean, .7, 3),
        'image_noise_const': fake[0].transpose(0, 3, 1, 2),
        'logits_real': verdicts[0].logits, 'logits_fake': verdicts[1].logits,
        'r1_squared_norms': 2 * r1(d), 'path_lengths': lengths,
        'pl_mean_after': mean, 'gradient_Gmain': jax.grad(g_loss)(g),
        'gradient_GregDetached': by_path, 'gradient_Dmain': by_d,
        'gradient_Dreg': jax.grad(lambda d: 10 * r1(d).mean())(d)}

  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(noise, 'for_layer', lambda module, layer, shape: (
        jnp.asarray(maps[layer], jnp.float32)[None, ..., None]))
    patch.setattr(jax.random, 'normal', lambda key, shape: y)  # Of lengths.
    return program, jax.jit(numbers)(state.g.params, state.d.params)


@pytest.mark.slow
def test_stylegan2_ada_is_its_program(stylegan2):
  program, found = stylegan2
  wanted = program.expected
  for name in ('ws', 'w_avg_after_one_pass', 'ws_psi_07', 'ws_psi_07_cutoff_3',
               'image_noise_const'):
    assert_array(found[name], wanted[name], 2e-5)
  # Norms of gradients are as exact as these: a unit near 0 moves one by 1e-4.
  for name, tolerance in (
      ('logits_real', 2e-5), ('logits_fake', 2e-5), ('r1_squared_norms', 1e-3),
      ('path_lengths', 1e-3), ('pl_mean_after', 1e-3)):
    np.testing.assert_allclose(
        found[name], wanted[name], rtol=0,
        atol=tolerance * np.abs(wanted[name]).max(), err_msg=name)
  for name in 'Gmain', 'GregDetached', 'Dmain', 'Dreg':
    program.assert_leaves(name[0], found[f'gradient_{name}'],
                          wanted[f'gradient_{name}'], 1e-3)

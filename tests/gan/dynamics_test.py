"""Laws of the instruments: closed forms, and matrices that numpy solves."""
import contextlib
import dataclasses
import runpy
from typing import Any

from flax import linen as nn
from helpers import ROOT, batch
import jax
from jax.flatten_util import ravel_pytree
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.arrays import krylov
from msg_gan_jax.config import schema
from msg_gan_jax.gan import condition_number, dynamics
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.components import look_up
from msg_gan_jax.gan.layer_operators import Layers
from msg_gan_jax.gan.networks.players import Players
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.state import NOTHING, Verdict

dirac = runpy.run_path(ROOT / 'docs' / 'studies' / 'dirac.py')
KEY = jax.random.key(5)


def assert_same(found, wanted, tolerance):
  for a, b in ((found, wanted), (wanted, found)):
    assert max(np.abs(x - b).min() for x in a) <= tolerance


@pytest.mark.parametrize('loss, penalty, weight', [
    ('non_saturating', 'none', 0.), ('wasserstein', 'none', 0.),
    ('non_saturating', 'r1', .3), ('non_saturating', 'r1', 1.6),
    ('wasserstein', 'r1', .3)])
def test_eigenvalues_of_a_field_are_those_of_dirac_gan(loss, penalty, weight):
  case = dirac['Case'](loss, penalty, weight)
  v = dirac['field'](case)
  _, push = jax.linearize(v, jnp.zeros(2))
  found = dynamics.eigenvalues(push, 2)
  slope = {'non_saturating': .5, 'wasserstein': 1.}[loss]
  root = np.emath.sqrt(complex(weight**2 / 4 - slope**2))
  assert_same(found.values, [-weight / 2 + root, -weight / 2 - root], 1e-5)
  assert found.residuals.max() < 1e-5


class Theta(nn.Module):
  """G of Dirac-GAN: every picture is the number theta."""

  @nn.compact
  def __call__(self, z, condition=NOTHING, train=False):
    theta = self.param('theta', nn.initializers.zeros, ())
    return (jnp.broadcast_to(theta, (len(z), 1, 1, 1)),)


class Psi(nn.Module):
  """D of Dirac-GAN: the number psi times a picture."""

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    psi = self.param('psi', nn.initializers.zeros, ())
    return Verdict(psi * images[0][:, 0, 0, 0])


def game_of_dirac(**settings):
  """(Components, State) of Dirac-GAN as the framework trains it."""
  config = schema.template()
  config.data.update(dict(name='ring', resolution=1, channels=2))
  config.networks.update(dict(
      name='mlp', latent=2, latent_law='normal', stddev='none'))
  config.train.batch = 4
  config.objective.update(dict(drift=0., penalty='none') | settings)
  config = schema.parse(config)
  components = dataclasses.replace(look_up(config), players=Players(
      Theta(), Psi(), (1,)))
  state = build(config).init(KEY)
  params = [{'theta': jnp.float32(0)}, {'psi': jnp.float32(0)}]
  return components, state.replace(
      g=state.g.replace(params=params[0], stats={}),
      d=state.d.replace(params=params[1], stats={}))


@pytest.mark.parametrize('settings, wanted', [
    (dict(loss='non_saturating'), (.5j, -.5j)),
    (dict(loss='wasserstein'), (1j, -1j)),
    # -gamma / 2 +- sqrt(gamma^2 / 4 - f'^2), also where R1 is lazy.
    (dict(loss='non_saturating', penalty='r1', penalty_weight=2.),
     (-1 + .75**.5, -1 - .75**.5)),
    (dict(loss='wasserstein', penalty='r1', penalty_weight=1.,
          penalty_every_d_steps=8), (-.5 + .75**.5 * 1j, -.5 - .75**.5 * 1j))])
def test_eigenvalues_of_the_game_that_is_trained(settings, wanted):
  components, state = game_of_dirac(**settings)
  phase = dynamics.phase_of(components, 0)
  assert dynamics.count(components, state, phase) == 2
  reals = Batch(jnp.zeros((1, 4, 1, 1, 1)), jnp.zeros((1, 4), int))
  found = dynamics.eigenvalues(lambda w: dynamics.transposed_jacobian(
      components, state, reals, KEY, w, phase), 2)
  assert_same(found.values, np.array(wanted), 1e-5)


@dataclasses.dataclass
class Batch:
  images: Any
  labels: Any


def small_game(name='mlp', **settings):
  config = schema.template()
  config.data.update(dict(name='ring', resolution=1, channels=2))
  config.networks.update(dict(name=name, latent=3, fmap_max=4, stddev='none'))
  config.train.batch = 8
  config.objective.update(
      dict(loss='non_saturating', penalty='r1', drift=.01) | settings)
  gan = build(schema.parse(config))
  reals = Batch(jax.random.normal(KEY, (1, 8, 1, 1, 2)),
                jnp.zeros((1, 8), int))
  return dynamics.exact(gan.components), gan.init(KEY), reals


def test_eigenvalues_equal_those_of_the_dense_jacobian():
  """A GAN of about 200 parameters, with a penalty and a drift."""
  components, state, reals = small_game()
  phase = dynamics.phase_of(components, 0)
  n = dynamics.count(components, state, phase)
  assert 100 < n < 250
  start, back = ravel_pytree((state.d.params, state.g.params))

  def field(point):
    d, g = back(point)
    return -ravel_pytree(tuple(dynamics.gradients(
        components, state.replace(d=state.d.replace(params=d),
                                  g=state.g.replace(params=g)),
        reals, KEY, phase)))[0]

  matrix = np.asarray(jax.jit(jax.jacrev(field))(start), np.float64)
  times = jax.jit(lambda w: dynamics.transposed_jacobian(
      components, state, reals, KEY, w, phase))
  w = np.random.default_rng(0).normal(size=n).astype(np.float32)
  scale = np.abs(matrix).sum(0).max()
  np.testing.assert_allclose(times(w), matrix.T @ w, atol=1e-5 * scale)
  wanted = np.linalg.eigvals(matrix)
  wanted = wanted[np.argsort(-np.abs(wanted))]
  # All of them, where they are more than what rounding makes of 0.
  edge = 1e-3 * abs(wanted[0])
  found = krylov.arnoldi(times, n, n).values
  assert_same(*(x[np.abs(x) > edge] for x in (found, wanted)), edge / 10)
  found = dynamics.eigenvalues(times, n)
  assert len(found.values) == dynamics.EIGENVALUES
  sure = found.residuals < 1e-4
  assert sure[:4].all()
  np.testing.assert_allclose(
      np.abs(found.values[:4]), np.abs(wanted[:4]), rtol=1e-3)
  for value in found.values[sure]:
    assert np.abs(wanted - value).min() <= 1e-2 * abs(value)
  right = found.values.real.argmax()
  assert found.residuals[right] > 1e-3 or abs(
      found.values.real[right] - wanted.real.max()) < 1e-3 * abs(wanted[0])


@pytest.mark.slow
def test_forms_of_convolutions_change_no_product(small, monkeypatch):
  """Of a network with plain, strided, doubled and few-channel convolutions."""
  components, gan, pictures = game_of(small, 'sndcgan')
  state = gan.init(KEY)
  phase = dynamics.phase_of(components, 0)
  w = np.random.default_rng(0).normal(
      size=dynamics.count(components, state, phase)).astype(np.float32)

  def product():
    return np.asarray(jax.jit(lambda state, w: dynamics.transposed_jacobian(
        components, state, pictures, KEY, w, phase))(state, w))

  found = product()
  monkeypatch.setattr(dynamics.forms, 'everywhere', contextlib.nullcontext)
  np.testing.assert_allclose(
      found, product(), atol=2e-5 * np.abs(found).max())


def at(state, theta, psi):
  return state.replace(
      g=state.g.replace(params={'theta': jnp.float32(theta)}),
      d=state.d.replace(params={'psi': jnp.float32(psi)}))


def reals_at(x):
  return Batch(jnp.full((1, 4, 1, 1, 1), x), jnp.zeros((1, 4), int))


@pytest.mark.parametrize('every', [1, 4])
def test_gradients_are_those_of_both_players_at_one_point(every):
  """Of a lazy penalty they have the mean over steps."""
  components, state = game_of_dirac(
      loss='non_saturating', penalty='r1', penalty_weight=.6,
      penalty_every_d_steps=every)
  theta, psi, x = .8, -.3, 1.5
  found = dynamics.gradients(components, at(state, theta, psi), reals_at(x),
                             KEY, dynamics.phase_of(components, 0))

  def sigmoid(t):
    return 1 / (1 + np.exp(-t))

  np.testing.assert_allclose(
      found.d['psi'], theta * sigmoid(psi * theta) - x * sigmoid(-psi * x)
      + .6 * psi, rtol=1e-5)
  np.testing.assert_allclose(
      found.g['theta'], -psi * sigmoid(-psi * theta), rtol=1e-5)


def test_slopes_and_logits_of_a_linear_d():
  components, state = game_of_dirac(loss='wasserstein')
  found = dynamics.of_pictures(
      components, at(state, .8, -.3), reals_at(1.5), KEY,
      dynamics.phase_of(components, 0))
  np.testing.assert_allclose(found.d_real, np.full(4, -.45), rtol=1e-6)
  np.testing.assert_allclose(found.d_fake, np.full(4, -.24), rtol=1e-6)
  slopes, = found.slopes
  np.testing.assert_allclose(slopes, np.full(4, .3), rtol=1e-6)


class Stretch(nn.Module):
  """G of two levels: factors times the numbers of z, then a map of them."""

  @nn.compact
  def __call__(self, z, condition=NOTHING, train=False):
    factors = self.param('factors', nn.initializers.ones, (2,))
    kernel = self.param('kernel', nn.initializers.ones, (3, 5))
    return (z[:, :2] * factors)[:, None, None], (z @ kernel)[:, None, None]


@pytest.mark.parametrize('at_once, numbers', [(3, 1e9), (2, 1e9), (1, 4)])
def test_condition_numbers_are_those_of_dense_matrices(
    at_once, numbers, monkeypatch):
  """At every level, and however few rows and pixels are seen at a time."""
  monkeypatch.setattr(condition_number, 'JACOBIAN_BYTES', 4 * 3 * numbers)
  monkeypatch.setattr(condition_number, 'BLOCK', 2)
  components, state = game_of_dirac(loss='wasserstein')
  config = dataclasses.replace(
      components.config, networks=dataclasses.replace(
          components.config.networks, latent=3))
  components = dataclasses.replace(components, config=config, players=Players(
      Stretch(), Psi(), (1, 1)))
  kernel = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float32)
  state = state.replace(g=state.g.replace(
      params={'factors': jnp.array([5., -.5]), 'kernel': kernel}))
  found = condition_number.log_conditions(
      lambda vectors: condition_number.products(
          components, state, reals_at(0.), KEY, vectors,
          dynamics.phase_of(components, 0)), 3, at_once, False)
  np.testing.assert_allclose(
      found, [np.log(100), 2 * np.log(np.linalg.cond(kernel))], rtol=1e-5)


def test_the_radius_of_a_sphere_does_not_count():
  z = np.array([3., 4., 0.])
  tangent = np.array([[-.8, .6, 0], [0, 0, 1]])  # Orthogonal to z.
  metric = tangent.T @ np.diag([4., 36.]) @ tangent
  found = condition_number.log_condition(metric, 7, z, True)
  np.testing.assert_allclose(found, np.log(9), rtol=1e-6)
  worst = condition_number.log_condition(metric, 7, z, False)
  np.testing.assert_allclose(worst, -2 * np.log(2.**-23), rtol=1e-6)
  assert np.isnan(condition_number.log_condition(0 * metric, 7, z, False))


@pytest.mark.parametrize('name, law, wanted', [
    ('mlp', 'normal', False), ('mlp', 'sphere', True),
    ('stylegan2', 'normal', True)])
def test_what_lies_on_a_sphere_is_known(small, name, law, wanted):
  components, _, _ = game_of(small, name, networks__latent_law=law)
  assert condition_number.is_on_sphere(components) == wanted


def test_overfitting_is_0_of_one_kind_of_reals_and_1_of_fakes():
  assert dynamics.overfitting(2., 2., -1.) == 0
  assert dynamics.overfitting(2., -1., -1.) == 1
  assert np.isnan(dynamics.overfitting(2., 1., 2.))


def test_angles_and_shares_of_trees():
  a, b = ({'x': np.array([x, 0.]), 'y': np.array([y])}
          for x, y in ((1, 0), (1, 1)))
  np.testing.assert_allclose(dynamics.angle(a, b), 45)
  np.testing.assert_allclose(dynamics.angle(a, jax.tree.map(
      np.negative, a)), 180)
  assert np.isnan(dynamics.angle(a, jax.tree.map(np.zeros_like, a)))
  np.testing.assert_allclose(dynamics.share_moved(b, a), .5**.5)


FAMILIES = ('mlp', 'vanilla', 'infogan', 'dcgan_32', 'resnet_cifar', 'lapgan',
            'msg_progan', 'progan', 'stylegan', 'stylegan2', 'r3gan')
PIXELS = {
    **dict.fromkeys(('mlp', 'vanilla', 'infogan', 'msg_progan', 'bmsg_gan',
                     'progan', 'stylegan', 'stylegan2', 'stylegan2_plain',
                     'r3gan'), 8),
    **dict.fromkeys((
        'dcgan', 'dcgan_32', 'dcgan_64', 'dcgan_compare_gan', 'resnet_cifar',
        'resnet_mimicry_64', 'resnet_mimicry_48', 'resnet_stl'), 32),
    'resnet19': 64, 'resnet_mimicry_128': 64}


def game_of(small, name, **settings):
  """(Components, State's shapes, a batch) of a network, small."""
  on_ladder = name in ('msg_progan', 'bmsg_gan', 'stylegan2', 'r3gan')
  config = small(**dict(
      networks__name=name, networks__fmap_max=4, networks__fmap_base=8,
      networks__latent=100 + 16**2 if name == 'lapgan' else 4,
      networks__scales='all' if on_ladder else 'none', networks__phi='lin_cat'
      if name == 'bmsg_gan' else 'simple',
      networks__stddev='none', train__batch=4,
      data__resolution=PIXELS.get(name, 16), objective__drift=0.,
      objective__penalty='r1', **(
          {'networks__w': 4, 'networks__mapping_layers': 2}
          if name.startswith('style') else {}),
      **({'train__level_images': 64} if name == 'lapgan' else {})) | settings)
  gan = build(config)
  return dynamics.exact(gan.components), gan, batch(config)


def layers_of(components, state, batch, phase):
  """{player: its Layers}, and the arguments of each, shapes or arrays."""
  players = components.players.stage(phase.level)
  passes = jax.eval_shape(
      lambda state: dynamics.one_pass(components, state, batch, KEY, phase),
      state)
  return {name: Layers(getattr(players, name), *arguments)
          for name, arguments in passes.items()}, passes


@pytest.mark.parametrize('name', [
    *FAMILIES, *(pytest.param(name, marks=pytest.mark.slow)
                 for name in NETWORKS if name not in FAMILIES)])
def test_every_network_can_be_looked_into(small, name):
  """By shapes alone: the next test computes those of each family."""
  components, gan, pictures = game_of(small, name)
  state = jax.eval_shape(gan.init, KEY)
  phase = dynamics.phase_of(components, 0)
  found, passes = layers_of(components, state, pictures, phase)
  for player, (params, *_) in passes.items():
    names = {x.layer.name for x in found[player].operators}
    kernels = {
        '/'.join(part.key for part in path[:-1]) for path, _ in
        jax.tree_util.tree_flatten_with_path(params)[0]
        if path[-1].key == 'kernel'}
    assert names <= kernels
    # No layer is overlooked, but tensors that are none are.
    assert all(x.split('_')[0] in ('basis', 'linear') or 'constant' in x
               for x in kernels - names), kernels - names
  n = dynamics.count(components, state, phase)
  w = jax.ShapeDtypeStruct((n,), jnp.float32)
  assert jax.eval_shape(lambda state, w: dynamics.transposed_jacobian(
      components, state, pictures, KEY, w, phase), state, w).shape == (n,)
  latent, levels = components.config.networks.latent, len(
      components.players.stage(phase.level).sizes)
  _, rows = jax.eval_shape(lambda state: condition_number.products(
      components, state, pictures, KEY, np.eye(2, latent), phase), state)
  assert [len(x) for x in rows] == [2] * levels


@pytest.mark.slow
@pytest.mark.parametrize('name', FAMILIES)
def test_every_family_has_finite_numbers(small, name):
  components, gan, pictures = game_of(small, name)
  state = gan.init(KEY)
  phase = dynamics.phase_of(components, 0)

  def run(function, *more):
    return jax.jit(lambda *arrays: function(
        components, *arrays, phase))(state, pictures, KEY, *more)

  n = dynamics.count(components, state, phase)
  w = np.random.default_rng(0).normal(size=n).astype(np.float32)
  product = run(dynamics.transposed_jacobian, w)
  assert np.isfinite(product).all() and np.abs(product).max() > 0
  found = run(dynamics.of_pictures)
  assert all(np.isfinite(x).all() for x in jax.tree.leaves(found))
  assert len(found.slopes) == len(
      components.players.stage(phase.level).sizes)
  assert condition_number.why_none(components) == ''
  program = jax.jit(lambda *arrays: condition_number.products(
      components, *arrays, phase))
  assert np.isfinite(condition_number.log_conditions(
      lambda vectors: program(state, pictures, KEY, vectors),
      components.config.networks.latent, 64,
      condition_number.is_on_sphere(components))).all()
  for player, arguments in run(dynamics.one_pass).items():
    players = components.players.stage(phase.level)
    for operator, now in Layers(getattr(players, player), *arguments).of(
        *arguments):
      strength = operator.strength(*now)
      assert 0 <= strength.spectral_norm < 1e4, operator.layer.name
      # R3GAN's blocks begin as the identity, with a last layer of zeros.
      assert strength.stable_rank >= 1 - 1e-3 or name == 'r3gan'


@pytest.mark.slow
@pytest.mark.parametrize('preset, settings', [
    # Path length, lazy R1, augmentation with feedback, noise, style mixing.
    ('stylegan2_ada', dict(data__resolution=8)),
    # Conditional norms, projection, several updates of D, moments of a batch.
    ('mimicry_cgan_pd32', dict(networks__classes=3)),
    ('acgan', dict(networks__classes=3)), ('wgan', {}), ('wgan_gp_dcgan', {})])
def test_every_part_of_an_objective_is_in_the_game(preset, settings, small):
  config = small(preset, **dict(
      train__batch=4, data__resolution=32, networks__fmap_max=4,
      networks__latent=4) | settings)
  gan, pictures = build(config), batch(config)
  components, state = dynamics.exact(gan.components), gan.init(KEY)
  phase = dynamics.phase_of(components, 0)
  assert phase.penalize_g == (config.objective.g_penalty != 'none')
  w = np.ones(dynamics.count(components, state, phase), np.float32)
  product = jax.jit(lambda state, w: dynamics.transposed_jacobian(
      components, state, pictures, KEY, w, phase))(state, w)
  assert np.isfinite(product).all() and np.abs(product).max() > 0
  assert all(np.isfinite(x).all() for x in jax.tree.leaves(
      dynamics.of_pictures(components, state, pictures, KEY, phase)))


def test_batch_moments_leave_no_jacobian_of_one_picture(small):
  components, _, _ = game_of(
      small, 'dcgan_32', networks__g_norm='batch',
      networks__statistics='batch')
  assert "statistics = 'batch'" in condition_number.why_none(components)

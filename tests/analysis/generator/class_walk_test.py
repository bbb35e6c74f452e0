"""Laws of walks from one class to another, and of shares of classes."""
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.analysis import trained
from msg_gan_jax.analysis.generator import walk
from msg_gan_jax.analysis.trained import Latents
from msg_gan_jax.arrays import pixels
from msg_gan_jax.gan import build, sampling
from msg_gan_jax.gan.networks import layers, norms

SIZE = dict(data__resolution=8, networks__fmap_max=4, networks__fmap_base=16,
            networks__latent=6, networks__classes=3)
STYLED = dict(networks__g_condition='mapping', networks__w=6,
              networks__mapping_layers=2, **SIZE)
# One for each way in which a class enters G.
TOLD = {
    'beside z': dict(preset='cgan_concat', networks__g_condition='concat',
                     **SIZE),
    'scales and shifts': dict(
        preset='cgan_concat', networks__g_condition='batch_norm', **SIZE),
    'rows beside z, mapped': dict(
        preset='stylegan', networks__d_condition='switch', train__grow_from=0,
        train__grow_batches='', train__grow_rates='', **STYLED),
    'a vector beside z, mapped': dict(
        preset='stylegan2', networks__d_condition='projection', **STYLED),
}


def made(config):
  gan = build.build(config)
  random = np.random.default_rng(1)

  def drawn(path, x):
    """As `init` would, about; no picture is black or white."""
    path = jax.tree_util.keystr(path)
    scale = 50 if 'mapping' in path and 'dense' in path else (
        .1 if 'rgb' in path or 'image' in path else .5)
    x = jnp.asarray(scale * random.normal(size=x.shape), x.dtype)
    return jnp.abs(x) if 'var' in path else x

  state = jax.tree_util.tree_map_with_path(
      drawn, jax.eval_shape(gan.init, jax.random.key(0)))
  return trained.Trained(config, gan, state)


@pytest.fixture(scope='module', params=TOLD)
def told(small, request):
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(sampling, 'PIXELS', 3 * 8**2)  # Programs for three pictures.
    yield made(small(**TOLD[request.param]))


def pictures(told, z, labels):
  """Those that `Gan.sample` draws of whole classes, [n, H, W, C]."""
  return np.asarray(pixels.to_uint8(told.gan.sample(
      told.state, z, np.asarray(labels, np.int32))[-1]))


# Shares.


def test_shares_of_one_class_are_that_class():
  table = jnp.asarray(np.random.default_rng(0).normal(size=(4, 5)), jnp.float32)
  labels = jnp.array([2, 0])
  np.testing.assert_array_equal(
      layers.rows_of(table, layers.class_shares(labels, 4)), table[labels])
  shares = jnp.array([[.25, .75, 0, 0]])
  np.testing.assert_allclose(
      layers.rows_of(table, shares)[0], .25 * table[0] + .75 * table[1],
      rtol=1e-6)
  np.testing.assert_array_equal(layers.class_shares(shares, 4), shares)


def test_scales_and_shifts_are_averaged():
  layer = norms.Normalize('batch', classes=2)
  x = jnp.ones((1, 2, 2, 1))
  variables = {
      'params': {'scale': jnp.array([[1.], [3.]]),
                 'bias': jnp.array([[0.], [10.]])},
      'stats': {'mean': jnp.zeros(1), 'var': jnp.ones(1) - 1e-5}}

  def at(labels):
    return float(layer.apply(
        variables, x, norms.PassInfo(labels=labels)).mean())

  assert at(jnp.array([0])) == pytest.approx(1)
  assert at(jnp.array([1])) == pytest.approx(13)
  assert at(jnp.array([[.75, .25]])) == pytest.approx(1.5 + 2.5)


@pytest.mark.parametrize('shares, text', [
    (np.full((2, 2), .5), r'float shares \[B, 3\].* found float64 \[2, 2\]'),
    (np.full((2, 3), .5), 'add up to 1'),
    (np.full(2, .5), r'found float64 \[2\]'),
])
def test_shares_of_other_classes_are_refused(small, shares, text):
  gan = build.build(small(**TOLD['beside z']))
  with pytest.raises(ValueError, match=f'^labels: .*{text}'):
    gan.latents(None, np.zeros((2, 6), np.float32), shares)


# Walks.


@pytest.mark.slow
@pytest.mark.parametrize('space', ['z', 'w'])
@pytest.mark.parametrize('between', ['class', 'both'])
def test_a_walk_ends_at_the_samples_of_its_classes(told, space, between):
  if space == 'w' and not told.layers:
    return
  z = np.asarray(told.gan.draw(jax.random.key(2), 2))
  styles, labels = walk.styles_on_walk(
      told, 5, Latents(z, labels=np.array([2, 1], np.int32)), space=space,
      loop=False, between=between)
  ends = z if between == 'both' else z[[0, 0]]
  drawn = told.finest(styles, labels)
  np.testing.assert_array_equal(drawn[[0, -1]], pictures(told, ends, [2, 1]))
  assert (drawn[2] != drawn[0]).any() and (drawn[2] != drawn[-1]).any()


@pytest.mark.slow
def test_between_classes_the_shares_grow_evenly(told):
  z = np.asarray(told.gan.draw(jax.random.key(2), 1)).repeat(3, 0)
  _, labels = walk.styles_on_walk(
      told, 5, Latents(z, labels=np.array([2, 1, 0], np.int32)), space='z',
      loop=False, between='class')
  np.testing.assert_allclose(labels, [
      [0, 0, 1], [0, .5, .5], [0, 1, 0], [.5, .5, 0], [1, 0, 0]], atol=1e-6)


@pytest.mark.slow
def test_a_walk_of_z_alone_stays_in_its_class(told):
  z = np.asarray(told.gan.draw(jax.random.key(2), 2))
  for space in ('z', 'w') if told.layers else ('z',):
    ones = Latents(z, labels=np.array([1, 1], np.int32))
    styles, labels = walk.styles_on_walk(
        told, 3, ones, space=space, loop=False, between='z')
    np.testing.assert_array_equal(
        told.finest(styles, labels)[[0, -1]], pictures(told, z, [1, 1]))
    with pytest.raises(ValueError, match=r'^labels: a walk in z stays in one '
                       r'class; .*labels=1, or between=both\.'):
      walk.styles_on_walk(told, 3, Latents(z, labels=np.array([1, 2])),
                          space=space, between='z')
    # All classes in turn are the first one, as they were.
    _, labels = walk.styles_on_walk(told, 3, Latents(z), between='z')
    assert (labels == 0).all()


@pytest.mark.slow
def test_beside_the_same_company_shares_are_drawn_too(small):
  """Of statistics of the batch each picture is drawn amid the same others."""
  config = small(**TOLD['scales and shifts'], networks__statistics='batch')
  found = made(config)
  z = np.asarray(found.gan.draw(jax.random.key(2), 2))
  styles, labels = walk.styles_on_walk(
      found, 3, Latents(z, labels=np.array([0, 2])), loop=False, between='both')
  np.testing.assert_array_equal(
      found.finest(styles, labels)[[0, -1]],
      found.finest(z, np.array([0, 2], np.int32)))


# What cannot be.


@pytest.mark.slow
def test_what_walks_nowhere_is_told(told):
  z = np.asarray(told.gan.draw(jax.random.key(2), 2))
  with pytest.raises(ValueError, match=r'^labels: between=class walks from one '
                     r'class to another, and all stops are of class 1; '):
    walk.styles_on_walk(
        told, 3, Latents(z, labels=np.array([1, 1])), between='class')
  with pytest.raises(ValueError, match="^between: wanted 'z', 'class' or 'bot"):
    walk.styles_on_walk(told, 3, Latents(z), between='classes')
  if told.layers:
    with pytest.raises(ValueError, match='^w: given, but w has its class in '):
      walk.styles_on_walk(told, 3, Latents(w=z), between='class')


@pytest.mark.slow
def test_without_classes_there_is_nothing_between_them(small):
  found = made(small(**{**SIZE, 'networks__classes': 0}))
  with pytest.raises(ValueError, match=r"^between: 'both', but the GAN was tra"
                     r"ined without classes \(config\.networks\.classes = 0\)"):
    walk.styles_on_walk(found, 3, Latents(np.ones((2, 6), np.float32)),
                        between='both')


class Whole(nn.Module):
  """Layers of somebody who knows whole classes alone."""

  @nn.compact
  def __call__(self, z, condition, train=False):
    known = nn.Embed(3, z.shape[-1])(condition.labels)
    return (nn.Dense(192)(z * known).reshape(-1, 8, 8, 3),)


@pytest.mark.slow
def test_a_generator_that_takes_whole_classes_alone_says_so(small, monkeypatch):
  config = small(**TOLD['scales and shifts'])
  gan = build.build(config)
  components = gan.components
  whole = build.Gan(components.__class__(**{
      **vars(components),
      'players': components.players._replace(g=Whole())}))
  player = components.players
  assert player.g is not whole.components.players.g
  state = jax.eval_shape(gan.init, jax.random.key(0))
  params = jax.eval_shape(lambda z: Whole().init(
      jax.random.key(0), z, build.Condition(jnp.zeros(1, int))),
      jnp.zeros((1, 6)))['params']
  ones = jax.tree.map(lambda x: jnp.ones(x.shape, x.dtype), params)
  state = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), state)
  state = state.replace(ema=state.ema.replace(params=ones, stats={}))
  found = trained.Trained(config, whole, state)
  z = np.ones((2, 6), np.float32)
  with pytest.raises(ValueError, match=r'^trained: this generator takes whole '
                     r'classes alone, .* Wanted layers that take shares of cl'):
    walk.styles_on_walk(
        found, 3, Latents(z, labels=np.array([0, 2])), between='both')
  assert walk.styles_on_walk(
      found, 3, Latents(z, labels=np.array([2, 2])))[1].tolist() == [2] * 3

"""Laws of directions that are found without labels."""
import types

from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.analysis import trained
from msg_gan_jax.analysis.generator import (
  directions,
  latent_layers,
  strips,
)
from msg_gan_jax.analysis.trained import Latents
from msg_gan_jax.gan import build

SMALL = dict(networks__fmap_max=4, networks__fmap_base=16)
STYLED = dict(networks__w=6, networks__mapping_layers=2, **SMALL)


def normal(*shape, seed=0):
  return np.random.default_rng(seed).normal(size=shape)


def random_state(gan, scale=.5):
  """About as `init` would, without compiling that."""
  random = np.random.default_rng(1)

  def drawn(path, x):
    x = jnp.asarray(scale * random.normal(size=x.shape), x.dtype)
    return jnp.abs(x) if 'var' in jax.tree_util.keystr(path) else x

  return jax.tree_util.tree_map_with_path(
      drawn, jax.eval_shape(gan.init, jax.random.key(0)))


def made(config):
  gan = build.build(config)
  return trained.Trained(config, gan, random_state(gan))


@pytest.fixture(scope='module')
def styled(small):
  return made(small('stylegan2', **STYLED))


@pytest.fixture(scope='module')
def plain(small):
  return made(small(**SMALL))


# Closed forms.


@pytest.mark.parametrize('n, d', [(200, 7), (9, 30)])
def test_components_are_those_of_a_singular_value_decomposition(n, d):
  x = normal(n, d) * np.linspace(3, .5, d) + 5
  vectors, variances = directions.principal(x, 5)
  _, values, wanted = np.linalg.svd(x - x.mean(0), full_matrices=False)
  np.testing.assert_allclose(variances, values[:5]**2 / (n - 1), rtol=1e-9)
  np.testing.assert_allclose(
      np.abs((vectors * wanted[:5]).sum(1)), 1, atol=1e-9)
  np.testing.assert_allclose(vectors @ vectors.T, np.eye(5), atol=1e-9)
  assert (vectors.max(1) == np.abs(vectors).max(1)).all()


def test_the_closed_form_has_the_eigenvectors_of_the_weights():
  a = normal(40, 6)
  vectors, values = directions.closed_form(a, 6)
  _, wanted, right = np.linalg.svd(a)
  np.testing.assert_allclose(values, wanted**2, rtol=1e-9)
  np.testing.assert_allclose(np.abs((vectors * right).sum(1)), 1, atol=1e-9)
  # What it is for: no other direction is lengthened as much as the first.
  others = normal(100, 6, seed=1)
  others /= np.linalg.norm(others, axis=1, keepdims=True)
  assert (np.linalg.norm(others @ a.T, axis=1)
          < np.linalg.norm(vectors[0] @ a.T)).all()


def test_scores_that_z_has_made_are_led_back_to_it():
  z = normal(500, 6)
  basis = np.linalg.qr(normal(6, 6, seed=1))[0][:3]
  found = directions.regressed(z @ basis.T, z)
  # Up to what 500 samples leave of a correlation.
  np.testing.assert_allclose((found * basis).sum(1), 1, atol=.02)
  np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)


class Linear(nn.Module):
  """A generator of one linear layer, or of two."""
  second: bool = False

  @nn.compact
  def __call__(self, z, condition=None, train=False):
    y = nn.Dense(48, name='first')(z)
    if self.second:
      y = nn.Dense(48, name='second')(nn.relu(y))
    return (y.reshape(-1, 4, 4, 3),)


def linear(matrix, second=False):
  """A Trained with such a generator whose first layer is `matrix`."""
  g = Linear(second)
  params = g.init(jax.random.key(0), jnp.zeros((1, len(matrix))))['params']
  params['first']['kernel'] = jnp.asarray(matrix, jnp.float32)
  gan = types.SimpleNamespace(
      components=types.SimpleNamespace(
          players=types.SimpleNamespace(g=g),
          with_labels=lambda player, z, condition: z),
      draw=lambda key, n: jax.random.normal(key, (n, len(matrix))))
  return types.SimpleNamespace(
      gan=gan, layers=0, weights='ema', latent_law='normal',
      labels_in_turn=lambda n: None, space_of=lambda asked='': 'z',
      state=types.SimpleNamespace(ema=types.SimpleNamespace(
          params=params, stats={})))


def test_of_a_linear_generator_both_methods_know_the_way():
  """An axis is 4 times, then 3, 2 and 1 as long as the rest of the picture."""
  axes = np.linalg.qr(normal(5, 5))[0]
  onto = np.linalg.qr(normal(48, 48, seed=1))[0][:5]
  matrix = axes.T @ (np.array([4, 3, 2, 1, .1])[:, None] * onto)
  found = linear(matrix)
  np.testing.assert_allclose(
      latent_layers.weights(found), matrix.T, atol=1e-5)
  sefa = directions.find(found, 'sefa', 4, 2000)
  np.testing.assert_allclose(
      np.abs((sefa.vectors * axes[:4]).sum(1)), 1, atol=1e-4)
  np.testing.assert_allclose(sefa.strengths, [16, 9, 4, 1], rtol=1e-4)
  np.testing.assert_allclose(sefa.steps, 1, atol=.06)
  pca = directions.find(found, 'pca', 4, 2000)
  np.testing.assert_allclose(
      np.abs((pca.vectors * axes[:4]).sum(1)), 1, atol=.02)
  np.testing.assert_allclose(
      pca.strengths, np.array([16, 9, 4, 1]) / 30.01, atol=.03)
  assert sefa.names == ('sefa_01', 'sefa_02', 'sefa_03', 'sefa_04')


def test_features_are_what_the_second_layer_is_given():
  matrix = normal(5, 48)
  z = normal(7, 5, seed=1).astype(np.float32)
  np.testing.assert_allclose(
      latent_layers.features(linear(matrix, second=True), z),
      np.maximum(z @ matrix, 0), atol=1e-4)
  np.testing.assert_allclose(
      latent_layers.features(linear(matrix), z), z @ matrix, atol=1e-4)


def test_sefa_of_styles_is_of_all_their_layers(styled):
  params = styled.state.ema.params['synthesis']
  wanted = [x['style']['kernel'] for x in params.values() if 'style' in x]
  assert len(wanted) >= styled.layers
  # Equalized: divided by the root of the inputs.
  wanted = np.concatenate([np.asarray(x, float).T for x in wanted]) / 6**.5
  found = directions.find(styled, 'sefa', 6, 50)
  values, vectors = np.linalg.eigh(wanted.T @ wanted)
  np.testing.assert_allclose(found.strengths, values[::-1], rtol=1e-4)
  np.testing.assert_allclose(
      np.abs((found.vectors * vectors.T[::-1]).sum(1)), 1, atol=1e-3)
  assert found.space == 'w' and found.vectors.shape == (6, 6)


def test_pca_of_a_mapping_is_that_of_w(styled):
  z, labels = directions.samples_of(styled, 60)
  w = styled.styles(z, labels)[:, 0]
  _, values, wanted = np.linalg.svd(w - w.mean(0), full_matrices=False)
  found = directions.find(styled, 'pca', 3, 60)
  np.testing.assert_allclose(
      np.abs((found.vectors * wanted[:3]).sum(1)), 1, atol=1e-3)
  np.testing.assert_allclose(
      found.strengths, values[:3]**2 / (values**2).sum(), rtol=1e-3)
  np.testing.assert_allclose(
      found.steps, values[:3] / 60**.5, rtol=1e-3)


# The networks.


def test_equalized_and_normalized_weights_are_as_they_are_used(plain, small):
  kernel = np.asarray(plain.state.ema.params['block_4_conv_1']['kernel'])
  h, w, latent, maps = kernel.shape
  wanted = kernel.transpose(0, 1, 3, 2).reshape(-1, latent)
  found = latent_layers.weights(plain)
  ratio = found / wanted
  np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-3)
  assert ratio[0, 0] == pytest.approx((2 / (latent * h * w))**.5, rel=1e-3)
  normed = made(small('landscape_sndcgan', networks__g_weight_norm='spectral',
                      **SMALL))
  found = latent_layers.weights(normed)
  z = normal(3, 8).astype(np.float32)
  assert found.shape[1] == 8 and np.isfinite(found).all()
  # It is linear in z: the step from one feature to another is the weights'.
  linear_in = latent_layers.features(plain, z)
  assert linear_in.shape == (3, 4 * 4 * maps)


# Of each family of networks its smallest.
FAMILIES = {
    'msg_progan': 8, 'stylegan': 8, 'stylegan2': 8, 'r3gan': 8, 'mlp': 8,
    'vanilla': 8, 'infogan': 8, 'sndcgan': 16, 'resnet_cifar': 16}


def of_family(small, name, told):
  """A Config of a row of NETWORKS, told three classes or none."""
  mapped = name in ('stylegan', 'stylegan2', 'r3gan')
  return small(
      networks__name=name, data__resolution=FAMILIES[name], networks__latent=4,
      networks__fmap_max=4, networks__fmap_base=8, networks__scales='none',
      networks__stddev='none', objective__drift=0., optimizer__name='adam',
      **(dict(networks__w=4, networks__mapping_layers=2)
         if name.startswith('style') else {}),
      **(dict(networks__classes=3,
              networks__g_condition='mapping' if mapped else 'concat',
              networks__d_condition='mapped_projection'
              if name == 'r3gan' else 'projection') if told else {}))


@pytest.mark.slow
@pytest.mark.parametrize('told', [False, True])
@pytest.mark.parametrize('name', FAMILIES)
def test_every_family_takes_its_latent_in_somewhere(small, name, told):
  found = made(of_family(small, name, told))
  weights = latent_layers.weights(found)
  assert weights.shape[1] == 4 and np.isfinite(weights).all()
  assert np.abs(weights).max(0).min() > 0  # Each number of z has a weight.
  for method in directions.METHODS:
    got = directions.find(found, method, 2, 20)
    np.testing.assert_allclose(
        np.linalg.norm(got.vectors, axis=1), 1, rtol=1e-6)
    assert got.vectors.shape == (2, 4) and (got.steps > 0).all()
    assert got.space == ('w' if found.layers else 'z')


@pytest.mark.slow
def test_the_chain_of_lapgan_takes_z_in_in_parts(small):
  found = made(small('lapgan', networks__fmap_max=4, networks__latent=100 + 256,
                     data__resolution=16))
  for method in directions.METHODS:
    with pytest.raises(ValueError, match=r'^method: no one layer .*\(lapgan\)'):
      directions.find(found, method, 2, 20)


@pytest.mark.slow
def test_a_generator_that_is_computed_again_is_listened_to_as_well(small):
  one, other = (made(small(networks__remat=remat, **SMALL))
                for remat in (False, True))
  z = normal(3, 8).astype(np.float32)
  np.testing.assert_allclose(
      latent_layers.features(one, z), latent_layers.features(other, z))


# What cannot be.


@pytest.mark.parametrize('method, count, samples, space, text', [
    ('pca', 9, 50, '', '^components: 9, but there are at most 8 of 50 samples'),
    ('pca', 5, 5, '', '^components: 5, but there are at most 4 of 5 samples'),
    ('sefa', 9, 50, '', '^components: 9, but there are at most 8'),
    ('ica', 2, 50, '', "^method: .*Known: pca, sefa"),
    ('pca', 2, 50, 'w', "^space: 'w', but this GAN has no mapping network"),
])
def test_what_cannot_be_found_is_told(plain, method, count, samples, space,
                                      text):
  with pytest.raises(ValueError, match=text):
    directions.find(plain, method, count, samples, space)


def test_of_a_mapping_these_methods_are_in_w(styled):
  with pytest.raises(ValueError, match="^space: 'z', but sefa is of what a m"):
    directions.find(styled, 'sefa', 2, 50, 'z')


# Strips.


def test_the_places_of_a_strip_are_steps_apart():
  found = directions.moved(normal(2, 5), np.eye(5)[1], 2., strips.PLACES)
  assert found.shape == (2, 7, 5)
  np.testing.assert_allclose(np.diff(found[..., 1]), 2, rtol=1e-5)
  np.testing.assert_array_equal(np.diff(found[..., [0, 2, 3, 4]], axis=1), 0)
  np.testing.assert_allclose(found[:, 3], normal(2, 5), rtol=1e-6)


def test_the_middle_of_a_strip_is_the_sample(plain):
  z = np.asarray(plain.gan.draw(jax.random.key(3), 2))
  like = Latents(z)
  drawn, moved = strips.strip(plain, z, np.eye(8)[0], 1., 'z', like)
  assert len(drawn) == 14 and moved.shape == (2, 7, 8)
  wanted = [*plain.images(z)]
  for got, levels in zip((drawn[3], drawn[10]), wanted, strict=True):
    for a, b in zip(got, levels, strict=True):
      np.testing.assert_array_equal(a, b)
  np.testing.assert_allclose((moved**2).sum(-1), 8, rtol=1e-4)  # The sphere.


def test_what_was_found_is_written_and_read_again(plain, tmp_path):
  found = directions.find(plain, 'sefa', 2, 50)
  z = np.asarray(plain.gan.draw(jax.random.key(3), 2))
  paths = strips.write(tmp_path / 'new', plain, found, Latents(z))
  assert sorted(x.name for x in (tmp_path / 'new').iterdir()) == sorted(
      path.rpartition('/')[2] for path in paths + [
          f'{tmp_path}/new/sefa_01_z.npy', f'{tmp_path}/new/sefa_02_z.npy'])
  with np.load(tmp_path / 'new' / 'directions.npz') as again:
    for name, value in found._asdict().items():
      np.testing.assert_array_equal(again[name], value)
  walked = np.load(tmp_path / 'new' / 'sefa_02_z.npy')
  np.testing.assert_array_equal(walked, strips.strip(
      plain, z[:1], found.vectors[1], found.steps[1], 'z', Latents(z[:1])
      )[1][0])


def test_w_is_no_place_for_directions_in_z(plain, tmp_path):
  found = directions.find(plain, 'sefa', 1, 50)
  with pytest.raises(ValueError, match='^w: given, but these directions are '):
    strips.write(tmp_path, plain, found, Latents(w=normal(2, 8)))

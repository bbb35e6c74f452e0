"""Laws of the fully connected networks."""
import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.data import batches, sources
from msg_gan_jax.gan.build import build
from msg_gan_jax.metrics.functional.mixture_modes import modes


def toy(small, **settings):
  return small(**{**dict(
      data__name='ring', data__resolution=1, data__channels=2,
      networks__name='mlp', networks__stddev='none', networks__latent=2,
      networks__fmap_max=16), **settings})


@pytest.mark.slow
@pytest.mark.parametrize('height, width, channels', [
    (1, 1, 2), (8, 8, 1), (5, 7, 3)])
def test_pictures_of_any_shape_are_one_level(small, height, width, channels):
  gan = build(toy(small, data__resolution=height, data__width=width,
                  data__channels=channels))
  assert gan.sizes == (height,)
  state = gan.init(jax.random.key(0))
  images = gan.g(state.g.params, gan.draw(jax.random.key(1), 6))
  assert [x.shape for x in images] == [(6, height, width, channels)]
  chex.assert_shape(gan.d(state.d.params, images).logits, (6,))


def test_there_are_three_hidden_layers_of_the_width_in_each(small):
  state = jax.eval_shape(build(toy(small)).init, jax.random.key(0))

  def shapes(params):
    return {name: layer['kernel'].shape[-2:] for name, layer in params.items()}
  deep = {'hidden_2': (16, 16), 'hidden_3': (16, 16)}
  assert shapes(state.g.params) == {
      'hidden_1': (2, 16), **deep, 'image': (16, 2)}
  assert shapes(state.d.params) == {
      'hidden_1': (2, 16), **deep, 'score': (16, 1)}


def test_d_is_what_its_plain_form_says(small):
  gan = build(toy(small, data__resolution=3))
  params = gan.init(jax.random.key(0)).d.params
  images = jax.random.normal(jax.random.key(1), (6, 3, 3, 2))
  x = images.reshape(6, -1)
  for i in (1, 2, 3):
    layer = params[f'hidden_{i}']
    kernel = layer['kernel'].reshape(x.shape[1], -1)
    x = jnp.maximum(x @ kernel * np.sqrt(2 / len(kernel)) + layer['bias'], 0)
  score = params['score']
  wanted = x @ score['kernel'][0, 0] / 4 + score['bias']  # 4 = sqrt(16)
  chex.assert_trees_all_close(
      gan.d(params, (images,)).logits, wanted[:, 0], rtol=1e-5, atol=1e-5)


def test_signals_keep_their_size_through_wide_layers(small):
  # He et al. 2015: the mean square stays, and the linear output is as large.
  gan = build(toy(small, networks__fmap_max=512, data__resolution=8))
  state = gan.init(jax.random.key(0))
  images, = gan.g(state.g.params, gan.draw(jax.random.key(1), 64))
  assert .7 < float(jnp.sqrt((images**2).mean())) < 1.4


@pytest.mark.parametrize('settings, words', [
    (dict(networks__scales='coarse'), r"config\.networks\.scales: 'coarse', .*"
                                      r"wanted 'all' or 'none'\."),
    (dict(networks__stddev='every'), r"config\.networks\.stddev: 'every' means "
                                     r"nothing .*wanted 'none' or another"),
])
def test_settings_of_other_networks_are_refused(small, settings, words):
  with pytest.raises(ValueError, match=words):
    build(toy(small, **settings))


@pytest.mark.slow
def test_the_ring_is_found(small):
  config = toy(
      small, networks__fmap_max=64, train__batch=128, data__count=20_000,
      objective__loss='relativistic', objective__penalty='r1_r2',
      objective__penalty_weight=.1, objective__drift=0.,
      optimizer__name='adam', optimizer__g_rate=.003, optimizer__d_rate=.003)
  gan, source = build(config), sources.open_source(config).train
  stream = batches.open_batches(source, config)
  state, key = gan.init(jax.random.key(0)), jax.random.key(1)
  points = []
  for step in range(3001):  # After 1,000, one jax found 8 and another 7.
    if step in (0, 3000):
      points.append(gan.sample(state, gan.draw(key, 2500))[-1][:, 0, 0])
    batch = stream.at(128 * step, (1, 128))
    state, _ = gan.step(state, batch, key)
  before, after = (modes(x, source.centres, source.std) for x in points)
  assert before.modes <= 4
  assert after.modes == 8 and after.high_quality > .5

"""Laws of what is said of players that hardly answer to their inputs."""
import functools
import re

from flax import linen as nn
import jax
import jax.numpy as jnp
import pytest

from msg_gan_jax.gan import liveliness
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.networks.players import Players
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.state import NOTHING, Verdict
from msg_gan_jax.training import initial_state, loop


class Flat(nn.Module):
  """z -> a picture of one colour, `size` times the first latent."""
  size: float

  @nn.compact
  def __call__(self, z, condition=NOTHING, train=False):
    size = self.param('size', nn.initializers.constant(self.size), (1,))
    self.param('kernel', nn.initializers.ones, (2, 2))  # Drawn at random.
    return (jnp.broadcast_to(
        size * z[:, :1, None, None], (len(z), 16, 16, 3)),)


class Red(nn.Module):
  """A picture -> `size` times its mean red."""
  size: float

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    self.param('kernel', nn.initializers.ones, (2, 2))
    return Verdict(self.size * images[-1][..., 0].mean((1, 2)))


@pytest.fixture
def linear(small, monkeypatch):
  """(g, d) -> Liveliness of players that multiply by these."""
  def of(g, d):
    monkeypatch.setitem(
        NETWORKS, 'linear', lambda config: Players(Flat(g), Red(d), (16,)))
    gan = build(small(
        networks__name='linear', networks__scales='none',
        networks__stddev='none'))
    found = liveliness.of(
        gan.components, gan.init(jax.random.key(0)), jax.random.key(1))
    return float(found.g), float(found.d)
  return of


def test_it_is_the_deviation_of_outputs(linear):
  g, d = linear(1., 1.)
  # Flat colours deviate by 1 / sqrt(3), and the mean of noise hardly: of half
  # of the pictures it is sqrt(1 / 6), as far as 4 of them can say.
  assert .15 < d < .8
  assert .2 < g < 3  # Latents are normal.
  assert linear(.01, 100.) == pytest.approx((.01 * g, 100 * d), rel=1e-4)
  assert linear(0., 0.) == (0., 0.)


def concerns(config):
  gan = build(config)
  state = gan.init(jax.random.key(config.seed))
  return initial_state.concerns(gan, state)


def dragan(small, **settings):
  return small('dragan', **{
      'data__resolution': 32, 'networks__fmap_max': 32,
      'networks__latent': 128, **settings})


def test_a_narrow_d_is_told_and_the_advice_helps(small):
  line, = concerns(dragan(small))
  assert line.startswith('D hardly looks at its pictures')
  advised = dict(re.findall(r'config\.networks\.(\w+)=(\w+)', line))
  assert advised == {'fmap_max': '128', 'deviation': 'he',
                     'd_weight_norm': 'spectral'}
  for name, value in advised.items():
    value = int(value) if value.isdigit() else value
    assert not concerns(dragan(small, **{f'networks__{name}': value}))


def test_a_narrow_g_is_told_and_the_advice_helps(small):
  alive = {'networks__d_weight_norm': 'spectral', 'networks__fmap_max': 8}
  line, = concerns(dragan(small, networks__g_norm='none', **alive))
  assert line.startswith('G hardly looks at its latents')
  advised = dict(re.findall(r'config\.networks\.(\w+)=(\w+)', line))
  assert advised == {'fmap_max': '128', 'deviation': 'he', 'g_norm': 'batch'}
  assert not concerns(dragan(small, **alive))
  for name, value in (('fmap_max', 128), ('deviation', 'he')):
    assert not concerns(dragan(small, **{
        **alive, 'networks__g_norm': 'none', f'networks__{name}': value}))


def test_players_that_equalize_their_layers_are_alive(small):
  assert not concerns(small())


@pytest.mark.slow
@pytest.mark.parametrize(('preset', 'settings'), [
    ('vanilla', {'data__channels': 1, 'data__resolution': 28}),
    ('infogan', {'data__channels': 1, 'data__resolution': 28}),
    ('lapgan', {'data__resolution': 32, 'networks__latent': 1380}),
    ('wgan_gp_dcgan', {'data__resolution': 32}),
    ('lsgan', {'data__resolution': 32})])
def test_what_learns_at_32_maps_is_alive(small, preset, settings):
  latent = {'networks__latent': 100, 'networks__fmap_max': 32}
  assert not concerns(small(preset, **{**latent, **settings}))


@pytest.mark.slow
def test_a_run_warns_at_its_first_start_alone(small, tmp_path):
  config = functools.partial(
      dragan, small, data__resolution=16, networks__fmap_max=8,
      train__sample_every_images=16, train__measure_every_images=16,
      train__checkpoint_every_images=8, train__log_every_images=8)
  told = []
  for images in (8, 16):
    said = []
    loop.train(config(train__total_images=images), tmp_path / 'run',
               said.append)
    told.append([x for x in said if x.startswith('warning: D hardly')])
  assert [len(x) for x in told] == [1, 0]

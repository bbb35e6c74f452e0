"""Every network refuses the settings that would do nothing for it."""
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.gan.idle_settings import unused
from msg_gan_jax.gan.networks.table import NETWORKS
from msg_gan_jax.gan.settings_of_networks import REFUSALS, check

ONE_LEVEL = 'mlp', 'vanilla', 'infogan', 'lapgan'
WITH_STDDEV = ('msg_progan', 'bmsg_gan', 'progan', 'stylegan', 'stylegan2',
               'stylegan2_plain')
SIZES = {'mlp': (1, 2), 'vanilla': (28, 1), 'infogan': (28, 1)}


def settings(name, **more):
  config = schema.template('progan')
  size, channels = SIZES.get(name, (128, 3))
  config.data.resolution, config.data.channels = size, channels
  config.networks.update({'name': name, 'stddev': 'none', 'scales': 'none'})
  config.train.grow_from = 0
  config.networks.update(more)
  return schema.parse(config)


@pytest.mark.parametrize('name', NETWORKS)
def test_the_plainest_settings_are_refused_by_none(name):
  assert name in REFUSALS
  check(settings(name))


@pytest.mark.parametrize('name', sorted(set(NETWORKS) - set(WITH_STDDEV)))
def test_a_network_without_the_minibatch_deviation_refuses_it(name):
  assert ('networks.stddev', 'networks.name', 'none') in unused(
      settings(name, stddev='every'))
  assert 'networks.stddev' not in [name for name, *_ in unused(settings(name))]


@pytest.mark.parametrize('name', ONE_LEVEL)
def test_a_network_of_one_level_refuses_scales(name):
  with pytest.raises(ValueError, match=(
      rf"networks\.scales: '8', but .*{name!r} shows D one level; want")):
    check(settings(name, scales='8'))

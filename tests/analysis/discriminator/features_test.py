"""Layers of a D by name, of any network."""
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax import NETWORKS, Players, build
from msg_gan_jax.analysis.discriminator.features import LOGIT, Judge
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.state import NOTHING, Condition, Verdict


class Own(nn.Module):
  """A D as a user might write it; one layer is called twice."""

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    x = nn.relu(nn.Conv(6, (3, 3), name='mine')(images[-1]))
    again = nn.Conv(6, (3, 3), name='again')
    x = nn.relu(again(nn.relu(again(x))))
    return Verdict(nn.Dense(1, name='end')(x.mean((1, 2)))[:, 0])


def judge_of(gan):
  return Judge.of(gan, gan.init(jax.random.key(0)).d)


def pictures(gan, n=3):
  return pyramid.build(jax.random.uniform(
      jax.random.key(1), (n, *gan.shapes[-1]), minval=-1), gan.sizes)


def test_layers_are_called_by_their_modules_in_the_order_of_calls(small):
  judge = judge_of(build(small('msg_progan', data__resolution=8)))
  assert [*judge.shapes] == [
      'from_rgb', 'block_8_conv_1', 'block_8_conv_2', 'block_4_conv_1',
      'block_4_conv_2', 'score', LOGIT] or [*judge.shapes][0] == 'from_rgb'
  assert judge.shapes[LOGIT] == () and judge.shapes['from_rgb'] == (8, 8, 8)
  found = judge.activations(pictures(judge.gan))
  assert {name: x.shape[1:] for name, x in found.items()} == judge.shapes
  assert all(x.dtype == np.float32 and len(x) == 3 for x in found.values())


def test_the_last_is_what_d_says(small):
  judge = judge_of(build(small('msg_progan', data__resolution=8)))
  images = pictures(judge.gan)
  wanted = judge.gan.d(judge.params, images, NOTHING, judge.stats).logits
  np.testing.assert_allclose(
      judge.activations(images)[LOGIT], wanted, rtol=1e-5)


def test_a_first_layer_that_is_folded_into_the_next_is_carried_out(small):
  judge = judge_of(build(small('bmsg_gan', data__resolution=8)))
  images = pictures(judge.gan)
  kernel = judge.params['from_rgb']['kernel'][0, 0]
  wanted = images[-1] @ kernel * (2 / images[-1].shape[-1])**.5
  np.testing.assert_allclose(
      judge.activations(images)['from_rgb'],
      wanted + judge.params['from_rgb']['bias'], rtol=1e-4, atol=1e-5)


def test_a_network_of_ones_own_has_its_own_names(small, monkeypatch):
  monkeypatch.setitem(NETWORKS, 'own', lambda config: Players(
      NETWORKS['dcgan'](config).g, Own(), (16,)))
  gan = build(small('dcgan', networks__name='own'))
  judge = judge_of(gan)
  assert [*judge.shapes] == ['mine', 'again', 'again (2)', 'end', LOGIT]
  first, second = (judge.activations(pictures(gan))[name]
                   for name in ('again', 'again (2)'))
  assert first.shape == second.shape and not jnp.allclose(first, second)


def test_a_conditional_d_is_told_classes(small):
  judge = judge_of(build(small('acgan')))
  labels = np.zeros(3, np.int32)
  found = judge.activations(pictures(judge.gan), Condition(labels))
  assert found['classes'].shape == (3, 10)
  assert 'classes' in judge.shapes


@pytest.mark.parametrize('preset', ['cgan_projection', 'mimicry_cgan_pd32'])
def test_what_sees_no_picture_is_no_layer(small, preset):
  judge = judge_of(build(small(preset, data__resolution=32)))
  labels = Condition(np.zeros(3, np.int32))
  found = judge.activations(pictures(judge.gan), labels)
  assert {*found} - {*judge.shapes} == {'embedding'}


def test_an_unknown_layer_is_refused_with_the_nearest(small):
  judge = judge_of(build(small('msg_progan', data__resolution=8)))
  with pytest.raises(ValueError, match=(
      "layer=block_8_con: D has no such layer; did you mean 'block_8_conv_1'")):
    judge.check('block_8_con')

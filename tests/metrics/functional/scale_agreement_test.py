"""How scales go together: agreement, and what D listens to."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import Gan, build
from msg_gan_jax.gan.state import Verdict
from msg_gan_jax.metrics.functional import scale_agreement
from msg_gan_jax.training import monitor


def test_a_picture_at_several_sizes_agrees_with_itself():
  finest = np.random.default_rng(0).uniform(-1, 1, (3, 16, 16, 3))
  levels = [finest, pyramid.down(finest), pyramid.down(finest, 4)]
  differences = scale_agreement.consistency(levels[::-1])
  assert list(differences) == [4, 8]
  assert max(differences.values()) < 1e-12
  # A level that is off by a half, everywhere: the square of it.
  levels[1] = levels[1] + .5
  differences = scale_agreement.consistency(levels[::-1])
  assert differences == pytest.approx({4: .25, 8: .25})


def test_bytes_and_skipped_sizes_are_compared_too():
  fine = np.full((2, 16, 16, 3), 255, np.uint8)
  coarse = np.zeros((2, 4, 4, 3), np.uint8)
  assert scale_agreement.consistency((coarse, fine)) == {4: 4.}
  assert scale_agreement.consistency((fine,)) == {}


def test_shares_are_those_of_the_norms_and_add_up_to_1():
  by_level = scale_agreement.shares(
      {4: np.array([1., 0.]), 8: np.array([3., 0.])})
  assert by_level == {4: (.25 + .5) / 2, 8: (.75 + .5) / 2}


class LinearGan(Gan):
  """D = 3 sum(x4) + sum(x8): gradients of 3 sqrt(48) and sqrt(192)."""

  def d(self, params, images, condition=None, stats=None):
    return Verdict(
        3 * images[0].sum((1, 2, 3)) + images[1].sum((1, 2, 3)))


def test_the_shares_of_a_linear_d_are_its_weights(small):
  gan = LinearGan(build(small(data__resolution=8)).components)
  images = tuple(np.zeros((5, s, s, 3), np.uint8) for s in gan.sizes)
  state = jax.eval_shape(gan.init, jax.random.key(0))
  shares = monitor.attention_of_d(gan)(
      state.replace(d=state.d.replace(params={}, stats={})), images)
  a, b = 3 * 48**.5, 192**.5
  assert shares == pytest.approx(
      {'share_4': a / (a + b), 'share_8': b / (a + b)})


def test_one_picture_moves_at_every_size_it_is_pooled_to():
  before = np.zeros((2, 16, 16, 3), np.uint8)
  after = before.copy()
  after[:, ::2] = 255  # every second row, which pooling makes grey
  changes = monitor.stability((before,), (after,))
  assert changes == pytest.approx(
      {'stability_16': 2., 'stability_8': 1., 'stability_4': 1.})
  points = np.ones((3, 1, 1, 2), np.float32)
  assert monitor.stability((points,), (points,)) == {'stability_1': 0.}


def test_a_gan_of_one_scale_has_no_shares(small):
  gan = build(small(networks__scales='none'))
  assert monitor.attention_of_d(gan)(None, (jnp.zeros((2, 16, 16, 3)),)) == {}

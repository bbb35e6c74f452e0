"""How both players are told of classes."""
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.networks import plain
from msg_gan_jax.gan.networks.players import (
  D_CONDITIONS,
  G_CONDITIONS,
  with_labels,
)

KEY = jax.random.key(7)


class Judge(nn.Module):
  head: plain.Head

  @nn.compact
  def __call__(self, x, labels):
    return self.head(x, labels, settings=plain.LayerSettings())


@pytest.mark.parametrize('condition', D_CONDITIONS)
def test_heads_are_what_their_papers_say(condition):
  x = jax.random.normal(jax.random.key(0), (4, 2, 1, 3))
  labels = jnp.array([2, 0, 0, 1])
  judge = Judge(plain.Head(condition, 3))
  params = jax.tree.map(
      lambda p: jax.random.normal(jax.random.key(p.size), p.shape),
      judge.init(jax.random.key(0), x, labels)['params'])
  verdict = judge.apply({'params': params}, x, labels)
  flat = x.reshape(4, 6)
  scores = flat @ params['score']['kernel'] + params['score']['bias']
  score = scores[:, 0]
  if condition == 'switch':  # a score for each class
    score = jnp.array([row[label] for row, label in zip(
        scores, labels, strict=True)])
  if condition == 'projection':
    score += (params['embedding']['kernel'][labels] * flat).sum(-1)
    assert set(params['embedding']) == {'kernel'}
  np.testing.assert_allclose(verdict.logits, score, rtol=1e-5, atol=1e-5)
  if condition == 'classifier':
    wanted = flat @ params['classes']['kernel'] + params['classes']['bias']
    np.testing.assert_allclose(verdict.classes, wanted, rtol=1e-5, atol=1e-5)
  else:
    assert verdict.classes is None


def test_labels_stand_beside_z_and_the_colours_of_every_level():
  labels = jnp.array([1, 0])
  z = with_labels(G_CONDITIONS['concat'], jnp.full((2, 4), 7.), labels, 3)
  np.testing.assert_array_equal(
      z, [[7, 7, 7, 7, 0, 1, 0], [7, 7, 7, 7, 1, 0, 0]])
  images = tuple(jnp.full((2, s, s, 3), 7.) for s in (2, 4))
  for x in with_labels(D_CONDITIONS['concat'], images, labels, 3):
    assert x.shape[-1] == 6
    np.testing.assert_array_equal(
        x[0], np.broadcast_to([7, 7, 7, 0, 1, 0], x[0].shape))
  assert with_labels(D_CONDITIONS['projection'], images, labels, 3) is images


@pytest.mark.slow
@pytest.mark.parametrize('condition', ['concat', 'batch_norm'])
def test_labels_change_samples(small, condition):
  config = small('cgan_concat', networks__g_condition=condition,
                 networks__classes=3, data__resolution=8)
  gan = build(config)
  state = gan.init(jax.random.key(0))
  z = jnp.tile(gan.draw(KEY, 1), (3, 1))
  labels = jnp.array([0, 0, 2])
  # Away from the start, where the weights are small.
  state = state.replace(ema=state.ema.replace(params=jax.tree.map(
      lambda x: x + .1 * jax.random.normal(
          jax.random.key(x.size), x.shape), state.ema.params)))
  images = gan.sample(state, z, labels)[-1]
  np.testing.assert_allclose(images[0], images[1], atol=1e-6)
  assert not np.allclose(images[0], images[2], atol=1e-4)
  with pytest.raises(ValueError, match='labels: this GAN draws 3 classes'):
    gan.sample(state, z)

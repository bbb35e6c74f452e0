"""Projections of a D: gradients, shares, companies, and scales that add up."""
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax import NETWORKS, Players, build
from msg_gan_jax.analysis.discriminator import receptive_fields
from msg_gan_jax.analysis.discriminator.features import LOGIT, Judge
from msg_gan_jax.analysis.discriminator.programs import Programs
from msg_gan_jax.analysis.discriminator.projections import Pictures
from msg_gan_jax.analysis.discriminator.receptive_fields import Fields
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.state import NOTHING, Verdict


def judge_of(gan):
  """D without weights that begin at 0, through which nothing is seen."""
  judge = Judge.of(gan, gan.init(jax.random.key(0)).d)
  rng = np.random.default_rng(5)
  return Judge(judge.gan, jax.tree.map(
      lambda x: x + .05 * rng.normal(size=x.shape).astype(np.float32),
      judge.params), judge.stats)


def noise(gan, *shape):
  """A pyramid [*shape, H, W, C] of uniform pixels."""
  pixels = np.random.default_rng(1).uniform(
      -1, 1, (*shape, *gan.shapes[-1])).astype(np.float32)
  levels = pyramid.build(pixels.reshape(-1, *gan.shapes[-1]), gan.sizes)
  return tuple(np.asarray(x).reshape(*shape, *x.shape[1:]) for x in levels)


class Linear(nn.Module):
  """A D without rectifiers that reads every scale."""

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    return Verdict(sum(
        nn.Conv(4, (3, 3), name=f'conv_{i}')(x).mean((1, 2, 3)) * (i + 1)
        for i, x in enumerate(images)))


class Joined(nn.Module):
  """A D of a user's own that compares the pictures of a batch."""

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    x = nn.relu(nn.Conv(4, (3, 3), 2)(images[-1])).mean((1, 2))
    return Verdict(nn.Dense(1)(x - x.mean(0) ** 2)[:, 0])


class Normed(nn.Module):
  """A D of a user's own with norms of flax's, over places and over maps."""

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    x = nn.relu(nn.GroupNorm(2)(nn.Conv(4, (3, 3))(images[-1])))
    x = nn.relu(nn.LayerNorm()(nn.Conv(5, (3, 3), name='second')(x)))
    return Verdict(nn.Conv(6, (3, 3), name='third')(x).mean((1, 2, 3)))


def alone(judge, layer, place):
  """(picture, company) -> an activation: what D says of the first."""
  def activation(picture, company):
    images = jax.tree.map(
        lambda x, y: jnp.concatenate([x[None], y]), picture, company)
    return judge.activations(images)[layer][(0, *place)]
  return activation


@pytest.mark.parametrize('kind', [
    'msg_progan', 'joined', pytest.param('dcgan', marks=pytest.mark.slow)])
def test_shares_of_each_picture_add_up_and_its_gradient_is_its_own(
    small, monkeypatch, kind):
  """Beside others that stay as they are, where D looks at them."""
  monkeypatch.setitem(NETWORKS, 'joined', lambda config: Players(
      NETWORKS['dcgan'](config).g, Joined(), (16,)))
  settings = dict(networks__stddev_group=3, train__batch=6)
  judge = judge_of(build(
      small('dcgan', networks__name='joined', **settings) if kind == 'joined'
      else small(kind, data__resolution=8 if kind == 'msg_progan' else 16,
                 **settings)))
  layers = [next(name for name, shape in reversed(judge.shapes.items())
                 if len(shape) == 3 and shape[0] > 1), LOGIT]
  places = np.array([[1, 0, 2], [0, 1, 3]], np.int32)
  programs = Programs(judge, layers, 'gradient', batch=6)
  assert (programs.others, programs.at_once) == (
      (0, 6) if kind == 'dcgan' else (2, 2))
  images, beside = noise(judge.gan, 2), noise(judge.gan, 2, 2)
  company = Pictures(beside, None) if programs.others else None
  pictures = Pictures(images, None)
  for layer in layers:
    found = programs.projected(judge, pictures, layer, places, company)
    for i, place in enumerate(places):
      function = alone(judge, layer, place if layer != LOGIT else ())
      wanted = jax.grad(function)(*jax.tree.map(
          lambda x, i=i: x[i], (images, beside)))
      for level, gradient in zip(found, wanted, strict=True):
        np.testing.assert_allclose(
            level[i], gradient, atol=1e-5 * np.abs(gradient).max() + 1e-7)
  errors = []
  for steps in (1, 16, 256):
    programs.rule, programs.steps = 'integrated', steps
    seen = judge, pictures, LOGIT, 0 * places, company
    total = sum(x.sum((1, 2, 3)) for x in programs.projected(*seen))
    aim = programs.values(*seen) - programs.values(*seen, share=0.)
    errors.append(np.abs(total / aim - 1).max())
  assert errors[2] < .01 and errors[2] < errors[1] < errors[0]


def test_what_comes_down_stays_out_of_statistics_of_norms(small, monkeypatch):
  """All pixels belong to them, and the field of a place to 7x7."""
  monkeypatch.setitem(NETWORKS, 'normed', lambda config: Players(
      NETWORKS['dcgan'](config).g, Normed(), (16,)))
  judge = judge_of(build(small('dcgan', networks__name='normed')))
  places = np.array([[2, 8, 0], [2, 8, 1]], np.int32)
  field = Fields(judge, ['third']).at('third', places[:1, :2])[-1][0]
  assert field.sum() == 6 * 7
  for rule, stays in (
      ('guided', True), ('deconvnet', True), ('gradient', False)):
    found = Programs(judge, ['third', LOGIT], rule, batch=2).projected(
        judge, Pictures(noise(judge.gan, 2), None), 'third', places)[-1]
    assert found[:, field].any() and found[:, ~field].any() != stays


def test_scales_of_a_linear_d_add_up_to_the_whole(small, monkeypatch):
  """A pixel of a coarse scale is a mean of fine ones, which share with it."""
  monkeypatch.setitem(NETWORKS, 'linear', lambda config: Players(
      NETWORKS['msg_progan'](config).g, Linear(), (4, 8, 16)))
  judge = judge_of(build(small('msg_progan', networks__name='linear',
                               networks__stddev='none')))
  images, sizes = noise(judge.gan, 2), judge.gan.sizes
  _, together = jax.vjp(lambda x: pyramid.build(x, sizes), images[-1])
  wanted = jax.grad(lambda x: judge.activations(
      pyramid.build(x, sizes))[LOGIT].sum())(images[-1])
  for rule in ('gradient', 'deconvnet', 'guided'):
    found = Programs(judge, [LOGIT], rule, batch=2).projected(
        judge, Pictures(images, None), LOGIT, np.zeros((2, 3), np.int32))
    assert [x.shape for x in found] == [x.shape for x in images]
    np.testing.assert_allclose(together(found)[0], wanted, atol=1e-6)


def test_a_field_is_that_of_its_place_and_has_a_box(small):
  judge = judge_of(build(small('dcgan_32', data__resolution=8)))
  layer = next(iter(judge.shapes))
  places = np.array([[0, 0], [1, 2], [0, 0]])
  field = Fields(judge, [layer]).at(layer, places)[-1]
  assert (field[0] == field[2]).all() and (field[0] != field[1]).any()
  for seen, box in zip(field, receptive_fields.boxes(field), strict=True):
    assert seen[box.top:box.bottom, box.left:box.right].sum() == seen.sum()
  assert receptive_fields.boxes(np.zeros((1, 4, 4), bool)) == [None]

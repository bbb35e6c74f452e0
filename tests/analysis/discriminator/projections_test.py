"""Projections and receptive fields of D's of every family."""
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax import NETWORKS, Players, build
from msg_gan_jax.analysis.discriminator import (
  projections,
  receptive_fields,
  rules,
)
from msg_gan_jax.analysis.discriminator.features import LOGIT, Judge
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.networks import layers
from msg_gan_jax.gan.state import NOTHING, Condition, Verdict

# One of each family, at few pixels and maps.
FAMILIES = {
    'msg_progan': 8, 'progan': 8, 'bmsg_gan': 8, 'stylegan2_ada_cifar10': 8,
    'r3gan_cifar10': 8, 'dcgan': 16, 'sngan_cnn': 16,
    'mimicry_sngan32': 32, 'vanilla': 8, 'infogan': 8}


def judge_of(small, preset, **settings):
  gan = build(small(preset, **settings))
  return Judge.of(gan, gan.init(jax.random.key(0)).d)


def pictures(judge, n=2):
  return pyramid.build(jax.random.uniform(
      jax.random.key(1), (n, *judge.gan.shapes[-1]), minval=-1),
      judge.gan.sizes)


def a_place(judge, layer, n=2):
  shape = (1, 1, *judge.shapes[layer], 1)[-3:] if (
      len(judge.shapes[layer]) < 3) else judge.shapes[layer]
  rng = np.random.default_rng(0)
  return np.stack([rng.integers(0, size, n) for size in shape],
                  1).astype(np.int32)


class Linear(nn.Module):
  """A D without rectifiers that reads every scale."""

  @nn.compact
  def __call__(self, images, condition=NOTHING, train=False):
    return Verdict(sum(
        nn.Conv(4, (3, 3), name=f'conv_{i}')(x).mean((1, 2, 3)) * (i + 1)
        for i, x in enumerate(images)))


def test_gradient_is_the_gradient_of_the_activation(small):
  judge = judge_of(small, 'msg_progan', data__resolution=8)
  images, layer = pictures(judge), 'block_4_conv_1'
  place = a_place(judge, layer)
  found = projections.projection(judge, layer, 'gradient')(
      images, place, NOTHING)

  def activation(images):
    values = judge.activations(images)[layer]
    return sum(values[i, *place[i]] for i in range(2))

  for level, wanted in zip(found, jax.grad(activation)(images), strict=True):
    np.testing.assert_allclose(level, wanted, atol=1e-5)


@pytest.mark.parametrize(('preset', 'own'), [
    ('dcgan', True),
    pytest.param('msg_progan', False, marks=pytest.mark.slow)])
def test_integrated_gradients_add_up_to_the_difference_of_logits(
    small, preset, own):
  """Picture by picture, unless the deviation of the batch joins them.

  That has a root which is steep where all pictures are the same grey.
  """
  judge = alive(judge_of(small, preset))
  images = pictures(judge)
  grey = jax.tree.map(jnp.zeros_like, images)
  wanted = judge.verdict(images).logits - judge.verdict(grey).logits
  errors = []
  for steps in (1, 4, 256):
    shares = projections.projection(judge, LOGIT, 'integrated', steps)(
        images, np.zeros((2, 3), np.int32), NOTHING)
    total = sum(level.sum((1, 2, 3)) for level in shares)
    total, aim = (total, wanted) if own else (total.sum(), wanted.sum())
    errors.append(float(np.abs((total - aim) / aim).max()))
  assert errors[2] < errors[1] < errors[0]
  assert errors[2] < (.01 if own else .03)


def test_scales_of_a_linear_d_add_up_to_the_whole(small, monkeypatch):
  monkeypatch.setitem(NETWORKS, 'linear', lambda config: Players(
      NETWORKS['msg_progan'](config).g, Linear(), (4, 8, 16)))
  gan = build(small('msg_progan', networks__name='linear',
                    networks__stddev='none'))
  judge = Judge.of(gan, gan.init(jax.random.key(0)).d)
  images, place = pictures(judge), np.zeros((2, 3), np.int32)
  whole = projections.whole(judge)
  wanted = jax.grad(lambda x: whole(x).sum())(images[-1])
  for rule in ('gradient', 'deconvnet', 'guided'):
    found = projections.projection(judge, LOGIT, rule)(images, place, NOTHING)
    assert [x.shape for x in found] == [x.shape for x in images]
    np.testing.assert_allclose(
        projections.together(judge, found), wanted, atol=1e-6)


def with_fixed_statistics(function, images):
  """The function, compiled, with the statistics that it has of some images."""
  known, count = [], [0]

  def keep(x):
    known.append(x)
    return x

  def use(x):
    count[0] += 1
    return known[count[0] - 1]

  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(layers, 'statistic', keep)
    function(images)
    patch.setattr(layers, 'statistic', use)
    return jax.jit(function).lower(images).compile()


def by_perturbing(judge, layer, place):
  """Pixels of each scale whose change changes the layer at a place."""
  images = pictures(judge, 4)
  condition = condition_of(judge, 4)

  def values(images):
    x = judge.activations(images, condition)[layer]
    return x[:, place[0], place[1]] if x.ndim == 4 else x

  compiled = with_fixed_statistics(values, images)
  before, found = compiled(images), []
  for level, image in enumerate(images):
    seen = np.zeros(image.shape[1:3], bool)
    for i, j in np.ndindex(seen.shape):
      changed = list(images)
      changed[level] = image.at[:, i, j].set(9. - 18 * (image[:, i, j] > 0))
      seen[i, j] = not np.array_equal(compiled(tuple(changed)), before)
    found.append(seen)
  return found


def condition_of(judge, n=2):
  return Condition(np.zeros(n, np.int32)) if judge.gan.classes else NOTHING


def alive(judge):
  """The D without weights that begin at 0, through which nothing is seen."""
  leaves, tree = jax.tree.flatten(judge.params)
  keys = jax.random.split(jax.random.key(5), len(leaves))
  return Judge(judge.gan, tree.unflatten([
      x + .05 * jax.random.normal(key, x.shape)
      for key, x in zip(keys, leaves, strict=True)]), judge.stats)


def judge_of_family(small, preset):
  return judge_of(small, preset, data__resolution=FAMILIES[preset],
                  train__batch=4)


@pytest.mark.parametrize('preset', [
    x if x in ('msg_progan', 'dcgan') else
    pytest.param(x, marks=pytest.mark.slow) for x in FAMILIES])
def test_receptive_fields_are_those_found_by_perturbing_pixels(
    small, preset):
  judge = alive(judge_of_family(small, preset))
  names = [*judge.maps()] or [LOGIT]
  for layer in dict.fromkeys((names[0], names[len(names) // 2], names[-1])):
    place = a_place(judge, layer, 1)[0, :2]
    found = receptive_fields.fields(judge, layer, place[None])
    wanted = by_perturbing(judge, layer, place)
    for level, seen in zip(found, wanted, strict=True):
      np.testing.assert_array_equal(level[0], seen, err_msg=layer)


def test_a_field_is_that_of_its_place_and_has_a_box(small):
  judge = judge_of(small, 'dcgan', data__resolution=16)
  layer = next(iter(judge.maps()))
  places = np.array([[0, 0], [3, 4], [0, 0]])
  (field,) = receptive_fields.fields(judge, layer, places)
  assert (field[0] == field[2]).all() and (field[0] != field[1]).any()
  for seen, box in zip(field, receptive_fields.boxes(field), strict=True):
    assert seen[box.top:box.bottom, box.left:box.right].sum() == seen.sum()
  assert receptive_fields.boxes(np.zeros((1, 4, 4), bool)) == [None]


@pytest.mark.slow
@pytest.mark.parametrize('preset', FAMILIES)
def test_every_family_is_looked_into_by_every_rule(small, preset):
  judge = judge_of_family(small, preset)
  images, condition = pictures(judge), condition_of(judge)
  names = [*judge.shapes]
  for layer in dict.fromkeys((names[0], names[len(names) // 2], LOGIT)):
    place = a_place(judge, layer)
    for rule in rules.RULES:
      found = projections.projection(judge, layer, rule, 4)(
          images, place, condition)
      assert all(np.isfinite(x).all() for x in found)
      assert any(x.any() for x in found), (layer, rule)


def test_what_is_asked_for_wrongly_is_refused(small):
  judge = judge_of(small, 'msg_progan', data__resolution=8)
  with pytest.raises(ValueError, match='D has no such layer'):
    projections.projection(judge, 'nothing', 'guided')
  with pytest.raises(ValueError, match='D has no such layer'):
    receptive_fields.fields(judge, 'nothing', np.zeros((1, 2), int))
  with pytest.raises(ValueError, match="no rule 'none'"):
    projections.projection(judge, LOGIT, 'none')

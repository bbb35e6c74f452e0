"""Laws of the features of a D, as metrics and classifiers take them."""
import dataclasses

from flax import linen as nn
import jax
import numpy as np
import pytest

from msg_gan_jax import NETWORKS
from msg_gan_jax.analysis.discriminator import extractor
from msg_gan_jax.analysis.discriminator.features import LOGIT, Judge
from msg_gan_jax.arrays.pixels import from_uint8
from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.state import NOTHING, Verdict
from msg_gan_jax.metrics import protocols
from msg_gan_jax.metrics.features import extract
from msg_gan_jax.metrics.features.table import FEATURES, Request

SNDCGAN = dict(preset='landscape_sndcgan', networks__fmap_max=4)


def judge_of(config, seed=0):
  gan = build(config)
  return Judge.of(gan, gan.init(jax.random.key(seed)).d)


def pictures(shape, n=5, seed=0):
  return np.random.default_rng(seed).integers(0, 256, (n, *shape), np.uint8)


def activations(judge, images, layer):
  return np.asarray(judge.activations(pyramid.build(
      from_uint8(images), judge.gan.sizes), NOTHING)[layer])


@pytest.mark.parametrize('settings, layers', [
    (SNDCGAN, ('conv_0', 'conv_2', LOGIT)),
    (dict(preset='msg_sndcgan', networks__fmap_max=4), ('conv_1', 'conv_3')),
])
def test_features_are_the_activations(small, settings, layers):
  judge = judge_of(small(**settings))
  images = pictures(judge.gan.shapes[-1])
  made = extractor.extractor(judge, layers)
  found = extract.features(ArraySource(images), made)
  for layer in layers:
    values = activations(judge, images, layer)
    wanted = values.mean((1, 2)) if values.ndim == 4 else values[:, None]
    np.testing.assert_allclose(found[layer], wanted, rtol=1e-4, atol=1e-6)
    assert found[layer].shape[1] == made.taps[layer]


def test_those_of_a_grid_stand_behind_each_other(small):
  judge = judge_of(small(**SNDCGAN))
  images, layers = pictures(judge.gan.shapes[-1]), ('conv_0', 'conv_4')
  made = extractor.extractor(judge, layers, extractor.GRIDS, together=True)
  found = extract.features(ArraySource(images), made)[extractor.ALL]
  wanted = np.concatenate([
      pooled(activations(judge, images, layer), 4).reshape(len(images), -1)
      for layer in layers], 1)
  np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)
  assert made.taps == {extractor.ALL: wanted.shape[1]}


def pooled(x, grid):
  """The maxima of parts, by plain numpy."""
  h, w = x.shape[1:3]
  rows, columns = min(h, grid), min(w, grid)
  out = np.empty((len(x), rows, columns, x.shape[3]), x.dtype)
  for i in range(rows):
    for j in range(columns):
      top, left = h * i // rows, w * j // columns
      bottom, right = -(-h * (i + 1) // rows), -(-w * (j + 1) // columns)
      out[:, i, j] = x[:, top:bottom, left:right].max((1, 2))
  return out


@pytest.mark.parametrize('height, width', [
    (16, 16), (8, 4), (7, 9), (4, 4), (3, 2), (1, 1), (5, 3)])
def test_maps_are_pooled_to_a_grid(height, width):
  x = np.random.default_rng(0).normal(
      size=(2, height, width, 3)).astype(np.float32)
  np.testing.assert_array_equal(extractor.largest_in_grid(x), pooled(x, 4))
  assert extractor.GRIDS.width((height, width, 3)) == (
      min(height, 4) * min(width, 4) * 3)


def test_the_digest_is_of_weights_and_layers(small):
  config = small(**SNDCGAN)
  one, same, other = (judge_of(config, seed) for seed in (0, 0, 1))
  digest = extractor.digest_of
  assert digest(one) == digest(same) != digest(other)
  # Weights are equal, and yet what they give is not.
  steeper = dataclasses.replace(one, gan=build(dataclasses.replace(
      config, networks=dataclasses.replace(config.networks, d_slope=.3))))
  assert digest(steeper) != digest(one)
  of = {(layers, reduce is extractor.MEANS): extractor.extractor(
      one, layers, reduce).digest for layers in (('conv_0',), ('conv_1',))
        for reduce in (extractor.MEANS, extractor.GRIDS)}
  assert len({*of.values()}) == 4


def test_a_picture_alone_is_what_a_d_of_batches_sees(small):
  judge = judge_of(small('msg_progan', data__resolution=8))
  layers = ('from_rgb', 'block_4_conv_1')
  images = pictures(judge.gan.shapes[-1])
  assert not extractor.sees_batch(judge, layers[:1])
  assert extractor.sees_batch(judge, layers)
  made = extractor.extractor(judge, layers)
  found = extract.features(ArraySource(images), made)
  turned = extract.features(ArraySource(images[::-1]), made)
  for layer in layers:
    alone = np.concatenate([
        activations(judge, x[None], layer).mean((1, 2)) for x in images])
    np.testing.assert_allclose(found[layer], alone, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        found[layer], turned[layer][::-1], rtol=1e-5, atol=1e-6)


def test_layers_that_are_told_the_class_are_refused(small):
  judge = judge_of(small('cgan_projection', data__resolution=32))
  extractor.check(judge, extractor.convolutions(judge))
  with pytest.raises(ValueError, match=(
      f'layer={LOGIT}: depends on the class that D is told, .* wanted one')):
    extractor.check(judge, (LOGIT,))


def test_d_of_points_and_unknown_layers_are_refused(small):
  points = judge_of(small(
      data__name='ring', data__resolution=1, data__channels=2,
      data__mirror=False, networks__name='mlp', networks__stddev='none'))
  with pytest.raises(ValueError, match='layer: this D sees points'):
    extractor.extractor(points, ('dense_0',))
  judge = judge_of(small(**SNDCGAN))
  with pytest.raises(ValueError, match='layer=conv_9: D has no such layer'):
    extractor.extractor(judge, ('conv_9',))


def test_convolutions_are_the_modules_with_a_kernel(small):
  judge = judge_of(small(**SNDCGAN))
  assert extractor.convolutions(judge) == tuple(
      f'conv_{i}' for i in range(7))
  assert not extractor.convolutions(judge_of(small(
      'vanilla', data__name='polygons', data__channels=1)))


def test_batch_norm_gets_the_moments_of_pictures(small):
  judge = judge_of(small('dcgan_32', data__resolution=32))
  images = pictures((32, 32, 3), 40)
  settled = extractor.of_pictures(judge, images)
  # Before the norm's own scale and shift, each map has mean 0, deviation 1.
  x = activations(settled, images, 'conv_1')
  norm = settled.stats['norm_1']
  np.testing.assert_allclose(norm['mean'], x.mean((0, 1, 2)), rtol=1e-3,
                             atol=1e-5)
  np.testing.assert_allclose(norm['var'], x.var((0, 1, 2)), rtol=1e-3)
  assert not np.allclose(judge.stats['norm_1']['mean'], norm['mean'])
  without = judge_of(small(**SNDCGAN))
  assert extractor.of_pictures(without, images[:, :16, :16]) is without


def test_without_a_norm_of_ours_a_d_stays_as_it_is(small, monkeypatch):
  class Own(nn.Module):
    @nn.compact
    def __call__(self, images, condition=NOTHING, train=False):
      x = nn.GroupNorm(2)(nn.Conv(4, (3, 3))(images[-1]))
      return Verdict(nn.Dense(1)(x.mean((1, 2)))[:, 0])

  monkeypatch.setitem(NETWORKS, 'own', lambda config: NETWORKS['dcgan'](
      config)._replace(d=Own()))
  judge = judge_of(small('dcgan', networks__name='own', data__resolution=16))
  settled = extractor.of_pictures(judge, pictures((16, 16, 3)))
  assert settled.params is judge.params and settled.stats == judge.stats


def test_a_row_of_features_has_its_d_in_its_name_and_wants_its_size(small):
  judge = judge_of(small(**SNDCGAN))
  name, row = extractor.row(judge, 'runs/a')
  assert name == f'd_{extractor.digest_of(judge)[:8]}'
  assert name not in FEATURES and row.title == 'D of runs/a'
  request = Request(('conv_1',), protocols.PROTOCOLS['local'],
                    ArraySource(pictures((16, 16, 3))))
  made = row.open(request)
  assert made.about['weights'] == extractor.digest_of(judge)
  assert made.taps == {'conv_1': row.widths['conv_1']} == {'conv_1': 4}
  for shape, text in ((8, 8, 3), 'such as resolution=16'), (
      (16, 16, 1), '16 x 16 with 1 channels; wanted the same[.]'):
    with pytest.raises(ValueError, match=text):
      row.open(request._replace(real=ArraySource(pictures(shape))))

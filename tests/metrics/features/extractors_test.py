"""Laws of extractors: the peers' features, by their protocols, end to end."""
import jax
import numpy as np
import pytest

from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.metrics import protocols
from msg_gan_jax.metrics.features import (
  dinov2,
  published_weights,
  table,
  vgg,
)

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 20, 24, 3), np.uint8)


def opened(name, taps, protocol='pytorch_fid', images=IMAGES):
  return table.open_extractor(name, table.Request(
      taps, protocols.PROTOCOLS[protocol], ArraySource(images)))


@pytest.mark.slow
def test_inception_by_pytorch_fids_protocol_is_pytorch_fids(
    oracle, monkeypatch):
  entry = oracle('inception_fid_32_pytorch_fid')
  monkeypatch.setattr(
      published_weights, 'find', lambda *args: published_weights.Tensors(
          entry.scope['params'], 'seeded'))
  images = entry.inputs['img32'].transpose(0, 2, 3, 1)
  taps = '64', '192', '768', '2048', 'logits', 'logits_unbiased'
  extractor = opened('inception', taps, images=images)
  features = jax.jit(extractor.apply)(extractor.params, images)
  for i, wanted in enumerate(entry.expected['images']):
    for tap, name in (('2048', 'pool3_2048'), ('logits', 'logits_1008'),
                      ('logits_unbiased', 'logits_unbiased_1008')):
      entry.assert_close(features[tap][i, :16], wanted[name]['first16'])
    for tap in '64', '192', '768':
      entry.assert_close(
          features[tap][i, :8], wanted['block_means'][tap]['first8'])
  assert extractor.taps == {tap: features[tap].shape[1] for tap in taps}
  # What another protocol does to the pictures moves the features.
  others = {extractor.digest}
  for protocol in 'torch_fidelity', 'clean':
    other = opened('inception', taps, protocol, images)
    others.add(other.digest)
  assert len(others) == 3


@pytest.mark.parametrize('protocol, resize, scale', [
    ('pytorch_fid', 'half_pixel', lambda x: x / 127.5 - 1),
    ('torch_fidelity', 'tf1', lambda x: (x - 128) / 128),
    ('clean', 'pil_bicubic', lambda x: (np.clip(x, 0, 255) - 128) / 128)])
def test_each_protocol_shows_inception_its_own_pictures(
    protocol, resize, scale, monkeypatch):
  class Shown:
    def apply(self, variables, x):
      return {'2048': x[:, ::50, ::50].reshape(len(x), -1)}
  monkeypatch.setattr(table.inception, 'Inception', Shown)
  monkeypatch.setattr(table.inception, 'from_tensors', lambda x: {})
  monkeypatch.setattr(published_weights, 'find',
                      lambda *args: published_weights.Tensors({}, 'none'))
  edges = np.where(IMAGES > 127, 255, 0).astype(np.uint8)
  extractor = opened('inception', ('2048',), protocol)
  features = np.asarray(extractor.apply({}, edges)['2048']).reshape(3, 6, 6, 3)
  wanted = scale(np.asarray(table.resizes.resize(
      edges.astype(np.float32), 299, 299, resize)))[:, ::50, ::50]
  np.testing.assert_allclose(features, wanted, atol=1e-5)
  assert features.min() >= -1 and features.max() <= 1


def test_grey_is_repeated_and_alpha_is_left_out():
  for channels in 1, 3, 4:
    images = IMAGES[..., :1].repeat(channels, -1)
    features = np.asarray(table.colour(images))
    np.testing.assert_array_equal(features, IMAGES[..., :1].repeat(3, -1))


@pytest.mark.parametrize('name, taps, said', [
    ('inception', ('2047',), "no tap '2047'; did you mean '2048'"),
    ('vgg', (), "no features 'vgg'; did you mean 'vgg16'"),
    ('pixels', ('mean',), "pixels has no tap 'mean'"),
])
def test_unknown_features_and_taps_are_refused(
    name, taps, said, monkeypatch):
  monkeypatch.setattr(published_weights, 'find',
                      lambda *args: published_weights.Tensors({}, 'none'))
  monkeypatch.setattr(table.inception, 'from_tensors', lambda x: {})
  with pytest.raises(ValueError, match=said):
    opened(name, taps)


def test_a_spec_is_a_row_and_a_tap():
  assert table.parse('inception') == ('inception', '2048')
  assert table.parse('classifier:logits:hat') == (
      'classifier', 'logits:hat')
  for name, row in table.FEATURES.items():
    assert table.parse(name) == (name, row.tap)


def test_pixels_are_means_of_the_picture():
  images = np.repeat(np.repeat(
      np.random.default_rng(1).integers(0, 256, (2, 16, 16, 1), np.uint8),
      4, 1), 4, 2)
  extractor = opened('pixels', ('values',), images=images)
  features = np.asarray(extractor.apply(extractor.params, images)['values'])
  assert extractor.taps == {'values': 256}
  np.testing.assert_allclose(
      features, images[:, ::4, ::4].reshape(2, -1) / 127.5 - 1, atol=1e-5)


def test_networks_are_named_where_features_are_asked_for():
  """Of the rows that need weights: what they call is there, and so are taps."""
  assert {'fc1', 'fc2', 'relu1_2'} <= set(vgg.TAPS)
  assert table.FEATURES['vgg16'].tap in vgg.TAPS
  assert table.FEATURES['inception'].tap in table.inception.TAPS
  assert set(table._INCEPTION) == set(table.inception.TAPS)
  assert (vgg.SIDE, dinov2.SIDE) == (224, 224)

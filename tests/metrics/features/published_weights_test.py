"""Laws of published weights: found or fetched, verified, or clearly missing."""
import hashlib

import numpy as np
import pytest

from msg_gan_jax.metrics.features import published_weights


@pytest.fixture
def row(monkeypatch, tmp_path):
  """A row whose file is an .npz; its bytes."""
  path = tmp_path / 'made.npz'
  np.savez(path, a=np.arange(3.))
  whole = path.read_bytes()
  monkeypatch.setitem(
      published_weights.WEIGHTS, 'mine', published_weights.Weights(
          'my network (1 kB)', 'http://127.0.0.1:9/mine.npz',
          hashlib.sha256(whole).hexdigest(), ('other.npz',)))
  monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))
  return whole


def find(tmp_path, path='', **more):
  return published_weights.find(
      'mine', str(path), str(tmp_path / 'cache'), **more)


@pytest.mark.parametrize('place', [
    'cache/weights/mine.npz', 'cache/weights/other.npz',
    'torch/hub/checkpoints/mine.npz'])
def test_a_file_that_lies_around_is_found(row, tmp_path, place):
  (tmp_path / place).parent.mkdir(parents=True)
  (tmp_path / place).write_bytes(row)
  weights = find(tmp_path)
  np.testing.assert_array_equal(weights.tensors['a'], [0, 1, 2])
  assert weights.digest == hashlib.sha256(row).hexdigest()


def test_a_path_may_be_the_file_or_its_folder(row, tmp_path):
  (tmp_path / 'here').mkdir()
  (tmp_path / 'here' / 'mine.npz').write_bytes(row)
  (tmp_path / 'any name').write_bytes(row)
  for path in tmp_path / 'here', tmp_path / 'any name':
    assert set(find(tmp_path, path).tensors) == {'a'}


def test_another_file_is_refused_by_its_digest(row, tmp_path):
  (tmp_path / 'cut').write_bytes(row[:-1])
  with pytest.raises(ValueError, match=(
      r'^weights_file: .*cut.* has the SHA-256 [0-9a-f]{64}; that of '
      r'http.*mine\.npz is [0-9a-f]{64}\. .*cut short; fetch it again')):
    find(tmp_path, tmp_path / 'cut')


@pytest.mark.parametrize('path, said', [
    ('nowhere', 'no file .*nowhere.*; wanted my network .*from http.*mine.npz'),
    ('.', 'no mine.npz in the folder'),
])
def test_a_path_that_leads_nowhere_says_what_was_wanted(
    row, tmp_path, path, said):
  with pytest.raises(ValueError, match=said):
    find(tmp_path, tmp_path / path)


def test_without_network_it_says_what_to_fetch_and_what_works_without(
    row, tmp_path):
  for fetch in True, False:
    with pytest.raises(ValueError, match=(
        r'(?s)^weights_file.*mine\.npz.*random_conv, classifier and pixels '
        'work without')):
      find(tmp_path, fetch=fetch)


def test_what_has_no_digest_must_be_given():
  row = published_weights.WEIGHTS['dinov2']
  assert not row.sha256
  for name, row in published_weights.WEIGHTS.items():
    assert row.name.endswith('.pth') and (
        not row.sha256 or len(row.sha256) == 64), name
  # What torch.hub verifies: the end of the name.
  for name in 'inception', 'vgg16':
    row = published_weights.WEIGHTS[name]
    assert row.sha256.startswith(row.name[-12:-4])

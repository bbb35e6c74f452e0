"""Laws of features: every picture counts, on any number of devices."""
import json
import os
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.metrics import evaluate, pair, protocols
from msg_gan_jax.metrics.features import extract, table
from msg_gan_jax.metrics.functional import frechet

PIXELS = np.random.default_rng(0).integers(0, 256, (11, 8, 8, 3), np.uint8)
SOURCE = ArraySource(PIXELS)


def flat(params, images):
  x = images.reshape(len(images), -1).astype(jnp.float32)
  return {'sum': x.sum(1, keepdims=True) * params, 'first': x[:, :2]}


def extractor(batch=4, digest='one', apply=flat):
  return table.Extractor('flat', digest, jnp.float32(2.), apply,
                            {'sum': 1, 'first': 2}, batch, {})


@pytest.mark.parametrize('batch', [1, 4, 11, 64])
def test_a_last_partial_batch_counts(batch):
  taps = extract.features(SOURCE, extractor(batch))
  wanted = PIXELS.reshape(11, -1).astype(np.float32)
  np.testing.assert_array_equal(taps['sum'][:, 0], 2 * wanted.sum(1))
  np.testing.assert_array_equal(taps['first'], wanted[:, :2])


def test_they_come_in_the_order_that_was_asked_for():
  indices = np.array([7, 0, 10, 3, 3])
  taps = extract.features(SOURCE, extractor(), indices)
  np.testing.assert_array_equal(
      taps['first'], PIXELS.reshape(11, -1)[indices, :2])


@pytest.mark.parametrize('batch', [3, 11])
def test_sums_on_the_device_have_the_moments_of_the_features(batch):
  wanted = frechet.moments(
      extract.features(SOURCE, extractor(batch))['first'].astype(np.float64))
  summed = extract.moments(SOURCE, extractor(batch), 'first')
  assert summed.n == 11
  np.testing.assert_allclose(summed.mean, wanted.mean, rtol=1e-6)
  np.testing.assert_allclose(summed.scatter, wanted.scatter, rtol=1e-5)


def test_features_that_are_too_many_are_only_summed(tmp_path, monkeypatch):
  options = pair.Options(protocols.PROTOCOLS['local'], 'local', 'pixels',
                         cache_dir=str(tmp_path))
  values = []
  for most in 2**32, 10:
    monkeypatch.setattr(extract, 'MOST_BYTES', most)
    sides = pair.Pair(SOURCE, ArraySource(PIXELS[::-1] // 2), options)
    (score,), _ = evaluate.compute(sides, ('fid',))
    values.append(score)
  assert values[0].error and values[1].error is None is values[1].reals
  assert values[1].value == pytest.approx(values[0].value, rel=1e-5)


def test_a_feature_that_is_not_finite_is_an_error_with_its_picture():
  def broken(params, images):
    taps = flat(params, images)
    seventh = taps['first'][:, :1] == PIXELS[6, 0, 0, 0]
    return {**taps, 'sum': jnp.where(seventh, jnp.nan, taps['sum'])}
  with pytest.raises(ValueError, match='flat of picture 6 is not finite'):
    extract.features(SOURCE, extractor(apply=broken), title='reals')
  with pytest.raises(ValueError, match='reals: no pictures'):
    extract.features(SOURCE, extractor(), [], title='reals')


def test_what_is_kept_depends_on_the_content(tmp_path):
  asked = []

  class Counting(ArraySource):
    def images(self, indices):
      asked.append(len(indices))
      return super().images(indices)

  def get(source, indices, **more):
    asked.clear()
    taps = extract.features_from_cache(
        source, extractor(**more), indices, 'reals', str(tmp_path))
    np.testing.assert_array_equal(
        taps['first'], source._pixels.reshape(11, -1)[indices, :2])
    return len(asked)

  source, every = Counting(PIXELS), np.arange(11)
  assert get(source, every) and not get(source, every)
  assert not get(Counting(PIXELS.copy()), every)
  assert get(source, every[:5])
  assert get(source, every, digest='two')
  assert get(Counting(PIXELS[::-1]), every)


@pytest.mark.slow
def test_four_devices_give_the_features_of_one():
  program = '''
import json, jax, jax.numpy as jnp, numpy as np
from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.metrics.features import extract
from msg_gan_jax.metrics import evaluate, pair, protocols
from msg_gan_jax.data.drawn import avatars
real, fake = (avatars.Avatars(70, 16, first=first) for first in (0, 500))
found = []
for count in 1, 4:
  options = pair.Options(
      protocols.PROTOCOLS['local'], 'local', cache_dir='',
      devices=jax.devices()[:count])
  drawn = ArraySource(fake.images(np.arange(70)))
  same = ArraySource(real.images(np.arange(70)))
  one = pair.Pair(drawn, same, options)
  record = evaluate.compute(one, ('fid', 'kid', 'precision_recall'))[1]
  found.append({k: v['value'] for k, v in record['scores'].items()})
print(json.dumps([len(jax.devices()), *found]))
'''
  result = subprocess.run(
      [sys.executable, '-c', program], capture_output=True, text=True,
      env={**os.environ, 'XDG_CACHE_HOME': '/dev/null/to/write', 'XLA_FLAGS':
           '--xla_force_host_platform_device_count=4 '
           '--xla_backend_optimization_level=0'})
  assert result.returncode == 0, result.stderr[-2000:]
  devices, of_one, of_four = json.loads(result.stdout.splitlines()[-1])
  assert devices == 4 and len(of_one) == 4
  for name, value in of_one.items():
    assert of_four[name] == pytest.approx(value, rel=1e-4, abs=1e-7), name

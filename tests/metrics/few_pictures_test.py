"""Laws of few pictures: a row says how many it needs, and is left out below."""
import dataclasses
import math

import numpy as np
import pytest

from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.metrics import evaluate, pair, protocols, sets, table
from msg_gan_jax.metrics.features import table as features_table

pytestmark = pytest.mark.slow

# All rows but those that train a classifier, walk through a GAN's latents, or
# know how their pictures were drawn.
ROWS = ('fid', 'fid_infinity', 'kid', 'precision_recall', 'density_coverage',
        'ms_ssim', 'ms_ssim_within', 'swd', 'intra_fid', 'memorised')
COUNTS = [('local', *x) for x in (
    (2, 30), (3, 30), (5, 3), (5, 6), (6, 5), (6, 6), (6, 19), (6, 20))] + [
        ('landscape', 9, 10), ('landscape', 10, 10)]
CLASSES = 'a', 'b'


@pytest.fixture(autouse=True, scope='module')
def few():
  """16 numbers a picture: eigenvectors of more take longer than all else."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(features_table, '_PIXELS', 4)
    yield


def of(real, fake, tmp_path, name='local', size=16):
  """A Pair of noise in two classes; the fakes are a generator's."""
  rng = np.random.default_rng(0)
  pixels = rng.integers(0, 256, (real + fake, size, size, 1), np.uint8)
  labels = np.arange(real + fake) % 2
  return pair.Pair(
      ArraySource(pixels[:real], labels[:real], CLASSES, 'real'),
      sets.Samples(pixels[real:], labels[real:], CLASSES),
      pair.Options(dataclasses.replace(
          protocols.PROTOCOLS[name], n_fake=fake), name, 'pixels',
                   cache_dir=str(tmp_path), say=lambda line: None))


@pytest.mark.parametrize('protocol, real, fake', COUNTS)
def test_a_row_measures_as_few_as_it_says_and_no_fewer(
    protocol, real, fake, tmp_path):
  both = of(real, fake, tmp_path, protocol)
  for name in ROWS:
    row, labels = table.METRICS[name], both.real.labels()
    if table.too_few(name, both.protocol, labels, both.fake.labels()):
      with pytest.raises(ValueError, match=f'^metrics: {name} needs '):
        evaluate.compute(both, (name,))
      with pytest.raises(ValueError):
        row.run(both)
    else:
      scores, _ = evaluate.compute(both, (name,))
      assert scores and all(math.isfinite(x.value) for x in scores), name

"""The law of order: a set that is given has none, a generator's samples do."""
import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.metrics import evaluate, pair, protocols, sets, table
from msg_gan_jax.metrics.features import table as features_table
from msg_gan_jax.metrics.features.dataset_classifier import _split
from msg_gan_jax.metrics.functional import inception_score

CLASSES, EACH = 10, 20
RNG = np.random.default_rng(0)
SORTED = np.repeat(np.arange(CLASSES), EACH)
# A hue for each class, and a bright square somewhere.
HUES = RNG.integers(0, 200, (CLASSES, 3))


def drawn(labels, seed):
  rng = np.random.default_rng(seed)
  images = np.broadcast_to(
      HUES[labels][:, None, None], (len(labels), 16, 16, 3)).copy()
  for image, (y, x) in zip(images, rng.integers(0, 12, (len(labels), 2)),
                           strict=True):
    image[y:y + 4, x:x + 4] += rng.integers(10, 50)
  return np.uint8(images + rng.integers(0, 6, images.shape))


REAL, FAKE = drawn(SORTED, 1), drawn(SORTED, 2)
MIXED = np.random.default_rng(3).permutation(len(FAKE))


def _sure(request):
  """A classifier that knows the hues, in place of one that has to learn."""
  def apply(params, images):
    mean = images.astype(jnp.float32).mean((1, 2))
    logits = -((mean[:, None] - HUES - 5)**2).sum(-1) / 30
    return {'features': mean, 'logits': logits}

  return features_table.Extractor(
      'classifier', 'hues', {}, apply, {'features': 3, 'logits': CLASSES}, 300,
      {'held_out_accuracy': {'label': 1.}})


@pytest.fixture(autouse=True)
def sure(monkeypatch):
  monkeypatch.setitem(features_table.FEATURES, 'classifier',
                      features_table.FEATURES['classifier']._replace(
                          open=_sure))


def scores_of(fake, name, tmp_path, order=slice(None),
              metrics=('is',), kind=ArraySource):
  names = tuple(map(str, range(CLASSES)))
  row = protocols.PROTOCOLS[name]
  scores, record = evaluate.compute(pair.Pair(
      ArraySource(REAL, SORTED, names),
      kind(fake[order], SORTED[order], names), pair.Options(
          row, name, 'classifier', cache_dir=str(tmp_path))), metrics)
  return {x.name: x for x in scores}, record


# All but known manifolds, paths and factors, and what is drawn of pictures.
ALL = [name for name in table.METRICS if name not in (
    'ppl', 'polygons', 'factors', 'ms_ssim', 'ms_ssim_within', 'swd')]


@pytest.mark.parametrize('name', protocols.PROTOCOLS)
def test_a_set_in_the_order_of_its_classes_scores_as_it_does_mixed(
    name, tmp_path):
  # Of the others a protocol does not say anything that order could move.
  metrics = ALL if name == 'local' else ('is',)
  first, mixed = (scores_of(FAKE, name, tmp_path, order, metrics)[0]
                  for order in (slice(None), MIXED))
  assert first.keys() == mixed.keys()
  for key, score in first.items():
    # Random parts of 200 pictures differ a little.
    error = 4 * np.hypot(score.error or 0, mixed[key].error or 0)
    assert score.value == pytest.approx(
        mixed[key].value, rel=.1, abs=error + 1e-3), key
  assert first['classifier_score'].value > 6


def test_a_batch_of_a_set_is_not_of_one_class(tmp_path):
  """MS-SSIM as compare_gan has it: of all pairs within a batch."""
  same = RNG.integers(0, 256, (10, 16, 16, 3), np.uint8).repeat(10, 0)
  for real, fake in (same, REAL), (REAL, same):
    score, = evaluate.compute(pair.Pair(
        ArraySource(real), ArraySource(fake), pair.Options(
            protocols.PROTOCOLS['landscape'], 'landscape',
            cache_dir=str(tmp_path))), ('ms_ssim',))[0]
    # A tenth of the pairs are of one picture, and not half of them.
    assert (score.value if fake is same else score.reals) < .3


def test_two_sets_in_one_order_are_not_nearer_for_it(tmp_path):
  """A tenth of each is not of the same classes."""
  def distance(order):
    few = dataclasses.replace(protocols.PROTOCOLS['local'], sliced=20)
    (*_, score), _ = evaluate.compute(pair.Pair(
        ArraySource(REAL), ArraySource(FAKE[order]), pair.Options(
            few, 'local', cache_dir=str(tmp_path))), ('swd',))
    return score

  alike, mixed = distance(slice(None)), distance(MIXED)
  assert .5 < alike.value / mixed.value < 2
  assert alike.about['shuffle']


def test_samples_of_a_generator_stay_as_they_were_drawn(tmp_path):
  given, _ = scores_of(FAKE, 'tf_legacy', tmp_path)
  samples, record = scores_of(FAKE, 'tf_legacy', tmp_path, kind=sets.Samples)
  logits = np.asarray(_sure(None).apply(None, FAKE)['logits'])
  wanted = inception_score.inception_score(logits)
  is_ = samples['classifier_score']
  assert is_.value == pytest.approx(wanted.value, rel=1e-5)
  assert is_.value < 2 < given['classifier_score'].value
  assert not is_.about['shuffle'] and not record['settings']['shuffle']


@pytest.mark.parametrize('name, changed', [
    ('tf_legacy', {'is'}), ('landscape', {'ms_ssim'}),
    ('torch_fidelity', set())])
def test_what_is_shuffled_has_an_id_of_its_own(name, changed, tmp_path):
  metrics = ('fid', 'is', *['ms_ssim'] * (name == 'landscape'))
  given, samples = (scores_of(FAKE, name, tmp_path, metrics=metrics, kind=kind)
                    for kind in (ArraySource, sets.Samples))
  names = {'classifier_score': 'is', 'frechet': 'fid', 'ms_ssim': 'ms_ssim'}
  ids = [{table.score_of_key(key): x['id'] for key, x in record[
      'scores'].items()} for _, record in (given, samples)]
  assert {names[key] for key in ids[0] if ids[0][key] != ids[1][key]} == changed
  assert given[0]['classifier_score'].about['shuffle'] == (name != 'landscape')


def test_some_of_a_set_are_of_all_its_classes_whatever_its_order(tmp_path):
  turns = np.arange(400) % 2  # Even steps would see one of them only.
  source = ArraySource(np.uint8(np.broadcast_to(
      turns[:, None, None, None], (400, 8, 8, 1))), turns)
  options = pair.Options(
      protocols.Protocol('a test', n_real=200, n_fake=200), 'local', 'pixels')
  sides = pair.Pair(source, source, options)
  for side in sides.real, sides.fake:
    assert len(side) == 200 and 60 < side.labels().sum() < 140
    assert (np.diff(side.labels(100)) < 0).any()
  assert sides.has_draws
  # Of two sets in one order, not the same places are taken.
  assert (sides.real.indices != sides.fake.indices).any()
  tens = ArraySource(np.zeros((400, 8, 8, 1), np.uint8), np.arange(400) % 10)
  train, test, tested = _split(tens, None)
  assert len(test) == 40 and not set(train) & set(test)
  assert set(tested.labels(train)) == set(range(10))
  assert len(set(tested.labels(test))) > 6

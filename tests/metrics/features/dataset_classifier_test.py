"""Laws of the classifier of a data set: trained once, tested, and kept."""
import json
import pathlib
import shutil
import threading

import numpy as np
import pytest

from msg_gan_jax.data.drawn import avatars
from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.files import cache as cache_files
from msg_gan_jax.metrics import (
  evaluate,
  pair,
  protocols,
  text,
)
from msg_gan_jax.metrics.features import (
  classifier,
  classifier_training,
  dataset_classifier,
)

pytestmark = pytest.mark.slow
REAL, OTHER, FAKE = (avatars.Avatars(count, 16, first=first)
                     for count, first in ((220, 0), (120, 500), (130, 900)))


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
  """A cache folder; classifiers learn for a moment only."""
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(dataset_classifier, 'RECIPE', classifier_training.Recipe(
        least=600, most=600, batch=40, widths=(8, 12)))
    yield str(tmp_path_factory.mktemp('cache'))


@pytest.fixture(scope='module')
def trained(cache):
  said = []
  return dataset_classifier.trained(REAL, OTHER, cache, said.append), said


def test_it_learns_the_label_and_every_named_factor(trained):
  scores, said = trained
  heads = set(scores.accuracy)
  assert 'label' in heads and len(heads) > 5
  assert scores.taps['features'] == 12
  assert scores.taps['logits'] == len(REAL.classes)
  assert set(scores.taps) == {'features', *map(dataset_classifier.tap, heads)}
  assert said[0].startswith('training a classifier of avatars on 220 pictures')
  assert 'accuracy on 120 others: ' in said[1]


def test_it_is_trained_once(trained, cache):
  said = []
  again = dataset_classifier.trained(REAL, OTHER, cache, said.append)
  assert said == [] and again.accuracy == trained[0].accuracy
  for name, x in classifier.to_tensors(again.variables).items():
    np.testing.assert_array_equal(
        x, classifier.to_tensors(trained[0].variables)[name])


def test_of_those_that_start_together_one_trains_it(trained, cache, tmp_path):
  path, = pathlib.Path(cache).glob('classifier_*.npz')
  said, others = [], []
  with cache_files.alone_with(str(tmp_path), path.stem, wait=True):
    waits = threading.Thread(target=lambda: others.append(
        dataset_classifier.trained(REAL, OTHER, str(tmp_path), said.append)))
    waits.start()
    waits.join(1)
    assert waits.is_alive()
    shutil.copy(path, tmp_path)
  waits.join()
  assert said == [] and others[0].accuracy == trained[0].accuracy


def test_what_is_damaged_is_trained_again(trained, cache, tmp_path):
  path, = pathlib.Path(cache).glob('classifier_*.npz')
  (tmp_path / path.name).write_bytes(path.read_bytes()[:-200])
  said = []
  dataset_classifier.trained(REAL, OTHER, str(tmp_path), said.append)
  assert said[0].startswith('training')


def test_scores_by_it_have_its_accuracy_beside_them(trained, cache):
  options = pair.Options(
      protocols.PROTOCOLS['local'], 'local', 'classifier', cache_dir=cache,
      say=pytest.fail, held_out=OTHER, train=REAL)
  scores, record = evaluate.compute(pair.Pair(OTHER, FAKE, options), (
      'fid', 'is', 'class_accuracy', 'factors'))
  json.dumps(record)
  by_name = {x.name: x for x in scores}
  right = trained[0].accuracy['label']
  assert by_name['class_accuracy'].about['classifier'] == right
  lines = '\n'.join(text.sheet(scores, record))
  assert f'class accuracy [classifier:logits], right {right:.0%} of' in lines
  assert 1 <= by_name['classifier_score'].value <= len(REAL.classes)
  factors = [x for x in scores if x.name.startswith('factor_')]
  assert len(factors) == len(trained[0].accuracy) - 1
  for x in factors:
    assert 0 <= x.value <= 1 and x.about['classifier'] > 0
  assert by_name['factors'].value == pytest.approx(
      np.mean([x.value for x in factors if x.name.removeprefix(
          'factor_') in by_name['factors'].about['of']]))
  assert record['extractors']['classifier']['held_out_accuracy'] == (
      trained[0].accuracy)
  assert 'class_accuracy_classifier' in record['scores']


def test_a_protocols_own_metrics_share_one_pass_and_its_taps(trained, cache):
  options = pair.Options(
      protocols.PROTOCOLS['tf_legacy'], 'tf_legacy', 'classifier',
      cache_dir=cache, say=pytest.fail, held_out=OTHER, train=REAL)
  scores, _ = evaluate.compute(pair.Pair(OTHER, FAKE, options))
  assert [x.name for x in scores] == ['frechet', 'classifier_score']
  # Nor does a tap that is asked for later miss what is known by then.
  x = pair.Pair(OTHER, FAKE, options)
  evaluate.compute(x, ('fid',))
  (late,), _ = evaluate.compute(x, ('is',))
  assert late.value == scores[1].value


def test_without_other_pictures_a_tenth_is_kept_out(cache):
  train, test, tested = dataset_classifier._split(REAL, None)
  assert tested is REAL and len(test) == 22 and len(train) == 198
  assert not set(train) & set(test)


def test_pictures_without_classes_cannot_be_learned(cache):
  plain = ArraySource(np.zeros((200, 8, 8, 3), np.uint8))
  with pytest.raises(ValueError, match=(
      'features=classifier: array has no classes to learn; .*random_conv')):
    dataset_classifier.trained(plain, None, cache)
  few = ArraySource(np.zeros((20, 8, 8, 3), np.uint8), np.arange(20) % 2)
  with pytest.raises(ValueError, match='array has 20 pictures; wanted at'):
    dataset_classifier.trained(few, None, cache)

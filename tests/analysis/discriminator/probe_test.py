"""Laws of probing a run's D: which pictures, which features, what is said."""
import jax
import numpy as np
import pytest

from msg_gan_jax.analysis.discriminator import extractor, linear_svm, probe
from msg_gan_jax.analysis.discriminator.features import Judge
from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.data.sources import Splits
from msg_gan_jax.gan.build import build
from msg_gan_jax.report import tables
from msg_gan_jax.runs import checkpoints, workdir

SETTINGS = dict(
    preset='landscape_sndcgan', networks__fmap_max=4, data__count=240,
    data__held_out=60, data__label='hat')


@pytest.fixture(scope='module')
def run(small, tmp_path_factory):
  """A folder of a run with two checkpoints: as it began, and another's."""
  path = tmp_path_factory.mktemp('runs') / 'a'
  config = small(**SETTINGS)
  gan = build(config)
  with workdir.Workdir(path) as folder:
    folder.start(config)
  with checkpoints.Checkpoints(path / 'checkpoints') as saved:
    for images, key in (8, jax.random.fold_in(jax.random.key(0), 0)), (
        16, jax.random.key(7)):
      saved.save(images, {'state': gan.init(key)})
  return path, gan, config


@pytest.fixture(scope='module')
def found(run):
  return probe.probe(run[0], 'all', labels_per_class=6, test_count=50,
                     say=lambda line: None)


def test_each_checkpoint_stands_beside_what_needs_no_training(found):
  assert [x.name for x in found.outcomes] == [
      'pixels', 'random_conv', 'D at initialisation', 'D after 8 images',
      'D after 16 images']
  assert [x.numbers for x in found.outcomes[:2]] == [16 * 16 * 3, 256]
  assert all(len(x.right) == 50 for x in found.outcomes)


def test_a_d_that_nobody_trained_is_the_one_at_initialisation(found):
  begun, untrained, other = found.outcomes[2:]
  assert (begun.right == untrained.right).all()
  assert begun.chosen == untrained.chosen
  entries = found.record['features']
  assert entries[3]['above_initialisation'] == {
      'share': 0, 'low': 0, 'high': 0}
  assert entries[4]['above_initialisation']['share'] == pytest.approx(
      other.right.mean() - begun.right.mean())


def test_the_table_has_what_the_record_has(found):
  table = probe.table(found)
  for row, entry, outcome in zip(
      table.rows, found.record['features'], found.outcomes, strict=True):
    assert row[0] == entry['name'] and row[4].value == pytest.approx(
        100 * outcome.right.mean())
  assert 'D at initialisation' in tables.markdown(table)
  assert table.rows[0][5] is None and table.rows[2][6] is None
  assert found.picture.dtype == np.uint8 and found.picture.shape[2] == 3


def test_features_are_those_of_all_layers_in_a_grid(run):
  _, gan, config = run
  judge = probe.judge_at_start(gan, config)
  pictures = probe.draw(splits(), 'a', 5, 8, 0)
  layers = extractor.convolutions(judge)
  train, test = probe.features(judge, layers, pictures)
  assert (len(train), len(test)) == (15, 8)
  assert train.shape[1] == sum(
      extractor.GRIDS.width(judge.shapes[layer]) for layer in layers)


def splits(counts=(20, 12, 30), classes=('a', 'b', 'c'), held_out=40):
  labels = np.repeat(np.arange(len(counts)), counts)
  rng = np.random.default_rng(0)

  def source(labels):
    return ArraySource(rng.integers(
        0, 256, (len(labels), 16, 16, 3), np.uint8), labels, classes, 'set')

  return Splits(source(labels),
                source(labels[:held_out]) if held_out else None)


def test_as_many_pictures_of_each_class_are_labelled():
  drawn = probe.draw(splits(), 'a', 12, 25, 0)
  assert (np.bincount(drawn.labels) == 12).all()
  assert len({*drawn.rows}) == 36 and len({*drawn.test_rows}) == 25
  again, other = (probe.draw(splits(), 'a', 12, 25, seed) for seed in (0, 1))
  assert (drawn.rows == again.rows).all()
  assert (drawn.rows != other.rows).any()


def test_labels_of_tested_pictures_change_no_choice(run, monkeypatch):
  folder, _, _ = run
  draw = probe.draw

  def shuffled(*arguments):
    drawn = draw(*arguments)
    return drawn._replace(test_labels=np.random.default_rng(3).permutation(
        drawn.test_labels))

  def chosen():
    return [x.chosen for x in probe.probe(
        folder, labels_per_class=6, test_count=30,
        say=lambda line: None).outcomes]

  first = chosen()
  monkeypatch.setattr(probe, 'draw', shuffled)
  assert chosen() == first


@pytest.mark.parametrize('changes, text', [
    (dict(counts=(20,), classes=('a',)), 'set has 1 class, and a classifier'),
    (dict(held_out=0), 'nothing of set was held out of training'),
    (dict(counts=(20, 3, 30)), "labels_per_class: 10, but the class 'b' of "
     'set has 3 training pictures; wanted at least 2'),
])
def test_what_cannot_be_probed_is_refused(changes, text):
  with pytest.raises(ValueError, match=text):
    probe.draw(splits(**changes), 'a', 10, 20, 0)


def test_unknown_layers_and_checkpoints_are_refused(run):
  folder, _, _ = run
  with pytest.raises(ValueError, match='layer=conv_9: D has no such layer'):
    probe.probe(folder, layers=('conv_9',))
  with pytest.raises(ValueError, match='which: 9, but .* has none'):
    probe.probe(folder, '9', labels_per_class=5, say=lambda line: None)


def test_what_pictures_differ_in_is_found_by_a_d_without_labels(run):
  _, gan, _ = run
  rng = np.random.default_rng(0)
  labels = np.arange(60) % 2
  dark = rng.integers(0, 90, (60, 16, 16, 3))
  images = (dark + 120 * labels[:, None, None, None]).astype(np.uint8)
  source = ArraySource(images, labels, ('dark', 'bright'))
  pictures = probe.draw(Splits(source, source), 'a', 20, 60, 0)
  judge = Judge.of(gan, gan.init(jax.random.key(3)).d)
  train, test = linear_svm.scaled(*probe.features(
      judge, ('conv_0', 'conv_6'), pictures))
  machine = linear_svm.fit(train, pictures.labels, 1.)
  assert (machine.predict(test) == pictures.test_labels).all()

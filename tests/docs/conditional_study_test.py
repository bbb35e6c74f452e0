"""The study of conditional runs: its classifier, its shares, its table."""
import functools
import importlib.util
import json

from helpers import ROOT
import numpy as np
import pytest

FILE = ROOT / 'docs' / 'studies' / 'conditional.py'
COLOURS = np.array([[220, 40, 40], [40, 220, 40], [40, 40, 220]])


@pytest.fixture(scope='module')
def study():
  spec = importlib.util.spec_from_file_location('conditional', FILE)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  # Unoptimized convolutions are slow.
  module.BATCH = 32
  module.Classifier = functools.partial(module.Classifier, widths=(16, 32, 64))
  return module


class Colours:
  """Noise around one colour a class."""
  name, shape, notes = 'colours', (8, 8, 3), {}
  classes = ('red', 'green', 'blue')

  def __init__(self, count, seed):
    rng = np.random.default_rng(seed)
    self._labels = rng.integers(3, size=count).astype(np.int32)
    noise = rng.normal(0, 30, (count, *self.shape))
    self._images = np.clip(
        COLOURS[self._labels][:, None, None] + noise, 0, 255).astype(np.uint8)

  def __len__(self):
    return len(self._labels)

  def images(self, indices):
    return self._images[indices]

  def labels(self, indices):
    return self._labels[indices]


@pytest.fixture(scope='module')
def learned(study):
  return study.train_classifier(
      Colours(300, seed=0), Colours(100, seed=1), steps=30)


def plain(seen):
  """A predict that reads the class from the first pixel's value."""
  return seen[:, 0, 0, 0].astype(int)


def showing(classes):
  return np.asarray(classes, np.uint8)[:, None, None, None]


@pytest.mark.slow
def test_it_learns_classes_that_differ_in_colour(learned):
  predict, accuracy = learned
  assert accuracy > .95
  fresh = Colours(700, seed=2)  # More than one chunk, and part of another.
  every = np.arange(700)
  seen = predict(fresh.images(every))
  assert seen.shape == (700,)
  assert (seen == fresh.labels(every)).mean() > .95


@pytest.mark.slow
def test_it_learns_nothing_from_labels_that_say_nothing(study):
  train, held_out = Colours(300, seed=0), Colours(300, seed=1)
  rng = np.random.default_rng(0)
  for source in (train, held_out):
    source._labels = rng.permutation(source._labels)
  _, accuracy = study.train_classifier(train, held_out, steps=30)
  # Chance is a third, its deviation .027; five of them.
  assert abs(accuracy - 1 / 3) < .14


@pytest.mark.slow
def test_the_same_seed_is_the_same_classifier(study, learned):
  predict, accuracy = study.train_classifier(
      Colours(300, seed=0), Colours(100, seed=1), steps=30)
  assert accuracy == learned[1]
  grey = np.random.default_rng(0).integers(
      256, size=(64, 8, 8, 3), dtype=np.uint8)
  assert (predict(grey) == learned[0](grey)).all()


def test_every_picture_is_shown_before_one_is_shown_again(study):
  shown = np.concatenate(list(study._batches(
      300, 20, np.random.default_rng(0))))
  assert len(shown) == 20 * study.BATCH
  assert sorted(shown[:300]) == sorted(shown[300:600]) == list(range(300))


def test_recovery_counts_what_was_asked_for_in_rows(study):
  asked = [0, 0, 0, 0, 1, 1, 3, 3]
  seen = [0, 0, 0, 1, 1, 0, 2, 2]
  found = study.recovery(plain, showing(seen), asked, 4)
  assert found['confusion'] == [
      [3, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 2, 0]]
  assert (found['n'], found['share']) == (8, .5)
  assert found['low'] < .5 < found['high']
  assert [s and s['share'] for s in found['per_class']] == [.75, .5, None, 0.]
  assert json.loads(json.dumps(found)) == found


def test_recovery_is_all_or_nothing_where_all_or_nothing_is_right(study):
  asked = np.arange(60) % 3
  assert study.recovery(plain, showing(asked), asked)['share'] == 1
  nothing = study.recovery(plain, showing((asked + 1) % 3), asked)
  assert nothing['share'] == 0 and nothing['low'] == 0 < nothing['high']
  # One picture for all requests: the share of its class.
  assert study.recovery(
      plain, showing(np.ones(60)), asked)['share'] == pytest.approx(1 / 3)


@pytest.mark.slow
def test_a_run_becomes_a_row_and_a_picture(
    study, learned, tmp_path, monkeypatch):
  run = tmp_path / 'colours-painter'
  (run / 'checkpoints' / '1200').mkdir(parents=True)
  # A painter that takes blue for green.
  monkeypatch.setattr(study, 'samples', lambda run, labels, seed: np.tile(
      COLOURS[np.where(labels == 2, 1, labels)].astype(
          np.uint8)[:, None, None], (1, 8, 8, 1)))
  source = Colours(300, seed=0)
  reals = study.Reals((source, source), *learned, 1.)
  reals = reals._replace(splits=_Splits(source))
  result, images = study.measure(run, reals, per_class=10)
  assert json.loads((run / 'recovery.json').read_text()) == result
  assert images.shape == (3, 10, 8, 8, 3)
  assert result['share'] == pytest.approx(2 / 3)
  row = list(study.table({run.name: result}))[-1]
  assert row.startswith(
      f'| painter | colours | 1,200 | {learned[1]:.1%} | 66.7% (48.8% to ')
  assert '0% (blue) to 100% (red)' in row
  study.picture(tmp_path / 'x.png', 'colours', reals, {'painter': images})
  assert (tmp_path / 'x.png').stat().st_size


class _Splits:
  def __init__(self, source):
    self.train = self.held_out = source

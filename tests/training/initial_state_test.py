"""Laws of a first start: what is said of classes, and what pictures decide."""
from helpers import batch, picture, save, save_classes
import jax
import pytest

import msg_gan_jax
from msg_gan_jax.commands import dry_run
from msg_gan_jax.data import sources
from msg_gan_jax.gan.build import build
from msg_gan_jax.training import first_start, initial_state, loop


@pytest.fixture
def cats_and_dogs(small, tmp_path):
  root = save_classes(tmp_path / 'set', 6, 6)
  return lambda **more: small(
      data__name='folder', data__path=str(root), data__count=20_000,
      data__cache_dir=str(tmp_path / 'cache'), **more)


@pytest.mark.parametrize('settings', [
    {}, {'data__name': 'ring', 'data__resolution': 1, 'data__channels': 2}])
def test_of_the_classes_of_drawn_sets_nothing_is_said(small, settings):
  config = small(**settings)
  splits = sources.open_source(config)
  assert len(splits.train.classes) > 1
  assert initial_state.check_classes(config, splits) == ''


def test_classes_of_files_that_are_ignored_are_a_note(
    cats_and_dogs, tmp_path, monkeypatch):
  config = cats_and_dogs()
  splits = sources.open_source(config)
  note = initial_state.check_classes(config, splits)
  assert ' has 2 classes, which this GAN ignores. ' in note
  advised = dict(networks__classes=2, networks__g_condition='concat',
                 networks__d_condition='projection')
  assert all(name.replace('__', '.') in note for name in advised)
  assert initial_state.check_classes(cats_and_dogs(**advised), splits) == ''
  monkeypatch.setattr(dry_run, 'describe_cost', lambda *_: [])
  said = []
  dry_run.dry_run(config, str(tmp_path / 'sheet.png'), said.append)
  assert said.count(f'  note: {note}') == 1


@pytest.fixture
def begun(monkeypatch):
  """The configs that runs began under; none of them trains."""
  seen = []

  class Run:
    """Begins, and takes no step."""

    def __init__(self, config, gan, mesh, folder, splits, *rest):
      assert gan.components.config == config
      seen.append(config)
      folder.start(config, 0, splits.train.digest())

    def train(self, stop):
      return 0

    def close(self):
      pass

  monkeypatch.setattr(loop, 'Run', Run)
  return seen


def test_a_run_says_the_note_once_and_again_of_other_pictures(
    cats_and_dogs, tmp_path, begun):
  for wanted in 'has 2 classes', '', 'is read whole, without classes', '':
    if wanted.startswith('is read'):
      save(tmp_path / 'set' / 'loose.png', picture(99))
    said = []
    loop.train(cats_and_dogs(), tmp_path / 'run', said.append)
    notes = [line for line in said if line.startswith('note: ')]
    assert len(notes) == bool(wanted) and wanted in ''.join(notes)
    assert not any('warning' in line for line in said)


def test_what_is_skipped_is_told_before_training(cats_and_dogs, tmp_path):
  config = cats_and_dogs(data__on_bad='skip')
  (tmp_path / 'set' / 'cat' / 'broken.png').write_bytes(b'no picture')
  note, = [line for line in initial_state.notes(
      config, sources.open_source(config)) if 'skipped' in line]
  assert note.startswith('1 picture of set cannot be read, and is skipped: ')
  assert 'broken.png: ' in note


AUTO = {'objective__augment': 'auto'}


def augmented(config):
  return config.objective.augment, config.objective.augment_strength


def test_the_first_start_chooses_the_augmentation_and_the_run_keeps_it(
    cats_and_dogs, begun, tmp_path, monkeypatch):
  config, said = cats_and_dogs(**AUTO), []
  loop.train(config, tmp_path / 'few', said.append)
  assert augmented(begun[-1]) == ('diffaugment', 1.)
  assert sum(line.startswith('augment: diffaugment, since D would learn 12 '
                             'training pictures') for line in said) == 1
  monkeypatch.setattr(first_start, 'FEW', 11)
  said.clear()
  for name in 'few', 'many':
    loop.train(config, tmp_path / name, said.append)
  assert [augmented(x) for x in begun] == [
      ('diffaugment', 1.)] * 2 + [('none', .1)]
  assert [line for line in said if line.startswith('augment: ')] == [
      'augment: no augmentation, since 12 training pictures are more than 11']
  # As an earlier version began: without any.
  loop.train(cats_and_dogs(), tmp_path / 'old', said.append)
  monkeypatch.setattr(first_start, 'FEW', 12)
  loop.train(config, tmp_path / 'old', said.append)
  assert augmented(begun[-1]) == ('none', .1)


def test_what_was_given_beside_it_stays(small, cats_and_dogs):
  for config, wanted in (
      (cats_and_dogs(**AUTO, objective__augment_strength=.5),
       ('diffaugment', .5)),
      (cats_and_dogs(objective__augment='ada_b'), ('ada_b', .1)),
      (small(**AUTO, data__name='ring', data__resolution=1, data__channels=2),
       ('none', .1))):
    splits = sources.open_source(config)
    assert augmented(first_start.with_choices(config, splits)) == wanted


def test_before_that_a_gan_draws_and_says_what_decides(small):
  config = small(**AUTO)
  gan = build(config)
  state = jax.eval_shape(gan.init, jax.random.key(0))
  z = jax.ShapeDtypeStruct((1, config.networks.latent), 'float32')
  jax.eval_shape(gan.sample, state, z)
  with pytest.raises(ValueError, match=(
      r"'auto' is chosen by .*msg_gan_jax\.with_choices\(")):
    jax.eval_shape(gan.step, state, batch(config), jax.random.key(0))
  gan = build(msg_gan_jax.with_choices(
      config, msg_gan_jax.open_source(config)))
  assert gan.components.config.objective.augment == 'diffaugment'


def test_a_dry_run_says_what_would_be_chosen(
    cats_and_dogs, tmp_path, monkeypatch):
  costs = []
  monkeypatch.setattr(dry_run, 'describe_cost', lambda gan, *_: costs.append(
      gan.components.config.objective.augment) or [])
  said = []
  dry_run.dry_run(
      cats_and_dogs(**AUTO), str(tmp_path / 'sheet.png'), said.append)
  assert costs == ['diffaugment']
  assert sum('augment: diffaugment, since' in line for line in said) == 1

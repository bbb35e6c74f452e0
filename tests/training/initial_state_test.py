"""Laws of a first start: what is said of classes, and how often."""
from helpers import save_classes
import pytest

from msg_gan_jax.commands import dry_run
from msg_gan_jax.data import sources
from msg_gan_jax.training import initial_state, loop


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


def test_a_run_says_the_note_at_its_first_start_alone(
    cats_and_dogs, tmp_path, monkeypatch):
  class Run:
    """Begins, and trains nothing."""

    def __init__(self, config, gan, mesh, folder, *rest):
      folder.start(config)

    def train(self, stop):
      return 0

    def close(self):
      pass

  monkeypatch.setattr(loop, 'Run', Run)
  for wanted in (1, 0):
    said = []
    loop.train(cats_and_dogs(), tmp_path / 'run', said.append)
    assert sum(line.startswith('note: ') for line in said) == wanted
    assert not any('warning' in line for line in said)

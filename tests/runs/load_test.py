"""Laws of the one loader: which checkpoint is read, and what is said of it."""
import shutil
from unittest import mock

import jax
import jax.numpy as jnp
import pytest

from msg_gan_jax.arrays.mesh import data_mesh, replicated
from msg_gan_jax.gan.state import Player, State
from msg_gan_jax.runs import best, inventory, load, workdir
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.training import initial_state


def state(images):
  """A State of a few numbers, all of them `images`."""
  def player():
    return Player({'w': jnp.full(2, images, jnp.float32)}, {}, ())
  return State(images=jnp.int32(images), g=player(), d=player(), ema=player(),
               hyper={}, aux={})


@pytest.fixture(scope='module')
def gan():
  """What has such States, in place of a GAN."""
  gan = mock.Mock(init=lambda key: state(0))
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(load, 'build_to_draw', lambda config: gan)
    yield gan


@pytest.fixture(scope='module')
def saved(gan, small, tmp_path_factory):
  """A run at 8, 16 and 24 images, the best at 12."""
  path = tmp_path_factory.mktemp('runs') / 'a'
  with workdir.Workdir(path) as folder:
    folder.start(small())
  for name, steps in (('checkpoints', (8, 16, 24)), (best.FOLDER, (12,))):
    with Checkpoints(path / name, keep=3) as checkpoints:
      for images in steps:
        checkpoints.save(images, {'state': state(images)})
  return path


@pytest.fixture
def run(saved, tmp_path):
  return shutil.copytree(saved, tmp_path / 'a')


def harm(run, *names):
  for name in names:
    (run / name / 'record' / 'metadata').write_text('{}')


def swap(one, other):
  one.rename(one.parent / 'aside')
  other.rename(one)
  (one.parent / 'aside').rename(other)


@pytest.mark.parametrize('which, images', [
    ('newest', 24), ('best', 12), (16, 16), ('16', 16), (12, 12)])
def test_the_checkpoint_that_is_named_is_read(saved, which, images):
  found = load.load(saved, which, say=pytest.fail)
  assert found.images == images == int(found.state.images)


def test_an_older_one_takes_the_place_of_a_damaged_one_and_is_named(
    run, gan, small):
  harm(run, 'checkpoints/24', 'checkpoints/16')
  said = []
  # Whoever looks for it, as a run that begins from this one.
  config = small(train__init_from=str(run), train__init_parts='ema')
  begun = initial_state.create(
      gan, config, jax.random.key(0), replicated(data_mesh()), said.append)
  line, = said
  assert line.startswith(f'warning: {run}: checkpoint 24 is damaged: ')
  assert '; checkpoint 16 is damaged: ' in line
  assert line.endswith(' The one of 8 images is read in its place')
  assert begun.ema.params['w'].tolist() == [8, 8] and not begun.g.params['w'][0]


def test_a_run_begins_with_the_checkpoint_that_is_named(run, gan, small):
  origin = []
  begun = initial_state.create(
      gan, small(train__init_from=str(run), train__init_images='16'),
      jax.random.key(0), replicated(data_mesh()), origin=origin)
  assert int(begun.g.params['w'][0]) == 16
  assert origin == [f'origin of g, d, ema: {run} at 16 images (digest '
                    f'{inventory.digest(run / "checkpoints" / "16")})']


def test_of_all_those_that_are_damaged_are_left_out(run, gan):
  harm(run, 'checkpoints/16')
  said = []
  assert [images for images, _ in load.states(
      gan, run, 'all', said.append)] == [8, 12, 24]
  line, = said
  assert 'checkpoint of 16 images' in line and 'is damaged' in line
  shutil.rmtree(run / 'checkpoints')
  harm(run, 'best/12')
  with pytest.raises(ValueError, match='of 12 images in .* is damaged'):
    list(load.states(gan, run, 'all', said.append))


@pytest.mark.parametrize('which, name', [('best', 'best/12'), (
    16, 'checkpoints/16')])
def test_one_that_is_asked_for_and_damaged_is_an_error_with_a_way_out(
    run, which, name):
  harm(run, name)
  with pytest.raises(ValueError, match=(
      f'^workdir {run}: the checkpoint of 1. images in .* is damaged: .* '
      'Restore it from a copy. Or take which=newest')):
    load.load(run, which)
  assert load.load(run, 'newest', pytest.fail).images == 24


def test_two_that_are_swapped_are_told_so_and_how_to_mend_it(run, gan):
  shutil.rmtree(run / 'checkpoints' / '8')
  one, other = (run / 'checkpoints' / name for name in ('16', '24'))
  swap(one, other)
  with pytest.raises(ValueError, match=(
      r'(?s)24: it holds the checkpoint of 16 images\n  16: it holds the check'
      r'point of 24 images\nNothing was changed\. Name the folders by what they'
      r' hold: 24 -> 16, 16 -> 24\.$')):
    load.load(run)
  with pytest.raises(ValueError, match='of 16 im.* damaged: it holds .* 24 im'):
    load.load(run, 16)
  swap(one, other)
  assert load.load(run, say=pytest.fail).images == 24


@pytest.mark.parametrize('name, told', [
    ('16', '24 -> 16, 16 -> 24'), ('8', '24 -> 8, 8 -> 24'),
    ('32', '32 -> 24')])
def test_a_whole_one_under_a_wrong_name_gives_way_to_no_older_one(
    run, gan, name, told):
  """Neither in a run that goes on nor for readers; nothing is moved."""
  path = run / 'checkpoints'
  if (path / name).exists():
    swap(path / '24', path / name)
  else:
    (path / '24').rename(path / name)
  newest = '32' if name == '32' else '24'
  before = sorted(path.rglob('*'))
  names = rf'Name the folders by what they hold: {told}\.'
  for read in (lambda: load.load(run),
               lambda: Checkpoints(path).restore({'state': state(0)})):
    with pytest.raises(ValueError, match=(
        f'(?s)have the names of others:\n  {newest}: it holds .*{names}')):
      read()
  assert sorted(path.rglob('*')) == before


def test_a_copy_under_a_newer_name_is_passed_over(run, gan):
  shutil.copytree(run / 'checkpoints' / '24', run / 'checkpoints' / '32')
  said = []
  assert load.load(run, say=said.append).images == 24
  assert '32 is damaged: it holds the checkpoint of 24 images' in said[0]

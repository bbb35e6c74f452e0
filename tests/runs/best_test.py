"""Laws of the best checkpoint: none is lost, and like is compared with like."""
import json

import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.runs import orbax_storage
from msg_gan_jax.runs.best import Best
from msg_gan_jax.runs.checkpoints import Checkpoints

TREE = {'x': jnp.arange(3.)}
NAN = float('nan')


def steps(path):
  return Checkpoints(path / 'best', read_only=True).steps()


def test_a_run_that_was_killed_finds_its_best_again(tmp_path):
  """A best of more images than the newest checkpoint is set aside."""
  one = Best(tmp_path, 0)
  assert one.offer(10, TREE, 5.) and not one.offer(20, TREE, 6.)
  assert one.offer(30, TREE, 4.) and not one.offer(40, TREE, NAN)
  one.close()
  again = Best(tmp_path, 20, {10: 5., 20: 6.})
  assert steps(tmp_path) == []
  assert len(list((tmp_path / 'best' / 'damaged').iterdir())) == 1
  # What had 5 is gone: anything is better than nothing.
  assert again.offer(25, TREE, 5.5) and again.offer(30, TREE, 4.)
  again.close()
  more = Best(tmp_path / 'other', 0, lower=False)
  assert more.offer(1, TREE, .2) and not more.offer(2, TREE, .1)
  more.close()


@pytest.mark.parametrize('scores', [{}, {10: 5., 20: 1.}])
def test_a_score_is_compared_with_that_of_what_lies_there(scores, tmp_path):
  """Whether records are lost, or know of a state that was never saved."""
  one = Best(tmp_path, 0)
  one.offer(10, TREE, 5.)
  one.close()
  said = []
  again = Best(tmp_path, 20, scores, say=said.append)
  assert not again.offer(30, TREE, 5.5) and again.offer(40, TREE, 4.5)
  again.close()
  assert steps(tmp_path) == [40] and not said
  assert not (tmp_path / 'best' / 'damaged').exists()


@pytest.mark.parametrize('judge', [None, {'metric': 'kid'}])
def test_a_best_whose_score_is_unknown_is_kept(judge, tmp_path):
  """It has no notes and its record is lost, or another metric chose it."""
  if judge:
    before = Best(tmp_path, 0, judge=judge)
    before.offer(10, TREE, -1.)
    before.close()
  else:
    with Checkpoints(tmp_path / 'best') as older:
      older.save(10, TREE)
  said = []
  now = Best(tmp_path, 20, {20: 1., **({10: -1.} if judge else {})},
             judge={'metric': 'fid'}, say=said.append)
  why = 'of another measure' if judge else 'lost'
  assert f'warning: {tmp_path / "best" / "10"}: its score is {why}.' in said[0]
  assert not now.offer(30, TREE, NAN) and steps(tmp_path) == [10]
  assert now.offer(40, TREE, 9.) and not now.offer(50, TREE, 9.5)
  now.close()
  assert steps(tmp_path) == [40]
  aside, = (tmp_path / 'best' / 'damaged').iterdir()
  aside.rename(tmp_path / '10')  # Whole, for whoever wants it.
  _, tree = Checkpoints(tmp_path, read_only=True).restore(TREE)
  np.testing.assert_array_equal(tree['x'], TREE['x'])


def test_a_mistake_of_the_program_is_no_lost_score(tmp_path, monkeypatch):
  one = Best(tmp_path, 0)
  one.offer(10, TREE, 5.)
  one.close()
  # What it is called with does not fit.
  monkeypatch.setattr(orbax_storage, 'read_record', lambda: {})
  with pytest.raises(TypeError, match='positional argument'):
    Best(tmp_path, 20)
  # The same of a library, which meets bad data, is damage.
  assert orbax_storage.attempt(json.loads, 3)[1].startswith('TypeError: ')


def test_a_best_of_earlier_versions_has_the_score_of_its_record(tmp_path):
  with Checkpoints(tmp_path / 'best') as older:
    older.save(10, TREE)
  now = Best(tmp_path, 20, {10: 5., 20: 1.})
  assert not now.offer(30, TREE, 5.5) and now.offer(40, TREE, 4.)
  now.close()

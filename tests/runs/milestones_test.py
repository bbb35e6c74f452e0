"""Checkpoints that stay beside the newest: train.keep_every_images."""
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.runs import load
from msg_gan_jax.runs.checkpoints import Checkpoints
from msg_gan_jax.runs.milestones import kept, milestones


@pytest.mark.parametrize('steps, every, wanted', [
    ([8, 16, 24, 32, 40], 0, []),
    ([8, 16, 24, 32, 40], 16, [16, 32]),
    # Batches of 48 do not end at multiples: the first at or after each.
    ([48, 1008, 1056, 1968, 2016, 3024], 1000, [1008, 2016, 3024]),
    ([100, 200, 300], 30, [100, 200, 300]),  # All, where they are rarer.
    ([1, 2, 3], 10, []),
    ([35, 36, 61], 10, [35, 61]),  # Multiples that were missed are no loss.
])
def test_the_first_at_or_after_each_multiple_is_a_milestone(
    steps, every, wanted):
  assert milestones(steps, every) == wanted
  assert kept(steps, 1, every) == [
      step in wanted or step == steps[-1] for step in steps]


def test_what_stays_does_not_depend_on_what_went_before():
  """Saved one by one, those stay that stay of all of them at once."""
  rng = np.random.default_rng(0)
  for keep, every in ((1, 100), (2, 70), (3, 1), (2, 1000)):
    steps = np.cumsum(rng.integers(1, 60, 40)).tolist()
    there = []
    for step in steps:
      there.append(step)
      if rng.random() < .8:  # A kill before anything was deleted.
        there = [x for x, stays in zip(
            there, kept(there, keep, every), strict=True) if stays]
    there = [x for x, stays in zip(
        there, kept(there, keep, every), strict=True) if stays]
    wanted = [x for x, stays in zip(
        steps, kept(steps, keep, every), strict=True) if stays]
    assert there == wanted


def save(path, steps, **options):
  with Checkpoints(path, **options) as opened:
    for step in steps:
      opened.save(step, {'x': jnp.arange(3) + step})
      opened.wait()


def test_milestones_stay_beside_the_newest_and_are_found(tmp_path):
  path = tmp_path / 'checkpoints'
  save(path, range(8, 89, 8), keep=2, keep_every=32)
  wanted = [32, 64, 80, 88]
  assert Checkpoints(path, read_only=True).steps() == wanted
  # A run that goes on with another number of them, or none.
  save(path, [96, 104], keep=1, keep_every=32)
  assert Checkpoints(path, read_only=True).steps() == [32, 64, 96, 104]
  assert [images for _, images in load.checkpoints_of(tmp_path, 'all')] == [
      32, 64, 96, 104]
  images, tree = Checkpoints(path, read_only=True).restore(
      {'x': jnp.zeros(3, int)}, images=32)
  assert images == 32 and tree['x'].tolist() == [32, 33, 34]
  save(path, [112], keep=1)
  assert Checkpoints(path, read_only=True).steps() == [112]


def test_after_a_kill_nothing_piles_up(tmp_path):
  """What a writer had no time to delete goes with the next checkpoint."""
  save(tmp_path, [8, 16, 24, 32], keep=9)
  save(tmp_path, [40], keep=2, keep_every=16)
  assert Checkpoints(tmp_path, read_only=True).steps() == [16, 32, 40]

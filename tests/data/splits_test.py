"""Laws of what is held out, and of the order of an epoch."""
from helpers import picture, save, whole
import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import order, sources
from msg_gan_jax.data.source import Source

# Opening by config.


def opened(root, tmp_path, seed=0, **settings):
  config = schema.template()
  config.seed = seed
  config.data.update({'name': 'folder', 'path': str(root), 'resolution': 8,
                      'cache_dir': str(tmp_path / 'cache'), **settings})
  return sources.open_source(schema.parse(config))


def test_splits_are_disjoint_whole_and_the_same_for_every_seed(
    tmp_path):
  for i in range(120):
    save(tmp_path / 'set' / 'abc'[i % 3] / f'{i}.png', picture(i))
  train, held_out = opened(tmp_path / 'set', tmp_path)
  assert 6 <= len(held_out) <= 20  # A tenth, as the hash has it.
  seen = [x.tobytes() for s in (train, held_out) for x in whole(s)]
  assert len(set(seen)) == len(train) + len(held_out) == 120
  other = opened(tmp_path / 'set', tmp_path, seed=1)
  np.testing.assert_array_equal(whole(other.train), whole(train))
  assert other.train.digest() == train.digest() != held_out.digest()
  assert sum(train.notes['per_class'].values()) == len(train)
  assert isinstance(train, Source)
  everything = {picture(i).tobytes(): i % 3 for i in range(120)}
  for i in range(len(train)):
    label = train.labels(np.array([i]))[0]
    assert label == everything[train.images(np.array([i]))[0].tobytes()]


def test_nothing_is_held_out_of_few_pictures_or_when_not_wanted(
    root, tmp_path):
  assert opened(root, tmp_path, held_out=0).held_out is None
  splits = opened(root / 'cat', tmp_path)
  assert splits.held_out is None and len(splits.train) == 5


def test_an_unknown_source_names_the_nearest(root, tmp_path):
  with pytest.raises(ValueError, match="config.data.name.*did you mean 'fold"):
    opened(root, tmp_path, name='foldr')


def test_drawn_splits_do_not_depend_on_the_seed_and_are_disjoint():
  def draw(seed):
    config = schema.template()
    config.seed = seed
    config.data.update({'count': 6, 'held_out': 3, 'resolution': 16})
    return sources.open_source(schema.parse(config))
  train, held_out = draw(0)
  assert (len(train), len(held_out)) == (6, 3)
  np.testing.assert_array_equal(whole(train), whole(draw(7).train))
  both = [x.tobytes() for s in (train, held_out) for x in whole(s)]
  assert len(set(both)) == 9


def test_permutation_is_one_and_differs_by_stream():
  a, b = (order.permutation(1000, 0, s) for s in (1, 2))
  assert sorted(a) == sorted(b) == list(range(1000)) and (a != b).any()

"""Copies of training rows are told from fresh ones."""
import numpy as np

from msg_gan_jax.metrics.functional import (
  memorisation,
  precision_recall,
)


def gaussian(n, d, seed=0, dtype=np.float64):
  return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


def test_copies_of_training_rows_are_found():
  train, fresh = gaussian(300, 80, 0, 'f'), gaussian(60, 80, 1, 'f')
  fake = np.concatenate([train[[7, 250]], fresh])
  distances, indices = precision_recall.nearest(train, fake)
  copies = memorisation.authenticity(train, fake)
  assert copies.ratio[:2].tolist() == [0, 0]
  np.testing.assert_array_equal(copies.nearest, indices[:, 0])
  np.testing.assert_array_equal(copies.distance, distances[:, 0])
  assert copies.authentic == (copies.ratio > 1).mean() <= 60 / 62
  assert memorisation.authenticity(train, train).authentic == 0
  # Real rows that are copies of each other: no distance is beyond theirs.
  twice = memorisation.authenticity(np.repeat(train, 2, 0), fake)
  assert np.isinf(twice.ratio[2:]).all() and twice.ratio[0] == 0


def test_fresh_data_is_as_near_to_training_as_to_held_out_rows():
  x = gaussian(900, 3)
  train, held_out, fake = x[:200], x[200:500], x[500:]
  nearer = memorisation.nearer_to_train(train, held_out, fake)
  assert nearer.rows == 200
  assert abs(nearer.share - .5) < 4 * nearer.standard_error
  near = train[np.arange(100)] + 1e-3 * fake[:100]
  assert memorisation.nearer_to_train(train, held_out, near).share > .95
  assert memorisation.nearer_to_train(train, train, fake).share == .5

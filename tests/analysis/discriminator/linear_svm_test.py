"""Laws of the linear classifier of features."""
import sys

import numpy as np
import pytest

from msg_gan_jax.analysis.discriminator import linear_svm


def groups(n=40, classes=4, dimensions=6, apart=8., seed=0):
  """(features [n * classes, d], labels): as far apart as is asked for."""
  rng = np.random.default_rng(seed)
  labels = np.repeat(np.arange(classes), n)
  middles = apart * np.eye(dimensions)[:classes]
  return rng.normal(size=(len(labels), dimensions)) + middles[labels], labels


def classified(train, labels, test, seed=0):
  train, test = linear_svm.scaled(train, test)
  return linear_svm.fit(
      train, labels, linear_svm.choose(train, labels, seed).c).predict(test)


def test_groups_that_planes_separate_are_told_apart():
  (train, labels), (test, wanted) = groups(), groups(seed=1)
  assert (classified(train, labels, test) == wanted).all()


def test_shuffled_labels_are_told_by_chance():
  (train, labels), (test, wanted) = groups(50), groups(50, seed=1)
  shares = [(classified(train, np.random.default_rng(i).permutation(labels),
                        test) == wanted).mean() for i in range(16)]
  # A group is told as one, so that pictures of it are no draws of their own.
  error = np.std(shares, ddof=1) / 4
  assert abs(np.mean(shares) - .25) < 3 * error < .25


def test_the_choice_of_c_knows_no_test_labels():
  train, labels = groups(apart=1.5)
  scaled, = linear_svm.scaled(train)
  first, again = (linear_svm.choose(scaled, labels) for _ in range(2))
  assert first == again and first.c in linear_svm.GRID
  assert first.accuracies[first.c] == max(first.accuracies.values())
  assert first.c == min(c for c, share in first.accuracies.items()
                        if share == first.accuracies[first.c])


def test_features_of_length_one_whatever_their_scale():
  train, _ = groups()
  scale = 10.**np.arange(-3, 3)
  scaled, = linear_svm.scaled(train * scale + 5 * scale)
  np.testing.assert_allclose(scaled, linear_svm.scaled(train)[0], atol=1e-6)
  assert (scaled**2).sum(1).mean() == pytest.approx(1, 1e-5)
  constant = np.concatenate([train, np.full((len(train), 1), 3.)], 1)
  with_constant, = linear_svm.scaled(constant)
  np.testing.assert_allclose(with_constant[:, :-1], scaled, atol=1e-6)
  assert not with_constant[:, -1].any()


def test_an_edge_of_the_grid_is_told():
  chosen = linear_svm.Chosen(.1, {.1: .5, 1.: .4, 10.: .3})
  assert chosen.at_edge and not chosen._replace(c=1.).at_edge


def test_a_class_with_one_row_cannot_be_validated():
  with pytest.raises(ValueError, match='labels: one row of the class 1; wante'):
    linear_svm.choose(np.eye(3), np.array([0, 0, 1]))


def test_a_difference_is_taken_over_the_same_rows():
  right, other = np.arange(100) < 60, np.arange(100) < 50
  share = linear_svm.difference(right, other)
  deviation = np.std([1.] * 10 + [0.] * 90, ddof=1)
  assert share.share == pytest.approx(.1)
  assert share.high - share.low == pytest.approx(
      2 * 1.959964 * deviation / 10)
  assert linear_svm.difference(right, right) == (0, 0, 0)


@pytest.mark.parametrize('classes', [2, 4])
def test_it_minimizes_squared_hinges_of_each_class_against_all_others(classes):
  c = .3
  train, labels = groups(apart=1.5, classes=classes)
  machine = linear_svm.fit(train, labels, c)
  weights = np.concatenate([machine.coef_, machine.intercept_[:, None]], 1)
  assert len(weights) == (classes if classes > 2 else 1)
  rows = np.concatenate([train, np.ones((len(train), 1))], 1)
  for of, found in zip(range(classes) if classes > 2 else [1], weights,
                       strict=True):
    signs = np.where(labels == of, 1, -1)

    def slope(weights, signs=signs):
      hinges = np.maximum(0, 1 - signs * (rows @ weights))
      return weights - 2 * c * (signs * hinges) @ rows

    # Where the slope is 0, beside what it is at 0.
    assert np.linalg.norm(slope(found)) < 5e-3 * np.linalg.norm(
        slope(np.zeros_like(found)))


def test_without_scikit_learn_it_is_told(monkeypatch):
  monkeypatch.setitem(sys.modules, 'sklearn', None)
  with pytest.raises(ValueError, match='^a linear probe needs sklearn, .* Run: '
                     'pip install scikit-learn'):
    linear_svm.fit(*groups(), 1.)


def test_the_search_ends_where_larger_c_are_worse():
  rng = np.random.default_rng(0)
  train = rng.normal(size=(200, 30)) + (np.arange(200) % 2)[:, None] * .2
  chosen = linear_svm.choose(
      train, np.arange(200) % 2, grid=[10.**i for i in range(-5, 6)])
  values = [*chosen.accuracies.values()]
  if len(values) < 11:
    assert max(values[-2:]) < max(values) and max(values[-3:-1]) == max(values)
  assert [*chosen.accuracies] == sorted(chosen.accuracies)

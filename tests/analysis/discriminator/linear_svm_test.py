"""Laws of the linear classifier of features."""
import importlib

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
  weights = linear_svm.fit(
      train, labels, linear_svm.choose(train, labels, seed).c)
  return linear_svm.predict(weights, np.unique(labels), test)


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


@pytest.mark.parametrize('c', [.03, 1., 10.])
def test_it_is_the_classifier_of_liblinear(c):
  svm = importlib.import_module('sklearn.svm')
  train, labels = groups(apart=1.5)
  machine = svm.LinearSVC(C=c, dual=True, tol=1e-8, max_iter=100_000)
  machine.fit(train, labels)
  weights = linear_svm.fit(train, labels, c)
  np.testing.assert_allclose(weights[:-1].T, machine.coef_, atol=3e-3)
  np.testing.assert_allclose(weights[-1], machine.intercept_, atol=3e-3)


def test_the_search_ends_where_larger_c_are_worse():
  rng = np.random.default_rng(0)
  train = rng.normal(size=(200, 30)) + (np.arange(200) % 2)[:, None] * .2
  chosen = linear_svm.choose(
      train, np.arange(200) % 2, grid=[10.**i for i in range(-5, 6)])
  values = [*chosen.accuracies.values()]
  if len(values) < 11:
    assert max(values[-2:]) < max(values) and max(values[-3:-1]) == max(values)
  assert [*chosen.accuracies] == sorted(chosen.accuracies)

"""Numbers by class: of that class alone, and their mean."""
import numpy as np
import pytest

from msg_gan_jax.metrics.functional import frechet, per_class


def distance(real, fake):
  return frechet.frechet(frechet.moments(real), frechet.moments(fake)).value


def test_each_class_is_measured_alone():
  rng = np.random.default_rng(0)
  labels = np.repeat([4, 7], 30)
  real = rng.standard_normal((60, 3)) + 10 * labels[:, None]
  order = rng.permutation(60)
  fake = (real + np.where(labels == 7, 2., 0)[:, None])[order]
  distances = per_class.by_class(distance, real, labels, fake, labels[order])
  np.testing.assert_allclose(
      [*distances.by_class.values(), distances.mean], [0, 12, 6], atol=1e-8)


def test_labels_that_are_not_obeyed_raise_every_class():
  rng = np.random.default_rng(0)
  labels = np.repeat([0, 1], 50)
  real = rng.standard_normal((100, 2)) + 20 * labels[:, None]
  distances = per_class.by_class(distance, real, labels, real, 1 - labels)
  # 2 * 20^2 less what the samples differ.
  assert min(distances.by_class.values()) > 700


def test_classes_say_what_they_need():
  real, labels = np.zeros((4, 2)), np.array([0, 0, 1, 1])
  with pytest.raises(ValueError, match=r'found none of \[1\]'):
    per_class.by_class(distance, real, labels, real, labels * 0)
  with pytest.raises(ValueError, match='each of 4 rows of fake'):
    per_class.by_class(distance, real, labels, real, labels[:3])
  with pytest.raises(ValueError, match='class 1: moments: wanted at least 2'):
    per_class.by_class(distance, real[:3], labels[:3], real, labels)


def test_accuracy_counts_the_largest_logit():
  logits = np.array([[3., 1], [0, 5], [2, 1], [np.nan, 9]])
  assert per_class.accuracy(logits, [0, 1, 1, 1]) == .5
  with pytest.raises(ValueError, match=r'labels in 0 .. 1, found 0 .. 2'):
    per_class.accuracy(logits, [0, 1, 2, 0])
  with pytest.raises(ValueError, match=r'found \[4, 2\] and \[3\]'):
    per_class.accuracy(logits, [0, 1, 1])

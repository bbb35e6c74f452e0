"""The pictures that D is shown: kinds, levels, names and company."""
import numpy as np
import pytest

from msg_gan_jax.analysis.discriminator.shown import (
  OfGenerator,
  OfSource,
  Part,
  Shown,
)
from msg_gan_jax.arrays.pixels import from_uint8
from msg_gan_jax.data.source import ArraySource, Subset
from msg_gan_jax.gan import pyramid


@pytest.fixture
def shown():
  """Four pictures of a source, and five that are drawn, at 4 and 8 px."""
  rng = np.random.default_rng(0)
  source = ArraySource(rng.integers(0, 256, (6, 8, 8, 3), np.uint8), name='own')
  drawn = [rng.integers(0, 256, (5, s, s, 3), np.uint8) for s in (4, 8)]
  asked = []

  def draw(first, last):
    asked.append((first, last))
    return tuple(x[first:last] for x in drawn)

  reals = OfSource('reals', source, np.array([5, 0, 2, 1]), (4, 8),
                   np.array([3, 4, 5, 6]))
  samples = OfGenerator(5, draw, 2, np.arange(5), 'seed 7, sample')
  return Shown([reals, samples]), source, drawn, asked


def test_kinds_have_one_numbering(shown):
  every, source, drawn, _ = shown
  numbers = np.array([8, 0, 3, 4, 0])
  coarse, fine = every.levels(numbers)
  wanted = np.stack([drawn[1][4], *source.images([5, 1]), drawn[1][0],
                     source.images([5])[0]])
  np.testing.assert_array_equal(fine, from_uint8(wanted))
  # Samples have the coarse picture that G draws, reals the mean of fine pixels.
  np.testing.assert_array_equal(coarse[0], from_uint8(drawn[0][4]))
  np.testing.assert_allclose(
      coarse[1], pyramid.build(source.images([5]), (4, 8))[0][0], rtol=1e-6)
  assert coarse.dtype == fine.dtype == np.float32
  assert len(every) == 9 and every.labels(numbers).tolist() == [4, 3, 6, 0, 3]
  assert [every.where(i) for i in (0, 8)] == [
      ('reals', 'own 5'), ('samples', 'seed 7, sample 4')]
  assert every.numbers('samples').tolist() == [4, 5, 6, 7, 8]
  assert not len(every.numbers('pictures'))
  assert len(every.of('reals')) == 4 and every.kind_of(3) == 'reals'


def test_a_company_is_the_first_others_of_its_kind_then_of_the_others(shown):
  every, *_ = shown
  assert every.beside(np.array([8, 0, 2, 4]), 3).tolist() == [
      [4, 5, 6], [1, 2, 3], [0, 1, 3], [5, 6, 7]]
  assert every.beside(np.array([0]), 6).tolist() == [[1, 2, 3, 4, 5, 6]]
  assert every.beside(np.array([5]), 9).tolist() == [
      [4, 6, 7, 8, 0, 1, 2, 3, 4]]


def test_samples_are_drawn_in_whole_blocks_and_once(shown):
  every, *_, asked = shown
  for numbers in ([4, 8], [8, 5], [4]):
    every.levels(np.array(numbers))
  assert asked == [(0, 2), (4, 5)]


def test_a_part_has_the_same_pictures(shown):
  every, *_ = shown
  part = Part(every, 'samples', np.array([0, 7, 5]))
  assert len(part) == 2 and part.told.tolist() == [1, 3]
  for a, b in zip(part.levels(np.array([1, 0])),
                  every.levels(np.array([7, 5])), strict=True):
    np.testing.assert_array_equal(a, b)
  assert part.where(0) == 'seed 7, sample 1'


def test_without_classes_nothing_is_told():
  source = ArraySource(np.zeros((3, 8, 8, 3), np.uint8), name='own')
  one = OfSource('reals', Subset(source, np.array([2, 1])), np.arange(2), (8,))
  assert Shown([one]).labels(np.arange(2)) is None
  assert one.where(1) == 'own 1'  # Its source has no names of its own.

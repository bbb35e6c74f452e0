"""What D finds real or fake: shares, ranks, and pairs that it tells."""
import jax
import numpy as np
import pytest

from msg_gan_jax import build
from msg_gan_jax.analysis.discriminator import evidence
from msg_gan_jax.analysis.discriminator.features import LOGIT, Judge
from msg_gan_jax.analysis.discriminator.shown import OfSource, Shown
from msg_gan_jax.data.source import ArraySource


def noise(gan, kind, n):
  pixels = np.random.default_rng(n).integers(
      0, 256, (n, *gan.shapes[-1]), np.uint8)
  return OfSource(kind, ArraySource(pixels), np.arange(n), gan.sizes)


@pytest.mark.parametrize(('preset', 'size'), [
    ('msg_progan', 8), pytest.param('dcgan', 16, marks=pytest.mark.slow)])
def test_shares_add_up_to_the_logit_in_company_less_that_of_grey(
    small, preset, size):
  """Of each picture, whichever others are asked for beside it."""
  gan = build(small(preset, data__resolution=size, networks__stddev_group=3,
                    train__batch=6))
  judge = Judge.of(gan, gan.init(jax.random.key(0)).d)
  shown = Shown([noise(gan, 'pictures', 1), noise(gan, 'reals', 5)])
  numbers = [3, 0, 1]
  found = evidence.evidence(judge, shown, numbers, steps=256)
  assert [x.shape for x in found.shares] == [
      (3, *shape[:2]) for shape in gan.shapes]
  assert found.others == (2 if preset == 'msg_progan' else 0)
  company = shown.beside(np.array(numbers), 2)
  assert company.tolist() == [[1, 2], [1, 2], [2, 3]]
  for i, number in enumerate(numbers):
    levels = shown.levels(np.array([number, *company[i]]))
    logit = judge.activations(levels)[LOGIT][0]
    for level in levels:
      level[0] = 0
    grey = judge.activations(levels)[LOGIT][0]
    np.testing.assert_allclose(
        (found.logits[i], found.grey[i]), (logit, grey), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        found.sums()[i].sum(), logit - grey, rtol=.01)
  assert (found.gaps() < .01).all()


def test_pictures_are_ranked_beside_others():
  source = ArraySource(np.zeros((6, 8, 8, 3), np.uint8))
  shown = Shown([OfSource('pictures', source, np.arange(2), (8,)),
                 OfSource('reals', source, np.arange(4), (8,))])
  ranking = evidence.rank(
      shown, np.float32([.5, 3, 1, 0, .5, 2]), ('reals', 'samples'))
  assert ranking.numbers.tolist() == [1, 5, 2, 0, 4, 3]
  assert ranking.logits.tolist() == [3, 2, 1, .5, .5, 0]
  assert [*ranking.below] == ['reals']  # There are no samples.
  np.testing.assert_allclose(
      ranking.below['reals'], [1, .875, .625, .375, .375, .125])


def test_pairs_told_are_the_area_below_the_curve():
  rng = np.random.default_rng(0)
  real, fake = rng.normal(size=50).round(1) + 1, rng.normal(size=40).round(1)
  plain = np.mean([(r > f) + .5 * (r == f) for r in real for f in fake])
  assert evidence.pairs_told(real, fake) == pytest.approx(plain)
  assert evidence.pairs_told(np.ones(3), np.ones(2)) == .5
  assert evidence.pairs_told(np.ones(3), np.zeros(2)) == 1

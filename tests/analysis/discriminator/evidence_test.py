"""What D finds real or fake: shares, ranks, and pairs that it tells."""
import jax
import numpy as np
import pytest

from msg_gan_jax import build
from msg_gan_jax.analysis.discriminator import atlas, evidence
from msg_gan_jax.analysis.discriminator.features import Judge
from msg_gan_jax.analysis.discriminator.programs import Programs
from msg_gan_jax.analysis.discriminator.receptive_fields import Fields
from msg_gan_jax.analysis.discriminator.shown import OfSource, Shown
from msg_gan_jax.data.source import ArraySource

# A row of NETWORKS each, at few pixels and maps.
FAMILIES = {
    'msg_progan': 8, 'progan': 8, 'bmsg_gan': 8, 'stylegan': 8,
    'stylegan2_ada_cifar10': 8, 'r3gan_cifar10': 8, 'dcgan': 16,
    'sngan_cnn': 16, 'landscape_sndcgan': 16, 'mimicry_sngan32': 32,
    'vanilla': 8, 'infogan': 8, 'lapgan': 16, 'acgan': 32}
# Pictures that are not square, too.
OWN = {'sngan_cnn': dict(data__width=32), 'bmsg_gan': dict(data__width=16),
       'lapgan': dict(networks__latent=356, train__level_images=8)}


def judge_of(small, preset, size):
  gan = build(small(preset, data__resolution=size, train__batch=4,
                    **OWN.get(preset, {})))
  return Judge.of(gan, gan.init(jax.random.key(0)).d)


def noise(gan, kind='reals', n=9):
  pixels = np.random.default_rng(0).integers(
      0, 256, (n, *gan.shapes[-1]), np.uint8)
  return OfSource(kind, ArraySource(pixels), np.arange(n), gan.sizes,
                  np.zeros(n, np.int32) if gan.classes else None)


@pytest.mark.parametrize('preset', ['dcgan', pytest.param(
    'bmsg_gan', marks=pytest.mark.slow)])
def test_shares_of_all_scales_add_up_to_the_logit_less_that_of_grey(
    small, preset):
  judge = judge_of(small, preset, FAMILIES[preset])
  pictures = noise(judge.gan, n=6)
  found = evidence.evidence(judge, Shown([pictures]), [5, 0, 3, 2, 1])
  assert [x.shape for x in found.shares] == [
      (5, *shape[:2]) for shape in judge.gan.shapes]
  levels = pictures.levels(np.array([5, 0, 3, 2]))
  np.testing.assert_allclose(
      found.logits[:4], judge.verdict(levels).logits, rtol=1e-4, atol=1e-5)
  grey = judge.verdict(jax.tree.map(np.zeros_like, levels)).logits
  np.testing.assert_allclose(found.grey, grey, rtol=1e-4, atol=1e-5)
  apart, sums = found.logits[:4] - found.grey, found.sums()[:4].sum(1)
  if preset == 'dcgan':  # D looks at each picture by itself.
    np.testing.assert_allclose(sums, apart, atol=.02 * np.abs(apart).max())
  else:
    assert abs(sums.sum() - apart.sum()) < .05 * np.abs(apart).sum()


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


@pytest.mark.slow
@pytest.mark.parametrize('preset', FAMILIES)
def test_every_family_has_an_atlas(small, preset):
  """The first layer, one in the middle, and the logit."""
  judge = judge_of(small, preset, FAMILIES[preset])
  shown = Shown([noise(judge.gan), noise(judge.gan, 'samples')])
  names = [*judge.shapes]
  layers = [*dict.fromkeys((names[0], names[len(names) // 2], names[-1]))]
  programs = Programs(judge, layers, 'guided', batch=4)
  tops, logits = atlas.strongest(programs, judge, shown)
  assert np.isfinite(logits).all() and len(logits) == 18
  views = [*atlas.views(programs, Fields(judge, layers), judge, shown, tops,
                        atlas.choose(tops, 2))]
  assert [view.layer for view in views] == layers
  for view in views:
    assert view.patches.shape[:2] == (len(view.maps), atlas.NINE)
    assert view.patches.dtype == np.uint8
    assert {*view.projections} <= {*judge.gan.sizes}
    assert all(np.isfinite(x).all() for x in view.projections.values())
    total = sum(view.shares.values())
    assert np.allclose(total[view.spread > 0], 1, atol=1e-4)
  assert views[-1].size == judge.gan.sizes[-1]
  found = evidence.evidence(judge, shown, [0, 9])
  assert all(np.isfinite(x).all() for x in found.shares)

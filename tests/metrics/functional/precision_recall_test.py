"""Nearest neighbours: the peers' counts, and laws at copies."""
import numpy as np
import pytest

from msg_gan_jax.metrics.functional import precision_recall

MEASURES = 'precision', 'recall', 'density', 'coverage'
ORACLES = 'prdc_220_200x8_shifted', 'prdc_300x16_narrow'


def gaussian(n, d, seed=0, dtype=np.float64):
  return np.random.default_rng(seed).standard_normal((n, d)).astype(dtype)


def all_four(real, fake, k=5):
  """{name: value} of the four at one k, with the warnings of the first two."""
  return {**precision_recall.density_coverage(real, fake, k)._asdict(),
          **precision_recall.precision_recall(real, fake, k)._asdict()}


@pytest.mark.parametrize('name', ORACLES)
@pytest.mark.parametrize('dtype', [np.float64, np.float32])
def test_counts_equal_the_peers(oracle, name, dtype):
  # In float32 too: no decision of these is nearer than 7e-6.
  entry = oracle(name)
  real, fake = (entry.inputs[k].astype(dtype) for k in ('real', 'fake'))
  shares = precision_recall.precision_recall(real, fake)
  for measure in ('precision', 'recall'):
    share = getattr(shares, measure)
    assert round(share * len(fake if measure == 'precision' else real)
                 ) == entry.expected['k3'][f'{measure}_count']
    np.testing.assert_allclose(share, entry.expected['k3'][measure])
  four = all_four(real, fake)
  for measure, wanted in entry.expected['k5'].items():
    np.testing.assert_allclose(four[measure], wanted, atol=1e-9)
  assert [four[x] for x in ('k', 'n_real', 'n_fake')] == [
      5, len(real), len(fake)]


@pytest.mark.slow
def test_tiles_give_what_the_whole_matrix_gives(monkeypatch):
  # float32 with rows that are not short, and blocks that do not divide n.
  real, fake = gaussian(700, 80, 0, 'f'), .9 * gaussian(300, 80, 1, 'f') + .05
  wide = [x.astype(np.float64) for x in (real, fake)]
  square = [[np.square(a[:, None] - b).sum(-1) for b in wide] for a in wide]
  radii = [np.sort(square[i][i], axis=1)[:, 4] for i in (0, 1)]
  monkeypatch.setattr(precision_recall, '_BLOCK', 256)
  shares = all_four(real, fake, 4)
  np.testing.assert_allclose(
      [shares[k] for k in MEASURES],
      [(square[1][0] <= radii[0]).any(1).mean(),
       (square[0][1] <= radii[1]).any(1).mean(),
       (square[1][0] < radii[0]).sum(1).mean() / 4,
       (square[0][1].min(1) < radii[0]).mean()], atol=2 / 300)
  distances, indices = precision_recall.nearest(real, fake, 3)
  np.testing.assert_array_equal(
      indices, np.argsort(square[1][0], axis=1)[:, :3])
  np.testing.assert_allclose(
      distances, np.sqrt(np.sort(square[1][0], axis=1)[:, :3]), rtol=1e-6)


@pytest.mark.parametrize('dtype', [np.float64, np.float32])
@pytest.mark.parametrize('d', [3, 80])
def test_identical_sets_are_on_each_others_manifold(d, dtype):
  x = gaussian(250, d, 0, dtype) + 5
  shares = all_four(x, x)
  assert shares['precision'] == shares['recall'] == shares['coverage'] == 1
  # Open balls hold their centre and k - 1 others; a tie rounds either way.
  np.testing.assert_allclose(shares['density'], 1, atol=.02)
  assert shares['warnings'] == ()


def test_sets_far_apart_share_nothing():
  x = gaussian(100, 3)
  shares = all_four(x, x + 100)
  assert [shares[k] for k in MEASURES] == [
      0, 0, 0, 0]


def test_distances_do_not_see_a_shift_or_a_scale():
  real, fake = gaussian(200, 80, 0, 'f'), gaussian(150, 80, 1, 'f')
  shares = [all_four(a * real + b, a * fake + b)
           for a, b in ((1, 0), (4, 32))]  # Powers of 2 round alike.
  for name in MEASURES:
    np.testing.assert_allclose(shares[0][name], shares[1][name], atol=.02)


def test_copies_have_balls_of_radius_zero():
  # 80 features: float32 products, whose rounding must not look like a radius.
  point = gaussian(1, 80, 3, 'f') + 1
  flat = np.repeat(point, 20, 0)
  other = gaussian(30, 80, 1, 'f')
  shares = all_four(flat, flat)
  assert shares['precision'] == shares['recall'] == 1  # Closed balls.
  assert shares['density'] == shares['coverage'] == 0  # Open ones are empty.
  assert shares['warnings'] == tuple(
      f'{name}: 20 of 20 rows have 5 copies or more, and so a ball of radius 0.'
      for name in ('real', 'fake'))
  assert precision_recall.density_coverage(
      flat, flat, closed=True).coverage == 1
  assert precision_recall.precision_recall(
      flat, flat, closed=False).recall == 0
  collapsed = all_four(other, np.repeat(other[:1], 20, 0))
  assert collapsed['precision'] == 1
  assert collapsed['recall'] == pytest.approx(1 / 30)
  assert collapsed['coverage'] < .8


def test_a_missing_half_lowers_recall_and_coverage_only():
  rng = np.random.default_rng(0)
  real = rng.normal(size=(400, 4))
  real[200:] += 20
  shares = all_four(real, rng.normal(size=(300, 4)))
  assert shares['precision'] > .9 and shares['density'] > .8
  assert shares['recall'] < .5 and shares['coverage'] < .5


@pytest.mark.parametrize('real, fake, k, says', [
    (gaussian(5, 3), gaussian(9, 3), 5, '6 or more for k = 5, found 5 rows of '
     'real'),
    (gaussian(9, 3), gaussian(5, 3), 5, 'found 5 rows of fake'),
    (gaussian(9, 3), gaussian(9, 4), 5, 'fake has 4'),
    (gaussian(9, 3), gaussian(9, 3), 0, 'k of at least 1'),
    (gaussian(9, 3), gaussian(9, 3) * np.nan, 3, 'row 0 of fake has nan'),
])
def test_the_manifold_says_what_it_needs(real, fake, k, says):
  with pytest.raises(ValueError, match=says):
    all_four(real, fake, k)


def test_nearest_rows_are_found_and_copies_are_at_distance_zero():
  train, fresh = gaussian(300, 80, 0, 'f'), gaussian(60, 80, 1, 'f')
  fake = np.concatenate([train[[7, 250]], fresh])
  distances, indices = precision_recall.nearest(train, fake, 2)
  assert distances[:2, 0].tolist() == [0, 0]
  assert indices[:2, 0].tolist() == [7, 250]
  assert (distances[:, 0] <= distances[:, 1]).all() and distances[2:].min() > 1


def test_nearest_says_what_it_needs():
  with pytest.raises(ValueError, match='3 neighbours among 2 rows'):
    precision_recall.nearest(gaussian(2, 3), gaussian(2, 3), 3)


@pytest.mark.slow
def test_two_samples_of_one_gaussian_have_the_known_shares():
  # prdc's README: 1000 features, 10,000 rows, k = 5. A few rows are in most
  # balls there, so that other draws differ by more than this one does: by .02
  # in precision, .01 in recall and coverage, .1 in density.
  rng = np.random.default_rng(0)
  real, fake = (rng.standard_normal((10_000, 1000), 'f') for _ in range(2))
  shares = all_four(real, fake)
  for name, wanted in (('precision', .477), ('recall', .4705),
                       ('density', 1.056), ('coverage', .9735)):
    assert abs(shares[name] - wanted) < .02

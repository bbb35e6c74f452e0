"""Laws of the distance to the polygons: it is known, and it is found."""
import numpy as np
import pytest

from msg_gan_jax.data.drawn import polygons
from msg_gan_jax.metrics import (
  avatar_factors,
  evaluate,
  pair,
  polygon_distance,
  protocols,
)

pytestmark = pytest.mark.slow


def drawn(dataset, count, first=0):
  return polygons.Polygons(dataset, count + first).images(
      np.arange(first, first + count))


def test_polygons_lie_on_their_manifold_and_other_shapes_do_not():
  # Numbers that the search itself does not draw: it has a seed of its own.
  near = polygon_distance.distances(drawn('triangles', 20), 'triangles')
  assert near.max() < .1
  far = polygon_distance.distances(drawn('squares', 20), 'triangles')
  assert far.min() > polygon_distance.WITHIN


def test_noise_takes_a_picture_as_far_as_it_is_large():
  images = drawn('triangles', 20)
  grey = np.clip(images, 60, 195)
  rng = np.random.default_rng(0)
  noisy = (grey + rng.normal(0, 8, images.shape)).round().astype(np.uint8)
  clean = polygon_distance.distances(grey, 'triangles')
  away = polygon_distance.distances(noisy, 'triangles')
  wanted = np.sqrt(clean**2 + (8 / 255)**2 * 28 * 28)
  np.testing.assert_allclose(away, wanted, rtol=.1)


def test_the_nearest_rows_are_found():
  rows = np.random.default_rng(1).normal(size=(30, 5))
  index, distance = polygon_distance.nearest(rows[4:6] + .001, rows)
  assert index[:, 0].tolist() == [4, 5]
  np.testing.assert_allclose(distance[:, 0], .001 * 5**.5, rtol=1e-4)


@pytest.mark.parametrize('fake, wanted', [
    ([0, 0, 1, 1], 1.), ([0] * 4, .5), ([2] * 4, 0.), ([0, 0, 0, 1], .75)])
def test_overlap_is_the_share_that_is_covered(fake, wanted):
  assert avatar_factors.overlap([0, 1, 0, 1], fake, 3) == wanted


def test_scores_of_polygons_fall_where_they_are_others(tmp_path):
  def values(dataset):
    real = polygons.Polygons('triangles', 300)
    fake = polygons.Polygons(dataset, 40, first=5000)
    sides = pair.Pair(real, fake, pair.Options(
        protocols.PROTOCOLS['local'], 'local', cache_dir=str(tmp_path)))
    distances, record = evaluate.compute(sides, ('polygons',))
    assert list(record['scores']) == [
        'polygon_precision_local', 'polygon_recall_local']
    assert all(0 <= x.error < .1 for x in distances)
    return [x.value for x in distances]

  alike, other = values('triangles'), values('squares')
  assert alike[0] > .95 and other[0] < .1
  assert alike[1] >= other[1]

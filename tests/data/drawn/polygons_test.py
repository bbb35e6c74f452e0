"""Laws of the polygons: where they lie, and what their pixels are."""
import hashlib

import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import source, sources
from msg_gan_jax.data.drawn import polygons

FEWEST_AND_MOST = {'triangles': (3, 3), 'squares': (4, 4), 'convex': (3, 8)}


def whole(dataset, count=300, **settings):
  found = polygons.Polygons(dataset, count, **settings)
  return found.images(np.arange(count))


def area_within(polygon, left, top, side):
  """Area of a polygon inside of a square: Sutherland & Hodgman 1974."""
  for axis, border, sign in ((0, left, 1), (0, left + side, -1),
                             (1, top, 1), (1, top + side, -1)):
    kept = []
    for i, b in enumerate(polygon):
      a = polygon[i - 1]
      da, db = sign * (a[axis] - border), sign * (b[axis] - border)
      if (da < 0) != (db < 0):
        kept.append(a + (b - a) * (da / (da - db)))
      if db >= 0:
        kept.append(b)
    polygon = kept
  return polygons.areas(np.array([polygon]))[0] if len(polygon) > 2 else 0.


@pytest.mark.parametrize('dataset', polygons.DATASETS)
def test_polygons_are_a_source_without_classes(dataset):
  found = polygons.Polygons(dataset, 5, (28, 28, 1))
  assert isinstance(found, source.Source)
  images = found.images(np.arange(5))
  assert (images.dtype, images.shape) == (np.uint8, (5, 28, 28, 1))
  assert found.classes == () and found.labels(np.arange(5)).tolist() == [0] * 5
  assert len(found) == 5 and found.images([]).shape == (0, 28, 28, 1)


@pytest.mark.parametrize('dataset, digest', [
    ('triangles', '84efd10fd3fe6c10'), ('squares', '7f5a475c43bed36c'),
    ('convex', '9495b648ad9118f6')])
def test_pictures_never_change(dataset, digest):
  # The same on every machine: raise VERSION where this must change.
  pixels = whole(dataset, 1000, seed=7)
  assert hashlib.sha256(pixels.tobytes()).hexdigest()[:16] == digest


@pytest.mark.parametrize('dataset', polygons.DATASETS)
def test_a_picture_depends_on_its_index_alone(dataset):
  found = polygons.Polygons(dataset, 300, seed=3)
  everything = found.images(np.arange(300))
  mixed = np.random.default_rng(0).permutation(300)[:90]
  np.testing.assert_array_equal(found.images(mixed), everything[mixed])
  np.testing.assert_array_equal(found.images([299])[0], everything[299])
  later = polygons.Polygons(dataset, 20, seed=3, first=280)
  np.testing.assert_array_equal(later.images(np.arange(20)), everything[280:])
  assert (whole(dataset, seed=4) != everything).any((1, 2, 3)).all()


@pytest.mark.parametrize('dataset', polygons.DATASETS)
def test_corners_are_convex_in_the_middle_and_not_too_few(dataset):
  found = polygons.factors_at(dataset, 0, np.arange(3000))
  vertices, corners = found['vertices'].astype(float), found['corners']
  fewest, most = FEWEST_AND_MOST[dataset]
  assert vertices.shape == (3000, most, 2)
  assert set(corners) == set(range(fewest, most + 1))
  assert vertices.min() >= 1 / 14 - 1e-6 and vertices.max() <= 13 / 14 + 1e-6
  assert .04 <= found['area'].min() + 1e-6 and found['area'].min() < .045
  for some, k in zip(vertices, corners, strict=True):
    assert (some[k:] == some[k - 1]).all()
    sides = np.roll(some[:k], -1, 0) - some[:k]
    after = np.roll(sides, -1, 0)
    turns = sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0]
    assert turns.min() > -1e-7  # All to the right, with y downwards.


def test_squares_are_square_in_every_direction():
  vertices = polygons.factors_at('squares', 0, np.arange(4000))['vertices']
  sides = np.roll(vertices, -1, 1) - vertices
  lengths = np.sqrt((sides**2).sum(-1))
  np.testing.assert_allclose(lengths, lengths[:, :1].repeat(4, 1), atol=1e-6)
  diagonals = vertices[:, 2:] - vertices[:, :2]
  np.testing.assert_allclose((diagonals[:, 0] * diagonals[:, 1]).sum(-1), 0,
                             atol=1e-6)
  angles = np.arctan2(sides[:, 0, 1], sides[:, 0, 0])
  # Four and a half standard deviations of a mean of 4,000 cosines.
  assert abs(np.exp(1j * angles).mean()) < 4.5 * np.sqrt(.5 / 4000) * 2**.5


def test_three_points_have_the_area_that_geometry_says():
  unit = np.random.default_rng(0).random((20_000, 64))
  areas = polygons.areas(polygons.convex(unit, 3))
  # Of three uniform points in a square: 11/144 (Henze 1983); one standard
  # deviation of this mean is .0005.
  assert abs(areas.mean() - 11 / 144) < .0023


def test_polygons_are_uniform_among_points_in_convex_position():
  rng = np.random.default_rng(0)
  points = rng.random((40_000, 4, 2))
  is_convex = np.ones(len(points), bool)
  for i in range(4):  # No point in the triangle of the others.
    others = points[:, [j for j in range(4) if j != i]]
    signs = np.stack([polygons.areas(np.stack(
        [others[:, a], others[:, b], points[:, i]], 1)) > 0
        for a, b in ((0, 1), (1, 2), (2, 0))])
    is_convex &= ~(signs.all(0) | (~signs).all(0))
  assert abs(is_convex.mean() - 25 / 36) < .011  # Sylvester's four points.
  picked = points[is_convex]
  middle = picked - picked.mean(1, keepdims=True)
  order = np.argsort(np.arctan2(middle[..., 1], middle[..., 0]), 1)
  wanted = np.take_along_axis(picked, order[..., None], 1)
  got = polygons.convex(rng.random((len(picked), 64)), 4)
  for measure in (polygons.areas, lambda v: polygons.areas(v)**2,
                  lambda v: v.max(1)[:, 0], lambda v: v.max(1)[:, 1],
                  lambda v: np.ptp(v[..., 0], 1) * np.ptp(v[..., 1], 1)):
    a, b = measure(wanted), measure(got)
    spread = np.sqrt((a.var() + b.var()) / len(a))
    assert abs(a.mean() - b.mean()) < 4.5 * spread


@pytest.mark.parametrize('dataset', polygons.DATASETS)
@pytest.mark.parametrize('resolution', [8, 27])
def test_a_pixel_is_the_share_of_it_that_is_inside(dataset, resolution):
  found = polygons.factors_at(dataset, 1, np.arange(3))
  pixels = polygons.draw(found['vertices'], resolution)[..., 0]
  wanted = [[[resolution**2 * area_within(
      polygon[:k].astype(float), column / resolution, row / resolution,
      1 / resolution) for column in range(resolution)]
      for row in range(resolution)]
      for polygon, k in zip(found['vertices'], found['corners'], strict=True)]
  # Half a grey level, and a thousandth for edges that are made less upright.
  np.testing.assert_allclose(pixels / 255, wanted, atol=.5 / 255 + 1e-3)


@pytest.mark.parametrize('dataset', polygons.DATASETS)
def test_ink_is_the_area_at_every_resolution(dataset):
  for resolution in (8, 27, 28, 64):
    found = polygons.Polygons(dataset, 200, (resolution, resolution, 1))
    shares = found.images(np.arange(200)).mean((1, 2, 3)) / 255
    np.testing.assert_allclose(
        shares, found.factors(np.arange(200))['area'], atol=4e-4)


def test_pixels_of_a_known_triangle_and_a_known_square():
  # The lower left half of a picture, and the right upper quarter.
  corners = np.array([[[0, 0], [1, 1], [0, 1], [0, 1]],
                      [[.5, 0], [1, 0], [1, .5], [.5, .5]]])
  half, quarter = polygons.coverage(corners, 8)
  np.testing.assert_allclose(half, np.tri(8) - .5 * np.eye(8), atol=1e-3)
  wanted = np.zeros((8, 8))
  wanted[:4, 4:] = 1
  np.testing.assert_allclose(quarter, wanted, atol=1e-3)


def test_a_fine_picture_is_what_a_coarse_one_is_made_of():
  coarse, fine = (whole('convex', 50, shape=(s, s, 1)).astype(float)
                  for s in (16, 32))
  np.testing.assert_allclose(
      coarse, fine.reshape(50, 16, 2, 16, 2, 1).mean((2, 4)), atol=1.01)


def test_the_digest_follows_every_setting():
  usual = dict(dataset='convex', count=9, shape=(28, 28, 1), seed=0, first=0)
  other = dict(dataset='', count=8, shape=(32, 32, 1), seed=1, first=2)
  digests = {polygons.Polygons(**usual).digest()}
  assert digests == {polygons.Polygons(**usual).digest()}
  digests |= {polygons.Polygons(**{**usual, k: v}).digest()
              for k, v in other.items()}
  assert len(digests) == 6
  assert (polygons.Polygons('', 9).digest()
          == polygons.Polygons('triangles', 9).digest())


def data(**settings):
  config = schema.template()
  config.data.update(dict(name='polygons', resolution=28, channels=1, count=40,
                          held_out=10) | settings)
  return schema.parse(config)


def test_the_settings_open_it_and_what_is_kept_out_lies_beyond():
  found = sources.open_source(data(dataset='squares'))
  beyond = polygons.Polygons('squares', 50).images(np.arange(40, 50))
  assert (len(found.train), len(found.held_out)) == (40, 10)
  np.testing.assert_array_equal(found.held_out.images(np.arange(10)), beyond)
  assert sources.open_source(data(held_out=0)).held_out is None
  assert sources.open_source(data()).train.notes['dataset'] == 'triangles'


@pytest.mark.parametrize('settings, words', [
    (dict(resolution=7), r'config\.data\.resolution: .* 8 to 256 .* found 7\.'),
    (dict(resolution=257), r'config\.data\.resolution: .* found 257\.'),
    (dict(width=32), r'config\.data\.width: .* found 28 x 32; wanted 0\.'),
    (dict(channels=3), r'config\.data\.channels: .* wanted 1, found 3\.'),
    (dict(dataset='triangle'), r"config\.data\.dataset: no set of polygons "
                               r"'triangle'; did you mean 'triangles'\?"),
    (dict(label='area'), r"config\.data\.label: 'area'; .* Wanted none\."),
    (dict(path='x'), r"config\.data\.path: 'x', but config\.data\.name = "
                     r"'polygons' draws"),
])
def test_wrong_settings_are_named(settings, words):
  with pytest.raises(ValueError, match=words):
    sources.open_source(data(**settings))


@pytest.mark.parametrize('index', [-1, 5])
def test_indices_beyond_the_set_are_refused(index):
  with pytest.raises(IndexError, match='polygons: wanted indices in 0 .. 4'):
    polygons.Polygons('', 5).images([index])

"""The sliced Wasserstein distance equals ProGAN's, piece by piece."""
import numpy as np
import pytest
from scipy import stats

from msg_gan_jax.metrics.functional import (
  references,
  sliced_wasserstein,
)

pytestmark = pytest.mark.slow


def nhwc(x):
  return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def some_images(n, size=16, channels=3, seed=0):
  """uint8 [n, size, size, channels] with some structure."""
  rng = np.random.default_rng(seed)
  coarse = rng.integers(60, 196, (n, size // 4, size // 4, channels))
  noise = rng.integers(-10, 10, (n, size, size, channels))
  return (coarse.repeat(4, 1).repeat(4, 2) + noise).astype(np.uint8)


@pytest.mark.parametrize('name', [
    'laplacian_pyramid_32px_2levels', 'laplacian_pyramid_128px_4levels'])
def test_the_laplacian_pyramid_equals_the_peer(oracle, name):
  entry = oracle(name)
  wanted = entry.expected['levels']
  got = sliced_wasserstein.laplacian_pyramid(
      nhwc(entry.inputs['img']), len(wanted))
  assert len(got) == len(wanted)
  for level, facts in zip(got, wanted, strict=True):
    assert level.dtype == np.float32
    level = np.moveaxis(level[0], -1, 0).astype(np.float64)
    assert [1, *level.shape] == facts['shape']
    atol = entry.tolerance['atol']
    for place, value in facts['probes']:
      np.testing.assert_allclose(level[tuple(place)], value, rtol=0, atol=atol)
    np.testing.assert_allclose(
        level[0, 0, :12], facts['first_row_channel0'], rtol=0, atol=atol)
    for measure in ('mean', 'std', 'min', 'max'):
      np.testing.assert_allclose(
          getattr(level, measure)(), facts[measure], rtol=0, atol=atol)


def test_a_flat_image_has_no_detail():
  fine, rest = sliced_wasserstein.laplacian_pyramid(
      np.full((1, 16, 16, 1), 77, np.uint8), 2)
  np.testing.assert_array_equal(fine, np.zeros((1, 16, 16, 1)))
  np.testing.assert_array_equal(rest, np.full((1, 8, 8, 1), 77))


def test_descriptors_equal_the_peer(oracle):
  entry = oracle('swd_descriptors_32px')
  shape = (4, 128)
  raw = sliced_wasserstein.patches(
      nhwc(entry.inputs['imgs']), entry.inputs['y0'].reshape(shape),
      entry.inputs['x0'].reshape(shape))
  np.testing.assert_array_equal(
      raw[0, :, :, 0].T, entry.expected['raw_descriptor_0_channel_0'])
  assert raw.sum(dtype=np.float64) == entry.expected['raw_sum']
  got = sliced_wasserstein.normalize(raw)
  # The peer's order: channel, then column, then row.
  got = got.reshape(-1, 7, 7, 3).transpose(0, 3, 2, 1).reshape(-1, 147)
  for row, wanted in entry.expected['final_rows'].items():
    np.testing.assert_allclose(
        got[int(row), entry.expected['columns']], wanted, rtol=0, atol=2e-5)
  np.testing.assert_allclose(
      np.square(got, dtype=np.float64).sum(),
      entry.expected['final_sum_of_squares'], rtol=1e-6)


def test_normalize_writes_where_it_is_told():
  x = np.random.default_rng(0).normal(3, 2, (50, 7, 7, 3))
  before = x.copy()
  wanted = sliced_wasserstein.normalize(x)
  np.testing.assert_array_equal(x, before)
  got = sliced_wasserstein.normalize(x, out=x)
  assert np.shares_memory(got, x)
  np.testing.assert_array_equal(got, wanted)
  by_channel = wanted.reshape(-1, 3)
  np.testing.assert_allclose(by_channel.mean(axis=0), 0, atol=1e-12)
  np.testing.assert_allclose(by_channel.std(axis=0), 1, rtol=1e-12)


def test_the_distance_for_given_directions_equals_the_peer(oracle):
  entry = oracle('sliced_wasserstein_given_directions')
  a, b, repeats = (entry.inputs[k] for k in ('A', 'B', 'dirs'))
  each = [sliced_wasserstein.sliced_wasserstein(a, b, d) for d in repeats]
  np.testing.assert_allclose(
      each, entry.expected['per_repeat'], rtol=1e-6, atol=1e-7)
  all_at_once = sliced_wasserstein.sliced_wasserstein(
      a, b, np.concatenate(repeats, 1))
  np.testing.assert_allclose(
      all_at_once, entry.expected['distance'], rtol=1e-6, atol=1e-7)
  assert sliced_wasserstein.sliced_wasserstein(a, a[::-1], repeats[0]) == 0


def test_one_direction_is_scipys_wasserstein_distance():
  rng = np.random.default_rng(0)
  a, b = rng.normal(0, 1, (200, 1)), rng.normal(.3, 2, (200, 1))
  got = sliced_wasserstein.sliced_wasserstein(a, b, np.ones((1, 1)))
  wanted = stats.wasserstein_distance(a[:, 0], b[:, 0])
  np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_directions_have_length_one():
  directions = sliced_wasserstein.unit_directions(
      147, 70, np.random.default_rng(0))
  np.testing.assert_allclose(np.linalg.norm(directions, axis=0), 1, rtol=1e-6)
  assert abs(directions.mean()) < .01  # 10290 values of deviation .082.


def test_pieces_in_the_peers_order_of_draws_give_the_peers_number(oracle):
  entry = oracle('swd_api_32px')
  rng = np.random.RandomState(0)
  distances = {}

  def descriptors(images):
    levels = sliced_wasserstein.laplacian_pyramid(nhwc(images), 2)
    result = []
    for level in levels:
      size = level.shape[1]
      columns, rows = (
          rng.randint(3, size - 3, size=(len(level), 128)) for _ in range(2))
      result.append(sliced_wasserstein.normalize(
          sliced_wasserstein.patches(level, rows, columns)))
    return result

  def directions():
    # 4 repeats of columns; the peer's rows are channel, column, row.
    drawn = np.concatenate([rng.randn(147, 128) for _ in range(4)], axis=1)
    drawn /= np.linalg.norm(drawn, axis=0)
    return drawn.reshape(3, 7, 7, -1).transpose(2, 1, 0, 3).reshape(147, -1)

  real = descriptors(entry.inputs['real'])
  for _ in real:
    directions()  # The peer compares the reals with themselves first.
  fake = descriptors(entry.inputs['fake'])
  distances = [1e3 * sliced_wasserstein.sliced_wasserstein(a, b, directions())
           for a, b in zip(real, fake, strict=True)]
  wanted = entry.expected['seed0']
  np.testing.assert_allclose(distances, wanted[:2], rtol=1e-4)
  np.testing.assert_allclose(np.mean(distances), wanted[2], rtol=1e-4)


def test_swd_lies_where_thirty_seeds_of_the_peer_lie(oracle):
  entry = oracle('swd_api_32px')
  real, fake = nhwc(entry.inputs['real']), nhwc(entry.inputs['fake'])
  runs = [sliced_wasserstein.swd(real, fake, seed) for seed in range(8)]
  got = np.array([[run[k] for k in (32, 16, 'mean')] for run in runs])
  mean = np.array(entry.expected['mean_over_30_seeds'])
  spread = np.array(entry.expected['std_over_30_seeds'])
  assert (np.abs(got - mean) < 5 * spread).all()
  # Both means vary: 8 seeds of ours, 30 of the peer's.
  error = spread * np.sqrt(1 / 8 + 1 / 30)
  assert (np.abs(got.mean(axis=0) - mean) < 4 * error).all()
  assert runs[0] == sliced_wasserstein.swd(real, fake, 0)
  assert runs[0]['protocol'] == dict(
      n_real=32, n_fake=32, per_image=128, directions=512, seed=0)


@pytest.mark.parametrize('size, levels', [
    (64, [64, 32, 16]), (48, [48, 24]), (28, [28]), (16, [16]), (8, [8])])
def test_levels_go_down_to_16_pixels(size, levels):
  images = some_images(4, size, channels=2)
  distances = sliced_wasserstein.swd(
      images, images[::-1], per_image=4, directions=8)
  assert list(distances) == [*levels, 'mean', 'protocol']
  assert distances['mean'] == pytest.approx(
      np.mean([distances[level] for level in levels]), rel=1e-12)


def test_levels_of_other_shapes_halve_both_sides():
  wide = np.concatenate([some_images(8, 64), some_images(8, 64)[::-1]], 2)
  distances = sliced_wasserstein.swd(
      wide, wide[::-1], per_image=4, directions=8)
  assert list(distances) == [64, 32, 16, 'mean', 'protocol']
  odd = wide[:, :, :97]
  assert list(sliced_wasserstein.swd(odd, odd, per_image=4, directions=8))[
    :2
  ] == [64, 'mean']
  # Turned by a quarter, sets are as far apart as before, up to the patches.
  near = sliced_wasserstein.swd(wide[:4], wide[4:], seed=1)[64]
  turned = wide.swapaxes(1, 2)
  assert sliced_wasserstein.swd(turned[:4], turned[4:], seed=1)[
    128
  ] == pytest.approx(near, rel=0.3)


@pytest.mark.parametrize('channels', [1, 4])
def test_swd_orders_good_and_bad_fakes(channels):
  images = some_images(128, channels=channels)
  real, other = references.halves(images)
  noise = references.pixel_noise(real, 64)
  flat = np.zeros_like(real)
  floor, bad, worst = (
      sliced_wasserstein.swd(real, fake, per_image=32)['mean']
      for fake in (other, noise, flat))
  assert 0 < 1.2 * floor < bad < worst < 1e4


def test_sets_of_two_sizes_are_thinned_to_the_smaller():
  # Sorted by brightness: the first n would be another set than a random n.
  images = np.arange(200, dtype=np.uint8)[:, None, None, None] + some_images(
      1, 16) % 32
  distances = sliced_wasserstein.swd(images, images[::4], per_image=16)
  protocol = distances['protocol']
  assert protocol['n_real'] == protocol['n_fake'] == 50
  first = sliced_wasserstein.swd(images[:50], images[::4], per_image=16)
  assert distances == sliced_wasserstein.swd(images, images[::4], per_image=16)
  assert distances['mean'] < first['mean']


@pytest.mark.parametrize('real, fake, says', [
    (np.zeros((4, 6, 6, 3), np.uint8), None, 'at least 8 pixels'),
    (np.zeros((4, 16, 7, 3), np.uint8), None, '16 x 7'),
    (np.zeros((4, 16, 16, 3)), None, 'float64'),
    (np.zeros((4, 16, 16, 3), np.uint8), np.zeros((4, 16, 16, 1), np.uint8),
     'fake ones'),
])
def test_swd_refuses_what_it_cannot_measure(real, fake, says):
  with pytest.raises(ValueError, match=says):
    sliced_wasserstein.swd(real, real if fake is None else fake)


def test_sets_of_two_sizes_have_no_sorted_difference():
  with pytest.raises(ValueError, match='one shape'):
    sliced_wasserstein.sliced_wasserstein(
        np.zeros((4, 2)), np.zeros((3, 2)), np.ones((2, 1)))


def test_halves_share_nothing():
  a, b = references.halves(np.arange(11))
  assert len(a) == len(b) == 5 and len({*a, *b}) == 10


def test_pixel_noise_has_each_pixels_mean_and_spread():
  reals = some_images(500, 8)
  fake = references.pixel_noise(reals, 4000)
  assert fake.shape == (4000, 8, 8, 3) and fake.dtype == np.uint8
  # 6 standard errors of 4000 draws, and the rounding.
  spread = reals.std(axis=0)
  error = np.abs(fake.mean(axis=0) - reals.mean(axis=0))
  assert (error < 6 * spread / np.sqrt(4000) + .5).all()
  np.testing.assert_allclose(fake.std(axis=0), spread, rtol=.08)
  joint = np.corrcoef(fake[:, 0, 0, 0], fake[:, 0, 1, 0])[0, 1]
  assert abs(joint) < .1


@pytest.mark.parametrize('n, size', [(60, 8), (400, 8)])
def test_pca_gaussian_has_the_first_components_of_the_reals(n, size):
  # 192 values: more than 60 images, fewer than 400; two ways to the same.
  rng = np.random.default_rng(0)
  basis = np.linalg.qr(rng.normal(size=(size * size * 3, 5)))[0].T
  flat = 128 + (rng.normal(size=(n, 5)) * [100, 80, 60, 40, 20]) @ basis
  reals = np.clip(np.rint(flat), 0, 255).astype(np.uint8).reshape(
      n, size, size, 3)
  fake = references.pca_gaussian(reals, 6000, components=3, seed=1)
  flat, got = reals.reshape(n, -1), fake.reshape(6000, -1)
  values, vectors = np.linalg.eigh(np.cov(flat.T.astype(float), ddof=0))
  wanted = vectors[:, -3:] * values[-3:] @ vectors[:, -3:].T
  covariance = np.cov(got.T.astype(float), ddof=0)
  rest = np.linalg.norm(covariance - wanted) / np.linalg.norm(wanted)
  assert rest < .06  # 6000 draws, 3 components.
  np.testing.assert_allclose(
      got.mean(axis=0), flat.mean(axis=0), atol=6 * 15 / np.sqrt(6000))
  # Nothing beyond the three but rounding, whose variance is 1/12.
  beyond = np.trace(vectors[:, :-3].T @ covariance @ vectors[:, :-3]) / 189
  assert .06 < beyond < .1


def test_references_say_what_they_need():
  reals = some_images(4, 8)
  with pytest.raises(ValueError, match='1 to 3 components of 4'):
    references.pca_gaussian(reals, 2)
  with pytest.raises(ValueError, match='at least 2 uint8'):
    references.pixel_noise(reals / 255, 2)

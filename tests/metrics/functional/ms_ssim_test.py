"""MS-SSIM equals the two peers' definitions; pairs are drawn as they do."""
import numpy as np
import pytest

from msg_gan_jax.metrics.functional import ms_ssim

pytestmark = pytest.mark.slow

WEIGHTS = .0448, .2856, .3001, .2363, .1333


def images(n, size=32, channels=3, seed=0):
  """uint8 [n, size, size + 16, channels] with structure of all sizes."""
  rng = np.random.default_rng(seed)
  similarity = rng.normal(0, 12, (n, size, size + 16, channels))
  for step in (2, 4, 8, 16):
    coarse = rng.normal(0, 20, (n, -(-size // step), size // step + 16,
                                channels))
    similarity += coarse.repeat(step, 1).repeat(step, 2)[:, :size, :size + 16]
  return np.clip(127.5 + similarity, 0, 255).astype(np.uint8)


def slow_landscape(a, b):
  """The peer's definition, written out in float64 for one pair."""
  a, b = a.astype(np.float64), b.astype(np.float64)
  product = np.ones(a.shape[-1])
  for level, weight in enumerate(WEIGHTS):
    if level:
      a, b = (halve(x) for x in (a, b))
    size = min(11, *a.shape[:2])
    x = np.arange(size) - (size - 1) / 2
    window = np.exp(-(x[:, None]**2 + x**2) / (2 * 1.5**2))
    window /= window.sum()

    def mean(x, window=window, size=size):
      views = np.lib.stride_tricks.sliding_window_view(x, (size, size), (0, 1))
      return np.einsum('abcij,ij->abc', views, window)

    light = (2 * mean(a) * mean(b) + 2.55**2) / (
        mean(a)**2 + mean(b)**2 + 2.55**2)
    structure = (2 * (mean(a * b) - mean(a) * mean(b)) + 7.65**2) / (
        mean(a * a) + mean(b * b) - mean(a)**2 - mean(b)**2 + 7.65**2)
    similarity = structure if level < 4 else light * structure
    product *= np.maximum(similarity.mean((0, 1)), 0)**weight
  return product.mean()


def halve(x):
  x = np.pad(x, ((0, len(x) % 2), (0, x.shape[1] % 2), (0, 0)), 'symmetric')
  return (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) / 4


def test_progans_form_equals_the_peer(oracle):
  entry = oracle('msssim_64')
  a, b = entry.inputs['img1'], entry.inputs['img2']
  atol = entry.tolerance['atol']
  similarity = ms_ssim.ms_ssim(a, b)
  np.testing.assert_allclose(
      similarity, entry.expected['per_pair'], rtol=0, atol=atol)
  np.testing.assert_allclose(
      ms_ssim.ms_ssim(b, a), similarity, rtol=0, atol=1e-6)
  np.testing.assert_allclose(ms_ssim.ms_ssim(a, a), 1, atol=1e-6)
  np.testing.assert_allclose(
      ms_ssim.ms_ssim(a, 255 - a).mean(),
      entry.expected['against_negative'], atol=atol)
  # The two forms agree where neither window nor channels matter, not here.
  other = ms_ssim.ms_ssim(a, b, ms_ssim.LANDSCAPE)
  assert 1e-4 < np.abs(other - similarity).max() < .03


@pytest.mark.parametrize('size, channels', [(27, 3), (5, 1)])
def test_landscapes_form_equals_its_definition(size, channels):
  a = images(3, size, channels)
  b = (.5 * a + .5 * images(3, size, channels, 1)).astype(np.uint8)
  np.testing.assert_allclose(
      ms_ssim.ms_ssim(a, b, ms_ssim.LANDSCAPE),
      [slow_landscape(x, y) for x, y in zip(a, b, strict=True)], atol=2e-5)


def test_landscapes_batches_have_all_pairs_of_two():
  x = images(6, 16)
  left, right = np.nonzero(~np.eye(3, dtype=bool))
  wanted = [np.mean(ms_ssim.ms_ssim(
      some[left], some[right], ms_ssim.LANDSCAPE)) for some in (
          x[:3], x[3:])]
  similarity = ms_ssim.landscape(x, batches=2, batch=3)
  np.testing.assert_allclose(similarity.value, np.mean(wanted), rtol=1e-5)
  np.testing.assert_allclose(
      similarity.standard_error, np.std(wanted, ddof=1) / np.sqrt(2), rtol=1e-3)
  assert similarity.pairs == 6


def test_pairs_are_disjoint_even_with_odd(monkeypatch):
  x = images(12, 16)
  order = np.random.default_rng(3).permutation(12)[:10]
  wanted = ms_ssim.ms_ssim(x[order[0::2]], x[order[1::2]])
  monkeypatch.setattr(ms_ssim, '_VALUES', 4 * x[0].size)  # 2 batches.
  similarity = ms_ssim.pairs(x, 5, seed=3)
  np.testing.assert_allclose(similarity.value, wanted.mean(), rtol=1e-5)
  np.testing.assert_allclose(
      similarity.standard_error, wanted.std(ddof=1) / np.sqrt(5), rtol=1e-4)
  assert similarity.pairs == 5 and similarity.warnings == ()


def test_few_pictures_are_used_again_and_never_with_themselves():
  x = images(2, 16)
  similarity = ms_ssim.pairs(x, 6)
  assert 'more than once' in similarity.warnings[0]
  np.testing.assert_allclose(
      similarity.value, ms_ssim.ms_ssim(x[:1], x[1:])[0], rtol=1e-5)


def test_one_picture_is_like_itself_and_noise_like_nothing():
  flat = np.repeat(images(1, 16), 12, 0)
  np.testing.assert_allclose(ms_ssim.pairs(flat, 6).value, 1, atol=1e-6)
  assert ms_ssim.pairs(images(12, 16), 6).value < .5
  np.testing.assert_allclose(
      ms_ssim.landscape(flat, 2, 3).value, 1, atol=1e-6)


def test_pairs_of_a_class_stay_within_it():
  first, second = images(2, 16)
  x = np.stack([first, second, first, second, first, second, 255 - first])
  similarity = ms_ssim.within(x, [0, 1, 0, 1, 0, 1, 9], count=6)
  assert list(similarity.by_class) == [0, 1, 9]
  np.testing.assert_allclose(
      [similarity.by_class[0], similarity.by_class[1], similarity.mean], 1,
      atol=1e-6)
  assert np.isnan(similarity.by_class[9])


@pytest.mark.parametrize('call, says', [
    (lambda x: ms_ssim.ms_ssim(x / 255, x), 'uint8'),
    (lambda x: ms_ssim.ms_ssim(x, x[:1]), 'pairs of one shape'),
    (lambda x: ms_ssim.ms_ssim(x[:, :24], x[:, :24]),
     'multiples of 16, for 5 levels, found 24 x 48'),
    (lambda x: ms_ssim.pairs(x[:1]), 'n of at least 2'),
    (lambda x: ms_ssim.pairs(x, 0), 'at least 1 pair'),
    (lambda x: ms_ssim.landscape(x), 'n of at least 320'),
    (lambda x: ms_ssim.landscape(x, 1, 1), 'at least 2 pictures'),
    (lambda x: ms_ssim.within(x, [0]), 'a label for each of 3'),
    (lambda x: ms_ssim.within(x, [0, 1, 2]), 'a class of 2'),
])
def test_similarity_says_what_it_needs(call, says):
  with pytest.raises(ValueError, match=says):
    call(images(3, 32))

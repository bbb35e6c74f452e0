"""Laws of the avatars and of the shapes that they are painted with."""
import hashlib

import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.data import order, source
from msg_gan_jax.data.drawn import avatars, heads, palette, shapes


def factors(count, **fixed):
  """Factors of the first heads, some of them set to a named value."""
  found = avatars.factors_at(0, np.arange(count))
  for name, value in fixed.items():
    found[name][:] = avatars.FACTORS[name].index(value)
  return found


def half(images):
  n, h, w, c = images.shape
  return images.reshape(n, h // 2, 2, w // 2, 2, c).mean((2, 4))


def test_avatars_are_a_source():
  assert isinstance(avatars.Avatars(1, 8), source.Source)


def test_the_hash_is_splitmix64():
  # The first output of the published generator for the state 0.
  bits = order.mix(np.array([order.GOLDEN], np.uint64))
  assert bits[0] == 0xe220a8397b1dcdaf


def test_factors_never_change():
  found = avatars.factors_at(7, np.arange(1000))
  codes = np.stack([found[name] for name in sorted(avatars.CATEGORICAL)])
  assert codes.dtype == np.int32
  digest = hashlib.sha256(codes.astype('<i4').tobytes()).hexdigest()
  assert digest[:16] == 'b2c8aa4f52760af7'
  np.testing.assert_allclose(
      found['gaze'][:3], [.3244545, -.5183463, -.2641973], rtol=1e-6)


@pytest.mark.parametrize('resolution', [8, 32, 40])
def test_a_picture_depends_on_its_index_alone(resolution):
  a = avatars.Avatars(300, resolution)
  everything = a.images(np.arange(300))
  mixed = np.random.RandomState(0).permutation(300)[:90]
  np.testing.assert_array_equal(a.images(mixed), everything[mixed])
  for index in (0, 17, 299):
    np.testing.assert_array_equal(a.images([index])[0], everything[index])


def test_first_is_an_offset_and_seeds_are_other_heads():
  a, b = avatars.Avatars(60, 16), avatars.Avatars(20, 16, first=40)
  late = np.arange(40, 60)
  np.testing.assert_array_equal(a.images(late), b.images(late - 40))
  np.testing.assert_array_equal(a.labels(late), b.labels(late - 40))
  other = avatars.Avatars(60, 16, seed=1)
  assert (a.images(late) != other.images(late)).any((1, 2, 3)).all()


@pytest.mark.parametrize('resolution', [8, 16, 32, 48, 64])
def test_a_head_is_the_same_at_every_resolution(resolution):
  found = factors(48)
  coarse = avatars.draw(found, resolution).astype(float)
  fine = half(avatars.draw(found, 2 * resolution).astype(float))
  error = np.abs(fine - coarse).mean((1, 2, 3))
  # Measured: at most 1.6 of 255, all of it on edges and corners. Another head
  # is 20 or more away.
  assert error.max() < 2.5
  other = np.abs(np.roll(fine, 1, 0) - coarse).mean((1, 2, 3))
  assert other.min() > 10


def test_frequencies_are_those_of_the_table():
  count = 20_000
  found = avatars.factors_at(0, np.arange(count))
  assert set(found) == set(avatars.FACTORS)
  for name, row in avatars.CATEGORICAL.items():
    wanted = np.asarray(list(row.values())) / 100
    assert sum(row.values()) == 100
    got = np.bincount(found[name], minlength=len(row)) / count
    # Four and a half standard deviations of a binomial; 80 values are tested.
    assert (np.abs(got - wanted)
            < 4.5 * np.sqrt(wanted * (1 - wanted) / count)).all(), name
  for name, (low, high) in avatars.CONTINUOUS.items():
    unit = (found[name] - low) / (high - low)
    assert found[name].dtype == np.float32
    assert -1e-5 <= unit.min() < .001 and .999 < unit.max() <= 1 + 1e-5
    assert abs(unit.mean() - .5) < 4.5 / np.sqrt(12 * count), name
    assert abs(unit.var() - 1 / 12) < .003, name


def test_factors_are_independent():
  found = avatars.factors_at(0, np.arange(20_000))
  rows = np.stack([v.astype(float) for v in found.values()])
  between = np.corrcoef(rows) - np.eye(len(rows))
  # One standard deviation is 1 / sqrt(20000) = .007.
  assert np.abs(between).max() < .032


def test_tables_agree_on_names_and_their_order():
  for name, colours in palette.PALETTE.items():
    assert colours.shape == (len(avatars.FACTORS[name]), 3)
  assert tuple(heads.SHAPES) == avatars.FACTORS['head']
  painted = {name for name, _ in heads.PARTS if name}
  for name, parts in heads.PARTS:
    assert name is None or tuple(parts) == avatars.FACTORS[name]
  assert (painted | set(palette.PALETTE) | {'head', 'facing'}
          == set(avatars.CATEGORICAL))


@pytest.mark.parametrize('name', avatars.CATEGORICAL)
def test_every_value_of_a_factor_can_be_seen_at_32_pixels(name):
  # A head that hides nothing; the accent is the colour of hats.
  fixed = dict(hair_style='side', eyes='round', glasses='none', beard='none',
               hat='cap' if name == 'accent' else 'none')
  pictures = [
      avatars.draw(factors(12, **{**fixed, name: value}), 32).astype(float)
      for value in avatars.FACTORS[name]]
  for i, a in enumerate(pictures):
    for b in pictures[:i]:
      changed = np.abs(a - b).max(-1) > 16
      assert (changed.sum((1, 2)) >= 2).all()


@pytest.mark.parametrize('name', avatars.CONTINUOUS)
def test_continuous_factors_change_pictures(name):
  low, high = (factors(12, eyes='round', glasses='none', mouth='smile')
               for _ in range(2))
  low[name][:], high[name][:] = avatars.CONTINUOUS[name]
  a, b = avatars.draw(low, 64), avatars.draw(high, 64)
  assert (a != b).any((1, 2, 3)).all()


def test_the_other_facing_is_the_mirror_image():
  found = factors(64, facing='left')
  there = dict(found, facing=1 - found['facing'], shift_x=-found['shift_x'])
  a, b = avatars.draw(found, 64), avatars.draw(there, 64)
  # Rounding of x + shift may differ by an ulp between the sides.
  np.testing.assert_allclose(
      a.astype(int), b[:, :, ::-1].astype(int), atol=1)


@pytest.mark.parametrize('resolution', [32, 72])
def test_frames_save_work_and_cut_nothing_off(resolution, monkeypatch):
  found = factors(250)
  framed = avatars.draw(found, resolution)
  monkeypatch.setattr(
      shapes.Canvas, '_cut', lambda self, frame: (slice(None), slice(None)))
  np.testing.assert_array_equal(framed, avatars.draw(found, resolution))


def test_grey_is_the_luma_of_colour_and_alpha_is_opaque():
  index = np.arange(5)
  grey, colour, alpha = (
      avatars.Avatars(5, 24, channels).images(index) for channels in (1, 3, 4))
  assert (grey.shape, colour.shape, alpha.shape) == (
      (5, 24, 24, 1), (5, 24, 24, 3), (5, 24, 24, 4))
  for g, c in zip(grey, colour, strict=True):
    np.testing.assert_array_equal(
        g[..., 0], np.asarray(Image.fromarray(c).convert('L')))
  np.testing.assert_array_equal(alpha[..., :3], colour)
  assert (alpha[..., 3] == 255).all()


@pytest.mark.parametrize('resolution', [8, 27, 1024])
def test_shape_is_kept(resolution):
  a = avatars.Avatars(2, resolution)
  images = a.images(np.arange(2))
  assert images.shape == (2, *a.shape) and images.dtype == np.uint8
  assert a.images([]).shape == (0, *a.shape)


def test_labels_are_a_factor():
  index = np.arange(40)
  for label in avatars.CATEGORICAL:
    a = avatars.Avatars(40, 8, label=label)
    assert a.classes == avatars.FACTORS[label]
    np.testing.assert_array_equal(a.labels(index), a.factors(index)[label])
  assert avatars.Avatars(1, 8, label='').classes == (
      avatars.FACTORS['hair_style'])


def test_digest_follows_every_setting():
  usual = dict(count=9, resolution=16, channels=3, seed=0, first=0,
               label='hat')
  other = dict(count=8, resolution=32, channels=1, seed=1, first=2,
               label='skin')
  digests = {avatars.Avatars(**usual).digest()}
  assert digests == {avatars.Avatars(**usual).digest()}
  digests |= {avatars.Avatars(**{**usual, k: v}).digest()
              for k, v in other.items()}
  assert len(digests) == 7


@pytest.mark.parametrize('settings, words', [
    (dict(resolution=7), 'config.data.resolution'),
    (dict(resolution=1025), 'config.data.resolution'),
    (dict(channels=2), 'config.data.channels'),
    (dict(count=0), 'config.data.count'),
    (dict(label='hair_stile'), "did you mean 'hair_style'"),
    (dict(label='gaze'), 'config.data.label'),
])
def test_wrong_settings_are_named(settings, words):
  with pytest.raises(ValueError, match=words):
    avatars.Avatars(**{**dict(count=1, resolution=8), **settings})


@pytest.mark.parametrize('index', [-1, 5])
def test_indices_beyond_the_set_are_refused(index):
  with pytest.raises(IndexError, match='0 .. 4'):
    avatars.Avatars(5, 8).images([index])


def canvas(resolution):
  nothing = np.zeros(1, np.float32)
  return shapes.Canvas(np.zeros((1, 3), np.float32), resolution, nothing,
                       nothing, nothing > 0)


@pytest.mark.parametrize('width', [.3, .1, .01])
def test_a_line_of_any_width_has_the_right_amount_of_ink(width):
  c = canvas(32)
  c.line(np.ones(3, np.float32), lambda x, y: y - .02 + 0 * x, width)
  assert abs(c.planes[0].sum() * c.pixel**2 - 2 * width) < 1e-5


def test_areas_are_those_of_geometry():
  # The edge is a straight line through each pixel: 0.2 % at this size.
  shape_and_area = [
      (lambda x, y: shapes.ellipse(x, y, .6, .6), np.pi * .36),
      (lambda x, y: shapes.ellipse(x, y, .8, .4), np.pi * .32),
      (lambda x, y: shapes.egg(x, y, .6, .7, .5), np.pi * .36),
      (lambda x, y: shapes.box(x, y, .5, .3, .1), .6 - (4 - np.pi) * .01),
      (lambda x, y: shapes.below(x, y, lambda x: .5 * x), 2.)]
  for shape, area in shape_and_area:
    c = canvas(128)
    c.fill(np.ones(3, np.float32), shape)
    np.testing.assert_allclose(c.planes[0].sum() * c.pixel**2, area, rtol=.002)

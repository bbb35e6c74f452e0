"""Laws of the toys: points of Gaussians that are where they are said to be."""
import json

import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import batches, source, sources
from msg_gan_jax.data.drawn import toys
from msg_gan_jax.gan import pyramid

EVERY = np.arange(20_000)


def data(name, **settings):
  config = schema.template()
  config.data.update(dict(name=name, resolution=1, channels=2, count=40,
                          held_out=10) | settings)
  return schema.parse(config)


@pytest.mark.parametrize('name, count, std, apart', [
    # Widths and distances of the papers, times .8 / 1 and .8 / 4.
    ('ring', 8, .01 * .8, 2 * .8 * np.sin(np.pi / 8)),
    ('grid', 25, .05 * .2, 2 * .2), ('line', 5, .05 * .2, 2 * .2)])
def test_layouts_are_those_of_the_papers(name, count, std, apart):
  toy = toys.Toy(name, 1)
  assert toy.centres.shape == (count, 2) and np.abs(toy.centres).max() == .8
  assert len(toy.classes) == len(set(toy.classes)) == count
  np.testing.assert_allclose(toy.std, std)
  far = np.sqrt(((toy.centres[:, None] - toy.centres)**2).sum(-1))
  np.fill_diagonal(far, np.inf)
  np.testing.assert_allclose(far.min(1), apart)
  np.testing.assert_allclose(toy.centres.mean(0), 0, atol=1e-12)


@pytest.mark.parametrize('name', toys.LAYOUTS)
def test_points_are_pictures_of_one_pixel_in_range(name):
  toy = toys.Toy(name, len(EVERY))
  assert isinstance(toy, source.Source) and toy.shape == (1, 1, 2)
  points = toy.images(EVERY)
  assert (points.dtype, points.shape) == (np.float32, (len(EVERY), 1, 1, 2))
  assert np.abs(points).max() < 1
  # ... and so is what no hash will ever give: 53 bits reach 8.6 deviations.
  assert .8 + toy.std * np.sqrt(2 * 53 * np.log(2)) < 1
  x, y = toy.factors(EVERY).values()
  np.testing.assert_array_equal(points[:, 0, 0], np.stack([x, y], -1))
  json.dumps(toy.notes)


@pytest.mark.parametrize('name', toys.LAYOUTS)
def test_points_are_normal_around_the_centre_that_their_label_says(name):
  toy = toys.Toy(name, len(EVERY), seed=5)
  labels = toy.labels(EVERY)
  assert labels.dtype == np.int32
  k = len(toy.classes)
  share = np.bincount(labels, minlength=k) / len(EVERY)
  # Four and a half standard deviations, of binomials and of normals.
  assert np.abs(share - 1 / k).max() < 4.5 * np.sqrt(1 / k / len(EVERY))
  unit = (toy.images(EVERY)[:, 0, 0] - toy.centres[labels]) / toy.std
  spread = 4.5 / np.sqrt(len(EVERY))
  assert np.abs(unit.mean(0)).max() < spread
  assert np.abs(unit.var(0) - 1).max() < spread * 2**.5
  assert abs((unit[:, 0] * unit[:, 1]).mean()) < spread
  assert abs((unit**4).mean() - 3) < 4.5 * np.sqrt(96 / unit.size)
  within = (np.square(unit).sum(1) < 4).mean()
  assert abs(within - (1 - np.exp(-2))) < spread / 2


def test_points_do_not_move():
  # Up to an ulp: log and cos are not rounded alike everywhere.
  points = toys.Toy('grid', 9, seed=7).images(np.arange(3))[:, 0, 0]
  np.testing.assert_allclose(points, [
      [.01164911, -.3963963], [-.8005013, .00034891], [.4012715, -.7992969]],
      rtol=1e-5)


def test_a_point_depends_on_its_index_alone():
  toy = toys.Toy('ring', 300)
  everything = toy.images(np.arange(300))
  mixed = np.random.default_rng(0).permutation(300)[:90]
  np.testing.assert_array_equal(toy.images(mixed), everything[mixed])
  later = toys.Toy('ring', 20, first=280)
  np.testing.assert_array_equal(later.images(np.arange(20)), everything[280:])
  other = toys.Toy('ring', 300, seed=1).images(np.arange(300))
  assert (other != everything).any((1, 2, 3)).all()
  assert toy.images([]).shape == (0, 1, 1, 2)


def test_batches_and_pyramids_keep_points_as_they_are():
  config = data('ring')
  toy = sources.open_source(config).train
  batch = batches.open_batches(toy, config).at(0, (1, 40))
  assert batch.images.dtype == jnp.float32
  level, = pyramid.build(batch.images[0], (1,))
  assert level.shape == (40, 1, 1, 2)
  np.testing.assert_array_equal(
      np.sort(level.reshape(-1)), np.sort(toy.images(np.arange(40)).ravel()))


def test_what_is_kept_out_lies_beyond():
  found = sources.open_source(data('line'))
  np.testing.assert_array_equal(
      found.held_out.images(np.arange(10)),
      toys.Toy('line', 50).images(np.arange(40, 50)))
  assert (found.train.name, len(found.train)) == ('line', 40)


def test_the_digest_follows_every_setting():
  usual = dict(layout='ring', count=9, seed=0, first=0)
  digests = {toys.Toy(**usual).digest()}
  assert digests == {toys.Toy(**usual).digest()}
  for name, value in dict(layout='grid', count=8, seed=1, first=2).items():
    digests.add(toys.Toy(**{**usual, name: value}).digest())
  assert len(digests) == 5


@pytest.mark.parametrize('settings, words', [
    (dict(resolution=32), r"config\.data: 'ring' .* config\.data\.resolution = "
                          r'1, width = 0 and channels = 2, found 32 x 32'),
    (dict(channels=3), r'channels = 2, found 1 x 1 pixels of 3\.'),
    (dict(width=2), r'width = 0 .* found 1 x 2 pixels'),
    (dict(label='x'), r"config\.data\.label: 'x'; .* Wanted none\."),
    (dict(path='x'), r"config\.data\.path: 'x', .* 'ring' draws"),
])
def test_wrong_settings_are_named(settings, words):
  with pytest.raises(ValueError, match=words):
    sources.open_source(data('ring', **settings))


def test_every_layout_is_a_source_and_no_other():
  with pytest.raises(ValueError, match="layout 'rings'; did you mean 'ring'"):
    toys.Toy('rings', 1)
  for name in toys.LAYOUTS:
    assert sources.open_source(data(name)).train.name == name


@pytest.mark.parametrize('index', [-1, 5])
def test_indices_beyond_the_set_are_refused(index):
  with pytest.raises(IndexError, match='ring: wanted indices in 0 .. 4'):
    toys.Toy('ring', 5).labels([index])

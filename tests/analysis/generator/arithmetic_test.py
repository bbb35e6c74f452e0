"""Laws of sums of latents, and of the figure that shows them."""
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.analysis import trained
from msg_gan_jax.analysis.generator import arithmetic, picks
from msg_gan_jax.analysis.generator.picks import Pick
from msg_gan_jax.analysis.trained import Latents
from msg_gan_jax.config import schema
from msg_gan_jax.gan import latents, pyramid
from msg_gan_jax.report import figure


class Gan:
  """A picture is a linear map of z, or of w = 2 z; a class makes it lighter."""
  sizes, shapes = (4, 8), ((4, 4, 1), (8, 8, 1))
  matrix = np.random.default_rng(0).normal(size=(6, 64)).astype(np.float32) / 9

  def __init__(self, law='sphere', layers=0, classes=0):
    self.law, self.layers, self.classes = law, layers, classes

  def settle(self, state):
    return state

  def draw(self, key, n):
    return latents.LATENTS[self.law](key, (n, 6))

  def latents(self, state, z, labels=None, *, weights='ema', psi=1.):
    return jnp.repeat(2 * z[:, None], self.layers, 1) if self.layers else z

  def synthesize(self, state, w, labels=None, *, weights='ema'):
    w = w.mean(1) if self.layers else w
    shift = 0. if labels is None else labels[:, None] / 8.
    image = jnp.tanh(w @ self.matrix + shift).reshape(-1, 8, 8, 1)
    return pyramid.down(image), image


def made(law='sphere', **attributes):
  config = schema.template()
  config.networks.latent_law = law
  return trained.Trained(
      schema.parse(config), Gan(law, **attributes), jnp.float32(1))


def like(gan, terms, **more):
  return Latents(z=picks.latents(
      gan, [pick for term in terms for pick in term.picks]), **more)


@pytest.mark.parametrize('text, wanted', [
    ('3', [(1, '3')]),
    ('3,17 - 5 + 8-10', [(1, '3,17'), (-1, '5'), (1, '8-10')]),
    ('- 3 + 4:2', [(-1, '3'), (1, '4:2')]),
    (' + 3 - 5,6', [(1, '3'), (-1, '5,6')]),
    ('3 , 4 -  5', [(1, '3 , 4'), (-1, '5')]),
])
def test_terms_are_read_as_people_write_them(text, wanted):
  found = arithmetic.parse(text)
  assert [(x.sign, x.text) for x in found] == wanted
  assert all(x.picks == picks.parse(x.text) for x in found)


def test_a_range_is_no_difference():
  a, = arithmetic.parse('8-10')
  assert a.picks == (Pick(8), Pick(9), Pick(10))
  a, b = arithmetic.parse('8 - 10')
  assert (a.picks, b.picks, b.sign) == ((Pick(8),), (Pick(10),), -1)


@pytest.mark.parametrize('text, wanted', [
    ('', "^terms: wanted latents before and behind each sign.* found ''"),
    ('3 - ', "^terms: wanted latents before and behind .* found '3 - '"),
    ('3 -  + 4', '^terms: wanted latents before and behind'),
    ('3 + x', "^terms: wanted seeds with commas .* found 'x'"),
    ('3 -4', "^terms: wanted seeds .* found '3 -4'"),
    ('3;4', "^terms: wanted seeds .*found '3;4'"),
    ('3 - 1:100000', '^terms: 1:100000: wanted numbers of latents of at most'),
])
def test_what_are_no_terms_is_told(text, wanted):
  with pytest.raises(ValueError, match=wanted):
    arithmetic.parse(text)


def test_a_sum_is_that_of_the_means():
  rows = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
  means, result = arithmetic.combine(
      [1, -1, 1], [rows[:3], rows[3:4], rows[4:]])
  np.testing.assert_allclose(
      means, [rows[:3].mean(0), rows[3], rows[4:].mean(0)], rtol=1e-6)
  np.testing.assert_allclose(result, means[0] - means[1] + means[2], atol=1e-6)
  assert means.dtype == result.dtype == np.float32


@pytest.mark.parametrize('law', latents.LATENTS)
@pytest.mark.parametrize('text', ['3', '3 - 3 + 3', '3,3,3', '3 - 5 + 5'])
def test_one_example_with_itself_is_itself(law, text):
  found = made(law)
  terms = arithmetic.parse(text)
  summed = arithmetic.add(found, terms, like(found.gan, terms))
  np.testing.assert_array_equal(
      summed.result, picks.latents(found.gan, [Pick(3)])[0])
  assert summed.space == 'z'


def test_neighbours_are_uniform_within_their_bounds():
  centre = np.linspace(-2, 2, 4000)
  found = arithmetic.neighbours(centre, .25, seed=3)
  np.testing.assert_array_equal(found[4], np.float32(centre))
  noise = np.delete(found - centre, 4, 0)
  assert np.abs(noise).max() <= .25 + 1e-6 and noise.shape == (8, 4000)
  # Of 32,000: the mean within 4 of its errors, quarters within 4, too.
  assert abs(noise.mean()) < 4 * .25 / 3**.5 / 32_000**.5
  shares = np.histogram(noise, 4, (-.25, .25))[0] / noise.size
  np.testing.assert_allclose(shares, .25, atol=4 * (.1875 / 32_000)**.5)
  # All eight differ, and those of another seed too; the same seed is the same.
  assert len(np.unique(noise[:, 0])) == 8
  np.testing.assert_array_equal(
      found, arithmetic.neighbours(centre, .25, seed=3))
  assert (arithmetic.neighbours(centre, .25, seed=4)[0] != found[0]).any()


def test_the_noise_of_w_is_in_its_deviations():
  found = made('normal', layers=2)
  terms = arithmetic.parse('3 + 4')
  summed = arithmetic.add(found, terms, like(found.gan, terms), noise=.5)
  assert summed.space == 'w'
  z = picks.latents(found.gan, [Pick(3), Pick(4)])
  np.testing.assert_allclose(summed.result, 2 * z.sum(0), rtol=1e-6)
  noise = np.abs(summed.around - summed.result)
  # w = 2 z has deviations of 2, so numbers are moved by 1, and nearly so.
  assert .85 < noise.max() < 1.1


def test_what_leaves_the_sphere_is_put_back():
  found = made('sphere')
  terms = arithmetic.parse('3,4,5 - 6,7 + 8')
  summed = arithmetic.add(found, terms, like(found.gan, terms))
  for points in summed.means, summed.around:
    np.testing.assert_allclose((points**2).sum(1), 6, rtol=1e-4)
  free = made('normal')
  summed = arithmetic.add(free, terms, like(free.gan, terms))
  np.testing.assert_allclose(
      summed.means[0], np.mean(summed.examples[0], 0), rtol=1e-5)


def test_nothing_is_nothing_on_the_sphere_too():
  found = made('sphere')
  assert (found.onto_law(np.zeros((2, 6), np.float32)) == 0).all()


def test_the_space_is_one_that_there_is():
  terms = arithmetic.parse('3')
  plain = made()
  with pytest.raises(ValueError, match="^space: 'w', but this GAN has no map"):
    arithmetic.add(plain, terms, like(plain.gan, terms), 'w')
  with pytest.raises(ValueError, match="^space: wanted 'z' or 'w', found 'q'"):
    arithmetic.add(plain, terms, like(plain.gan, terms), 'q')


def test_a_sum_in_z_stays_in_one_class():
  found = made(classes=3)
  terms = arithmetic.parse('3 - 5')
  of = np.array([2, 2], np.int32)
  summed = arithmetic.add(found, terms, like(found.gan, terms, labels=of))
  assert [x.tolist() for x in summed.labels] == [[2], [2]]
  with pytest.raises(ValueError, match=r'^labels: a sum in z stays in one cla'):
    arithmetic.add(found, terms, like(found.gan, terms, labels=of - [0, 1]))
  # w has the class in it.
  styled = made(classes=3, layers=2)
  assert arithmetic.add(
      styled, terms, like(styled.gan, terms, labels=of - [0, 1])).space == 'w'


@pytest.mark.parametrize('scales', [False, True])
def test_the_figure_has_examples_means_and_the_sum(monkeypatch, scales):
  seen = []
  monkeypatch.setattr(arithmetic.figure, 'draw', lambda bands, title, **named: (
      seen.append((bands, named)), np.zeros((1, 1, 3), np.uint8))[1])
  found = made('normal')
  terms = arithmetic.parse('3,4,5 - 6')
  summed = arithmetic.add(found, terms, like(found.gan, terms))
  arithmetic.sum_figure(found, terms, summed, scales)
  (bands, named), = seen
  assert named['above'] == [' 3,4,5', '- 6', '', '= sum', '']
  assert len(bands) == (2 if scales else 1)
  assert len(named['beside']) == 4 * len(bands)
  for level, band in zip((0, 1) if scales else (1,), bands, strict=True):
    def shown(z, level=level):
      return [figure.tile(x[level]) for x in found.images(np.stack(z))]

    left = [row[:2] for row in band.rows]
    for row, tile in zip(left, shown([*summed.examples[0], summed.means[0]]),
                         strict=True):
      np.testing.assert_array_equal(row[0], tile)
    assert [row[1] is None for row in left] == [False, True, True, False]
    np.testing.assert_array_equal(left[3][1], shown(summed.means[1:])[0])
    right = [row[2:] for row in band.rows]
    assert all(x is None for x in right[3])
    np.testing.assert_array_equal(
        [x for row in right[:3] for x in row], shown(summed.around))


def test_of_many_examples_the_first_are_shown():
  found = made('normal')
  terms = arithmetic.parse('0-19 - 30')
  summed = arithmetic.add(found, terms, like(found.gan, terms))
  picture = arithmetic.sum_figure(found, terms, summed)
  few = arithmetic.parse('0-5 - 30')
  assert picture.shape[0] == arithmetic.sum_figure(
      found, few, arithmetic.add(found, few, like(found.gan, few))).shape[0]


def test_labels_of_pictures_are_those_of_the_examples():
  """A class makes pictures lighter: the figure's are all of it."""
  found = made('normal', classes=4)
  terms = arithmetic.parse('3 - 5')
  of = np.full(2, 3, np.int32)
  summed = arithmetic.add(found, terms, like(found.gan, terms, labels=of))
  lighter = arithmetic.sum_figure(found, terms, summed).mean()
  summed = arithmetic.add(found, terms, like(found.gan, terms, labels=0 * of))
  assert lighter > arithmetic.sum_figure(found, terms, summed).mean()

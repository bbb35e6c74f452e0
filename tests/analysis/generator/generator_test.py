"""Laws of walks, mixed styles, truncation and projection."""
import json
import types

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.analysis import trained
from msg_gan_jax.analysis.generator import (
  mixing,
  projection,
  projection_files,
  samples,
  walk,
)
from msg_gan_jax.analysis.trained import Latents
from msg_gan_jax.arrays import pixels
from msg_gan_jax.config import schema
from msg_gan_jax.gan import build, pyramid, sampling
from msg_gan_jax.report import figure, film

WIDTH, LAYERS = 8, 4


def normal(*shape, seed=0):
  return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.fixture(scope='module')
def styled(small):
  """A small StyleGAN at 8 px that nobody has trained."""
  config = small(
      'stylegan', data__resolution=8, networks__w=WIDTH,
      networks__mapping_layers=1, train__grow_from=0, train__grow_batches='',
      train__grow_rates='')
  gan = build.build(config)
  random = np.random.default_rng(1)

  def drawn(path, x):
    """About as `init` would, without compiling that; no picture is white."""
    path = jax.tree_util.keystr(path)
    scale = 100 if 'mapping' in path and 'kernel' in path else (
        .2 if 'rgb' in path else .5)
    return np.asarray(scale * random.normal(size=x.shape), x.dtype)

  state = jax.tree_util.tree_map_with_path(
      drawn, jax.eval_shape(gan.init, jax.random.key(0)))
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(sampling, 'PIXELS', 3 * 8**2)  # Programs for three pictures.
    yield trained.Trained(config, gan, jax.device_put(state))


class Plain:
  """A GAN without a mapping network: an image is a linear map of z."""
  sizes, shapes, layers, classes = (4, 8), ((4, 4, 1), (8, 8, 1)), 0, 0
  matrix = normal(6, 64) / 4

  def __init__(self, classes=0, by_batch=False):
    self.classes, self.by_batch = classes, by_batch

  def settle(self, state):
    return state

  def draw(self, key, n):
    z = jax.random.normal(key, (n, 6))
    return z * (6**.5 / jnp.linalg.norm(z, axis=-1, keepdims=True))

  def latents(self, state, z, labels=None, *, weights='ema', psi=1.):
    return z

  def synthesize(self, state, w, labels=None, *, weights='ema'):
    image = jnp.tanh(w @ (state * self.matrix)).reshape(-1, 8, 8, 1)
    if self.by_batch:
      image -= image.mean(0)
    return pyramid.down(image), image


def plain(law='sphere', statistics='moving', **attributes):
  config = schema.template()
  config.networks.latent_law = law
  config.networks.statistics = statistics
  return trained.Trained(
      schema.parse(config), Plain(**attributes), jnp.float32(1))


# Walks.


@pytest.mark.parametrize('way', walk.WAYS)
@pytest.mark.parametrize('n', [2, 3])
def test_a_walk_begins_and_ends_at_its_ends(way, n):
  stops = normal(n, 5)
  found = walk.interpolate(stops, 4 * (n - 1) + 1, way)
  assert found.dtype == np.float32 and found.shape == (4 * (n - 1) + 1, 5)
  np.testing.assert_array_equal(found[::4], stops)
  np.testing.assert_array_equal(walk.interpolate(stops, 7, way)[[0, -1]],
                                stops[[0, -1]])


@pytest.mark.parametrize('way', walk.WAYS)
def test_a_loop_goes_on_where_it_began(way):
  """Shifted by a leg it is the loop of the stops so shifted."""
  stops = normal(3, 5)
  found = walk.interpolate(stops, 12, way, loop=True)
  np.testing.assert_array_equal(found[::4], stops)
  np.testing.assert_allclose(
      np.roll(found, -4, 0),
      walk.interpolate(np.roll(stops, -1, 0), 12, way, loop=True), atol=1e-6)
  # The step from the last frame to the first is one as all others.
  steps = np.linalg.norm(np.roll(found, -1, 0) - found, axis=1).reshape(3, 4)
  if way == 'linear':
    np.testing.assert_allclose(steps, steps[:, :1].repeat(4, 1), rtol=1e-4)


def test_a_walk_has_two_stops_and_two_frames():
  for n, frames, name in (1, 5, 'stops'), (2, 1, 'frames'):
    with pytest.raises(ValueError, match=f'^{name}: wanted at least 2'):
      walk.interpolate(normal(n, 5), frames)


def test_an_arc_keeps_the_norm_and_the_pace():
  stops = normal(4, 7)
  stops *= 3 / np.linalg.norm(stops, axis=1, keepdims=True)
  found = walk.interpolate(stops, 40, 'spherical', loop=True)
  np.testing.assert_allclose(np.linalg.norm(found, axis=1), 3, rtol=1e-5)
  steps = np.linalg.norm(np.roll(found, -1, 0) - found, axis=1).reshape(4, 10)
  np.testing.assert_allclose(steps, steps[:, :1].repeat(10, 1), rtol=1e-3)
  chord = walk.interpolate(stops, 40, 'linear', loop=True)
  assert np.linalg.norm(chord, axis=1).min() < 2.9


def test_where_there_is_no_arc_the_way_is_straight():
  a = normal(1, 5).astype(float)
  for b in (a, -a, 2 * a, 0 * a):
    np.testing.assert_allclose(
        walk.spherical(a, b, .25), .75 * a + .25 * b, rtol=1e-6)


@pytest.mark.parametrize('law, space, way, wanted', [
    ('sphere', '', '', ('z', 'spherical')),
    ('normal', 'z', '', ('z', 'spherical')),
    ('uniform', '', '', ('z', 'linear')),
    ('sphere', '', 'linear', ('z', 'linear')),
    ('uniform', '', 'spherical', "way: 'spherical' needs latents on a sph"),
    ('sphere', 'w', '', "space: 'w', but this GAN has no mapping network"),
    ('sphere', 'q', '', "^space: wanted 'z' or 'w', found 'q'"),
    ('sphere', '', 'arc', "^way: no way 'arc'; ")])
def test_the_usual_way_is_that_of_the_law(law, space, way, wanted):
  if isinstance(wanted, tuple):
    assert walk.space_and_way(plain(law), space, way) == wanted
  else:
    with pytest.raises(ValueError, match=wanted):
      walk.space_and_way(plain(law), space, way)


def test_the_usual_way_of_styles_is_straight(styled):
  assert walk.space_and_way(styled) == ('w', 'linear')
  assert walk.space_and_way(styled, 'z') == ('z', 'spherical')
  with pytest.raises(ValueError, match="w is not on one.*or space=z"):
    walk.space_and_way(styled, way='spherical')


def test_a_walk_in_w_is_of_truncated_styles(styled):
  z = np.asarray(styled.gan.draw(jax.random.key(2), 3))
  styles, labels = walk.styles_on_walk(
      styled, 9, Latents(z, psi=.5), loop=False)
  assert styles.shape == (9, LAYERS, WIDTH) and labels is None
  np.testing.assert_allclose(
      styles[::4], styled.gan.latents(styled.state, z, psi=.5), atol=1e-5)
  np.testing.assert_allclose(styles[1], .75 * styles[0] + .25 * styles[4],
                             atol=1e-5)
  # The same from a file of w; of its first two layers alone.
  w = styled.styles(z)[:, 0]
  again, _ = walk.styles_on_walk(
      styled, 9, Latents(w=w, psi=.5, cutoff=2), loop=False)
  np.testing.assert_allclose(again[:, :2], styles[:, :2], atol=1e-5)
  np.testing.assert_allclose(again[4, 2:], w[1:2].repeat(2, 0), atol=1e-5)


def test_a_walk_in_z_is_mapped_frame_by_frame(styled):
  z = np.asarray(styled.gan.draw(jax.random.key(2), 3))
  styles, _ = walk.styles_on_walk(styled, 6, Latents(z), space='z')
  np.testing.assert_allclose(
      styles, styled.styles(walk.interpolate(z, 6, 'spherical', True)),
      atol=1e-5)
  with pytest.raises(ValueError, match=r'^w: given, but space=z walks through'):
    walk.styles_on_walk(styled, 6, Latents(w=z), space='z')


def test_a_walk_in_z_stays_in_one_class():
  z = normal(3, 6)
  found = plain(classes=4)
  assert walk.styles_on_walk(found, 5, Latents(z))[1].tolist() == [0] * 5
  threes = np.full(3, 3, np.int32)
  assert walk.styles_on_walk(
      found, 5, Latents(z, labels=threes))[1].tolist() == [3] * 5
  with pytest.raises(ValueError, match='in one class; .*=1, or between=both'):
    walk.styles_on_walk(found, 5, Latents(z, labels=np.array([1, 2, 1])))
  with pytest.raises(ValueError, match='^latents: a walk needs at least 2'):
    walk.styles_on_walk(found, 5, Latents(z[:1]))


def test_a_film_shows_each_frame_at_all_scales(monkeypatch):
  shown = []
  monkeypatch.setattr(film, 'write', lambda path, frames, fps, count: (
      shown.extend(frames), shown.append((path, fps, count))))
  found, z = plain(), normal(5, 6)
  levels = list(found.images(z))
  assert [[x.shape for x in level] for level in levels] == 5 * [
      [(4, 4, 1), (8, 8, 1)]]
  walk.write_film('x.gif', found, z, None, 25, scales=True)
  assert shown.pop() == ('x.gif', 25, 5)
  for frame, (coarse, fine) in zip(shown, levels, strict=True):
    left, right = frame[-16 - 192:-16, 16:208], frame[-16 - 192:-16, 220:412]
    np.testing.assert_array_equal(left, figure.tile(coarse, 192, 192))
    np.testing.assert_array_equal(right, figure.tile(fine, 192, 192))
    assert (frame[:-208] < 100).any()  # The sizes.
  shown.clear()
  walk.write_film('x.gif', found, z, None, 25)
  np.testing.assert_array_equal(
      shown[0], figure.tile(levels[0][-1], 256, 256))


def test_latents_are_z_or_w():
  z = normal(3, 6)
  assert len(Latents(z)) == len(Latents(w=z)) == 3
  for given in {}, {'z': z, 'w': z}:
    with pytest.raises(ValueError, match='wanted z or w, and not both'):
      Latents(**given)


# What draws.


def test_which_weights_and_how_many_latents_are_checked(styled):
  with pytest.raises(ValueError, match="^weights: wanted .*'emma'"):
    trained.Trained(schema.parse(schema.template()), Plain(), None, 'emma')
  with pytest.raises(ValueError, match='^count: wanted at least 1, found -1'):
    samples.latents(styled.gan, 6, -1, 0)


def test_pictures_are_those_of_the_gan(styled):
  z = np.asarray(styled.gan.draw(jax.random.key(3), 3))
  wanted = pixels.to_uint8(styled.gan.sample(styled.state, z)[-1])
  np.testing.assert_array_equal(styled.finest(styled.styles(z)), wanted)
  wanted = styled.gan.latents(styled.state, z, psi=.3, cutoff=2)
  np.testing.assert_allclose(
      styled.truncate(styled.styles(z), .3, 2), wanted, atol=1e-5)


def test_a_picture_does_not_change_with_its_company():
  z = normal(3, 6)
  found = plain(statistics='batch', by_batch=True)
  np.testing.assert_array_equal(found.finest(z)[1:2], found.finest(z[1:2]))
  others = found.gan.draw(jax.random.key(0), trained.COMPANY)
  whole = np.concatenate([z[:1], others])
  wanted = found.gan.synthesize(jnp.float32(1), whole)[-1][0]
  np.testing.assert_allclose(
      found.finest(z)[0], pixels.to_uint8(wanted), atol=1)


# Styles.


@pytest.mark.parametrize('layers, crossovers, wanted', [
    (4, (), [(0, 2), (2, 4)]), (6, (), [(0, 2), (2, 4), (4, 6)]),
    (8, (), [(0, 2), (2, 6), (6, 8)]), (10, (), [(0, 4), (4, 8), (8, 10)]),
    (18, (), [(0, 4), (4, 8), (8, 18)]), (6, (1,), [(0, 1), (1, 6)])])
def test_bands_are_all_layers_once(layers, crossovers, wanted):
  assert mixing.layer_bands(layers, crossovers) == tuple(wanted)


@pytest.mark.parametrize('crossovers', [(0,), (6,), (4, 2), (2, 2), (-1, 3)])
def test_crossovers_rise(crossovers):
  with pytest.raises(ValueError, match=r'^crossovers: wanted layers that ri'):
    mixing.layer_bands(6, crossovers)


def test_mixing_swaps_exactly_the_layers_asked():
  top, left = normal(3, LAYERS, 2), normal(2, LAYERS, 2, seed=1)
  found = mixing.mix_layers(top, left, 1, 3)
  assert found.shape == (2, 3, LAYERS, 2)
  for row in range(2):
    for column in range(3):
      np.testing.assert_array_equal(found[row, column, 1:3], top[column, 1:3])
      np.testing.assert_array_equal(
          found[row, column, [0, 3]], left[row, [0, 3]])


@pytest.fixture
def drawn(monkeypatch):
  """The bands of figures, and what else they are given."""
  found = []
  monkeypatch.setattr(mixing.figure, 'draw', lambda bands, *rest, **named: (
      found.append((bands, named)), np.zeros((1, 1, 3), np.uint8))[1])
  return found


def test_where_all_styles_are_of_the_source_it_is_the_source(styled, drawn):
  """The last band has all layers but the first, which two latents share."""
  w = normal(5, WIDTH)
  mixing.mixing_figure(styled, 2, Latents(w=w))
  (first, *bands), _ = drawn[0]
  alone = [figure.tile(x) for x in styled.finest(
      styled.styles_of(Latents(w=w)))]
  np.testing.assert_array_equal(np.stack(first.rows[0][1:]), alone[2:])
  assert first.rows[0][0] is None
  assert [b.heading[1] for b in bands] == [
      'layers 1 to 2 of 4', 'layers 3 to 4 of 4']
  left, top = w[:2], w[2:]
  for (start, end), band in zip(((0, 2), (2, 4)), bands, strict=True):
    for row in range(2):
      np.testing.assert_array_equal(band.rows[row][0], alone[row])
      styles = np.stack([np.where(
          (np.arange(LAYERS)[:, None] >= start)
          & (np.arange(LAYERS)[:, None] < end), t, left[row]) for t in top])
      np.testing.assert_array_equal(
          np.stack(band.rows[row][1:]),
          [figure.tile(x) for x in styled.finest(styles)])
  # One latent at both places: its row and its column are it alone.
  mixing.mixing_figure(styled, 1, Latents(w=w[[0, 0, 0]]))
  for band in drawn[1][0]:
    for row in band.rows:
      assert all((x == alone[0]).all() for x in row if x is not None)


def test_psi_0_is_the_mean_picture_and_1_the_sample(styled, drawn):
  z = np.asarray(styled.gan.draw(jax.random.key(3), 3))
  mixing.truncation_figure(styled, Latents(z), (1., .5, 0., -1.))
  (band,), named = drawn[0]
  assert named['above'] == ['psi 1', 'psi 0.5', 'psi 0', 'psi -1']
  columns = list(zip(*band.rows, strict=True))
  sample = pixels.to_uint8(styled.gan.sample(styled.state, z)[-1])
  np.testing.assert_array_equal(
      columns[0], [figure.tile(x) for x in np.asarray(sample)])
  mean = styled.state.ema.stats['mapping']['w_mean']
  mean = figure.tile(styled.finest(
      np.tile(np.asarray(mean), (1, LAYERS, 1)))[0])
  for row in columns[2]:
    np.testing.assert_array_equal(row, mean)
  assert (columns[1][0] != mean).any() and (columns[3][0] != mean).any()
  # Without the coarse layers it is no mean picture.
  mixing.truncation_figure(styled, Latents(z, cutoff=1), (0.,))
  (band,), _ = drawn[1]
  assert (band.rows[0][0] != band.rows[1][0]).any()


def test_figures_of_styles_are_of_a_mapping_network(drawn):
  z = normal(4, 6)
  with pytest.raises(ValueError, match='^trained: its GAN has no mapping'):
    mixing.mixing_figure(plain(), 1, Latents(z))
  with pytest.raises(ValueError, match='^trained: its GAN has no mapping'):
    mixing.truncation_figure(plain(), Latents(z))


def test_a_figure_of_mixed_styles_wants_one_for_the_top(styled):
  with pytest.raises(ValueError, match=r'^rows: 3 at the left, .* 3 latents'):
    mixing.mixing_figure(styled, 3, Latents(w=normal(3, WIDTH)))


# Projection.


def test_the_distance_is_a_mean_over_a_pyramid():
  a, b = normal(2, 16, 8, 3), normal(2, 16, 8, 3, seed=1)
  half = [x.reshape(2, 8, 2, 4, 2, 3).mean((2, 4)) for x in (a, b)]
  wanted = [((x - y)**2).mean((1, 2, 3)) for x, y in ((a, b), half)]
  np.testing.assert_allclose(
      projection.distance(a, b), np.mean(wanted, 0), rtol=1e-5)
  assert (np.asarray(projection.distance(a, a)) == 0).all()
  # A shift of the whole is in all levels, what changes from pixel to pixel in
  # one.
  checks = np.indices((16, 8)).sum(0)[:, :, None] % 2 * 2. - 1
  np.testing.assert_allclose(projection.distance(a, a + .1), .01, rtol=1e-4)
  np.testing.assert_allclose(
      projection.distance(a, a + .1 * checks), .005, rtol=1e-4)


def test_psnr_of_known_errors():
  a = np.full((2, 4, 4, 3), 100, np.uint8)
  b = a + np.uint8([[[[10]]], [[[0]]]])
  np.testing.assert_allclose(projection.psnr(b, a), [28.13, 99], atol=.01)


def test_the_schedule_is_that_of_the_paper():
  assert projection.schedule(0) == (0, .05)
  assert projection.schedule(.025) == (
      .05, pytest.approx(.05 * (1 - 1 / 30)**2))
  assert projection.schedule(.375) == (.1, pytest.approx(.0125))
  assert projection.schedule(.75) == (.1, 0)
  assert projection.schedule(.875) == (pytest.approx(.05), 0)
  assert projection.schedule(1) == (0, 0)


@pytest.mark.slow
def test_it_finds_what_g_has_drawn(styled):
  w = np.repeat(styled.styles(styled.gan.draw(jax.random.key(5), 3))[:, :1],
                LAYERS, 1)
  pictures = styled.finest(w)
  found = projection.project(styled, pictures, steps=150, seed=4)
  assert found.points.shape == (3, WIDTH) and found.points.dtype == np.float32
  assert (found.after < found.before / 20).all()
  assert (found.psnr > 25).all()
  np.testing.assert_array_equal(found.images, styled.finest(
      styled.styles_of(Latents(w=found.points))))
  # It begins at the mean of w, for all of them.
  np.testing.assert_array_equal(found.start, found.start[:1].repeat(3, 0))


@pytest.mark.slow
@pytest.mark.parametrize('law', ['sphere', 'normal', 'uniform'])
def test_without_a_mapping_z_keeps_its_law(law):
  found = plain(law)
  z = np.asarray(found.gan.draw(jax.random.key(5), 3))
  z = z if law != 'uniform' else z.clip(-1, 1)
  got = projection.project(found, found.finest(z), steps=120)
  assert (got.after < got.before / 20).all() and (got.psnr > 30).all()
  if law == 'sphere':
    np.testing.assert_allclose((got.points**2).sum(1), 6, rtol=1e-4)
  if law == 'uniform':
    assert np.abs(got.points).max() <= 1


def test_pictures_do_not_see_each_other_nor_the_clock(monkeypatch):
  found = plain()
  pictures = found.finest(np.asarray(found.gan.draw(jax.random.key(5), 3)))
  whole = projection.project(found, pictures, steps=20)
  for a, b in zip(whole, projection.project(found, pictures, steps=20),
                  strict=True):
    np.testing.assert_array_equal(a, b)
  alone = projection.project(found, pictures[2:], steps=20)
  np.testing.assert_allclose(whole.points[2:], alone.points, atol=1e-4)
  # Two at once, then one.
  monkeypatch.setattr(projection, 'GRADIENT_PIXELS', 2 * 64)
  parts = projection.project(found, pictures, steps=20)
  np.testing.assert_allclose(whole.points, parts.points, atol=1e-4)


# Pictures and files.

def data(**settings):
  return types.SimpleNamespace(**{
      'shape': (8, 8, 3), 'channels': 3, 'resize': 'center_crop',
      'filter': 'lanczos', 'range': '', **settings})


def test_pictures_are_read_as_the_run_sees_its_own(tmp_path):
  wide = np.zeros((16, 32, 3), np.uint8)
  wide[:, 8:24] = 200  # The square in the middle.
  (tmp_path / 'set').mkdir()
  for name in ('set/b.png', 'set/a.png', 'c.PNG', 'set/.d.png'):
    Image.fromarray(wide).save(tmp_path / name)
  (tmp_path / 'set' / 'a.txt').touch()
  names, found = projection_files.read(
      [str(tmp_path / 'c.PNG'), str(tmp_path / 'set')], data())
  assert names == ['c.PNG', 'a.png', 'b.png']
  assert found.shape == (3, 8, 8, 3) and (found == 200).all()


@pytest.mark.parametrize('paths, settings, text', [
    (['none.png'], {}, r"there is no file or folder 'none\.png'; the nearest "),
    (['set'], {}, r"there are no pictures in 'set'; looked for \.avif"),
    (['x.png'], {}, r"cannot read 'x\.png': not a picture of a format"),
    (['set'], {'channels': 2}, r'this run draws 2 channels; files have 1, 3'),
])
def test_what_cannot_be_projected_is_told(
    tmp_path, monkeypatch, paths, settings, text):
  monkeypatch.chdir(tmp_path)
  (tmp_path / 'set').mkdir()
  (tmp_path / 'x.png').write_text('Dear')
  with pytest.raises(ValueError, match=f'^paths: {text}'):
    projection_files.read(paths, data(**settings))


@pytest.mark.parametrize('channels', [1, 3, 4])
def test_what_was_found_is_written(tmp_path, channels):
  pictures = np.random.default_rng(0).integers(
      0, 256, (2, 8, 8, channels), np.uint8)
  found = projection.Projection(
      normal(2, 6), pictures, pictures, np.array([.5, .4]),
      np.array([.25, .125]), np.array([20., 30.]))
  paths = projection_files.write(
      tmp_path / 'out', ['a.png', 'ψ.png'], pictures, found,
      {'distance': 'pyramid', 'points': 'w', 'steps': 7})
  assert [path.rpartition('/')[2] for path in paths] == [
      'projections.png', 'projections.json', 'w.npy', '00000.png', '00001.png']
  np.testing.assert_array_equal(np.load(paths[2]), found.points)
  with Image.open(paths[4]) as image:
    np.testing.assert_array_equal(
        np.asarray(image).reshape(8, 8, channels), pictures[1])
  said = json.loads((tmp_path / 'out' / 'projections.json').read_text())
  assert said['distance'] == 'pyramid' and said['steps'] == 7
  assert said['pictures'][1] == {
      'picture': 'ψ.png', 'distance': .125, 'distance_at_start': .4,
      'psnr': 30.}

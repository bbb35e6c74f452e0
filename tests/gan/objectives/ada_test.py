"""Laws of ADA: what is drawn, what it does to a pyramid, how p is moved."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.objectives import ada, adaptive, warp

pytestmark = pytest.mark.slow

KEY = jax.random.key(3)
ALL = ada.BGC | {'cutout': 1.}


@pytest.fixture(scope='module')
def certain():
  """What is drawn of every transformation where each is done."""
  drawn, bent = ada.draw(ALL, KEY, 20_000, 1.)
  assert bent.all()
  return {name: np.asarray(values) for name, values in drawn.items()}


def nothing(n):
  return ada.draw({}, KEY, n, 1.)[0]


def levels_of(shape, n, sizes=(4, 8, 16)):
  finest = jax.random.uniform(KEY, (n, *shape), minval=-1)
  return pyramid.build(finest, sizes)


def moved(levels, source):
  return warp.unflatten(jax.jit(warp.move)(levels, source),
                     [x.shape[1:3] for x in levels])


@pytest.mark.parametrize('name, deviation', [
    ('scale', .2), ('stretch', .2), ('contrast', .5), ('saturation', 1.)])
def test_factors_are_log_normal_in_octaves(certain, name, deviation):
  octaves = np.log2(certain[name])
  assert octaves.mean() == pytest.approx(0, abs=4 * deviation / 20_000**.5)
  assert octaves.std() == pytest.approx(deviation, rel=.02)
  assert np.mean(abs(octaves) < deviation) == pytest.approx(.6827, abs=.014)


@pytest.mark.parametrize('name, deviation', [
    ('slide', .125), ('brightness', .2)])
def test_slides_and_brightness_are_normal(certain, name, deviation):
  assert certain[name].std() == pytest.approx(deviation, rel=.02)
  assert np.mean(abs(certain[name]) < deviation) == pytest.approx(
      .6827, abs=.014)


@pytest.mark.parametrize('name, low, high', [
    ('shift', -.125, .125), ('rotate_before', -np.pi, np.pi),
    ('rotate_after', -np.pi, np.pi), ('hue', -np.pi, np.pi),
    ('cutout', 0, 1)])
def test_shifts_angles_and_places_are_uniform(certain, name, low, high):
  share = (certain[name] - low) / (high - low)
  assert share.min() >= 0 and share.max() <= 1
  found, _ = np.histogram(share, 10, (0, 1))
  np.testing.assert_allclose(found / share.size, .1, atol=.009)


@pytest.mark.parametrize('name, kinds', [
    ('flip', 2), ('turn', 4), ('invert', 2)])
def test_each_kind_is_as_frequent_as_the_others(certain, name, kinds):
  values, counts = np.unique(certain[name], return_counts=True)
  np.testing.assert_array_equal(values, np.arange(kinds))
  np.testing.assert_allclose(counts / 20_000, 1 / kinds, atol=.015)


def test_each_is_done_with_its_probability():
  p, n = .3, 20_000
  drawn, bent = ada.draw(ada.R3GAN, KEY, n, p)
  done = {}
  for name, values in drawn.items():
    same = values == ada.SAMPLERS[name][0]
    done[name] = ~np.asarray(same.reshape(n, -1).all(1))
  one = 1 - (1 - p)**.5
  wanted = dict.fromkeys(done, p) | dict.fromkeys(ada.COLOURS, p / 2) | {
      'flip': p / 2, 'turn': 3 * p / 4, 'invert': p / 4,
      'rotate_before': one, 'rotate_after': one}
  for name, chance in wanted.items():
    # Five deviations, for there are fourteen.
    assert done[name].mean() == pytest.approx(
        chance, abs=5 * (chance * (1 - chance) / n)**.5), name
  turned = done['rotate_before'] | done['rotate_after']
  assert turned.mean() == pytest.approx(p, abs=.016)
  assert bent.mean() == pytest.approx(1 - (1 - p)**4, abs=.016)
  # Independently of each other, and of the pipe.
  found = np.corrcoef([x for x in done.values()])
  assert abs(found - np.eye(len(found))).max() < .04
  again, _ = ada.draw(ada.B, KEY, n, p)
  for name, values in again.items():
    np.testing.assert_array_equal(
        values, drawn[name] if name in ada.B else nothing(n)[name])


def test_turns_and_flips_are_bit_for_bit_at_all_scales():
  x = levels_of((16, 16, 2), 8)
  drawn = nothing(8) | {'flip': jnp.arange(8.) // 4, 'turn': jnp.arange(8.) % 4}
  blit, whole = ada.source_maps(drawn, 16, 16)
  np.testing.assert_array_equal(blit, whole)
  for old, new in zip(x, moved(x, blit), strict=True):
    for i in range(8):
      wanted = old[i, :, ::-1] if i > 3 else old[i]
      np.testing.assert_array_equal(new[i], np.rot90(wanted, -(i % 4)))


def test_a_shifted_picture_is_mirrored_at_its_edge_at_all_scales():
  by = np.array([[0, 2], [1, -2], [-2, 1], [2, 2]])
  drawn = nothing(4) | {'shift': jnp.array(by / 16 + 1e-3)}
  blit, _ = ada.source_maps(drawn, 16, 16)
  # Flat within a coarse pixel, so that the levels are one picture's before
  # and after.
  x = tuple(pyramid.up(levels_of((4, 4, 1), 4, (4,))[0], f) for f in (1, 2, 4))
  new = moved(x, blit)
  for i, (right, down) in enumerate(by):
    wide = np.pad(x[-1][i, ..., 0], 2, mode='symmetric')
    np.testing.assert_array_equal(
        new[-1][i, ..., 0], wide[2 - down:18 - down, 2 - right:18 - right])
  for level, factor in zip(new, (4, 2, 1), strict=True):
    np.testing.assert_allclose(
        level, pyramid.down(new[-1], factor), atol=1e-6)


def test_a_wide_picture_turns_in_its_frame():
  x = levels_of((8, 12, 1), 1, (4, 8))
  blit, _ = ada.source_maps(
      nothing(1) | {'turn': jnp.ones(1)}, 8, 12)
  for old, new, side in zip(x, moved(x, blit), (4, 8), strict=True):
    inner = slice(side // 4, side // 4 + side)  # the columns of its middle
    np.testing.assert_array_equal(
        new[0, :, inner], np.rot90(old[0, :, inner], -1))
    wide = np.pad(np.rot90(old[0], -1)[..., 0], ((0, 0), (side, side)),
                  mode='symmetric')
    np.testing.assert_array_equal(
        new[0, ..., 0], wide[side // 4:][:side, side - side // 4:][
            :, :new.shape[2]])


def test_the_filter_is_an_orthogonal_wavelets():
  taps = warp._TAPS
  for k in range(6):  # to its own even shifts, and to six moments
    assert taps[2 * k:] @ taps[:12 - 2 * k] * 2 == pytest.approx(
        float(k == 0), abs=1e-9)
    assert taps @ ((-1.)**np.arange(12) * np.arange(-6., 6)**k) == (
        pytest.approx(0, abs=1e-7))
  assert taps.sum() == pytest.approx(1, abs=1e-9)
  # What halving reads of the double begins at the place 0.
  for side in (4, 16):
    double = warp._doubling(side)
    read = double[-warp._FIRST:][:2 * side + 10]
    np.testing.assert_allclose(
        warp._halving(side) @ read, np.eye(side), atol=1e-9)
    np.testing.assert_allclose(double.sum(1), 1, atol=1e-9)


def test_what_is_not_moved_stays_through_the_filters():
  x = levels_of((16, 24, 1), 2)
  identity = jnp.broadcast_to(jnp.eye(3), (2, 3, 3))
  same = warp.unflatten(jax.jit(warp.move_finely)(x, identity),
                     [level.shape[1:3] for level in x])
  for old, new in zip(x, same, strict=True):
    np.testing.assert_allclose(new, old, atol=1e-5)


def test_a_linear_picture_stays_linear_under_every_map():
  """Its values are the places read: at each scale, of the same map."""
  n, sizes = 16, (32, 64)
  drawn, _ = ada.draw(ada.BG, KEY, n, 1.)
  _, whole = ada.source_maps(drawn, 64, 64)
  across, down = np.meshgrid(*2 * [np.arange(64) - 31.5])
  x = pyramid.build(jnp.broadcast_to(
      jnp.float32(np.stack([across, down], -1)), (n, 64, 64, 2)), sizes)
  new = warp.unflatten(jax.jit(warp.move_finely)(x, whole),
                    [level.shape[1:3] for level in x])
  for size, level in zip(sizes, new, strict=True):
    pixel = 64 // size
    place = (np.arange(size) - (size - 1) / 2) * pixel
    across, down = np.meshgrid(place, place)
    read = np.einsum('nij,jhw->nhwi', np.float64(whole), np.stack(
        [across, down, np.ones_like(down)]))[..., :2]
    # Three pixels around are read as well, and three around their sources.
    reach = 4 + 3 * np.abs(whole[:, :2, :2]).sum(-1).max(-1)
    inside = abs(read).max(-1) < 32 - pixel * reach[:, None, None]
    assert inside.mean() > .05
    np.testing.assert_allclose(level[inside], read[inside], atol=2e-3)


def test_the_order_is_the_papers():
  """Scaling after a shift moves the shift; a slide comes after all."""
  one = nothing(1) | {'shift': jnp.array([[.125, 0.]])}
  _, whole = ada.source_maps(
      one | {'scale': jnp.full(1, 2.), 'slide': jnp.array([[0., .25]])}, 16, 16)
  # What stood at (0, 0) goes to (2, 0), then (4, 0), then (4, 4).
  np.testing.assert_allclose(whole[0] @ jnp.array([4., 4, 1]), [0, 0, 1],
                             atol=1e-6)
  _, whole = ada.source_maps(nothing(1) | {
      'rotate_before': jnp.full(1, np.pi / 2), 'stretch': jnp.full(1, 2.)},
      16, 16)
  # (0, 1), turned, lies on the x axis, and is drawn out to 2.
  np.testing.assert_allclose(
      abs(whole[0] @ jnp.array([2., 0, 1])), [0, 1, 1], atol=1e-6)


def colour(**drawn):
  one = {name: jnp.full(1, value) for name, value in drawn.items()}
  return ada.colour_maps(nothing(1) | one)


def test_colours_have_their_closed_forms():
  x = np.array([.3, -.5, .8], np.float32)
  luma, one = x.mean(), np.ones(3)
  for (matrix, shift), wanted in (
      (colour(brightness=.4), x + .4),
      (colour(contrast=2., brightness=.4), 2 * (x + .4)),
      (colour(invert=1.), x - 2 * luma * one),
      (colour(saturation=0.), luma * one),
      (colour(saturation=3.), luma + 3 * (x - luma)),
      (colour(hue=2 * np.pi / 3), np.roll(x, 1)),
      (colour(hue=np.pi, saturation=2.), luma - 2 * (x - luma)),
      (colour(), x)):
    np.testing.assert_allclose(matrix[0] @ x + shift[0], wanted, atol=1e-6)


def test_grey_is_changed_as_the_greys_of_colours_and_alpha_not_at_all():
  drawn, _ = ada.draw(ada.BGC, KEY, 8, 1.)
  maps = ada.colour_maps(drawn)
  grey = jax.random.uniform(KEY, (8, 5, 1), minval=-1)
  new = ada._coloured(grey, *maps)
  three = ada._coloured(jnp.repeat(grey, 3, -1), *maps)
  np.testing.assert_allclose(jnp.repeat(new, 3, -1), three, atol=1e-6)
  for colours in (1, 3):
    x = jax.random.uniform(KEY, (8, 5, colours + 1), minval=-1)
    new = ada._coloured(x, *maps)
    np.testing.assert_array_equal(new[..., -1], x[..., -1])
    np.testing.assert_allclose(
        new[..., :-1], ada._coloured(x[..., :-1], *maps), atol=1e-6)


def test_a_box_of_half_the_sides_is_cut_of_all_scales():
  x = tuple(jnp.ones((32, size, size, 1)) for size in (4, 16))
  coarse, fine = jax.jit(lambda x: ada.augment({'cutout': 1.}, x, KEY, 1.))(x)
  np.testing.assert_allclose(coarse, pyramid.down(fine, 4), atol=1e-6)
  assert set(np.unique(fine)) == {0., 1.}
  rows = np.asarray((fine == 0).any(2).sum(1))
  assert rows.max() == 8 and rows.min() >= 4


@pytest.mark.slow
def test_a_penalty_may_go_through_the_whole_pipe():
  x = levels_of((16, 16, 3), 8)

  def slope(x, p):
    """Of squares after the pipe, squared, as R1 takes it."""
    def judged(x):
      return sum((level**2).sum() for level in ada.augment(ALL, x, KEY, p))
    return sum((g**2).sum() for g in jax.grad(judged)(x))

  for p in (0., 1.):
    value, second = jax.jit(jax.value_and_grad(slope))(x, p)
    assert np.isfinite(value)
    for level, g in zip(x, second, strict=True):
      assert np.isfinite(g).all() and abs(g).max() > 0
      if p == 0:  # |2 x|^2 has the gradient 8 x
        np.testing.assert_allclose(g, 8 * level, rtol=1e-5)


def test_p_rises_where_d_is_sure_and_falls_where_it_guesses():
  aux = adaptive.start(.5)
  sure = adaptive.observe(adaptive.observe(aux, .9, 8), .5, 8)
  assert float(sure['signs'] / sure['count']) == pytest.approx(.7)
  for seen, target, wanted in (
      (sure, .6, .66), (sure, .8, .34), (aux, .6, .5),
      (adaptive.observe(adaptive.start(.99), 1., 16), .6, 1.),
      (adaptive.observe(adaptive.start(.01), -1., 16), .6, 0.)):
    new = adaptive.adjust(seen, target, 100)
    assert float(new['p']) == pytest.approx(wanted)
    assert new['signs'] == new['count'] == 0
    assert jax.tree.map(jnp.result_type, new) == jax.tree.map(
        jnp.result_type, aux)


@pytest.mark.parametrize('first', [0., 1.])
def test_the_loop_settles_where_d_is_as_sure_as_asked(first):
  """A D that overfits the less, the more is done: r_t = .95 - .7 p, noisy."""
  batch, steps = 64, 2000

  def turn(aux, key):
    chance = (1 + .95 - .7 * aux['p']) / 2
    signs = jnp.where(jax.random.uniform(key, (batch,)) < chance, 1., -1.)
    seen = adaptive.observe(aux, signs.mean(), batch)
    moved = adaptive.adjust(seen, .6, 40_000)
    due = seen['count'] >= adaptive.BATCHES * batch
    return jax.tree.map(
        lambda a, b: jnp.where(due, b, a), seen, moved), (aux['p'], chance)

  _, (p, chance) = jax.lax.scan(
      turn, adaptive.start(first), jax.random.split(KEY, steps))
  settled = np.asarray(2 * chance - 1)[-600:]
  assert settled.mean() == pytest.approx(.6, abs=.02)
  np.testing.assert_allclose(settled, .6, atol=.05)
  # And not faster than it may: 64 * 4 images a step of p.
  assert abs(np.diff(p)).max() == pytest.approx(256 / 40_000, rel=1e-3)

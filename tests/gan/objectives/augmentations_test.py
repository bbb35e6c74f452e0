"""Laws of what is done to reals and fakes before D sees them."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from msg_gan_jax.data.batches import Batch
from msg_gan_jax.gan import pyramid
from msg_gan_jax.gan.build import build
from msg_gan_jax.gan.objectives import ada
from msg_gan_jax.gan.objectives.augmentations import (
  AUGMENTATIONS,
  instance_noise,
)

pytestmark = pytest.mark.slow

KEY = jax.random.key(5)
# 'ada' is 'ada_bgc', and tested under the longer name.
ROWS = [name for name, row in AUGMENTATIONS.items() if row and name != 'ada']


def images(n=64, height=16, width=24):
  shapes = pyramid.shapes((4, 8, 16), (height, width, 3))
  return tuple(jax.random.uniform(jax.random.key(h), (n, h, w, c), minval=-1)
               for h, w, c in shapes)


def batch(config):
  return Batch(jnp.asarray(np.random.default_rng(0).integers(
      0, 256, (1, 8, *config.data.shape), np.uint8)), jnp.zeros((1, 8), int))


@pytest.mark.parametrize('name', ROWS)
def test_no_strength_changes_nothing_and_shapes_stay(name):
  x = images()
  change = jax.jit(AUGMENTATIONS[name])
  for a, b in zip(x, change(x, KEY, 0.), strict=True):
    np.testing.assert_array_equal(a, b)
  for a, b in zip(x, change(x, KEY, .5), strict=True):
    assert a.shape == b.shape and a.dtype == b.dtype
    assert not np.array_equal(a, b) and np.isfinite(b).all()


@pytest.mark.parametrize('name', ROWS)
def test_every_number_of_channels_is_taken(name):
  for channels in (1, 2, 3, 4):
    x = (jnp.zeros((2, 4, 6, channels)), jnp.zeros((2, 8, 12, channels)))
    new = jax.eval_shape(AUGMENTATIONS[name], x, KEY, .5)
    assert [a.shape for a in new] == [a.shape for a in x]


def test_ada_is_the_pipe_of_the_papers_default():
  assert AUGMENTATIONS['ada'].func is ada.augment
  assert AUGMENTATIONS['ada'].args == AUGMENTATIONS['ada_bgc'].args == (
      ada.BGC,)


@pytest.mark.parametrize('name, smooth, nearly', [
    ('ada_b', False, 1e-6),
    # A box is cut of what has been moved, within a coarse pixel too.
    ('diffaugment', False, .02),
    pytest.param('ada_bgc', True, .05, marks=pytest.mark.slow),
    pytest.param('ada_r3gan', True, .05, marks=pytest.mark.slow)])
def test_levels_that_were_one_picture_stay_one(name, smooth, nearly):
  """Pooling after is pooling before: for pictures that pooling hurts little."""
  x = jax.random.uniform(KEY, (16, 8, 8, 3), minval=-1)
  if smooth:
    wave = jnp.sin(3 * jnp.linspace(-1, 1, 32))
    x = x[:, :1, :1] + wave[:, None, None] * wave[:, None]
  else:
    x = pyramid.up(x, 4)
  x = pyramid.build(x, (8, 16, 32))
  new = jax.jit(AUGMENTATIONS[name])(x, KEY, 1.)
  assert abs(new[-1] - x[-1]).mean() > .3
  for level, factor in zip(new, (4, 2), strict=False):
    assert abs(level - pyramid.down(new[-1], factor)).mean() < nearly


def test_noise_is_normal_and_halves_with_the_size():
  x = images(256)
  added = [b - a for a, b in zip(x, instance_noise(x, KEY, .4), strict=True)]
  for level, wanted in zip(added, (.1, .2, .4), strict=True):
    assert float(level.std()) == pytest.approx(wanted, rel=.02)
    assert abs(float(level.mean())) < 4 * wanted / level.size**.5
  inside = np.mean(np.abs(added[-1]) < .4)
  assert inside == pytest.approx(.6827, abs=.005)


def test_a_noisy_pyramid_is_the_pyramid_of_the_noisy_picture():
  finest = images()[-1]
  levels = (pyramid.down(finest, 4), pyramid.down(finest), finest)
  noisy = instance_noise(levels, KEY, .3)
  for factor, level in zip((4, 2), noisy, strict=False):
    np.testing.assert_allclose(
        level, pyramid.down(noisy[-1], factor), atol=1e-6)
  # Also where a level between is not shown.
  two = instance_noise((levels[0], levels[2]), KEY, .3)
  np.testing.assert_allclose(two[0], noisy[0], atol=1e-6)


def test_the_gradient_reaches_the_pictures_whole():
  x = images(2)
  slopes = jax.grad(lambda x: sum(
      level.sum() for level in instance_noise(x, KEY, .3)))(x)
  for slope in slopes:
    np.testing.assert_array_equal(slope, np.ones_like(slope))


def test_d_sees_noise_on_reals_and_fakes_that_falls_to_nothing(small):
  """By one gan.step at three times: what D says of huge noise gives it away."""
  noisy = small(data__resolution=8, objective__augment='instance_noise',
                objective__augment_strength=100.,
                objective__augment_until_images=80, objective__penalty='none')
  plain = small(data__resolution=8, objective__penalty='none')
  gan, bare = build(noisy), build(plain)
  state, bare_state = gan.init(KEY), bare.init(KEY)
  data = batch(noisy)
  _, calm = bare.step(bare_state, data, KEY)
  found = {}
  for shown in (0, 40, 80):
    _, found[shown] = gan.step(
        state.replace(images=jnp.int32(shown)), data, KEY)
  for name in ('d_real', 'd_fake'):
    assert abs(found[0][name]) > 10 * abs(calm[name])
  assert [float(found[n]['augment_strength']) for n in found] == [100., 50., 0.]
  _, calm = bare.step(bare_state.replace(images=jnp.int32(80)), data, KEY)
  for name in ('d_real', 'd_fake', 'd_loss', 'g_loss', 'd_grad_norm'):
    np.testing.assert_allclose(found[80][name], calm[name], rtol=1e-5)


def test_both_ways_through_the_update_of_g_show_d_noisy_fakes(small):
  for reuse in (False, True):
    config = small(data__resolution=8, objective__augment='instance_noise',
                   objective__augment_strength=100., objective__loss='hinge',
                   objective__penalty='none', train__reuse_latents=reuse)
    gan = build(config)
    _, loud = gan.step(gan.init(KEY), batch(config), KEY)
    assert abs(loud['g_loss']) > 1


def test_a_fall_of_nothing_and_an_unknown_row_are_refused(small):
  with pytest.raises(ValueError, match="augment_until_images: 9 means nothing"
                                       ".*'none'; wanted 0, the default, or "
                                       "another config.objective.augment"):
    build(small(objective__augment_until_images=9))
  with pytest.raises(ValueError, match="augment_strength: 3.0 means nothing"):
    build(small(objective__augment_strength=3.))
  with pytest.raises(ValueError, match="no augmentation 'instance_nose'; did "
                                       "you mean 'instance_noise'"):
    build(small(objective__augment='instance_nose'))

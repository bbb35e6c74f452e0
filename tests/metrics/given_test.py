"""Laws of pictures that are handed over: whatever they are, or how to convert.
"""
import pathlib
import re

import jax.numpy as jnp
import numpy as np
from PIL import Image
import pytest

import msg_gan_jax
from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.metrics import given, table

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (12, 16, 20, 3), np.uint8)
GREY, ALPHA = COLOUR[..., :1], np.concatenate([COLOUR, COLOUR[..., :1]], 3)
FLOATS = COLOUR / np.float32(255)


class Tensor:
  """What PyTorch's tensors show of themselves."""

  def __init__(self, array):
    self._array, self.dtype, self.shape = array, 'torch.uint8', array.shape

  def __array__(self, dtype=None, copy=None):
    return np.asarray(self._array, dtype)


class WithGradient(Tensor):

  def __array__(self, dtype=None, copy=None):
    raise RuntimeError("Can't call numpy() on Tensor that requires grad.")


def pil(x):
  return Image.fromarray(x[..., 0] if x.shape[-1] == 1 else x)


FORMS = {
    'array': lambda x: x,
    'jax': jnp.asarray,
    'tensor': Tensor,
    'list': list,
    'tuple of tensors': lambda x: tuple(map(Tensor, x)),
    'numbers': lambda x: x.tolist(),
    'PIL': lambda x: [*map(pil, x)],
    'generator': lambda x: (y for y in x),
    'batches': lambda x: iter([x[:5], jnp.asarray(x[5:11]), Tensor(x[11:])]),
    'source': ArraySource,
}


@pytest.mark.parametrize('form', FORMS)
@pytest.mark.parametrize('pictures', [COLOUR, GREY, ALPHA])
def test_every_form_is_the_same_pictures(form, pictures):
  source = given.source(FORMS[form](pictures))
  assert source.shape == pictures.shape[1:]
  np.testing.assert_array_equal(source.images(np.arange(12)), pictures)


@pytest.mark.parametrize('grey', [
    GREY[..., 0], [*GREY[..., 0]], [GREY[:5, ..., 0], GREY[5:, ..., 0]]])
def test_grey_needs_no_axis_of_channels(grey):
  np.testing.assert_array_equal(
      given.source(grey).images(np.arange(12)), GREY)


def test_grey_among_colour_becomes_colour():
  source = given.source([pil(GREY[0]), pil(COLOUR[1]), pil(ALPHA[2])])
  np.testing.assert_array_equal(source.images(np.arange(3)), [
      np.repeat(GREY[0], 3, 2), COLOUR[1], COLOUR[2]])
  palette = pil(COLOUR[0] // 128 * 128).convert('P')
  np.testing.assert_array_equal(
      given.source([palette] * 2).images(np.arange(1))[0],
      np.asarray(palette.convert('RGB')))


def followed(x, span=''):
  """What the error about x says is done to it."""
  with pytest.raises(ValueError, match=(
      r'^fake: wanted pictures as uint8 \[n, H, W, C\], found ')) as error:
    given.source(x, 'fake')
  said = str(error.value)
  move = re.search(
      r'by (np\.asarray\(x\)(\.transpose\([\d, ]+\))?(\[\w+\])?)', said)
  if move and (move[2] or move[3]):
    x = eval(move[1], {'np': np, 'x': x})
  if span:
    assert ' 0 .. 1 by ' in said and ' -1 .. 1 by ' in said
    how = re.search(rf' {re.escape(span)} by (\S.*?uint8\))', said)
    x = eval(how[1], {'np': np, 'x': x})
  return given.source(x)


@pytest.mark.parametrize('wrong, span', [
    (FLOATS, '0 .. 1'), (jnp.asarray(FLOATS), '0 .. 1'), ([*FLOATS], '0 .. 1'),
    (2 * FLOATS - 1, '-1 .. 1'), (255 * FLOATS, '0 .. 255'),
    (COLOUR.astype(np.int64), '0 .. 255'), (COLOUR.transpose(0, 3, 1, 2), ''),
    (FLOATS.transpose(0, 3, 1, 2), '0 .. 1'), (COLOUR[0], ''),
    (COLOUR[0].transpose(2, 0, 1), '')])
def test_advice_that_is_followed_leads_to_the_pictures(wrong, span):
  source = followed(wrong, span)
  wanted = COLOUR[:1] if np.ndim(wrong) == 3 else COLOUR
  np.testing.assert_array_equal(
      source.images(np.arange(len(source))), wanted)


def test_one_of_a_list_whose_channels_come_first_is_named():
  with pytest.raises(ValueError, match=(
      r'^fake: picture or batch 0: wanted .*transpose\(1, 2, 0\)')):
    given.source([*COLOUR.transpose(0, 3, 1, 2)], 'fake')


@pytest.mark.parametrize('wrong, said', [
    (np.zeros((5, 9, 9, 7), np.uint8), r'found uint8 \[5, 9, 9, 7\].*C is 1'),
    (np.zeros((5, 9, 9, 2), np.uint8), r'found uint8 \[5, 9, 9, 2\]'),
    (np.zeros((0, 9, 9, 3), np.uint8), r'found uint8 \[0, 9, 9, 3\]'),
    (np.uint8([[1, 2], [3, 4]]), r'found uint8 \[2, 2\]'),
    (None, 'found NoneType'), (7, 'found int'), ({'a': COLOUR}, 'found dict'),
    ([], 'no pictures'), (iter(()), 'no pictures'),
    ([COLOUR[0], COLOUR[1][:9]], r'of 2 sizes: 20 x 16 \(1\), 20 x 9 \(1\)'),
    (['a.png'], "picture or batch 0: .*found the path 'a.png'"),
    ([(COLOUR, np.arange(12))], r'picture or batch 0: .*labels by batch\[0\]'),
    (WithGradient(COLOUR), r'requires grad.*x\.detach\(\)\.cpu\(\)\.numpy\(\)'),
    ([Image.new('I;16', (9, 9), 900)] * 2, 'found uint16 .*Numbers become'),
])
def test_what_is_no_picture_is_refused_with_what_to_do(wrong, said):
  with pytest.raises(ValueError, match=f'^fake: .*{said}'):
    given.source(wrong, 'fake')


def test_arrays_have_the_size_that_is_asked_for():
  small = COLOUR[:, ::2, ::2]
  with pytest.raises(ValueError, match=(
      'real: pictures of .* wanted pictures that have this size already')):
    msg_gan_jax.evaluate(COLOUR, small, 'swd', resolution=len(COLOUR[0]))
  with pytest.raises(ValueError, match='one of them is resized before'):
    msg_gan_jax.evaluate(COLOUR, small, 'swd')


def test_one_metric_is_a_metric_and_no_letters():
  assert table.named('fid') == ('fid',) == table.named(['fid'])
  assert table.named('fid, kid') == ('fid', 'kid') and table.named('') == ()


def test_the_library_takes_what_people_have(tmp_path):
  np.savez(tmp_path / 'a.npz', images=COLOUR)
  more = dict(features='pixels', cache_dir=tmp_path / 'cache')
  values = {msg_gan_jax.evaluate(COLOUR, fake, 'swd', **more)['scores'][
      'swd_mean_local']['value'] for fake in (
          COLOUR, [*map(pil, COLOUR)], (x for x in COLOUR),
          pathlib.Path(tmp_path / 'a.npz'))}
  assert len(values) == 1
  with pytest.raises(ValueError, match=r'^fake: .*transpose\(0, 2, 3, 1\)'):
    msg_gan_jax.evaluate(COLOUR, COLOUR.transpose(0, 3, 1, 2), 'swd', **more)

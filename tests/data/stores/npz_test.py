"""Laws of .npz files: their pixels are the pictures; nothing is run."""
import io
import zipfile

from helpers import whole
import numpy as np
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import sources

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)


@pytest.fixture
def opened(tmp_path):
  def opened(path=tmp_path / 'set.npz', **settings):
    config = schema.template()
    config.data.update({
        'name': 'archive', 'path': str(path), 'resolution': 8, 'held_out': 0,
        'cache_dir': str(tmp_path / 'cache'), **settings})
    return sources.open_source(schema.parse(config)).train
  return opened


@pytest.fixture
def save(tmp_path):
  def save(packed=False, **arrays):
    (np.savez_compressed if packed else np.savez)(
        tmp_path / 'set.npz', **arrays)
  return save


def write(path, **members):
  """A zip of bytes, as the headers of arrays that numpy would not write."""
  with zipfile.ZipFile(path, 'w') as file:
    for name, content in members.items():
      file.writestr(f'{name}.npy', content)


def header(shape, dtype='|u1', rest=b''):
  out = io.BytesIO()
  np.lib.format.write_array_header_1_0(out, {
      'descr': dtype, 'fortran_order': False, 'shape': shape})
  return out.getvalue() + rest


@pytest.mark.parametrize('packed', [False, True])
@pytest.mark.parametrize('cache_gb', [4., 0.])
def test_pixels_are_those_of_the_array(packed, cache_gb, save, opened):
  save(packed, images=PIXELS, labels=np.array([2, 0, 1, 1, 2, 0]),
       classes=np.array(['ant', 'bee', 'cat']), extra=np.zeros(3))
  found = opened(cache_gb=cache_gb)
  np.testing.assert_array_equal(whole(found), PIXELS)
  assert found.classes == ('ant', 'bee', 'cat')
  assert found.labels(np.arange(6)).tolist() == [2, 0, 1, 1, 2, 0]
  assert found.notes['array'] == 'images'
  assert found.notes['other_arrays'] == {'extra': 'float64 [3]'}


@pytest.mark.parametrize('name', ['arr_0', 'x_train', 'data'])
def test_the_only_array_of_pictures_may_have_any_name(name, save, opened):
  save(**{name: np.asfortranarray(PIXELS), 'y': np.zeros(5, int)})
  found = opened()
  np.testing.assert_array_equal(whole(found), PIXELS)
  assert found.classes == () and found.notes['array'] == name


@pytest.mark.parametrize('name', ['y', 'y_train', 'targets'])
def test_the_only_array_of_a_number_a_picture_is_the_labels_and_it_is_said(
    name, save, opened):
  save(images=PIXELS, scores=np.zeros(6), boxes=np.zeros((6, 4), int),
       **{name: np.uint8([0, 2, 1, 1, 0, 0])})
  found = opened()
  assert found.classes == ('0', '1', '2') and found.notes['label'] == name
  assert found.labels(np.arange(6)).tolist() == [0, 2, 1, 1, 0, 0]
  assert found.notes['other_arrays'] == {
      'boxes': 'int64 [6, 4]', 'scores': 'float64 [6]'}


@pytest.mark.parametrize('arrays, said', [
    (dict(y=np.zeros(6, int), z=np.zeros(6, int)), None),
    (dict(y=np.arange(6) + 3), "'y' numbers the pictures: none is used"),
    (dict(y=np.int64([0, 0, 1, 1, -5, 2])),
     "config.data.label: the array 'y': the label of 'images[4]' is -5; "
     'wanted whole numbers from 0, or only -1 and 1. None is used')])
def test_numbers_that_may_be_no_labels_are_not_and_it_is_said(
    arrays, said, save, opened):
  save(images=PIXELS, **arrays)
  found = opened()
  assert found.classes == () and not found.labels(np.arange(6)).any()
  assert found.notes.get('label') == said
  assert found.notes['other_arrays'] == dict.fromkeys(arrays, 'int64 [6]')


def test_grey_pictures_need_no_axis_of_channels(save, opened):
  save(images=PIXELS[..., 0])
  np.testing.assert_array_equal(
      whole(opened(channels=1)), PIXELS[..., :1])


def test_arrays_are_chosen_by_name_as_in_keras_mnist(save, opened):
  save(x_train=PIXELS, y_train=np.array([0, 1] * 3), x_test=PIXELS[:2],
       y_test=np.array([1, 1]))
  found = opened(dataset='x_test', label='y_test')
  np.testing.assert_array_equal(whole(found), PIXELS[:2])
  assert found.labels(np.arange(2)).tolist() == [1, 1]
  assert found.classes == ('0', '1')


def test_what_an_npz_is_its_bytes_say(save, opened, tmp_path):
  save(images=PIXELS)
  path = (tmp_path / 'set.npz').rename(tmp_path / 'set.tar')
  np.testing.assert_array_equal(whole(opened(path)), PIXELS)


@pytest.mark.parametrize('arrays, settings, said', [
    (dict(images=PIXELS / 255.), {},
     r"'images' is float64 \[6, 8, 8, 3\]; wanted uint8 .* from 0 to 255"),
    (dict(images=PIXELS.astype(np.int64)), {}, r"'images' is int64 .*; wanted"),
    (dict(images=np.moveaxis(PIXELS, -1, 1).repeat(2, 3)), {},
     r"\[6, 3, 8, 16\]; wanted .*move the channels to the end"),
    (dict(images=PIXELS[:0]), {}, r"uint8 \[0, 8, 8, 3\]; wanted"),
    (dict(a=PIXELS, b=PIXELS), {},
     r"several arrays of pictures: a, b; .*config\.data\.dataset='a'\."),
    (dict(images=PIXELS), {'dataset': 'image'},
     r"config\.data\.dataset: no array 'image' .* mean 'images'"),
    (dict(images=PIXELS), {'label': 'labels'},
     r"config\.data\.label: no array 'labels'"),
    (dict(images=PIXELS, labels=np.zeros(5, int)), {},
     r"'labels' is int64 \[5\]; wanted whole numbers or texts \[6\]"),
    (dict(images=PIXELS, labels=np.zeros(6)), {},
     r"'labels' is float64 \[6\]; wanted whole numbers"),
    (dict(images=PIXELS, labels=np.array([0, 1, 2, 3, 4, -3])), {},
     r"'labels': the label of 'images\[5\]' is -3"),
    (dict(images=PIXELS, labels=np.arange(6), classes=np.array(['a'])), {},
     r"goes to 5, but 'classes' has 1 names"),
    (dict(images=PIXELS, labels=np.arange(1, 7), classes=np.array(['a'] * 6)),
     {}, r"goes to 6, but 'classes' has 6 names\. Labels begin at 1, and "),
    (dict(images=PIXELS, labels=np.arange(6), classes=np.arange(6)), {},
     r"'classes' is int64 \[6\]; wanted texts"),
    (dict(images=PIXELS), {'label_file': 'x.csv'},
     r"config\.data\.label_file: 'x\.csv' means nothing"),
    (dict(images=PIXELS), {'split': 'test'},
     r"config\.data\.split: 'test' means nothing"),
])
def test_every_wrong_array_has_its_own_text(
    arrays, settings, said, save, opened):
  save(**arrays)
  with pytest.raises(ValueError, match=rf'^(?=config\.data\.).*{said}'):
    opened(**settings)


class Bomb:
  def __reduce__(self):
    return pytest.fail, ('a pickle was run',)


@pytest.mark.parametrize('name', ['images', 'labels'])
def test_pickles_are_refused_and_not_run(name, tmp_path, opened):
  boxed = np.empty(6, object)
  boxed[:] = [Bomb()] * 6
  arrays = {'images': PIXELS, 'labels': np.zeros(6, int), name: boxed}
  np.savez(tmp_path / 'set.npz', **arrays)
  with pytest.raises(ValueError, match=(
      'a pickle' if name == 'images' else r"'labels' is object \[6\]; wanted")):
    opened()


@pytest.mark.parametrize('shape', [
    (10**9, 4096, 4096, 3), (6, 8, 8, 4), (6, 8, 8, 2), (-6, 8, -8, 3)])
def test_a_header_that_says_another_size_is_refused_unread(
    shape, tmp_path, opened, monkeypatch):
  write(tmp_path / 'set.npz', images=header(shape, rest=PIXELS.tobytes()))
  monkeypatch.setattr(np, 'memmap', None)
  with pytest.raises(ValueError, match=(
      r"the array 'images\.npy' says that it is uint8 .* bytes, but it has "
      r'1,152\.')):
    opened()


@pytest.mark.parametrize('content', [
    b'', b'\x93NUMPY\x01\0', b'\x93NUMPY\x09\0' + header((1,))[8:],
    header((1, 2, 3)).replace(b"'shape'", b"'shale'"),
    header((1, 2, 3)).replace(b"'|u1'", b"'|q9'"), b'\x93NUMPX' + b' ' * 200])
def test_a_header_that_is_none_is_an_error(content, tmp_path, opened):
  write(tmp_path / 'set.npz', images=content)
  with pytest.raises(ValueError, match=(
      r"^config\.data\.path: .*the array 'images\.npy' has no header")):
    opened()


@pytest.mark.parametrize('packed, said', [
    (False, r"'images': its CRC-32 is not"),
    (True, r"'images': (damaged|inflates to|its CRC-32)")])
def test_a_flipped_bit_is_an_error(packed, said, save, opened, tmp_path):
  save(packed, images=PIXELS)
  content = bytearray((tmp_path / 'set.npz').read_bytes())
  content[700] ^= 16
  (tmp_path / 'set.npz').write_bytes(content)
  with pytest.raises(ValueError, match=said):
    opened()

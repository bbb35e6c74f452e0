"""Laws of what may be scored: folders, archives, arrays, sources."""
from helpers import picture, save
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import decode
from msg_gan_jax.data.source import ArraySource
from msg_gan_jax.metrics import sets

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, (12, 16, 20, 3), np.uint8)


@pytest.fixture
def folder(tmp_path):
  """A folder of PIXELS as PNG files."""
  path = tmp_path / 'pictures'
  path.mkdir()
  for i, image in enumerate(PIXELS):
    Image.fromarray(image).save(path / f'{i:02}.png')
  return path


def every(source):
  return source.images(np.arange(len(source)))


def test_a_folder_and_an_npz_are_the_same_pictures(folder, tmp_path):
  np.savez(tmp_path / 'a.npz', images=PIXELS)
  for path in folder, tmp_path / 'a.npz':
    source = sets.open_set(str(path), cache_dir=str(tmp_path / 'cache'))
    assert source.shape == (16, 20, 3)
    np.testing.assert_array_equal(every(source), PIXELS)


def test_grey_stays_grey_and_alpha_alpha(tmp_path):
  for mode, channels in (('L', 1), ('RGBA', 4), ('P', 3)):
    folder = tmp_path / mode
    folder.mkdir()
    for i in range(2):
      Image.fromarray(PIXELS[i]).convert(mode).save(folder / f'{i}.png')
    source = sets.open_set(str(folder), cache_dir=str(tmp_path / 'cache'))
    assert source.shape[-1] == channels, mode


def test_pictures_of_several_sizes_keep_them_until_one_is_named(
    folder, tmp_path):
  Image.fromarray(PIXELS[0, :8, :8]).save(folder / 'small.png')
  cache = str(tmp_path / 'cache')
  source = sets.open_set(str(folder), cache_dir=cache)
  assert source.shape == (0, 0, 3) and len(source) == 13
  assert source.sizes() == 'pictures of 2 sizes: 20x16 (12), 8x8 (1)'
  np.testing.assert_array_equal(source.own_size(12), PIXELS[0, :8, :8])
  with pytest.raises(ValueError, match='of 2 sizes: .* such as resolution=64'):
    every(source)
  source = sets.open_set(str(folder), resolution=8, cache_dir=cache)
  assert source.shape == (8, 8, 3) and len(source) == 13


@pytest.mark.parametrize('resize, way', [
    ('stretch', 'area'), ('pad', 'lanczos'), ('center_crop', 'area')])
def test_pictures_get_a_resolution_as_a_run_gives_it(
    resize, way, folder, tmp_path):
  like = schema.Data(resolution=8, width=12, resize=resize, filter=way)
  source = sets.open_set(str(folder), resolution=16, like=like,
                         cache_dir=str(tmp_path / 'cache'))
  recipe = decode.Recipe(16, 24, 3, resize, way)
  np.testing.assert_array_equal(
      every(source), [decode.decode(x, recipe)[0] for x in PIXELS])


def test_grey_and_colour_are_compared_in_colour():
  colour, grey, alpha = (ArraySource(np.repeat(PIXELS[..., :1], n, 3))
                         for n in (3, 1, 4))
  for other in grey, alpha:
    both = sets.in_same_channels(colour, other)
    assert both[0] is colour and both[1].shape == (16, 20, 3)
    np.testing.assert_array_equal(every(both[1]), every(colour))
    assert both[1].digest() != other.digest()
  assert sets.in_same_channels(grey, grey) == (grey, grey)


def test_a_folder_of_grey_and_colour_is_read_in_colour(folder, tmp_path):
  Image.fromarray(PIXELS[0]).convert('L').save(folder / '00.png')
  source = sets.open_set(str(folder), cache_dir=str(tmp_path / 'cache'))
  assert source.shape == (16, 20, 3)
  np.testing.assert_array_equal(every(source)[1:], PIXELS[1:])


@pytest.mark.parametrize('channels', [1, 3, 4])
def test_pictures_get_the_channels_that_a_run_has(tmp_path, channels):
  save(tmp_path / 'set' / 'a.png', picture(0, channels=1))
  save(tmp_path / 'set' / 'b.png', picture(1))
  save(tmp_path / 'set' / 'c.png', picture(2, channels=4))
  found = sets.open_set(str(tmp_path / 'set'), resolution=8,
                        cache_dir=str(tmp_path / 'c'), channels=channels)
  assert found.shape == (8, 8, channels)
  grey = found.images(np.array([0]))[0]
  np.testing.assert_array_equal(grey[..., 0], picture(0, channels=1))
  if channels == 3:  # Alpha is laid on white, as in training.
    clear = picture(2, channels=4).astype(float)
    share = clear[..., 3:] / 255
    np.testing.assert_allclose(
        found.images(np.array([2]))[0],
        clear[..., :3] * share + 255 * (1 - share), atol=1.5)


def test_a_source_has_two_parts():
  train, held_out = (sets.open_set('avatars', held_out=part, resolution=16)
                     for part in (False, True))
  assert (len(train), len(held_out)) == (20_000, 2048)
  assert sets.open_set('polygons').shape == (28, 28, 1)


@pytest.mark.parametrize('text, said', [
    ('nowhere', "^real: no file, folder or source 'nowhere'; .*Known: arch"),
    ('avatar', "did you mean 'avatars'"),
    ('cifar10:nowhere', "^real: no file or folder 'nowhere'"),
])
def test_what_is_not_there_is_named(text, said):
  with pytest.raises(ValueError, match=said):
    sets.open_set(text)


def test_a_run_is_no_folder_of_pictures(tmp_path):
  (tmp_path / 'config.json').write_text('{}')
  with pytest.raises(ValueError, match=(
      r'^real: .* is a run, .*\.sample_run\(.* workdir=')):
    sets.open_set(str(tmp_path))


def test_a_broken_picture_is_named(tmp_path):
  (tmp_path / 'a.png').write_bytes(b'no picture')
  with pytest.raises(ValueError, match=r'^real: cannot read .*a\.png'):
    sets.open_set(str(tmp_path), cache_dir=str(tmp_path / 'cache'))


def test_what_helps_is_an_argument_that_there_is(tmp_path):
  """A picture that breaks off can be removed; floats get a range."""
  floats = np.linspace(0, .5, 64, dtype=np.float32).reshape(8, 8)
  save(tmp_path / 'a.tif' / 'a.tif', floats)
  save(tmp_path / 'b.png' / 'b.png', picture(0))
  broken = tmp_path / 'b.png' / 'b.png'
  broken.write_bytes(broken.read_bytes()[:150])
  with pytest.raises(ValueError, match=r"such as range='0:1'\.$") as unclear:
    sets.open_set(str(tmp_path / 'a.tif'), cache_dir=str(tmp_path / 'c'))
  with pytest.raises(ValueError, match=r'Remove it: .* count\.$') as cut:
    sets.open_set(str(tmp_path / 'b.png'), cache_dir=str(tmp_path / 'c'))
  for error in unclear, cut:
    assert 'on_bad' not in str(error.value)
  assert len(sets.open_set(str(tmp_path / 'a.tif'), range='0:1',
                           cache_dir=str(tmp_path / 'c'))) == 1


@pytest.mark.parametrize('pixels, labels, said', [
    (PIXELS.astype(np.float32), None, 'found float32.*np.clip'),
    (PIXELS[0], None, r'uint8 \[n, H, W, C\], found uint8 \[16, 20, 3\]'),
    (PIXELS[:0], None, r'found uint8 \[0, '),
    (PIXELS, [1, 2], r'12 pictures, and labels of shape \[2\]'),
])
def test_other_arrays_are_refused(pixels, labels, said):
  with pytest.raises(ValueError, match=said):
    ArraySource(pixels, labels)


def test_arrays_are_told_apart_by_content():
  source = ArraySource(PIXELS)
  assert source.digest() == ArraySource(PIXELS.copy()).digest()
  assert source.digest() != ArraySource(PIXELS[::-1]).digest()
  assert source.digest() != ArraySource(PIXELS, np.arange(12)).digest()


def test_what_is_drawn_anew_is_what_is_kept(monkeypatch):
  asked = []

  def draw(first, last):
    asked.append((first, last))
    return PIXELS[first:last]

  kept = sets.generated(draw, 12, (16, 20, 3))
  assert asked == [(0, 12)]
  monkeypatch.setattr(sets, 'MOST_BYTES', 100)
  monkeypatch.setattr(sets._Generated, 'BLOCK', 5)
  asked.clear()
  drawn = sets.generated(draw, 12, (16, 20, 3))
  indices = np.array([11, 0, 7, 3])
  np.testing.assert_array_equal(drawn.images(indices), kept.images(indices))
  assert asked == [(0, 5), (5, 10), (10, 12)]

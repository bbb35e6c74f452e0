"""Laws of the folder source: what is read, how, once, and never by half."""
import fcntl
import io
import json
import os
import signal
import subprocess
import sys
import threading
import warnings
import zlib

from helpers import ROOT
import numpy as np
from PIL import Image
import pytest

from msg_gan_jax.config import schema
from msg_gan_jax.data import decode, decoder, order, pictures, sources
from msg_gan_jax.data.source import Source
from msg_gan_jax.data.stores import folder
from msg_gan_jax.files import cache


def picture(seed, width=8, height=8, channels=3):
  shape = (height, width, channels)[:2 if channels == 1 else 3]
  return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def save(path, pixels, **options):
  path.parent.mkdir(parents=True, exist_ok=True)
  image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
  image.save(path, **options)


@pytest.fixture
def root(tmp_path):
  """Two classes, cat of 5 and dog of 7, exact in PNG."""
  for i in range(12):
    save(tmp_path / 'set' / ('cat' if i < 5 else 'dog') / f'{i:02}.png',
         picture(i))
  return tmp_path / 'set'


@pytest.fixture
def read(tmp_path):
  def read(path, resolution=8, channels=3, resize='center_crop',
           filter='lanczos', **settings):
    settings = {'cache_dir': str(tmp_path / 'cache'), **settings}
    recipe = decode.Recipe(resolution, resolution, channels, resize, filter)
    return pictures.Pictures(folder.Folder(str(path)), recipe, **settings)
  return read


def whole(source):
  return source.images(np.arange(len(source)))


def no_decoding(monkeypatch):
  def refuse(path, recipe):
    raise AssertionError(f'decoded {path}')
  monkeypatch.setattr(decode, 'decode', refuse)


def kept_files(tmp_path):
  names = os.listdir(tmp_path / 'cache')
  return sorted(n.removeprefix('.')[64:] for n in names
                if not n.endswith('.lock'))


# What is read.


def test_folders_are_classes_and_pixels_are_the_files(root, read):
  found = read(root)
  assert isinstance(found, Source)
  assert (len(found), found.shape, found.name) == (12, (8, 8, 3), 'set')
  assert found.classes == ('cat', 'dog')
  assert found.notes['per_class'] == {'cat': 5, 'dog': 7}
  assert found.labels(np.arange(12)).tolist() == [0] * 5 + [1] * 7
  assert found.labels(np.arange(12)).dtype == np.int32
  assert found.notes['sizes'] == {'8x8': 12}
  assert found.notes['decisions'] == {}
  json.dumps(found.notes)
  for i in range(12):
    np.testing.assert_array_equal(found.images(np.array([i]))[0], picture(i))
  np.testing.assert_array_equal(
      found.images(np.array([7, 0, 7])), [picture(7), picture(0), picture(7)])


def test_every_format_in_any_case_and_nothing_else(tmp_path, read):
  for i, name in enumerate(
      ['a.PNG', 'b.Jpg', 'c.jpeg', 'd.WebP', 'e.bmp', 'deep/er/f.png']):
    save(tmp_path / 'set' / 'x' / name, picture(i))
  (tmp_path / 'set' / 'x' / '.hidden.png').write_bytes(b'')
  (tmp_path / 'set' / 'x' / 'notes.txt').write_text('')
  found = read(tmp_path / 'set')
  assert len(found) == 6 and found.classes == ('x',)
  assert found.notes['other_files'] == {'.txt': 1}


def test_a_wrapper_is_not_a_class_and_loose_pictures_have_none(
    root, tmp_path, read):
  outer = read(tmp_path / 'set' / '..' / 'set')
  assert outer.classes == ('cat', 'dog')
  root.rename(tmp_path / 'train')
  (tmp_path / 'outer').mkdir()
  (tmp_path / 'train').rename(tmp_path / 'outer' / 'train')
  found = read(tmp_path / 'outer')
  assert found.classes == ('cat', 'dog')
  assert found.notes['classes_below'] == 'train'
  loose = read(tmp_path / 'outer' / 'train' / 'cat')
  assert loose.classes == () and not loose.labels(np.arange(5)).any()


def test_links_in_a_circle_end_and_take_no_pictures_away(root, read):
  (root / 'cat' / 'up').symlink_to(root)
  (root / 'self').symlink_to(root / 'self')
  (root / 'ant').symlink_to(root / 'dog')
  found = read(root)
  assert len(found) == 12 and found.classes == ('cat', 'dog')


# How it is read.

GREY = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def rgb(grey):
  return np.repeat(grey[..., None], 3, -1)


def palette():
  image = Image.fromarray(GREY // 4).convert('P')
  image.putpalette([v for i in range(256) for v in (i, 2 * i % 256, 9)])
  return image


def one_bit():
  return Image.fromarray(GREY).point(lambda v: 255 * (v > 99)).convert('1')


def wide():
  return Image.fromarray(GREY.astype(np.uint16) * 257)


def clear_half():
  image = Image.fromarray(rgb(GREY)).convert('RGBA')
  alpha = np.full((8, 8), 255, np.uint8)
  alpha[:, :4] = 0
  image.putalpha(Image.fromarray(alpha))
  return image


ON_WHITE = rgb(GREY).copy()
ON_WHITE[:, :4] = 255

MODES = {  # name: (file, picture, options, mode in the file, wanted as RGB)
    'L': ('a.png', Image.fromarray(GREY), {}, 'L', rgb(GREY)),
    '1': ('a.png', one_bit(), {}, '1', rgb(np.where(GREY > 99, 255, 0))),
    'P': ('a.png', palette(), {}, 'P',
          np.stack([GREY // 4, GREY // 2, np.full_like(GREY, 9)], -1)),
    'P clear': ('a.png', palette(), {'transparency': 3}, 'P', np.where(
        (GREY // 4 == 3)[..., None], 255,
        np.stack([GREY // 4, GREY // 2, np.full_like(GREY, 9)], -1))),
    'LA': ('a.png', clear_half().convert('LA'), {}, 'LA', ON_WHITE),
    'RGBA': ('a.png', clear_half(), {}, 'RGBA', ON_WHITE),
    'RGBA webp': ('a.webp', clear_half(), {'lossless': True}, 'RGBA',
                  ON_WHITE),
    'RGB clear': ('a.png', Image.fromarray(rgb(GREY)),
                  {'transparency': (8, 8, 8)}, 'RGB',
                  np.where(rgb(GREY) == 8, 255, rgb(GREY))),
    '16 bits': ('a.png', wide(), {}, 'I;16', rgb(GREY)),
    '16 bits clear': ('a.png', wide(), {'transparency': 8 * 257}, 'I;16',
                      np.where(rgb(GREY) == 8, 255, rgb(GREY))),
}


@pytest.mark.parametrize('name', MODES)
def test_every_mode_becomes_rgb_and_grey(name, tmp_path, read):
  file, image, options, mode, wanted = MODES[name]
  save(tmp_path / 'set' / file, image, **options)
  found = read(tmp_path / 'set')
  assert found.notes['modes'] == {mode: 1}
  np.testing.assert_array_equal(whole(found)[0], wanted)
  grey = whole(read(tmp_path / 'set', channels=1))
  assert grey.shape == (1, 8, 8, 1)
  np.testing.assert_array_equal(
      grey[0, ..., 0], Image.fromarray(wanted.astype(np.uint8)).convert('L'))


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path, read):
  deep = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
  save(tmp_path / 'set' / 'a.png', deep)
  found = read(tmp_path / 'set', channels=1)
  np.testing.assert_array_equal(
      whole(found)[0, ..., 0], np.round(deep / 257).astype(np.uint8))
  assert found.notes['decisions']['16-bit grey scaled to 8 bits'] == 1


def test_alpha_is_kept_for_four_channels_and_full_where_there_is_none(
    tmp_path, read):
  save(tmp_path / 'set' / 'a.png', clear_half())
  save(tmp_path / 'set' / 'b.png', rgb(GREY))
  first, second = whole(read(tmp_path / 'set', channels=4))
  np.testing.assert_array_equal(first, np.asarray(clear_half()))
  np.testing.assert_array_equal(second[..., :3], rgb(GREY))
  assert (second[..., 3] == 255).all()


def test_cmyk_is_converted(tmp_path, read):
  flat = Image.new('RGB', (8, 8), (200, 100, 50)).convert('CMYK')
  save(tmp_path / 'set' / 'a.jpg', flat, quality=100)
  found = read(tmp_path / 'set')
  # 4 of 255: JPEG's own rounding on four flat planes.
  np.testing.assert_allclose(
      whole(found)[0].astype(int), np.broadcast_to((200, 100, 50), (8, 8, 3)),
      atol=4)
  assert found.notes['decisions'] == {'converted from CMYK to RGB': 1}


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('mode', ['RGB', 'I;16'])
def test_exif_orientation_is_applied(orientation, mode, tmp_path, read):
  upright = picture(0, channels=1)
  undo = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2),
          4: np.flipud, 5: np.transpose, 6: lambda a: np.rot90(a, 1),
          7: lambda a: np.rot90(a, 2).T, 8: lambda a: np.rot90(a, -1)}
  stored = np.ascontiguousarray(undo[orientation](upright))
  exif = Image.Exif()
  exif[decode.ORIENTATION] = orientation
  save(tmp_path / 'set' / 'a.png',
       rgb(stored) if mode == 'RGB' else stored.astype(np.uint16) * 257,
       exif=exif)
  found = read(tmp_path / 'set')
  np.testing.assert_array_equal(whole(found)[0], rgb(upright))
  assert ('turned as their EXIF says' in found.notes['decisions']) == (
      orientation != 1)


def test_an_exif_that_cannot_be_read_means_upright(tmp_path, read):
  save(tmp_path / 'set' / 'a.jpg', picture(0), exif=b'Exif\0\0MM\0*\xff\xff')
  assert len(read(tmp_path / 'set')) == 1


def test_center_crop_takes_the_middle_square(tmp_path, read):
  pixels = picture(0, width=13, height=8)
  save(tmp_path / 'set' / 'a.png', pixels)
  found = read(tmp_path / 'set')
  np.testing.assert_array_equal(whole(found)[0], pixels[:, 2:10])
  assert found.notes['decisions'] == {'cropped to the middle square': 1}
  assert found.notes['widths'] == [13, 13]


def test_pad_keeps_the_whole_picture_on_black_or_on_nothing(tmp_path, read):
  pixels = picture(0, width=8, height=4)
  save(tmp_path / 'set' / 'a.png', pixels)
  padded = whole(read(tmp_path / 'set', resize='pad'))[0]
  np.testing.assert_array_equal(padded[2:6], pixels)
  assert not padded[:2].any() and not padded[6:].any()
  padded = whole(read(tmp_path / 'set', resize='pad', channels=4))[0]
  assert not padded[:2].any() and (padded[2:6, :, 3] == 255).all()
  tall = picture(1, width=4, height=16)
  save(tmp_path / 'tall' / 'a.png', tall)
  padded = whole(read(tmp_path / 'tall', resize='pad', filter='area'))[0]
  assert padded[:, 3:5].any(axis=(1, 2)).all()
  assert not padded[:, :3].any() and not padded[:, 5:].any()


def test_area_is_the_average_and_stretch_uses_all_of_the_picture(
    tmp_path, read):
  pixels = picture(0, width=24, height=16)
  save(tmp_path / 'set' / 'a.png', pixels)
  found = read(tmp_path / 'set', resize='stretch', filter='area')
  mean = pixels.reshape(8, 2, 8, 3, 3).mean((1, 3))
  # 1 of 255: PIL rounds after each axis.
  np.testing.assert_allclose(whole(found)[0], mean, atol=1)
  assert found.notes['decisions'] == {
      'stretched to a square': 1, 'scaled down with area': 1}


def test_lanczos_is_that_of_pil_after_the_crop(tmp_path, read):
  pixels = picture(0, width=40, height=20)
  save(tmp_path / 'set' / 'a.png', pixels)
  wanted = Image.fromarray(pixels[:, 10:30]).resize(
      (8, 8), Image.Resampling.LANCZOS)
  np.testing.assert_array_equal(whole(read(tmp_path / 'set'))[0], wanted)
  bigger = read(tmp_path / 'set', resolution=64)
  assert bigger.notes['decisions']['scaled up with lanczos'] == 1


@pytest.mark.parametrize('threads', [1, 2, 5])
def test_threads_change_nothing(threads, root, tmp_path, read, monkeypatch):
  once = read(root)
  monkeypatch.setattr(decoder, 'CHUNK_BYTES', 8 * 8 * 3 * 2)
  again = read(root, threads=threads, cache_dir=str(tmp_path / 'cache2'))
  np.testing.assert_array_equal(whole(once), whole(again))
  assert once.digest() == again.digest()


# Once.


def test_the_second_start_equals_the_first_and_decodes_nothing(
    root, read, monkeypatch):
  first = read(root)
  no_decoding(monkeypatch)
  second = read(root)
  np.testing.assert_array_equal(whole(first), whole(second))
  assert first.notes == second.notes
  assert first.digest() == second.digest()


def test_settings_and_touched_files_decode_anew(root, read, monkeypatch):
  first = read(root)
  os.utime(root / 'cat' / '00.png', ns=(5, 5))
  second = read(root)
  assert first.digest() == second.digest()  # The pixels are the same.
  no_decoding(monkeypatch)
  for change in (lambda: os.utime(root / 'cat' / '00.png', ns=(5, 6)),
                 lambda: os.remove(root / 'dog' / '11.png')):
    change()
    with pytest.raises(ValueError, match='decoded'):
      read(root)
  for setting in ({'resolution': 4}, {'channels': 1}, {'filter': 'area'},
                  {'resize': 'pad'}):
    with pytest.raises(ValueError, match='decoded'):
      read(root, **setting)


def test_the_digest_changes_with_a_pixel_a_label_and_a_setting(root, read):
  digests = [read(root).digest()]
  one = picture(3)
  one[2, 2, 2] ^= 1
  save(root / 'cat' / '03.png', one)
  digests.append(read(root).digest())
  (root / 'cat' / '04.png').rename(root / 'dog' / '04.png')
  digests.append(read(root).digest())
  (root / 'cat').rename(root / 'bat')
  digests.append(read(root).digest())
  digests.append(read(root, resize='pad').digest())
  assert len(set(digests)) == 5


def test_two_folders_of_equal_names_sizes_and_times_are_not_mixed_up(
    tmp_path, read):
  for i, name in enumerate(['one', 'two']):
    save(tmp_path / name / 'a.bmp', picture(i))
    os.utime(tmp_path / name / 'a.bmp', ns=(5, 5))
  assert (whole(read(tmp_path / 'one')) != whole(read(tmp_path / 'two'))).any()


CHILD = '''
import os, signal, sys, time
import numpy as np
from msg_gan_jax.data import decode, decoder, pictures
from msg_gan_jax.data.stores import folder
plain, calls = decode.decode, []
def counted(path, recipe):
  calls.append(path)
  time.sleep(.02)
  if len(calls) == int(sys.argv[3]):
    os.kill(os.getpid(), signal.SIGKILL)
  return plain(path, recipe)
decode.decode = counted
decoder.CHUNK_BYTES = 8 * 8 * 3
found = pictures.Pictures(
    folder.Folder(sys.argv[1]),
    decode.Recipe(8, 8, 3, 'center_crop', 'lanczos'), cache_dir=sys.argv[2])
print(len(calls), found.digest())
'''


def start(root, tmp_path, kill_at=0):
  return subprocess.Popen(
      [sys.executable, '-c', CHILD, str(root), str(tmp_path / 'cache'),
       str(kill_at)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
      text=True, cwd=ROOT)


def test_of_two_processes_at_once_one_decodes(root, tmp_path, read):
  both = [start(root, tmp_path) for _ in range(2)]
  said = [p.communicate(timeout=60)[0].split() for p in both]
  assert sorted(int(count) for count, _ in said) == [0, 12]
  assert said[0][1] == said[1][1] == read(root).digest()
  assert kept_files(tmp_path) == ['.json', '.npy']


def test_what_a_killed_process_left_is_not_read_and_is_removed(
    root, tmp_path, read):
  child = start(root, tmp_path, kill_at=9)
  child.communicate(timeout=60)
  assert child.returncode == -signal.SIGKILL
  name, = kept_files(tmp_path)
  assert name.startswith('.npy.') and name.endswith('.tmp')
  found = read(root)
  np.testing.assert_array_equal(whole(found)[3], picture(3))
  assert kept_files(tmp_path) == ['.json', '.npy']


def test_the_rests_of_another_set_are_removed_but_not_while_it_is_written(
    root, tmp_path, read):
  (tmp_path / 'cache').mkdir()
  dead, alive = (tmp_path / 'cache' / f'.{c * 64}.npy.1-a.tmp' for c in 'da')
  dead.write_bytes(b'half')
  alive.write_bytes(b'half')
  with open(tmp_path / 'cache' / f'{"a" * 64}.lock', 'w') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    read(root)
  assert alive.exists() and not dead.exists()


@pytest.mark.parametrize('damage', ['cut', 'no json', 'half json', 'no npy'])
def test_a_damaged_cache_is_made_anew(damage, root, tmp_path, read):
  first = read(root)
  wanted = whole(first).copy()
  for path in (tmp_path / 'cache').iterdir():
    if damage == 'cut' and path.suffix == '.npy':
      path.write_bytes(path.read_bytes()[:-5])
    if damage == 'half json' and path.suffix == '.json':
      path.write_text(path.read_text()[:-5])
    if damage[:3] == 'no ' and path.suffix == '.' + damage[3:]:
      path.unlink()
  np.testing.assert_array_equal(whole(read(root)), wanted)


@pytest.mark.parametrize('failing', ['_reserve', 'flush_to_disk'])
def test_a_full_disk_leaves_nothing_and_decodes_in_memory(
    failing, root, tmp_path, read, monkeypatch, capfd):
  wanted = whole(read(root, cache_dir=str(tmp_path / 'other')))

  def full(*_):
    raise OSError(28, 'No space left on device')
  monkeypatch.setattr(cache, failing, full)
  found = read(root)
  np.testing.assert_array_equal(whole(found), wanted)
  assert found.notes['kept'] == 'in memory'
  assert kept_files(tmp_path) == []
  assert 'config.data.cache_dir' in capfd.readouterr().err


def test_a_cache_folder_that_cannot_be_made_decodes_in_memory(
    root, tmp_path, read, capfd):
  (tmp_path / 'cache').write_text('a file')
  assert len(read(root)) == 12
  assert 'config.data.cache_dir' in capfd.readouterr().err
  assert (tmp_path / 'cache').read_text() == 'a file'


def test_the_cache_lies_where_xdg_says(monkeypatch, tmp_path):
  monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
  assert cache.default_folder() == str(tmp_path / 'msg_gan_jax')
  monkeypatch.setenv('XDG_CACHE_HOME', 'relative')
  monkeypatch.setenv('HOME', str(tmp_path))
  assert cache.default_folder() == str(tmp_path / '.cache' / 'msg_gan_jax')


# Streams.


def test_a_streamed_set_has_the_same_pictures(root, tmp_path, read):
  kept, streamed = read(root), read(root, cache_gb=0., threads=2)
  assert streamed.notes['kept'] == 'streamed from the files'
  indices = np.array([11, 3, 3, 0, *range(12)])
  np.testing.assert_array_equal(kept.images(indices), streamed.images(indices))
  assert streamed.images(np.array([], int)).shape == (0, 8, 8, 3)
  for note in ('sizes', 'modes', 'per_class', 'decisions', 'widths'):
    assert kept.notes[note] == streamed.notes[note]
  assert 'names, sizes and times' in streamed.notes['digest_of']


def test_a_streamed_digest_changes_with_a_touch_and_a_setting(root, read):
  digests = {read(root, cache_gb=0.).digest() for _ in range(2)}
  digests.add(read(root, cache_gb=0., channels=1).digest())
  os.utime(root / 'cat' / '00.png', ns=(5, 5))
  digests.add(read(root, cache_gb=0.).digest())
  assert len(digests) == 3


def test_a_streamed_set_skips_what_is_broken_behind_its_header(root, read):
  whole_file = (root / 'cat' / '01.png').read_bytes()
  (root / 'cat' / '01.png').write_bytes(whole_file[:-60])
  found = read(root, cache_gb=0., on_bad='skip')
  assert len(found) == 11
  np.testing.assert_array_equal(found.images(np.array([1]))[0], picture(2))
  late = read(root, cache_gb=0.)  # Its headers are sound.
  with pytest.raises(ValueError, match=r'config\.data\.path.*01\.png.*trunc'):
    late.images(np.array([1]))


# Bad input, each with its own text.


@pytest.fixture
def bad(root):
  """Three broken files among the twelve."""
  (root / 'cat' / '01.png').write_bytes(b'')
  cut = (root / 'dog' / '06.png').read_bytes()[:-60]
  (root / 'dog' / '06.png').write_bytes(cut)
  os.remove(root / 'dog' / '08.png')
  (root / 'dog' / '08.png').symlink_to(root / 'nowhere')
  return root


def test_a_broken_file_is_named_with_what_pil_said(bad, tmp_path, read):
  with pytest.raises(ValueError, match=(
      r"config\.data\.path: cannot read '.*cat/01\.png': the file is empty.*"
      r"on_bad='skip'")):
    read(bad)
  assert kept_files(tmp_path) == []


def test_broken_files_are_skipped_counted_and_listed(bad, read, monkeypatch):
  found = read(bad, on_bad='skip')
  assert len(found) == 9 and found.notes['pictures'] == 9
  assert [n for n, _ in found.notes['skipped']] == [
      'cat/01.png', 'dog/06.png', 'dog/08.png']
  assert 'truncated' in found.notes['skipped'][1][1]
  assert found.notes['per_class'] == {'cat': 4, 'dog': 5}
  assert found.labels(np.arange(9)).tolist() == [0] * 4 + [1] * 5
  good = [i for i in range(12) if i not in (1, 6, 8)]
  np.testing.assert_array_equal(whole(found), [picture(i) for i in good])
  no_decoding(monkeypatch)
  again = read(bad, on_bad='skip')
  np.testing.assert_array_equal(whole(again), whole(found))
  assert again.notes == found.notes


def test_all_broken_is_an_error_even_when_skipping(tmp_path, read):
  (tmp_path / 'set').mkdir()
  (tmp_path / 'set' / 'a.png').write_bytes(b'x')
  with pytest.raises(ValueError, match=r"all 1 pictures.*'a\.png'"):
    read(tmp_path / 'set', on_bad='skip')


@pytest.mark.parametrize('cache_gb', [4., 0.])
def test_a_decompression_bomb_is_an_error_that_names_the_file(
    cache_gb, root, read, monkeypatch):
  monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 31)
  with pytest.raises(ValueError, match=r"00\.png.*exceeds limit"):
    with warnings.catch_warnings():
      read(root, cache_gb=cache_gb)


def test_too_many_open_files_are_not_skipped_pictures(
    root, read, monkeypatch):
  def refuse(path, recipe):
    raise OSError(24, 'Too many open files')
  monkeypatch.setattr(decode, 'decode', refuse)
  with pytest.raises(ValueError, match='Too many open files'):
    read(root, on_bad='skip')


def test_every_wrong_path_has_its_own_text(tmp_path, read):
  (tmp_path / 'empty').mkdir()
  (tmp_path / 'texts' / 'sub').mkdir(parents=True)
  for i in range(3):
    (tmp_path / 'texts' / 'sub' / f'{i}.txt').write_text('')
  (tmp_path / 'texts' / 'README').write_text('')
  (tmp_path / 'faces.zip').write_text('')
  save(tmp_path / 'both' / 'cat' / 'a.png', picture(0))
  save(tmp_path / 'both' / 'b.png', picture(0))
  save(tmp_path / 'parts' / 'train' / 'cat' / 'a.png', picture(0))
  save(tmp_path / 'parts' / 'test' / 'cat' / 'a.png', picture(0))
  for path, said in {
      '': 'is empty',
      str(tmp_path / 'no' / 'thing'): f'no folder.*exists is .{tmp_path}.',
      str(tmp_path / 'faces.zip'): "is a file.*data.name='archive'",
      str(tmp_path / 'empty'): r'looked for \.bmp.*\.webp.*found nothing',
      str(tmp_path / 'texts'): r'found 3 \.txt, 1 without an extension',
      str(tmp_path / 'both'): "1 pictures lie loose .'b.png'.*'cat'",
      str(tmp_path / 'parts'): "splits.*test, train.*parts/train'",
  }.items():
    with pytest.raises(ValueError, match=f'^config.data.path: .*{said}'):
      read(path)


def test_a_folder_that_may_not_be_read_is_named(root, read, monkeypatch):
  plain = os.scandir

  def guarded(path):
    if path.endswith('dog'):
      raise PermissionError(13, 'Permission denied')
    return plain(path)
  monkeypatch.setattr(os, 'scandir', guarded)
  with pytest.raises(ValueError, match=(
      r"^config\.data\.path: cannot read the folder '.*dog': Permission")):
    read(root)


def test_two_channels_are_refused(root, read):
  with pytest.raises(ValueError, match=r'config\.data\.channels.*found 2'):
    read(root, channels=2)


# Odd files.


def test_on_bad_skip_leaves_loose_pictures_out_and_lists_them(root, read):
  save(root / 'b.png', picture(20))
  save(root / 'a.png', picture(21))
  found = folder.Folder(str(root), on_bad='skip')
  assert found.notes['left_out'] == ['a.png', 'b.png']
  assert found.classes == ('cat', 'dog') and len(found.names) == 12
  with pytest.raises(ValueError, match=r"2 pictures lie loose.*on_bad='skip'"):
    read(root)


def test_below_loose_pictures_a_wrapper_is_passed_over_too(root, tmp_path):
  (tmp_path / 'outer').mkdir()
  root.rename(tmp_path / 'outer' / 'train')
  save(tmp_path / 'outer' / 'y.png', picture(20))
  found = folder.Folder(str(tmp_path / 'outer'), on_bad='skip')
  assert found.classes == ('cat', 'dog')
  assert found.notes['left_out'] == ['y.png']
  assert found.notes['classes_below'] == 'train'


def test_one_picture_is_a_set(tmp_path, read):
  save(tmp_path / 'set' / 'a.png', picture(0))
  for cache_gb in (4., 0.):
    found = read(tmp_path / 'set', cache_gb=cache_gb)
    np.testing.assert_array_equal(whole(found), [picture(0)])


def test_pipes_and_sockets_are_passed_over_and_counted(root, read):
  os.mkfifo(root / 'cat' / 'pipe.png')
  (root / 'dog' / 'link.png').symlink_to(root / 'cat' / 'pipe.png')
  found = read(root)  # A reader of the pipe would wait for ever.
  assert len(found) == 12
  assert found.notes['other_files'] == {'links, pipes and the like': 2}


@pytest.mark.skipif(sys.platform != 'linux', reason='names are bytes there')
def test_names_may_be_of_any_script_and_of_none(tmp_path, read, capsys):
  odd = ['кот', '猫', 'two\nlines', os.fsdecode(b'caf\xe9')]
  for i, name in enumerate(odd):
    save(tmp_path / odd[-1] / name / f'{name}.png', picture(i))
  (tmp_path / odd[-1] / odd[0] / f'{odd[-1]}.png').write_bytes(b'')
  found = read(tmp_path / odd[-1], on_bad='skip')
  assert len(found) == 4 and 'caf\\udce9' in found.classes
  text = json.dumps(found.notes['per_class'], ensure_ascii=False)
  assert '猫' in text and text.encode()
  json.loads(json.dumps(found.notes))
  for note in (found.name, found.classes, *found.notes.values()):
    print(note, file=io.TextIOWrapper(io.BytesIO(), 'utf-8'))
  with pytest.raises(ValueError, match=r'caf.udce9\.png') as error:
    read(tmp_path / odd[-1])
  str(error.value).encode()


def chunk(kind, data):
  return (len(data).to_bytes(4, 'big') + kind + data
          + zlib.crc32(kind + data).to_bytes(4, 'big'))


@pytest.mark.parametrize('side, said', [
    (100_000, 'exceeds limit of 178956970 pixels'),
    (10_000, '10000 x 10000 pixels; wanted 1 to 89 million'),
    (0, r'not a picture of a format that is read|0 x 0 pixels')])
@pytest.mark.parametrize('cache_gb', [4., 0.])
def test_a_header_of_an_absurd_size_is_named_and_skipped(
    cache_gb, side, said, root, read):
  (root / 'cat' / '01.png').write_bytes(
      b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', side.to_bytes(4, 'big') * 2
                                   + b'\x08\2\0\0\0')
      + chunk(b'IDAT', zlib.compress(bytes(100))) + chunk(b'IEND', b''))
  with pytest.raises(ValueError, match=rf'cat/01\.png.*({said})'):
    read(root, cache_gb=cache_gb)
  assert len(read(root, cache_gb=cache_gb, on_bad='skip')) == 11


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid() == 0,
                    reason='root may read everything')
def test_a_folder_without_permission_is_named(root, read):
  (root / 'dog').chmod(0)
  try:
    with pytest.raises(ValueError, match=r'cannot read the folder .*dog'):
      read(root)
  finally:
    (root / 'dog').chmod(0o700)


def test_a_file_that_vanishes_after_the_scan_is_named_or_skipped(
    root, tmp_path):
  recipe = decode.Recipe(8, 8, 3, 'center_crop', 'lanczos')
  store = folder.Folder(str(root))
  os.remove(root / 'cat' / '01.png')
  with pytest.raises(ValueError, match=r'cat/01\.png.*No such file'):
    pictures.Pictures(store, recipe, cache_dir=str(tmp_path / 'cache'))
  found = pictures.Pictures(store, recipe, 'skip', str(tmp_path / 'cache'))
  assert [n for n, _ in found.notes['skipped']] == ['cat/01.png']


def test_a_file_that_grows_after_the_scan_is_decoded_anew_at_the_next(
    root, tmp_path, read):
  store = folder.Folder(str(root))
  os.utime(root / 'cat' / '01.png', ns=(5, 5))
  save(root / 'cat' / '01.png', picture(50, width=30, height=30))
  recipe = decode.Recipe(8, 8, 3, 'center_crop', 'lanczos')
  found = pictures.Pictures(store, recipe, cache_dir=str(tmp_path / 'cache'))
  assert found.digest() == read(root).digest()
  assert len(kept_files(tmp_path)) == 4  # Two sets: the first is never met.


@pytest.mark.parametrize('name', ['a.gif', 'a.webp', 'a.png'])
def test_of_an_animation_the_first_frame_is_taken_and_counted(
    name, tmp_path, read):
  flat = [Image.new('RGB', (8, 8), (40 * i + 40,) * 3) for i in range(3)]
  options = {'lossless': True} if name == 'a.webp' else {}
  save(tmp_path / 'set' / name, flat[0], save_all=True,
       append_images=flat[1:], **options)
  for cache_gb in (4., 0.):
    found = read(tmp_path / 'set', cache_gb=cache_gb)
    np.testing.assert_array_equal(
        whole(found), np.full((1, 8, 8, 3), 40, np.uint8))
    assert found.notes['decisions']['first frame of an animation'] == 1


def test_a_palette_with_alpha_is_laid_on_white(tmp_path, read):
  image = clear_half().convert('PA')
  save(tmp_path / 'set' / 'a.tif', image)
  found = read(tmp_path / 'set')
  assert found.notes['modes'] == {'PA': 1}
  assert (whole(found)[0, :, :4] == 255).all()
  np.testing.assert_array_equal(
      whole(found)[0, :, 4:], np.asarray(image.convert('RGB'))[:, 4:])


def test_ycbcr_is_read_as_colour(tmp_path, read):
  flat = Image.new('RGB', (8, 8), (200, 100, 50))
  save(tmp_path / 'set' / 'a.jpg', flat, quality=100)
  save(tmp_path / 'set' / 'b.tif', flat.convert('YCbCr'))
  found = read(tmp_path / 'set')
  assert found.notes['modes'] == {'RGB': 1, 'YCbCr': 1}
  # 3 of 255: both round to whole luma and chroma.
  np.testing.assert_allclose(
      whole(found).astype(int), np.broadcast_to((200, 100, 50), (2, 8, 8, 3)),
      atol=3)


# Opening by config.


def opened(root, tmp_path, seed=0, **settings):
  config = schema.template()
  config.seed = seed
  config.data.update({'name': 'folder', 'path': str(root), 'resolution': 8,
                      'cache_dir': str(tmp_path / 'cache'), **settings})
  return sources.open_source(schema.parse(config))


def test_splits_are_disjoint_whole_and_the_same_for_every_seed(
    tmp_path):
  for i in range(40):
    save(tmp_path / 'set' / 'abc'[i % 3] / f'{i}.png', picture(i))
  train, held_out = opened(tmp_path / 'set', tmp_path)
  assert (len(train), len(held_out)) == (36, 4)
  seen = [x.tobytes() for s in (train, held_out) for x in whole(s)]
  assert len(set(seen)) == 40
  other = opened(tmp_path / 'set', tmp_path, seed=1)
  np.testing.assert_array_equal(whole(other.train), whole(train))
  assert other.train.digest() == train.digest() != held_out.digest()
  assert sum(train.notes['per_class'].values()) == 36
  assert isinstance(train, Source)
  everything = {picture(i).tobytes(): i % 3 for i in range(40)}
  for i in range(36):
    label = train.labels(np.array([i]))[0]
    assert label == everything[train.images(np.array([i]))[0].tobytes()]


def test_nothing_is_held_out_of_few_pictures_or_when_not_wanted(
    root, tmp_path):
  assert opened(root, tmp_path, held_out=0).held_out is None
  splits = opened(root / 'cat', tmp_path)
  assert splits.held_out is None and len(splits.train) == 5


def test_an_unknown_source_names_the_nearest(root, tmp_path):
  with pytest.raises(ValueError, match="config.data.name.*did you mean 'fold"):
    opened(root, tmp_path, name='foldr')


def test_drawn_splits_do_not_depend_on_the_seed_and_are_disjoint():
  def draw(seed):
    config = schema.template()
    config.seed = seed
    config.data.update({'count': 6, 'held_out': 3, 'resolution': 16})
    return sources.open_source(schema.parse(config))
  train, held_out = draw(0)
  assert (len(train), len(held_out)) == (6, 3)
  np.testing.assert_array_equal(whole(train), whole(draw(7).train))
  both = [x.tobytes() for s in (train, held_out) for x in whole(s)]
  assert len(set(both)) == 9


def test_threads_may_ask_at_the_same_time(root, read):
  streamed = read(root, cache_gb=0., threads=2)
  wanted, got = whole(streamed), []
  ask = [threading.Thread(target=lambda: got.append(whole(streamed)))
         for _ in range(4)]
  for thread in ask:
    thread.start()
  for thread in ask:
    thread.join()
  assert all((g == wanted).all() for g in got) and len(got) == 4


def test_permutation_is_one_and_differs_by_stream():
  a, b = (order.permutation(1000, 0, s) for s in (1, 2))
  assert sorted(a) == sorted(b) == list(range(1000)) and (a != b).any()

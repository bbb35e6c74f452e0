"""Laws of decoding: every mode and format becomes the pixels that are asked."""
import contextlib
import warnings
import zlib

from helpers import picture, save, whole
import numpy as np
import PIL
from PIL import Image
import pytest

from msg_gan_jax.data import decode, decoder

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


@pytest.mark.parametrize('cache_gb', [4., 0.])
def test_a_decompression_bomb_is_an_error_that_names_the_file(
    cache_gb, root, read, monkeypatch):
  monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 31)
  with pytest.raises(ValueError, match=r"00\.png.*exceeds limit"):
    with warnings.catch_warnings():
      read(root, cache_gb=cache_gb)


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
  # Pillow 12 writes this TIFF, and cannot read it.
  reads = int(PIL.__version__.partition('.')[0]) > 12
  with contextlib.nullcontext() if reads else pytest.raises(
      ValueError, match=r"b\.tif': image file is truncated"):
    found = read(tmp_path / 'set')
    assert found.notes['modes'] == {'RGB': 1, 'YCbCr': 1}
    # 3 of 255: both round to whole luma and chroma.
    np.testing.assert_allclose(
        whole(found).astype(int),
        np.broadcast_to((200, 100, 50), (2, 8, 8, 3)), atol=3)

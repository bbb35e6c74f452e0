"""Pictures that are harmed: each is read, or refused in words."""
import io
import re
import struct
import zlib

from fuzz.examples import PARTS, given, place
from hypothesis import strategies as st
import numpy as np
from PIL import Image

NUMBERS = (0, 1, 2**31 - 1, 2**32 - 1)


def packed(image, form, moving=False, **options):
  file = io.BytesIO()
  if moving:
    options.update(save_all=True, append_images=[image.rotate(90)])
  image.copy().save(file, form, **options)  # For a save leaves its marks.
  return file.getvalue()


def png(width, height, depth, colour, rows, interlaced=0):
  """PNG of given rows; PIL writes neither 16-bit colour nor interlaced."""
  header = struct.pack('>IIBBBBB', width, height, depth, colour, 0, 0,
                       interlaced)
  pixels = zlib.compress(b''.join(b'\0' + row for row in rows))
  return b'\x89PNG\r\n\x1a\n' + b''.join(
      struct.pack('>I', len(body)) + kind + body
      + struct.pack('>I', zlib.crc32(kind + body))
      for kind, body in ((b'IHDR', header), (b'IDAT', pixels), (b'IEND', b'')))


def seeds():
  """{name.extension: bytes}: every format and mode that is read."""
  rng = np.random.default_rng(0)
  colour = Image.fromarray(rng.integers(0, 256, (17, 33, 3), np.uint8))
  small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
  deep = Image.fromarray(rng.integers(0, 2**16, (9, 7), np.uint16))
  clear = small.convert('RGBA')
  clear.putalpha(small.convert('L'))
  turned = Image.Exif()
  turned[274] = 6
  by_mode = {mode: small.convert(mode) for mode in (
      '1', 'L', 'P', 'LA', 'RGB', 'RGBA', 'CMYK', 'YCbCr', 'F')}
  adam7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
           (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
  grey = np.asarray(by_mode['L'])
  found = {
      'deep.png': packed(deep, 'PNG'),
      'moving.png': packed(small, 'PNG', moving=True),
      'turned.png': packed(colour, 'PNG', exif=turned),
      'one_clear.png': packed(small, 'PNG', transparency=(1, 2, 3)),
      'palette_clear.png': packed(by_mode['P'], 'PNG', transparency=0),
      'interlaced.png': png(8, 8, 8, 0, [
          grey[y, x0::dx].tobytes() for x0, y0, dx, dy in adam7
          for y in range(y0, 8, dy)], interlaced=1),
      'deep_colour.png': png(4, 3, 16, 2, [rng.bytes(24) for _ in range(3)]),
      'grey.jpg': packed(by_mode['L'], 'JPEG'),
      'cmyk.jpg': packed(by_mode['CMYK'], 'JPEG'),
      'progressive.jpeg': packed(colour, 'JPEG', progressive=True),
      'turned.jpg': packed(colour, 'JPEG', exif=turned),
      'two.jpg': packed(small, 'MPO', moving=True),
      'moving.gif': packed(small, 'GIF', moving=True),
      'colour.gif': packed(colour, 'GIF'),
      'lossy.webp': packed(colour, 'WEBP', exif=turned),
      'clear.webp': packed(clear, 'WEBP', lossless=True),
      'moving.webp': packed(small, 'WEBP', moving=True),
      'deep.tif': packed(deep, 'TIFF'),
      'pages.tiff': packed(small, 'TIFF', moving=True),
      'fax.tif': packed(by_mode['1'], 'TIFF', compression='group4'),
  }
  for compression in ('tiff_lzw', 'tiff_adobe_deflate', 'packbits', 'jpeg'):
    found[f'{compression}.tif'] = packed(
        colour, 'TIFF', compression=compression)
  for form, modes in {'PNG': '1 L P LA RGB RGBA', 'BMP': '1 L P RGB RGBA',
                      'TIFF': 'L P LA RGB RGBA CMYK YCbCr F'}.items():
    for mode in modes.split():
      found[f'{mode}.{form.lower()}'] = packed(by_mode[mode], form)
  for form in ('PNG', 'JPEG', 'GIF', 'WEBP', 'BMP', 'TIFF'):
    found[f'tiny.{form.lower()}'] = packed(small.crop((0, 0, 1, 1)), form)
  return found


def harm(data, kind, a, b, value, other):
  """bytes after one mutation; a and b are PARTS."""
  low, high = sorted((place(data, a), place(data, b)))
  # Most of what a reader trusts stands in front.
  front = int(a * min(len(data), 128))
  if kind == 'flip':
    at = front if value % 2 else low
    return data[:at] + bytes(
        x ^ (value % 255 + 1) for x in data[at:at + 1]) + data[at + 1:]
  if kind == 'cut':
    return data[:low]
  if kind == 'double':
    return data[:high] + data[low:]
  if kind == 'remove':
    return data[:low] + data[high:]
  if kind == 'exchange':
    return data[:low] + other[low:high] + data[high:]
  order, width = ('<' if value % 2 else '>'), ('I', 'H')[value % 3 == 0]
  number = NUMBERS[value // 2 % 4] & (2**32 - 1 if width == 'I' else 2**16 - 1)
  new = struct.pack(order + width, number)
  return data[:front] + new + data[front + len(new):]


def with_true_sums(data):
  """A PNG with the right checksums, or PIL would look no further."""
  found, at = data[:8], 8
  while at + 12 <= len(data):
    size = struct.unpack('>I', data[at:at + 4])[0]
    body = data[at + 4:at + 8 + size]
    found += data[at:at + 4] + body + struct.pack('>I', zlib.crc32(body))
    at += 12 + size
  return found


def harms(others):
  """A strategy of what `harmed` does; others are names of files."""
  return st.lists(st.tuples(
      st.sampled_from(['flip', 'cut', 'double', 'remove', 'exchange',
                       'number', 'number']), PARTS, PARTS,
      st.integers(0, 255), st.sampled_from(sorted(others))),
                  min_size=1, max_size=3)


def harmed(files, name, changes):
  """The bytes of a file after all of its mutations."""
  data = files[name]
  for kind, a, b, value, other in changes:
    data = harm(data, kind, a, b, value, files[other])
  return data


def fuzz(tmp, count, examples):
  from msg_gan_jax.data import decode, pictures
  from msg_gan_jax.data.stores import folder
  files = seeds()
  names = st.sampled_from(sorted(files))
  mutated = st.tuples(names, harms(files), st.booleans())
  noise = st.tuples(
      st.sampled_from(decode.EXTENSIONS), st.binary(max_size=200))
  good = tmp / 'set' / 'good.png'
  good.parent.mkdir()
  good.write_bytes(files['RGB.png'])

  def file(drawn):
    if len(drawn) == 2:
      return f'noise{drawn[0]}', drawn[1]
    name, changes, mend = drawn
    data = harmed(files, name, changes)
    is_png = data[:4] == b'\x89PNG'
    return name, with_true_sums(data) if is_png and mend else data

  def read(on_bad, channels, resize, streamed):
    found = pictures.Pictures(
        folder.Folder(str(good.parent)),
        decode.Recipe(8, 12, channels, resize, 'lanczos'), on_bad,
        str(tmp / 'cache'), cache_gb=0. if streamed else 1.)
    pixels = found.images(np.arange(len(found)))
    assert pixels.shape == (len(found), 8, 12, channels)
    assert pixels.dtype == np.uint8
    assert len(found) + len(found.notes['skipped']) == 2
    return found

  @given(examples, count.seed,
         drawn=st.one_of(mutated, mutated, mutated, noise), way=st.tuples(
             st.sampled_from(sorted(decode.MODES)),
             st.sampled_from(['center_crop', 'pad', 'stretch']),
             st.booleans()))
  def _(drawn, way):
    name, data = file(drawn)
    path = good.with_name(name)
    path.write_bytes(data)
    with count.one(rf'^config\.data\.path: cannot read .*{re.escape(name)}.*'
                   r"(on_bad='skip'|range='[-+.:e\d]+')\.$", str(drawn)):
      try:
        for skipped, why in read('skip', *way).notes['skipped']:
          assert skipped == name and why
        assert not read('error', *way).notes['skipped']
      finally:
        path.unlink()

"""One picture file -> uint8 [H, W, C], as the settings say."""
import io
from typing import NamedTuple

import numpy as np
from PIL import Image

EXTENSIONS = ('.bmp', '.jpeg', '.jpg', '.png', '.webp')
MODES = {1: 'L', 3: 'RGB', 4: 'RGBA'}
FILTERS = {
    'lanczos': Image.Resampling.LANCZOS,
    # The area average: every pixel weighs as much as it is covered. PIL
    # rounds after each of the two axes, so it is exact to 1 of 255.
    'area': Image.Resampling.BOX,
}
ORIENTATION = 274  # The EXIF tag; 1 is upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Where PIL's readers put what holds an orientation.
EXIF = frozenset(
    ('exif', 'xmp', 'XML:com.adobe.xmp', 'Raw profile type exif'))


class Recipe(NamedTuple):
  """What every picture becomes; the meanings are those of config.Data."""
  resolution: int
  channels: int
  resize: str
  filter: str


class Seen(NamedTuple):
  """What a file held: its size in pixels, mode, and two habits."""
  width: int
  height: int
  mode: str
  alpha: bool
  turned: bool


def decode(path, recipe):
  """A file -> (uint8 [resolution, resolution, channels], Seen).

  In this order: turned as its EXIF says, 16-bit grey divided by 257, alpha
  laid on white (unless channels=4), converted, made a square, resampled.
  Colour profiles are not applied. Of an animation, the first frame.

  Raises:
    Whatever PIL raises on a broken file, from OSError to SyntaxError.
  """
  # Read at one go: many small reads of PIL's cost 8 %, and time for other
  # threads, on small files.
  with open(path, 'rb', buffering=0) as file:
    packed = io.BytesIO(file.read())
  with Image.open(packed) as opened:
    opened.load()  # A PNG may keep its EXIF behind the pixels.
    image, seen = _upright(opened)
    image = _square(_convert(image, recipe.channels), recipe)
    pixels = np.asarray(image)
  return (pixels if pixels.ndim == 3 else pixels[..., None]), seen


def look(path):
  """Seen, from the header of a file; its pixels may still be broken."""
  with Image.open(path) as opened:
    alpha = opened.has_transparency_data
    return Seen(*opened.size, opened.mode, alpha, _orientation(opened) in TURNS)


def _orientation(image):
  if EXIF.isdisjoint(image.info):
    return 1
  try:
    return image.getexif().get(ORIENTATION, 1)
  except Exception:  # PIL raises many kinds; such an EXIF says nothing.
    return 1


def _upright(image):
  turn = TURNS.get(_orientation(image))
  seen = Seen(*image.size, image.mode, image.has_transparency_data,
              turn is not None)
  return (image if turn is None else _keep(image, image.transpose(turn))), seen


def _keep(old, new):
  """`new` with the transparent colour of `old`."""
  if 'transparency' in old.info:
    new.info['transparency'] = old.info['transparency']
  return new


def _convert(image, channels):
  wanted = MODES[channels]
  if image.mode == wanted and 'transparency' not in image.info:
    return image
  if image.mode.startswith('I'):  # I;16, and I of old versions of PIL.
    image = _eight_bits(image)
  if image.has_transparency_data:
    image = image.convert('RGBA')
    if channels != 4:
      white = Image.new('RGBA', image.size, 'white')
      image = Image.alpha_composite(white, image)
  elif image.mode not in ('1', 'L', 'RGB'):
    image = image.convert('RGB')  # PIL has no direct way from some to L.
  return image if image.mode == wanted else image.convert(wanted)


def _eight_bits(image):
  """16-bit grey -> L, scaled; PIL's own conversion clips at 255."""
  wide = np.asarray(image).astype(np.int64)
  grey = Image.fromarray(((wide + 128) // 257).clip(0, 255).astype(np.uint8))
  clear = image.info.get('transparency')
  if clear is not None:
    alpha = np.where(wide == clear, 0, 255).astype(np.uint8)
    grey.putalpha(Image.fromarray(alpha))
  return grey


def _square(image, recipe):
  size, resample = recipe.resolution, FILTERS[recipe.filter]
  width, height = image.size
  if width != height and recipe.resize == 'center_crop':
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    # Cropped first: resize(box=...) lets pixels beyond the box bleed in.
    image = image.crop((left, top, left + side, top + side))
  elif width != height and recipe.resize == 'pad':
    scale = size / max(width, height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    if inner != image.size:
      image = image.resize(inner, resample)
    square = Image.new(image.mode, (size, size), 0)
    square.paste(image, ((size - inner[0]) // 2, (size - inner[1]) // 2))
    return square
  if image.size == (size, size):
    return image
  return image.resize((size, size), resample)

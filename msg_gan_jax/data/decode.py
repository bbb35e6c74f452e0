"""One encoded picture -> uint8 [H, W, C], as the settings say."""
import io
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

EXTENSIONS = ('.bmp', '.gif', '.jpeg', '.jpg', '.png', '.tif', '.tiff',
              '.webp')
# More would be gigabytes in every thread that decodes: a decompression bomb,
# or a panorama that should be cut up first. PIL warns from here on.
MOST_PIXELS = 89_478_485
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
  height: int
  width: int
  channels: int
  resize: str
  filter: str


class Seen(NamedTuple):
  """What a file held: its size in pixels, mode, and three habits."""
  width: int
  height: int
  mode: str
  alpha: bool
  turned: bool
  frames: bool  # more than one; the first is taken


def decode(packed, recipe):
  """bytes of a file, or its pixels -> (uint8 [height, width, channels], Seen).

  In this order: turned as its EXIF says, 16 bits divided by 257, alpha laid
  on white (unless channels=4), converted, given the wanted shape, resampled.
  Colour profiles are not applied. Of an animation, the first frame.

  Args:
    packed: bytes, or pixels: uint8 [H, W] or [H, W, 1 to 4], uint16 [H, W].
    recipe: Recipe.

  Raises:
    Whatever PIL raises on a broken file, from OSError to SyntaxError.
  """
  with _open(packed) as opened:
    opened.load()  # A PNG may keep its EXIF behind the pixels.
    image, seen = _upright(opened)
    image = _fit(_convert(image, recipe.channels), recipe)
    pixels = np.asarray(image)
  return (pixels if pixels.ndim == 3 else pixels[..., None]), seen


def look(packed):
  """Seen, from the header; the pixels may still be broken.

  Args:
    packed: as in `decode`, or a path.
  """
  with _open(packed) as opened:
    return _seen(opened, _orientation(opened) in TURNS)


def _open(packed):
  """PIL's image, not yet decoded, of a sane size."""
  if isinstance(packed, np.ndarray):
    return _from_array(packed)
  if isinstance(packed, bytes):
    if not packed:
      raise ValueError('the file is empty')
    packed = io.BytesIO(packed)
  try:
    image = Image.open(packed)
  except UnidentifiedImageError as error:  # PIL's text has an address in it.
    raise ValueError('no picture of a format that is read') from error
  width, height = image.size
  if not 0 < width * height <= MOST_PIXELS:
    image.close()
    raise ValueError(f'{width} x {height} pixels; wanted 1 to '
                     f'{MOST_PIXELS / 1e6:.0f} million')
  return image


def _from_array(pixels):
  if pixels.ndim == 3 and pixels.shape[-1] == 1:
    pixels = pixels[..., 0]
  grey = pixels.ndim == 2 and pixels.dtype in (np.uint8, np.uint16)
  colour = (pixels.ndim == 3 and pixels.dtype == np.uint8
            and 2 <= pixels.shape[-1] <= 4)
  if not (grey or colour) or not pixels.size:
    raise ValueError(f'an array of {pixels.dtype} {list(pixels.shape)}; wanted '
                     'uint8 [H, W, 1 to 4], or grey as uint16 [H, W]')
  return Image.fromarray(np.ascontiguousarray(pixels))


def _orientation(image):
  if EXIF.isdisjoint(image.info):
    return 1
  try:
    return image.getexif().get(ORIENTATION, 1)
  except Exception:  # PIL raises many kinds; such an EXIF says nothing.
    return 1


def _upright(image):
  turn = TURNS.get(_orientation(image))
  seen = _seen(image, turn is not None)
  return (image if turn is None else _keep(image, image.transpose(turn))), seen


def _seen(image, turned):
  # A photograph with a second, smaller one inside (MPO) is not animated.
  frames = image.format != 'MPO' and getattr(image, 'is_animated', False)
  return Seen(*image.size, image.mode, image.has_transparency_data, turned,
              frames)


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
  elif image.mode == 'F':
    raise ValueError('pixels are floats of an unknown range; wanted integers')
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


def _fit(image, recipe):
  """The wanted height and width, by cropping, padding or stretching."""
  wanted, resample = (recipe.width, recipe.height), FILTERS[recipe.filter]
  width, height = image.size
  alike = width * wanted[1] == height * wanted[0]
  if not alike and recipe.resize == 'center_crop':
    scale = min(width / wanted[0], height / wanted[1])
    inner = [max(1, min(a, round(b * scale)))
             for a, b in zip(image.size, wanted, strict=True)]
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    # Cropped first: resize(box=...) lets pixels beyond the box bleed in.
    image = image.crop((left, top, left + inner[0], top + inner[1]))
  elif not alike and recipe.resize == 'pad':
    scale = min(wanted[0] / width, wanted[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    if inner != image.size:
      image = image.resize(inner, resample)
    frame = Image.new(image.mode, wanted, 0)
    frame.paste(image, ((wanted[0] - inner[0]) // 2,
                        (wanted[1] - inner[1]) // 2))
    return frame
  return image if image.size == wanted else image.resize(wanted, resample)

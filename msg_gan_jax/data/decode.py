"""Decodes one picture to uint8 [H, W, C], as the settings say."""
import contextlib
import functools
import io
import re
import threading
from typing import Any, NamedTuple
import warnings

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from msg_gan_jax.config import schema

EXTENSIONS = ('.avif', '.bmp', '.gif', '.jfif', '.jp2', '.jpeg', '.jpg', '.pgm',
              '.png', '.ppm', '.tif', '.tiff', '.webp')
# What Pillow may have been built without, by its name for it.
_CODECS = {'.avif': 'avif', '.jp2': 'jpg_2000', '.webp': 'webp'}
# A larger picture would take gigabytes in every thread that decodes: it is a
# decompression bomb, or a panorama that should be cut up first. PIL warns from
# here on.
MOST_PIXELS = 89_478_485
LARGE_PIXELS = 2**24  # Such pictures are decoded one at a time.
_LARGE = threading.Lock()
MODES = {1: 'L', 3: 'RGB', 4: 'RGBA'}
FILTERS = {
    'lanczos': Image.Resampling.LANCZOS,
    # The area average: every pixel counts by the share that is covered. PIL
    # rounds after each of the two axes, so the result is exact to 1 of 255.
    'area': Image.Resampling.BOX,
}
# Black and white of pixels of more than 8 bits, where no setting says.
USUAL_RANGE = 0, 65535
UPPER = 'upper 8 of 16 bits'  # In the `info` of an image of PIL.
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
# Keys under which PIL's readers put what holds an orientation.
EXIF = frozenset(
    ('exif', 'xmp', 'XML:com.adobe.xmp', 'Raw profile type exif'))


@functools.cache
def unreadable() -> tuple[str, ...]:
  """Those of EXTENSIONS whose pictures this Pillow was built without."""
  with warnings.catch_warnings():
    warnings.simplefilter('ignore')  # Before 11.3 it does not know of avif.
    return tuple(extension for extension, codec in _CODECS.items()
                 if not features.check(codec))


class Recipe(NamedTuple):
  """What every picture becomes; config.data explains the values."""
  height: int
  width: int
  channels: int
  resize: str
  filter: str
  range: tuple[float, float] | None = None


def recipe_of(data: schema.Data) -> Recipe:
  """What the settings make of every picture.

  Raises:
    ValueError: config.data.range is not two numbers, of which the second is
      larger.
  """
  height, width, channels = data.shape
  return Recipe(height, width, channels, data.resize, data.filter,
                parse_range(data.range) if data.range else None)


def parse_range(text: str) -> tuple[float, float]:
  """'0:4095' -> (0., 4095.), the values of black and of white.

  Raises:
    ValueError: the text has another form.
  """
  try:
    black, white = map(float, text.split(':'))
  except ValueError:
    black = white = 0.
  if not (black < white and white - black < float('inf')):
    raise ValueError(
        f'config.data.range: {text!r}; wanted the value of black and a larger '
        "one of white, such as '0:4095', or nothing.")
  return black, white


class PictureFacts(NamedTuple):
  """What a file holds.

  Attributes:
    width, height: in pixels, before it is turned.
    mode: PIL's name of the kind of pixels, such as 'RGB'.
    alpha: whether pixels are more or less transparent.
    turned: whether its EXIF says that it is not upright.
    frames: whether it has several frames, of which the first is taken.
    upper: whether it has 16 bits in colour, of which PIL reads the upper 8.
    values: of pixels of more than 8 bits the least and the largest, and the
      least that no more than one in a thousand is above; else None.
  """
  width: int
  height: int
  mode: str
  alpha: bool
  turned: bool
  frames: bool
  upper: bool = False
  values: tuple[float, float, float] | None = None


class WantsRangeError(ValueError):
  """A picture is whole, and no setting says what its black and white are."""


def decode(packed: bytes | np.ndarray, recipe: Recipe,
           ) -> tuple[np.ndarray, PictureFacts]:
  """Decodes a picture, turns it upright, and fits it into the wanted shape.

  In this order: it is turned as its EXIF says, more than 8 bits are scaled from
  recipe.range (16 bits are divided by 257 without one), alpha is laid on white
  (unless channels=4), it is converted, cropped or padded, and resampled. Colour
  profiles are not applied. The first frame of an animation is taken.

  Args:
    packed: bytes of a file; or pixels, uint8 [H, W] or [H, W, 1 to 4], or
      uint16 [H, W].
    recipe: what it becomes.

  Returns:
    uint8 [height, width, channels], and what the file held.

  Raises:
    Whatever PIL raises on a broken file, from OSError to SyntaxError.
  """
  with _open(packed) as opened, _in_turn(opened):
    opened.load()  # A PNG may keep its EXIF behind the pixels.
    image, facts = _upright(opened)
    image = _fit(_convert(
        image, recipe.channels, facts.values, recipe.range), recipe)
    pixels = np.asarray(image)
  return (pixels if pixels.ndim == 3 else pixels[..., None]), facts


def decode_own_size(packed: bytes | np.ndarray,
                    span: tuple[float, float] | None = None) -> np.ndarray:
  """Decodes a picture in colour and at its own size, upright.

  Args:
    packed: as for `decode`.
    span: the values of black and white of more than 8 bits; see parse_range.

  Returns:
    uint8 [h, w, 3], what PIL's convert('RGB') gives: grey is repeated, and
    alpha is left out and not laid on white.

  Raises:
    As `decode`.
  """
  with _open(packed) as opened:
    opened.load()
    image, facts = _upright(opened)
    return np.asarray(_convert(image, 4, facts.values, span))[..., :3]


def read_facts(packed: Any) -> PictureFacts:
  """Reads the header of a picture; its pixels may still be broken.

  Those of more than 8 bits are read too, because their range is a fact.

  Args:
    packed: as for `decode`, or a path, or an open file.
  """
  with _open(packed) as opened:
    return _facts(opened, _orientation(opened) in TURNS)


def _open(packed):
  """Opens PIL's image, not yet decoded, if it has a sane size."""
  if isinstance(packed, np.ndarray):
    return _from_array(packed)
  if isinstance(packed, bytes):
    if not packed:
      raise ValueError('the file is empty')
    packed = io.BytesIO(packed)
  try:
    image = Image.open(packed)
  except UnidentifiedImageError as error:  # PIL's text shows a memory address.
    raise ValueError('not a picture of a format that is read') from error
  # How pixels are packed is forgotten when they are loaded.
  if not is_deep(image.mode) and any(
      re.search(';16[BLN]', str(tile[3])) for tile in image.tile):
    image.info[UPPER] = True
  width, height = image.size
  if not 0 < width * height <= MOST_PIXELS:
    image.close()
    raise ValueError(f'{width} x {height} pixels; wanted 1 to '
                     f'{MOST_PIXELS / 1e6:.0f} million')
  return image


def _in_turn(image):
  """A context in which a large picture is the only one that is decoded.

  A header of a few bytes may speak of as many pixels, in a file for each
  thread.
  """
  width, height = image.size
  large = width * height > LARGE_PIXELS
  return _LARGE if large else contextlib.nullcontext()


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
  except Exception:  # PIL raises many kinds; a broken EXIF is no EXIF.
    return 1


def _upright(image):
  turn = TURNS.get(_orientation(image))
  facts = _facts(image, turn is not None)
  if turn is not None:
    image = _with_transparency_of(image, image.transpose(turn))
  return image, facts


def _facts(image, turned):
  # A photograph with a second, smaller one inside (MPO) is not animated.
  frames = image.format != 'MPO' and getattr(image, 'is_animated', False)
  return PictureFacts(*image.size, image.mode, image.has_transparency_data,
                      turned, frames, UPPER in image.info, _values(image))


def _values(image):
  """PictureFacts.values; a few hot pixels leave the third one as it is."""
  if not is_deep(image.mode):
    return None
  pixels = np.asarray(image)
  pixels = pixels[np.isfinite(pixels)]
  if not pixels.size:
    return 0, 0, 0
  place = int(.999 * (pixels.size - 1))
  return (pixels.min().item(), pixels.max().item(),
          np.partition(pixels, place, axis=None)[place].item())


def is_deep(mode: str) -> bool:
  """Whether pixels of a mode of PIL have more than 8 bits: I;16, I, F."""
  return mode[0] in 'IF'


def _with_transparency_of(old, new):
  """Gives `new` the transparent colour of `old`."""
  if 'transparency' in old.info:
    new.info['transparency'] = old.info['transparency']
  return new


def _convert(image, channels, values, span=None):
  """Converts to MODES[channels]; `span` are the values of black and white."""
  wanted = MODES[channels]
  if image.mode == wanted and 'transparency' not in image.info:
    return image
  if image.mode == 'F' and span is None:
    usual = [(0, top) for top in (1, 255, 65535)
             if 0 <= values[0] and values[1] <= top]
    low, high = (*usual, values[:2])[0]
    raise WantsRangeError(
        f'pixels are floats, here from {values[0]:g} to {values[1]:g}; wanted '
        'the values of black and white, such as config.data.range='
        f"'{low:g}:{high:g}'")
  if values:
    image = _eight_bits(image, *(span or USUAL_RANGE))
  if image.has_transparency_data:
    image = image.convert('RGBA')
    if channels != 4:
      white = Image.new('RGBA', image.size, 'white')
      image = Image.alpha_composite(white, image)
  elif image.mode not in ('1', 'L', 'RGB'):
    image = image.convert('RGB')  # PIL cannot convert some modes to L.
  return image if image.mode == wanted else image.convert(wanted)


def _eight_bits(image, black, white):
  """Scales grey of more bits to L; PIL's own conversion clips at 255."""
  wide = np.asarray(image).astype(np.float64)
  scaled = np.nan_to_num((wide - black) * (255 / (white - black)), nan=0.)
  grey = Image.fromarray(np.rint(scaled.clip(0, 255)).astype(np.uint8))
  clear = image.info.get('transparency')
  if clear is not None:
    alpha = np.where(wide == clear, 0, 255).astype(np.uint8)
    grey.putalpha(Image.fromarray(alpha))
  return grey


def _fit(image, recipe):
  """Gives an image the wanted size by cropping, padding or stretching."""
  wanted, resample = (recipe.width, recipe.height), FILTERS[recipe.filter]
  width, height = image.size
  same_shape = width * wanted[1] == height * wanted[0]
  if not same_shape and recipe.resize == 'center_crop':
    scale = min(width / wanted[0], height / wanted[1])
    inner = [max(1, min(a, round(b * scale)))
             for a, b in zip(image.size, wanted, strict=True)]
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    # It is cropped first: resize(box=...) lets pixels beyond the box bleed in.
    image = image.crop((left, top, left + inner[0], top + inner[1]))
  elif not same_shape and recipe.resize == 'pad':
    scale = min(wanted[0] / width, wanted[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    if inner != image.size:
      image = image.resize(inner, resample)
    frame = Image.new(image.mode, wanted, 0)
    frame.paste(image, ((wanted[0] - inner[0]) // 2,
                        (wanted[1] - inner[1]) // 2))
    return frame
  return image if image.size == wanted else image.resize(wanted, resample)

"""A contact sheet: pictures of a data set in rows, a row a class."""
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from msg_gan_jax.files.atomic import replacing

SMALLEST, LARGEST = 64, 144  # Height of a tile in pixels.
_NO_CHARACTER = '\U0010ffff'  # Unicode will never give it a shape.
_GAP, _MARGIN = 3, 14
_INK, _PALE, _PAPER = (32, 32, 32), (130, 130, 130), (255, 255, 255)


def tiles(images):
  """uint8 [N, H, W, 1, 3 or 4] -> list of PIL pictures of a size to look at.

  Small ones are enlarged by a whole factor, so that their pixels show; alpha
  is laid on white.
  """
  return [_tile(image) for image in images]


def _tile(image):
  image = image[..., 0] if image.shape[-1] < 3 else image[..., :4]
  picture = Image.fromarray(np.ascontiguousarray(image))
  if picture.mode == 'RGBA':
    white = Image.new('RGBA', picture.size, 'white')
    picture = Image.alpha_composite(white, picture)
  picture = picture.convert('RGB')
  width, height = picture.size
  if height > LARGEST:
    size = max(1, round(width * LARGEST / height)), LARGEST
    return picture.resize(size, Image.Resampling.BOX)
  factor = -(-SMALLEST // height)
  return picture.resize(
      (width * factor, height * factor), Image.Resampling.NEAREST)


def writes(text):
  """Whether the font of a sheet has all characters of a text."""
  font = ImageFont.load_default(size=17)
  box = bytes(font.getmask(_NO_CHARACTER))
  return all(bytes(font.getmask(character)) != box for character in text)


def draw(path, rows, title, names=()):
  """Write the sheet as a PNG.

  Args:
    path: of the file; its folder must exist.
    rows: lists of tiles of one size, as `tiles` makes them; a row may be
      shorter than others, or empty.
    title: (what it is, the rest of the line), over the whole.
    names: (name, remark) beside each row; () has none.

  A character that the font lacks is a box; `writes` tells.
  """
  size = next(tile for row in rows for tile in row).size
  columns = max(map(len, rows))
  bold, small = (ImageFont.load_default(size=points) for points in (17, 13))
  ruler = ImageDraw.Draw(Image.new('RGB', (1, 1)))
  lines = [(line, font) for pair in names
           for line, font in zip(pair, (bold, small), strict=True)]
  left = _MARGIN + round(max(
      (ruler.textlength(line, font) + _MARGIN for line, font in lines),
      default=0))
  top = 2 * _MARGIN + 20
  heading = _MARGIN * 2 + round(
      ruler.textlength(title[0], bold) + 12
      + ruler.textlength(title[1], small))
  sheet = Image.new('RGB', (
      max(heading, left + columns * (size[0] + _GAP) - _GAP + _MARGIN),
      top + len(rows) * (size[1] + _GAP) - _GAP + _MARGIN), _PAPER)
  pen = ImageDraw.Draw(sheet)
  _heading(pen, title, bold, small)
  for i, row in enumerate(rows):
    y = top + i * (size[1] + _GAP)
    if names:
      _beside(pen, names[i], y + size[1] / 2, bold, small)
    for j, tile in enumerate(row):
      sheet.paste(tile, (left + j * (size[0] + _GAP), y))
  with replacing(path) as temporary, open(temporary, 'wb') as file:
    sheet.save(file, format='PNG')


def _heading(pen, title, bold, small):
  baseline = _MARGIN + 16
  pen.text((_MARGIN, baseline), title[0], _INK, bold, anchor='ls')
  x = _MARGIN + pen.textlength(title[0], bold) + 12
  pen.text((x, baseline), title[1], _PALE, small, anchor='ls')


def _beside(pen, pair, middle, bold, small):
  pen.text((_MARGIN, middle), pair[0], _INK, bold, anchor='ls')
  pen.text((_MARGIN, middle + 6), pair[1], _PALE, small, anchor='lt')

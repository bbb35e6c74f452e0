"""A figure: pictures in rows, with words above, beside and between them."""
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_APART, _MARGIN = 16, 16  # Pixels between what differs, and around all.
_INK, _PALE, _PAPER = (32, 32, 32), (120, 120, 120), (255, 255, 255)
_LARGE, _SMALL = 17, 14  # Heights of the letters.


class Band(NamedTuple):
  """Rows that belong together.

  Attributes:
    heading: (what they are, the rest of the line) over them, or None.
    rows: lists of tiles of one size, None where a place stays empty.
  """
  heading: tuple[str, str] | None
  rows: list


def tile(image, smallest=96, largest=256):
  """uint8 [H, W, C] -> uint8 [h, w, 3] of a size to look at.

  Small pictures are enlarged by a whole factor, so that their pixels show, and
  large ones halved by area until they fit.

  Args:
    image: C is 1 for grey, 3 for colour, 4 with alpha, which is laid on white;
      of 2 the first is shown.
    smallest, largest: heights in pixels, of which the second wins.
  """
  image = np.asarray(image)
  image = image[..., 0] if image.shape[-1] < 3 else image[..., :4]
  picture = Image.fromarray(np.ascontiguousarray(image))
  if picture.mode == 'RGBA':
    white = Image.new('RGBA', picture.size, 'white')
    picture = Image.alpha_composite(white, picture)
  picture = picture.convert('RGB')
  width, height = picture.size
  factor = max(1, min(-(-smallest // height), largest // height))
  over = 1
  while height > largest * over and not height % (2 * over):
    over *= 2
  size = width * factor // over, height * factor // over
  kind = Image.Resampling.NEAREST if over == 1 else Image.Resampling.BOX
  return np.asarray(picture.resize(size, kind))


def draw(bands, title=None, above=(), beside=(), aside=0, gap=4):
  """Tiles in rows -> uint8 [H, W, 3].

  Args:
    bands: of tiles that are all of one size, as `tile` makes them.
    title: (what it is, the rest of the line) over the whole, or None.
    above: a text over each column, or ().
    beside: (name, remark) left of each row of all bands, or ().
    aside: so many columns at the left stand apart from the rest.
    gap: pixels between two tiles.
  """
  large, small = (ImageFont.load_default(size=x) for x in (_LARGE, _SMALL))
  height, width, _ = next(
      x for band in bands for row in band.rows for x in row
      if x is not None).shape
  columns = max(len(row) for band in bands for row in band.rows)
  ruler = ImageDraw.Draw(Image.new('RGB', (1, 1)))

  def length(pair):
    return round(ruler.textlength(pair[0], large) + 10
                 + ruler.textlength(pair[1], small))

  left = _MARGIN + max((round(max(
      ruler.textlength(name, large), ruler.textlength(remark, small)))
      + _APART for name, remark in beside), default=0)
  lefts = [left + i * (width + gap) + (_APART - gap) * (0 < aside <= i)
           for i in range(columns)]
  headings = [x for x in (title, *(band.heading for band in bands)) if x]
  words, tops, y = [], [], _MARGIN  # Words are (x, y, pair).
  if title:
    words.append((_MARGIN, y, title))
    y += _LARGE + _APART
  if above:
    y += _SMALL
    columns_base, y = y, y + 8
  for i, band in enumerate(bands):
    y += (_APART - gap) * (i > 0)
    if band.heading:
      words.append((lefts[0], y, band.heading))
      y += _LARGE + 8
    for _ in band.rows:
      tops.append(y)
      y += height + gap
  sheet = Image.new('RGB', (
      max(lefts[-1] + width, *(_MARGIN + length(x) for x in headings), 0)
      + _MARGIN, y - gap + _MARGIN), _PAPER)
  pen = ImageDraw.Draw(sheet)
  for x, top, (first, rest) in words:
    base = top + _LARGE - 3
    pen.text((x, base), first, _INK, large, anchor='ls')
    pen.text((x + ruler.textlength(first, large) + 10, base), rest, _PALE,
             small, anchor='ls')
  for x, text in zip(lefts, above, strict=False):
    pen.text((x + width / 2, columns_base), text, _INK, small, anchor='ms')
  rows = [row for band in bands for row in band.rows]
  for i, (top, row) in enumerate(zip(tops, rows, strict=True)):
    if beside:
      _beside(pen, beside[i], top + height / 2, large, small)
    for x, picture in zip(lefts, row, strict=False):
      if picture is not None:
        sheet.paste(Image.fromarray(picture), (x, top))
  return np.asarray(sheet)


def _beside(pen, pair, middle, large, small):
  name, remark = pair
  pen.text((_MARGIN, middle - 2 if remark else middle), name, _INK, large,
           anchor='ls' if remark else 'lm')
  pen.text((_MARGIN, middle + 4), remark, _PALE, small, anchor='lt')

"""A figure: pictures in rows, with words above, beside and between them."""
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from msg_gan_jax.report.lettering import (
  INK,
  PAPER,
  Style,
  to_rgb,
  write_beside,
  write_heading,
)

_APART, _MARGIN = 16, 16  # Pixels between what differs, and around all.
_STYLE = Style(margin=_MARGIN, pale=(120, 120, 120), large=17, small=14,
               space=10, offsets=(-2, 4))


class Band(NamedTuple):
  """Rows that belong together.

  Attributes:
    heading: (what they are, the rest of the line) over them, or None.
    rows: lists of tiles of one size, None where a place stays empty.
  """
  heading: tuple[str, str] | None
  rows: Sequence[Sequence[np.ndarray | None]]


class Layout(NamedTuple):
  """Where everything in a figure stands, in pixels from its top left corner.

  Attributes:
    size: (width, height) of the figure.
    lefts: of the columns.
    tops: of the rows of all bands.
    headings: (left, base line, pair) of the title and of the bands.
    above: base line of the words over the columns.
  """
  size: tuple[int, int]
  lefts: list[int]
  tops: list[int]
  headings: list[tuple[int, int, tuple[str, str]]]
  above: int


def tile(image: np.ndarray, smallest: int = 96,
         largest: int = 256) -> np.ndarray:
  """uint8 [H, W, C] -> uint8 [h, w, 3] of a size to look at.

  Small pictures are enlarged by a whole factor, so that their pixels show, and
  large ones halved by area until they fit.

  Args:
    image: see `lettering.to_rgb`.
    smallest, largest: heights in pixels; the second wins.
  """
  picture = to_rgb(image)
  width, height = picture.size
  factor = max(1, min(-(-smallest // height), largest // height))
  over = 1
  while height > largest * over and not height % (2 * over):
    over *= 2
  size = width * factor // over, height * factor // over
  kind = Image.Resampling.NEAREST if over == 1 else Image.Resampling.BOX
  return np.asarray(picture.resize(size, kind))


def draw(bands: Sequence[Band], title: tuple[str, str] | None = None,
         above: Sequence[str] = (), beside: Sequence[tuple[str, str]] = (),
         aside: int = 0, gap: int = 4) -> np.ndarray:
  """Tiles in rows -> uint8 [H, W, 3].

  Args:
    bands: tiles that all have one size, as `tile` makes them.
    title: (what it is, the rest of the line) over the whole, or None.
    above: a text over each column, or ().
    beside: (name, remark) left of each row of all bands, or ().
    aside: how many columns at the left stand apart from the rest.
    gap: pixels between two tiles.
  """
  places = layout(bands, title, bool(above), beside, aside, gap)
  sheet = Image.new('RGB', places.size, PAPER)
  pen = ImageDraw.Draw(sheet)
  height, width = _tile_size(bands)
  for left, base, pair in places.headings:
    write_heading(pen, left, base, pair, _STYLE)
  for left, text in zip(places.lefts, above, strict=False):
    pen.text((left + width / 2, places.above), text, INK, _STYLE.fonts[1],
             anchor='ms')
  for top, pair in zip(places.tops, beside, strict=False):
    write_beside(pen, top + height / 2, pair, _STYLE)
  rows = [row for band in bands for row in band.rows]
  for top, row in zip(places.tops, rows, strict=True):
    for left, picture in zip(places.lefts, row, strict=False):
      if picture is not None:
        sheet.paste(Image.fromarray(picture), (left, top))
  return np.asarray(sheet)


def layout(bands: Sequence[Band], title: tuple[str, str] | None, above: bool,
           beside: Sequence[tuple[str, str]], aside: int, gap: int) -> Layout:
  """Places everything; see `draw`, `above` is whether columns have words."""
  height, width = _tile_size(bands)
  lefts = _lefts(max(len(row) for band in bands for row in band.rows), width,
                 beside, aside, gap)
  headings, tops, y = [], [], _MARGIN

  def place_heading(left, pair):
    headings.append((left, y + _STYLE.large - 3, pair))

  if title:
    place_heading(_MARGIN, title)
    y += _STYLE.large + _APART
  base = y + _STYLE.small
  if above:
    y = base + (_APART if bands[0].heading else 8)
  for i, band in enumerate(bands):
    y += (_APART - gap) * (i > 0)
    if band.heading:
      place_heading(lefts[0], band.heading)
      y += _STYLE.large + 8
    for _ in band.rows:
      tops.append(y)
      y += height + gap
  right = max([lefts[-1] + width, *(
      _MARGIN + _STYLE.heading_length(pair) for *_, pair in headings)])
  return Layout((right + _MARGIN, y - gap + _MARGIN), lefts, tops, headings,
                base)


def _lefts(columns, width, beside, aside, gap):
  """Where columns begin: right of the longest words that stand beside them."""
  longest = max((round(max(_STYLE.lengths(pair))) + _APART for pair in beside),
                default=0)
  return [_MARGIN + longest + i * (width + gap)
          + (_APART - gap) * (0 < aside <= i) for i in range(columns)]


def _tile_size(bands):
  return next(tile for band in bands for row in band.rows for tile in row
              if tile is not None).shape[:2]

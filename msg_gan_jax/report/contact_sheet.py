"""A contact sheet: pictures of a data set in rows, a row for each class."""
from collections.abc import Iterable, Sequence
import os

import numpy as np
from PIL import Image, ImageDraw

from msg_gan_jax.files.atomic import replacing
from msg_gan_jax.report.lettering import (
  PAPER,
  Style,
  to_rgb,
  write_beside,
  write_heading,
)

SMALLEST, LARGEST = 64, 144  # Height of a tile in pixels.
_GAP, _MARGIN = 3, 14
_STYLE = Style(margin=_MARGIN, pale=(130, 130, 130), large=17, small=13,
               space=12, offsets=(0, 6))


def tiles(images: Iterable[np.ndarray]) -> list[Image.Image]:
  """uint8 [N, H, W, 1, 3 or 4] -> pictures of a size to look at.

  Small ones are enlarged by a whole factor, so that their pixels show; alpha
  is laid on white.
  """
  return [_tile(image) for image in images]


def _tile(image):
  picture = to_rgb(image)
  width, height = picture.size
  if height > LARGEST:
    size = max(1, round(width * LARGEST / height)), LARGEST
    return picture.resize(size, Image.Resampling.BOX)
  factor = -(-SMALLEST // height)
  return picture.resize(
      (width * factor, height * factor), Image.Resampling.NEAREST)


def draw(path: str | os.PathLike, rows: Sequence[Sequence[Image.Image]],
         title: tuple[str, str], names: Sequence[tuple[str, str]] = (),
         ) -> None:
  """Writes the sheet as a PNG.

  A character that the font lacks is a box; `lettering.can_write` tells.

  Args:
    path: of the file; its folder must exist.
    rows: tiles of one size, as `tiles` makes them; a row may be shorter than
      others, or empty.
    title: (what it is, the rest of the line), over the whole.
    names: (name, remark) beside each row; () has none.
  """
  width, height = next(tile for row in rows for tile in row).size
  columns = max(map(len, rows))
  left = _MARGIN + round(max(
      (max(_STYLE.lengths(pair)) + _MARGIN for pair in names), default=0))
  top = 2 * _MARGIN + 20
  sheet = Image.new('RGB', (
      max(_MARGIN * 2 + _STYLE.heading_length(title),
          left + columns * (width + _GAP) - _GAP + _MARGIN),
      top + len(rows) * (height + _GAP) - _GAP + _MARGIN), PAPER)
  pen = ImageDraw.Draw(sheet)
  write_heading(pen, _MARGIN, _MARGIN + 16, title, _STYLE)
  for i, row in enumerate(rows):
    y = top + i * (height + _GAP)
    if names:
      write_beside(pen, y + height / 2, names[i], _STYLE)
    for j, tile in enumerate(row):
      sheet.paste(tile, (left + j * (width + _GAP), y))
  with replacing(path) as temporary, open(temporary, 'wb') as file:
    sheet.save(file, format='PNG')

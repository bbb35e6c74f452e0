"""Words on pictures: headings, and names beside rows, in Pillow's own font."""
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

INK, PAPER = (32, 32, 32), (255, 255, 255)
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_NO_CHARACTER = '\U0010ffff'  # Unicode will never give it a shape.


class Style(NamedTuple):
  """How words look; lengths are in pixels.

  Attributes:
    margin: at the left of words that stand beside rows.
    pale: RGB of remarks; names have INK.
    large, small: heights of the letters of names and of remarks.
    space: between a name and its remark, in a heading.
    offsets: from the middle of a row down to the base of its name, and to the
      top of its remark.
  """
  margin: int
  pale: tuple[int, int, int]
  large: int
  small: int
  space: int
  offsets: tuple[int, int]

  @property
  def fonts(self) -> tuple[Font, Font]:
    """(that of names, that of remarks)."""
    return (ImageFont.load_default(size=self.large),
            ImageFont.load_default(size=self.small))

  def lengths(self, pair: tuple[str, str]) -> tuple[float, float]:
    """How long a name and its remark are."""
    pen = ImageDraw.Draw(Image.new('RGB', (1, 1)))
    large, small = self.fonts
    return pen.textlength(pair[0], large), pen.textlength(pair[1], small)

  def heading_length(self, pair: tuple[str, str]) -> int:
    """How long a name is with its remark behind it."""
    name, remark = self.lengths(pair)
    return round(name + self.space + remark)


def write_heading(pen: ImageDraw.ImageDraw, left: int, base: int,
                  pair: tuple[str, str], style: Style) -> None:
  """Writes a name, and its remark behind it, on one base line."""
  large, small = style.fonts
  name, remark = pair
  pen.text((left, base), name, INK, large, anchor='ls')
  pen.text((left + pen.textlength(name, large) + style.space, base), remark,
           style.pale, small, anchor='ls')


def write_beside(pen: ImageDraw.ImageDraw, middle: float,
                 pair: tuple[str, str], style: Style) -> None:
  """Writes a name, and its remark below it, about the middle of a row."""
  large, small = style.fonts
  name, remark = pair
  above, below = style.offsets
  pen.text((style.margin, middle + above if remark else middle), name, INK,
           large, anchor='ls' if remark else 'lm')
  pen.text((style.margin, middle + below), remark, style.pale, small,
           anchor='lt')


def can_write(text: str) -> bool:
  """Whether the font has all characters of a text."""
  font = ImageFont.load_default(size=17)
  box = bytes(font.getmask(_NO_CHARACTER))
  return all(bytes(font.getmask(character)) != box for character in text)


def to_rgb(image: np.ndarray) -> Image.Image:
  """uint8 [H, W, C] -> a picture in colour.

  C is 1 for grey, 3 for colour, 4 with alpha, which is laid on white; of 2
  channels the first is shown.
  """
  image = np.asarray(image)
  image = image[..., 0] if image.shape[-1] < 3 else image[..., :4]
  picture = Image.fromarray(np.ascontiguousarray(image))
  if picture.mode == 'RGBA':
    white = Image.new('RGBA', picture.size, 'white')
    picture = Image.alpha_composite(white, picture)
  return picture.convert('RGB')

"""Small pictures in squares of one size, signed ones, and heat over pictures.

Signed values are shown about a grey that is 0, or as two colours that people
who do not see red and green tell apart.
"""
from collections.abc import Sequence
import math

import numpy as np
from PIL import Image

from msg_gan_jax.report.grids import grid
from msg_gan_jax.report.lettering import to_rgb

POSITIVE, NEGATIVE = (0, 90, 181), (213, 94, 0)  # Blue and vermilion.
_FAINT = .35  # Contrast that a picture keeps below its heat.


def square(image: np.ndarray, size: int) -> np.ndarray:
  """uint8 [H, W, C] -> uint8 [size, size, 3], in the middle of white.

  What is smaller is enlarged by a whole factor, so that its pixels show.
  """
  picture = to_rgb(image)
  longest = max(picture.size)
  if longest > size:
    picture = picture.resize([
        max(1, round(x * size / longest)) for x in picture.size],
        Image.Resampling.BOX)
  else:
    factor = size // longest
    picture = picture.resize([x * factor for x in picture.size],
                             Image.Resampling.NEAREST)
  sheet = Image.new('RGB', (size, size), 'white')
  sheet.paste(picture, ((size - picture.width) // 2,
                        (size - picture.height) // 2))
  return np.asarray(sheet)


def block(images: Sequence[np.ndarray] | np.ndarray, size: int,
          columns: int | None = None) -> np.ndarray:
  """Pictures in rows, each in a square, as one: nine make 3x3.

  Args:
    images: uint8 [H, W, C] each.
    size: pixels of a square.
    columns: in a row; None makes about a square of them.
  """
  columns = columns or math.ceil(math.sqrt(len(images)))
  return grid(np.stack([square(x, size) for x in images]), columns, gap=1)


def about_grey(values: np.ndarray) -> np.ndarray:
  """Signed values -> uint8; 128 is 0, and the largest of a picture is 127 away.

  Args:
    values: float [..., H, W, C]; each picture has a scale of its own. Of four
      channels the last, alpha, is left out.
  """
  values = values[..., :3]
  most = np.abs(values).max((-3, -2, -1), keepdims=True)
  scaled = np.divide(values, most, out=np.zeros_like(values), where=most > 0)
  return np.rint(128 + 127 * scaled).astype(np.uint8)


def heat(image: np.ndarray, values: np.ndarray, most: float) -> np.ndarray:
  """A faint grey picture, blue where values are positive, vermilion where not.

  Args:
    image: uint8 [H, W, C].
    values: float [H, W].
    most: the absolute value of full colour, more than 0.

  Returns:
    uint8 [H, W, 3].
  """
  grey = np.asarray(to_rgb(image).convert('L'), np.float64)[..., None]
  below = 255 - _FAINT * (255 - grey)
  share = np.clip(np.abs(values) / most, 0, 1)[..., None]
  colour = np.where(values[..., None] > 0, POSITIVE, NEGATIVE)
  return np.rint(below * (1 - share) + colour * share).astype(np.uint8)

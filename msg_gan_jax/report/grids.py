"""Pictures for people: grids of samples, all scales side by side, PNG files."""
from collections.abc import Sequence
import math
import os

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from msg_gan_jax.files.atomic import replacing

_VISIBLE = 64  # Pixels that a tile needs, for a person to see what it shows.


def grid(images: np.ndarray, columns: int | None = None, gap: int = 2,
         background: int = 255) -> np.ndarray:
  """Images in rows, left to right, with gaps between them.

  Args:
    images: uint8 [N, H, W, C]. 1, 3 and 4 channels are grey, colour and
      colour with alpha; of 2 the first is shown, of more than 4 the first 3.
    columns: how many in a row; None makes the grid about square.
    gap: pixels between two images.
    background: 0..255, of the gaps and of places without an image; opaque.

  Returns:
    uint8 [rows * (H + gap) - gap, columns * (W + gap) - gap, 1, 3 or 4].
  """
  images = _shown(images, 'grid')
  n, height, width, channels = images.shape
  columns = columns or math.ceil(math.sqrt(n * height / width))
  rows = math.ceil(n / columns)
  canvas = _canvas(
      rows * (height + gap) - gap, columns * (width + gap) - gap, channels,
      background)
  for i, image in enumerate(images):
    top = (i // columns) * (height + gap)
    left = (i % columns) * (width + gap)
    canvas[top:top + height, left:left + width] = image
  return canvas


def upscale(images: np.ndarray, size: int) -> np.ndarray:
  """Repeats every pixel, so that the height becomes `size`, a multiple of it.

  Args:
    images: [..., H, W, C].
    size: the new height, in pixels.

  Returns:
    [..., size, size * W / H, C].

  Raises:
    ValueError: `size` is not a multiple of the height.
  """
  factor, rest = divmod(size, images.shape[-3])
  if rest or not factor:
    raise ValueError(
        f'size: {size} is not a multiple of the height {images.shape[-3]}.')
  return images.repeat(factor, axis=-3).repeat(factor, axis=-2)


def scales_side_by_side(
    pyramid: Sequence[np.ndarray], columns: int | None = None, gap: int = 2,
    background: int = 255) -> np.ndarray:
  """The same latents at every scale: a block for each, coarse to fine.

  Args:
    pyramid: coarse to fine; level i is uint8 [N, h_i, w_i, C] with a height
      that divides the finest one.
    columns: of one block; None makes the whole about square.
    gap: pixels between two tiles; blocks are a quarter of a tile apart.
    background: see `grid`.

  Returns:
    uint8 [.., .., C] with tiles of one size, at least 64 pixels, and each
    block's pixel size above it.
  """
  size = _tile(pyramid[-1].shape[1])
  columns = columns or _columns(len(pyramid[-1]), len(pyramid))
  blocks = [
      grid(upscale(_shown(level, 'scales_side_by_side'), size), columns, gap,
           background) for level in pyramid]
  height, width, channels = blocks[0].shape
  step, header = width + size // 4, _header(size)
  canvas = _canvas(
      header + height, len(blocks) * step - size // 4, channels, background)
  strip = Image.new('L', (canvas.shape[1], header), background)
  draw = ImageDraw.Draw(strip)
  font = ImageFont.load_default(size=header * .6)
  for i, (level, block) in enumerate(zip(pyramid, blocks, strict=True)):
    canvas[header:, i * step:i * step + width] = block
    draw.text(
        (i * step, header / 2), f'{level.shape[1]} px', anchor='lm', font=font,
        fill=0 if background > 127 else 255)
  canvas[:header, :, :3] = np.asarray(strip)[:, :, None]
  return canvas


def finest_part(picture: Image.Image, shapes: Sequence[tuple[int, int]],
                tallest: float = 1., gap: int = 2) -> Image.Image:
  """The first samples at the finest scale: as many rows as columns, or fewer.

  Args:
    picture: of `scales_side_by_side`, of any number of samples.
    shapes: (height, width) of the scales, coarse to fine.
    tallest: height in widths; there is one row at least.
    gap: as it was drawn.

  Returns:
    That part of the picture, or all of it where it has another size than such a
    picture has.
  """
  height, width = shapes[-1]
  size = _tile(height)
  step = size * width // height + gap
  # Blocks have a gap less than their tiles, and a quarter of a tile between.
  columns, rest = divmod(
      picture.width - (len(shapes) - 1) * (size // 4) + len(shapes) * gap,
      len(shapes) * step)
  across = columns * step - gap
  rows = max(1, min(columns, int((tallest * across + gap) / (size + gap))))
  down = rows * (size + gap) - gap
  if rest or columns < 1 or _header(size) + down > picture.height:
    return picture
  return picture.crop((picture.width - across, _header(size), picture.width,
                       _header(size) + down))


def save(path: str | os.PathLike, array: np.ndarray,
         tile: int | None = None) -> None:
  """Writes a PNG; a reader finds the old file or the whole new one.

  Args:
    path: of the file; its folder must exist.
    array: uint8 [H, W, C], C as `grid` returns it.
    tile: pixel size of one picture in it; where that is small, the file is
      enlarged by a whole factor that makes it at least 64. None does not.
  """
  array = _shown(np.asarray(array)[None], 'save')
  if tile is not None:
    array = upscale(array, array.shape[1] * _factor(tile))
  array = array[0, :, :, 0] if array.shape[-1] == 1 else array[0]
  with replacing(path) as temporary, open(temporary, 'wb') as file:
    Image.fromarray(array).save(file, format='PNG')


def _shown(images, caller):
  images = np.asarray(images)
  if images.dtype != np.uint8 or images.ndim != 4 or not images.size:
    raise ValueError(
        f'{caller}: wanted uint8 images [N, H, W, C], found {images.dtype} '
        f'{list(images.shape)}; pixels.to_uint8 makes them of floats.')
  channels = images.shape[-1]
  keep = {2: 1}.get(channels, channels if channels <= 4 else 3)
  return images[..., :keep]


def _factor(size):
  return math.ceil(_VISIBLE / size)


def _tile(finest):
  """The height of all tiles where scales stand side by side."""
  return finest * _factor(finest)


def _header(size):
  return max(20, size // 5)


def _columns(count, scales):
  """Columns of a block that make the whole about square."""
  return max(1, round(math.sqrt(count / scales)))


def _canvas(height, width, channels, background):
  canvas = np.full((height, width, channels), background, np.uint8)
  if channels == 4:
    canvas[..., 3] = 255
  return canvas

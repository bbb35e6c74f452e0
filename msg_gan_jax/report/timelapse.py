"""Grids of a run in training, in their order: frames of a film, with captions.

Plain cuts, and no fades: between two grids a fade would show pictures that no
generator has drawn.
"""
from collections.abc import Callable, Iterator, Sequence
import os
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin

from msg_gan_jax.files import room
from msg_gan_jax.report.lettering import (
  INK,
  PAPER,
  Style,
  to_rgb,
  write_heading,
)

LARGEST = 1600  # Pixels in the longer side of a film's pictures.
STILL = 5       # The last grid stays as long as a fifth of all of them.
_BAR = 4        # Pixels in the height of the line that shows the time.
_STYLE = Style(margin=16, pale=(120, 120, 120), large=17, small=14, space=8,
               offsets=(0, 0))
_TRACK = 225, 225, 225


class Shot(NamedTuple):
  """A grid of samples.

  Attributes:
    images: real images shown before it was drawn.
    path: of its PNG.
    size: (width, height) of it.
  """
  images: int
  path: str | os.PathLike
  size: tuple[int, int]


def readable(grids: Sequence[tuple[int, str | os.PathLike]],
             say: Callable[[str], Any]) -> list[Shot]:
  """The grids whose files are whole, in their order.

  Each is read to its end, but not decoded.

  Args:
    grids: (images shown, path of a PNG).
    say: gets a warning of each that is left out.
  """
  found = []
  for images, path in grids:
    try:
      with _open(path) as image:
        size = image.size
        room.check(12 * size[0] * size[1])  # RGB, enlarged, and as a frame.
        image.verify()
    except Exception as error:  # Pillow raises half a dozen classes.
      say(f'warning: {path} is left out: it is no whole PNG ({error})')
    else:
      found.append(Shot(images, path, size))
  return found


def usual_fps(count: int) -> float:
  """Grids a second where nobody says it.

  2 of them, or as many as make a film of 20 seconds, but at most 30.
  """
  return min(30., max(2., count / 20))


def frames(shots: Sequence[Shot], still: bool = False) -> Iterator[np.ndarray]:
  """The frames of the film, uint8 [H, W, 3], one by one and all of one size.

  They are as large as the largest grid. Smaller ones, as of a run that was
  continued under other settings, are enlarged by the largest whole factor that
  fits, so that their pixels stay crisp, and stand in the middle.

  Args:
    shots: what `readable` returns, at least one.
    still: whether the last one comes `still_frames` times more.
  """
  width, height = (max(shot.size[i] for shot in shots) for i in (0, 1))
  over = -(-max(width, height) // LARGEST)
  size = -(-width // over), -(-height // over)
  for shot in shots:
    frame = _frame(shot, shots[-1].images, (width, height), over, size)
    yield frame
  for _ in range(still_frames(len(shots)) if still else 0):
    yield frame


def still_frames(count: int) -> int:
  """How many more frames the last of `count` grids has at the end of a film."""
  return -(-count // STILL)


def _open(path):
  # Image.open refuses large files that strangers may have sent. A grid of
  # pictures of 1024 px has more pixels than it would take.
  return PngImagePlugin.PngImageFile(path)


def _frame(shot, last, largest, over, size):
  with _open(shot.path) as image:
    picture = to_rgb(np.atleast_3d(np.asarray(image)))
  factor = max(1, min(a // b for a, b in zip(
      largest, picture.size, strict=True)))
  picture = picture.resize(
      (factor * picture.width, factor * picture.height),
      Image.Resampling.NEAREST)
  picture = picture.reduce(over)
  header = _STYLE.large + 2 * _STYLE.space + _BAR
  sheet = Image.new('RGB', (
      size[0] + 2 * _STYLE.margin, size[1] + header + 2 * _STYLE.margin), PAPER)
  sheet.paste(picture, (
      _STYLE.margin + (size[0] - picture.width) // 2,
      _STYLE.margin + header + (size[1] - picture.height) // 2))
  pen, left = ImageDraw.Draw(sheet), _STYLE.margin
  write_heading(pen, left, left + _STYLE.large - 3,
                (f'{shot.images:,}', 'images shown'), _STYLE)
  top = left + _STYLE.large + _STYLE.space
  pen.rectangle((left, top, left + size[0] - 1, top + _BAR - 1), _TRACK)
  if shown := round(size[0] * shot.images / max(last, 1)):
    pen.rectangle((left, top, left + shown - 1, top + _BAR - 1), INK)
  return np.asarray(sheet)

"""Pictures inside a page: WebP in data URIs, few enough to be sent by mail."""
import base64
import io
import os

from PIL import Image

WIDEST = 1024  # Pixels of a picture in a page.
QUALITY = 80


def uri(path: str | os.PathLike, widest: int = WIDEST) -> str:
  """A picture as a data URI.

  Args:
    path: of a PNG, or of a film (.webp, .gif), which is taken as it is.
    widest: pixels; what is wider is made smaller by area.

  Raises:
    OSError: it is not there, or no picture.
  """
  with Image.open(path) as picture:
    if getattr(picture, 'n_frames', 1) > 1:
      with open(path, 'rb') as file:
        return _data(file.read(), (picture.format or '').lower())
    shown = picture.convert('RGBA' if picture.mode in ('RGBA', 'P') else 'RGB')
  if shown.width > widest:
    shown = shown.resize(
        (widest, max(1, round(shown.height * widest / shown.width))),
        Image.Resampling.BOX)
  content = io.BytesIO()
  shown.save(content, format='WEBP', quality=QUALITY, method=4)
  return _data(content.getvalue(), 'webp')


def _data(content, kind):
  return f'data:image/{kind};base64,{base64.b64encode(content).decode()}'


def evenly(count: int, most: int) -> list[int]:
  """Places of at most so many of `count`: the first, the last, and between.

  Args:
    count: of all.
    most: at least 2.
  """
  if count <= most:
    return [*range(count)]
  return [round(i * (count - 1) / (most - 1)) for i in range(most)]

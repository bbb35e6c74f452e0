"""Pictures inside a page: WebP in data URIs, few enough to be sent by mail."""
import base64
from collections.abc import Sequence
from concurrent import futures
import io
import os

from PIL import Image

from msg_gan_jax.files import cores

THREADS = 4
PROBES = 4  # Pictures that tell how large the others will be.
WIDEST = 1024  # Pixels of a picture in a page.
QUALITY = 80
EFFORT = 2  # Of 0 to 6: 4 takes twice the time, and saves a tenth of the bytes.


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
  shown.save(content, format='WEBP', quality=QUALITY, method=EFFORT)
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


def fitting(paths: Sequence[str | os.PathLike], most: int,
            room: int) -> dict[int, str]:
  """As many of several pictures as there is room for, evenly apart.

  Args:
    paths: of the pictures, in their order.
    most: pictures, at least 2.
    room: characters of all of them as data URIs. Two pictures may have more.

  Returns:
    {place: its data URI}, '' of one that is half-written or gone, in their
    order.
  """
  found: dict[int, str] = {}
  count, probing = min(PROBES, most), True
  with futures.ThreadPoolExecutor(min(THREADS, cores.available())) as pool:
    while True:
      places = evenly(len(paths), count)
      new = [i for i in places if i not in found]
      found |= zip(new, pool.map(_uri_or_none, [paths[i] for i in new]),
                   strict=True)
      size = sum(len(found[i]) for i in places)
      if not probing and (size <= room or count <= 2):
        return {i: found[i] for i in places}
      fits = len(places) * room // max(1, size)
      count = max(2, min(most if probing else count - 1, fits))
      probing = False


def _uri_or_none(path):
  try:
    return uri(path)
  except OSError:
    return ''
